//! The start that spans are cut for: what it reads of each layer, and the shape that follows from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use soci_image::Digest;
use soci_image::soci_index::Shaped;
use soci_image::soci_index::prefetch::SpanRange;
use soci_ztoc::ztoc::{BlockEnd, Need, Shape, SpanCost, Toc, Ztoc};

use super::index_layer::IndexedLayer;
use super::indexed::Indexed;

/// Knows what starts read of an image.
pub trait Needs: std::fmt::Debug + Send + Sync {
    /// What they read of the layers of a platform, lowest first; a layer that could not be read has no table.
    fn of(&self, layers: &[Option<&Toc>]) -> Needed;

    /// The paths that they open, in the order of their first use; links in them are not followed yet.
    fn files(&self) -> Vec<Vec<u8>>;
}

/// What starts read of the layers of a platform.
#[derive(Debug, Clone, Default)]
pub struct Needed {
    /// For every layer, lowest first, what each start reads of it.
    pub layers: Vec<Vec<Need>>,
    /// Files of the image that any of the starts names.
    pub files: usize,
    /// Paths that are not in the image.
    pub missing: Vec<Vec<u8>>,
    /// Paths of which no layer that was read can say whether they are there.
    pub unknown: Vec<Vec<u8>>,
}

/// The start, or starts, that spans are cut for.
#[derive(Debug, Clone)]
pub struct Start {
    /// Digest of the traces, and of how much each counts.
    trace: Digest,
    needs: Arc<dyn Needs>,
    cost: SpanCost,
    prefetch: bool,
    /// What was found out of the layers, once it was.
    surveyed: Arc<Surveyed>,
}

/// What is known of the layers of an image before they are cut.
#[derive(Debug, Default)]
pub(super) struct Surveyed {
    pub(super) layers: BTreeMap<Digest, Reads>,
    /// What became of the files, by platform.
    pub(super) files: Vec<StartFiles>,
    /// Layers that were read already and are as they should be.
    pub(super) ahead: Indexed,
}

/// What is read of a layer.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// By all starts together, ascending and disjoint.
    pub(super) ranges: Vec<Range<u64>>,
    /// How it is cut, and the digest of that; none for what cannot be.
    pub(super) shape: Option<(Arc<Shape>, Digest)>,
}

/// The start that spans were cut for, in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartReport {
    /// Digest of its trace.
    pub trace: Digest,
    /// What became of its files, by platform.
    pub platforms: Vec<StartFiles>,
}

/// What became of the files of a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartFiles {
    /// The platform, as in `linux/arm64`.
    pub platform: String,
    /// Files of the image that it opens.
    pub files: usize,
    /// Paths that are not in the image.
    pub missing: Vec<String>,
    /// Paths of which no layer that was read can say whether they are there.
    pub unknown: Vec<String>,
}

/// What a start needs of a layer, in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerStart {
    /// Whether the layer was cut for it.
    pub shaped: bool,
    /// The spans that it needs.
    pub needed: SpanSums,
    /// The spans that it would need of a layer that is not cut for it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unshaped: Option<SpanSums>,
    /// Their numbers.
    #[serde(skip)]
    pub(crate) spans: Vec<u64>,
}

/// Spans, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpanSums {
    /// How many.
    pub spans: u64,
    /// How many the layer has.
    pub of: u64,
    /// Their compressed bytes.
    pub bytes: u64,
    /// Their uncompressed bytes.
    pub unpacked_bytes: u64,
}

impl Start {
    /// For starts of which `needs` knows what they read; `trace` is the digest of their traces. With `prefetch`, the
    /// SOCI index says which spans they need, for clients that fetch such ahead.
    pub fn new(trace: Digest, needs: Arc<dyn Needs>, cost: SpanCost, prefetch: bool) -> Self {
        Self {
            trace,
            needs,
            cost,
            prefetch,
            surveyed: Arc::default(),
        }
    }

    /// What is told of it.
    pub(super) fn report(&self) -> StartReport {
        StartReport {
            trace: self.trace.clone(),
            platforms: self.surveyed.files.clone(),
        }
    }

    /// The same start, with what is known of the layers.
    pub(super) fn with(&self, surveyed: Surveyed) -> Self {
        Self {
            surveyed: Arc::new(surveyed),
            ..self.clone()
        }
    }

    /// Digest of its traces.
    pub(super) fn trace(&self) -> &Digest {
        &self.trace
    }

    pub(super) fn needs(&self) -> &dyn Needs {
        &*self.needs
    }

    /// Whether the SOCI index lists the spans that are needed.
    pub(super) fn lists_spans(&self) -> bool {
        self.prefetch
    }

    /// A layer that was read before.
    pub(super) fn take(&self, layer: &Digest) -> Option<IndexedLayer> {
        self.surveyed.ahead.take(layer)
    }

    /// How a layer is to be cut.
    pub(super) fn shape_of(&self, layer: &Digest) -> Option<&Arc<Shape>> {
        let (shape, _) = self.surveyed.layers.get(layer)?.shape.as_ref()?;
        Some(shape)
    }

    /// What the SOCI index says of a layer that is cut for this start.
    pub(super) fn mark_of(&self, layer: &Digest) -> Option<Shaped> {
        let (_, shape) = self.surveyed.layers.get(layer)?.shape.as_ref()?;
        Some(Shaped {
            trace: self.trace.clone(),
            shape: shape.clone(),
        })
    }

    /// What is needed of a layer whose zTOC is this one. None where nothing is.
    pub(super) fn layer(
        &self,
        layer: &Digest,
        ztoc: &Ztoc,
        unshaped: Option<&[BlockEnd]>,
        shaped: bool,
    ) -> Option<LayerStart> {
        let ranges = &self.surveyed.layers.get(layer)?.ranges;
        if ranges.is_empty() {
            return None;
        }
        let (spans, end) = begins(ztoc);
        let (needed, spans) = sums(ranges, &spans, end);
        Some(LayerStart {
            shaped,
            needed,
            unshaped: unshaped.map(|unshaped| sums(ranges, unshaped, end).0),
            spans,
        })
    }

    /// The shape of a layer for these needs, and the digest of all that decides it.
    pub(super) fn shape(&self, needs: Vec<Need>, span_size: u64) -> (Arc<Shape>, Digest) {
        let shape = Shape::new(needs, self.cost, span_size);
        let SpanCost {
            span,
            request,
            compressed_byte,
            uncompressed_byte,
        } = self.cost;
        let mut text = format!(
            "cut 1\ncost {span} {request} {compressed_byte} {uncompressed_byte}\nlongest {}\n",
            shape.longest()
        );
        for need in shape.needs() {
            write!(text, "need {}", need.weight()).expect("a String takes all");
            for range in need.ranges() {
                write!(text, " {}-{}", range.start, range.end).expect("a String takes all");
            }
            text.push('\n');
        }
        let digest = Digest::sha256(text.as_bytes());
        (Arc::new(shape), digest)
    }
}

impl SpanSums {
    /// The spans of a zTOC that hold a byte of these needs.
    #[cfg(feature = "native")]
    pub(super) fn of(needs: &[Need], ztoc: &Ztoc) -> Self {
        let all = needs.iter().flat_map(|need| need.ranges().iter().cloned());
        let ranges = Need::new(1, all.collect()).ranges().to_vec();
        let (begins, end) = begins(ztoc);
        sums(&ranges, &begins, end).0
    }
}

impl std::ops::AddAssign for SpanSums {
    fn add_assign(&mut self, other: Self) {
        self.spans += other.spans;
        self.of += other.of;
        self.bytes += other.bytes;
        self.unpacked_bytes += other.unpacked_bytes;
    }
}

/// Where the spans of a zTOC begin, and where the last one ends.
fn begins(ztoc: &Ztoc) -> (Vec<BlockEnd>, BlockEnd) {
    let end = BlockEnd {
        compressed: ztoc.compressed_size(),
        uncompressed: ztoc.uncompressed_size(),
        bits: 0,
    };
    let begins = ztoc.spans().map(|span| BlockEnd {
        compressed: span.compressed_start,
        uncompressed: span.uncompressed_start,
        bits: 0,
    });
    (begins.collect(), end)
}

impl LayerStart {
    /// The spans as ranges.
    pub(super) fn ranges(&self) -> impl Iterator<Item = SpanRange> {
        self.spans.iter().map(|span| SpanRange {
            start: *span,
            end: *span,
        })
    }
}

/// The spans that hold a byte of the ranges: added up, and their numbers.
fn sums(ranges: &[Range<u64>], begins: &[BlockEnd], end: BlockEnd) -> (SpanSums, Vec<u64>) {
    let mut sums = SpanSums {
        of: begins.len() as u64,
        ..SpanSums::default()
    };
    let mut numbers = Vec::new();
    let mut ranges = ranges.iter().peekable();
    for (number, begin) in begins.iter().enumerate() {
        let next = begins.get(number + 1).unwrap_or(&end);
        while ranges.next_if(|range| range.end <= begin.uncompressed).is_some() {}
        let holds = ranges.peek().is_some_and(|range| range.start < next.uncompressed);
        if holds && begin.uncompressed < next.uncompressed {
            sums.spans += 1;
            sums.bytes += next.compressed.saturating_sub(begin.compressed);
            sums.unpacked_bytes += next.uncompressed - begin.uncompressed;
            numbers.push(number as u64);
        }
    }
    (sums, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_hold_a_byte_are_needed() {
        let end = |compressed, uncompressed| BlockEnd {
            compressed,
            uncompressed,
            bits: 0,
        };
        let begins = [end(10, 0), end(20, 0), end(40, 100), end(70, 200), end(90, 300)];
        let of = |ranges: &[(u64, u64)]| {
            let ranges: Vec<Range<u64>> = ranges.iter().map(|&(start, end)| start..end).collect();
            sums(&ranges, &begins, end(100, 400)).1
        };
        assert!(of(&[]).is_empty());
        assert_eq!(of(&[(0, 1)]), [1]);
        assert_eq!(of(&[(99, 101)]), [1, 2]);
        assert_eq!(of(&[(100, 200), (300, 301)]), [2, 4]);
        assert_eq!(of(&[(50, 60), (70, 80), (399, 400)]), [1, 4]);
        let (sums, _) = sums(std::slice::from_ref(&(150..160)), &begins, end(100, 400));
        assert_eq!((sums.spans, sums.bytes, sums.unpacked_bytes), (1, 30, 100));
    }
}
