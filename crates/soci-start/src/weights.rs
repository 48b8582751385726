//! Bytes of an image's files as they are stored: what of a layer's spans is theirs.

use std::collections::BTreeSet;

use soci_rootfs::{FileType, Found, Rootfs};
use soci_ztoc::ztoc::{TocEntry, Ztoc};

use crate::carried::Share;

/// Those of the layers of a file system, lowest first; a layer that is not known has none.
pub(crate) fn of_layers<'a>(layers: &[Option<(&'a Ztoc, u64)>]) -> Vec<Option<Weights<'a>>> {
    layers
        .iter()
        .map(|layer| layer.map(|(ztoc, size)| Weights::new(ztoc, size)))
        .collect()
}

/// Visits each file that containers see, in layers that are known, with its entry there and its share; one with several
/// names comes once. Gives layer and entry of all that were visited.
pub(crate) fn each_file(
    rootfs: &Rootfs<'_>,
    weights: &[Option<Weights<'_>>],
    mut visit: impl FnMut(&Found, usize, Share),
) -> BTreeSet<(usize, usize)> {
    let mut seen = BTreeSet::new();
    rootfs.each(|found| {
        let Some(entry) = found.entry.filter(|_| found.file_type == FileType::Regular) else {
            return;
        };
        let weight = weights.get(found.layer).and_then(Option::as_ref);
        if let Some(weight) = weight
            && seen.insert((found.layer, entry))
        {
            visit(&found, entry, weight.share(entry));
        }
    });
    seen
}

/// Bytes of a layer, as its spans divide them.
pub(crate) struct Weights<'a> {
    pub(crate) ztoc: &'a Ztoc,
    /// Stored bytes of the layer for each byte that its spans have: not 1 where it was unpacked to be known.
    scale: f64,
}

impl<'a> Weights<'a> {
    fn new(ztoc: &'a Ztoc, size: u64) -> Self {
        Self {
            ztoc,
            scale: size as f64 / ztoc.compressed_size().max(1) as f64,
        }
    }

    pub(crate) fn share(&self, entry: usize) -> Share {
        let Some(entry) = self.ztoc.toc().get(entry) else {
            return Share::default();
        };
        Share {
            files: 1,
            bytes: entry.data_size(),
            compressed: (self.compressed(&entry) * self.scale) as u64,
        }
    }

    fn compressed(&self, entry: &TocEntry<'_>) -> f64 {
        let (begin, size) = (entry.offset, entry.data_size());
        if size == 0 {
            return 0.0;
        }
        let end = begin.saturating_add(size);
        let mut sum = 0.0;
        for id in self.ztoc.span_of(begin)..=self.ztoc.span_of(end - 1) {
            let Some(span) = usize::try_from(id).ok().and_then(|id| self.ztoc.span(id)) else {
                break;
            };
            let span_end = span.uncompressed_end.unwrap_or(self.ztoc.uncompressed_size());
            let inside = end
                .min(span_end)
                .saturating_sub(begin.max(span.uncompressed_start));
            let whole = span_end.saturating_sub(span.uncompressed_start).max(1);
            let stored = span.compressed_end.saturating_sub(span.compressed_start);
            sum += stored as f64 * (inside as f64 / whole as f64);
        }
        sum
    }
}
