//! What a start reads of each layer, in bytes of the layer's tar: what spans are cut for.

use std::collections::BTreeSet;
use std::ops::Range;

use soci_rootfs::{FileType, LookupFault, Rootfs};
use soci_ztoc::ztoc::{SpanCost, Toc};

use crate::estimate::Client;
use crate::link::Link;
use crate::touch::wanted;
use crate::trace::Trace;

/// What a start reads of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reads {
    /// Of each layer, lowest first: bytes of its tar, in the order of the trace; they may overlap.
    pub layers: Vec<Vec<Range<u64>>>,
    /// Regular files of the image that the trace names, each once.
    pub files: usize,
    /// Paths of the trace that are not in the image: made at run time, mounted, or of another image.
    pub missing: Vec<Vec<u8>>,
    /// Paths of which no layer that was read can say whether they are there.
    pub unknown: Vec<Vec<u8>>,
}

/// Looks the paths of a trace up in the image whose layers, lowest first, these are.
///
/// The tar header of a file that is read counts as read: a client compares it with the zTOC.
pub fn reads(trace: &Trace, layers: &[Option<&Toc>]) -> Reads {
    let rootfs = Rootfs::new(layers);
    let headers: Vec<Vec<u64>> = layers
        .iter()
        .map(|toc| toc.map_or_else(Vec::new, headers))
        .collect();
    let mut reads = Reads {
        layers: vec![Vec::new(); layers.len()],
        ..Reads::default()
    };
    let mut seen = BTreeSet::new();
    for opened in &trace.files {
        let found = match rootfs.find(&opened.path) {
            Ok(found) => found,
            Err(LookupFault::Unknown { .. }) => {
                reads.unknown.push(opened.path.clone());
                continue;
            }
            Err(_) => {
                reads.missing.push(opened.path.clone());
                continue;
            }
        };
        let Some(entry) = found.entry.filter(|_| found.file_type == FileType::Regular) else {
            continue;
        };
        reads.files += usize::from(seen.insert((found.layer, entry)));
        let Some(row) = layers[found.layer].and_then(|toc| toc.get(entry)) else {
            continue;
        };
        let ranges = wanted(opened, found.size);
        if !ranges.is_empty() {
            reads.layers[found.layer].push(headers[found.layer][entry]..row.offset);
        }
        for range in ranges {
            let begin = row.offset.saturating_add(range.start);
            reads.layers[found.layer].push(begin..row.offset.saturating_add(range.end));
        }
    }
    reads
}

/// Where the header of each entry begins, those of long names and records before it included: behind the data of the
/// entry that lies before it, in blocks of 512 bytes.
fn headers(toc: &Toc) -> Vec<u64> {
    let mut entries: Vec<(u64, u64, usize)> = toc
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.offset, entry.data_size(), index))
        .collect();
    entries.sort_unstable();
    let mut headers = vec![0; entries.len()];
    let mut next: u64 = 0;
    for (offset, size, index) in entries {
        headers[index] = next.min(offset);
        next = offset.saturating_add(size).div_ceil(BLOCK).saturating_mul(BLOCK);
    }
    headers
}

/// Bytes of a tar block.
const BLOCK: u64 = 512;

/// Seconds that a request takes beside the round trip: measured with the client of [`Client::MEASURED`].
const REQUEST: f64 = 0.004;

/// Bytes of the window that comes with every span.
const WINDOW: u64 = 32 << 10;

/// What spans cost a client behind a link.
pub fn span_cost(link: &Link, client: &Client) -> SpanCost {
    const FEMTO: f64 = 1e15;
    // Casts saturate: a link on which a byte takes hours has the largest cost there is.
    let femto = |seconds: f64| (seconds * FEMTO).round() as u64;
    SpanCost {
        span: femto(link.transfer(WINDOW)),
        request: femto(link.round_trip() + REQUEST),
        compressed_byte: femto(link.transfer(1)),
        uncompressed_byte: femto(client.per_mib / f64::from(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_that_of_the_link() {
        let link: Link = "200Mbit/2ms".parse().expect("a link");
        let cost = span_cost(&link, &Client::MEASURED);
        assert_eq!(cost.span, 1_310_720_000_000);
        assert_eq!(cost.request, 6_000_000_000_000);
        assert_eq!(cost.compressed_byte, 40_000_000);
        assert_eq!(cost.uncompressed_byte, 9_536_743);
    }
}
