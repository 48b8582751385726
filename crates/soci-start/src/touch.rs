//! A trace on an image: which spans of which layers a start touches, and what leads nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use soci_rootfs::{FileType, Found, LookupFault, Rootfs};
use soci_ztoc::ztoc::Ztoc;

use crate::trace::{Opened, Trace};

/// What a start touches of an image.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Touched {
    /// The regular files, in the order of the trace; each once, whatever names led to it.
    pub files: Vec<TouchedFile>,
    /// Each layer, lowest first.
    pub layers: Vec<LayerTouch>,
    /// Paths of the trace that are not in the image: made at run time, mounted, or of another image.
    pub missing: Vec<Vec<u8>>,
    /// Paths of which no layer that was read can say whether they are there.
    pub unknown: Vec<Vec<u8>>,
    /// Paths that lead to something else than a regular file: nothing of it is fetched.
    pub others: usize,
}

/// A file that a start touches.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TouchedFile {
    /// Its path without links.
    pub path: Vec<u8>,
    /// Its layer, from 0 for the lowest.
    pub layer: usize,
    /// The entry of that layer with its contents.
    pub entry: usize,
    /// Its bytes.
    pub size: u64,
    /// How many of them are read; all, where the trace does not tell.
    pub read: u64,
    /// Seconds after the begin of the trace, if it tells.
    pub at: Option<f64>,
    /// A layer that was not read can hide or replace it.
    pub uncertain: bool,
}

/// What a start touches of a layer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LayerTouch {
    /// Files of the layer.
    pub files: usize,
    /// The spans that hold them, ascending; none where the layer has no zTOC.
    pub spans: Vec<TouchedSpan>,
}

/// A span that a start touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TouchedSpan {
    /// Its number in the zTOC.
    pub id: usize,
    /// Bytes that are fetched for it.
    pub compressed: u64,
    /// Bytes that they become.
    pub uncompressed: u64,
    /// Its place among the fetches of the whole start, from 0.
    pub order: usize,
    /// The file that is read when it is fetched: its place in [`Touched::files`].
    pub file: usize,
}

/// Looks the paths of a trace up and finds the spans behind them.
///
/// `layers` are those of `rootfs`, lowest first, with the zTOC of each that is loaded lazily.
pub fn touch(trace: &Trace, rootfs: &Rootfs<'_>, layers: &[Option<&Ztoc>]) -> Touched {
    let mut touched = Touched {
        layers: vec![LayerTouch::default(); layers.len()],
        ..Touched::default()
    };
    let mut seen: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut fetched: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); layers.len()];
    let mut read: Vec<Vec<Range<u64>>> = Vec::new();
    let mut order = 0;
    for opened in &trace.files {
        let found = match rootfs.find(&opened.path) {
            Ok(found) => found,
            Err(LookupFault::Unknown { .. }) => {
                touched.unknown.push(opened.path.clone());
                continue;
            }
            Err(_) => {
                touched.missing.push(opened.path.clone());
                continue;
            }
        };
        let Some(entry) = found.entry.filter(|_| found.file_type == FileType::Regular) else {
            touched.others += 1;
            continue;
        };
        let ranges = wanted(opened, found.size);
        // The same file can have other names.
        let position = *seen.entry((found.layer, entry)).or_insert_with(|| {
            touched.layers[found.layer].files += 1;
            touched.files.push(file(opened, &found, entry));
            read.push(Vec::new());
            touched.files.len() - 1
        });
        read[position].extend(ranges.iter().cloned());
        let Some(ztoc) = layers.get(found.layer).copied().flatten() else {
            continue;
        };
        let Some(toc_entry) = ztoc.toc().get(entry) else {
            continue;
        };
        for range in ranges {
            let begin = toc_entry.offset.saturating_add(range.start);
            let last = toc_entry.offset.saturating_add(range.end - 1);
            for id in ztoc.span_of(begin)..=ztoc.span_of(last) {
                let Some(span) = usize::try_from(id).ok().and_then(|id| ztoc.span(id)) else {
                    break;
                };
                if fetched[found.layer].insert(span.id) {
                    let end = span.uncompressed_end.unwrap_or(ztoc.uncompressed_size());
                    touched.layers[found.layer].spans.push(TouchedSpan {
                        id: span.id,
                        compressed: span.compressed_end.saturating_sub(span.compressed_start),
                        uncompressed: end.saturating_sub(span.uncompressed_start),
                        order,
                        file: position,
                    });
                    order += 1;
                }
            }
        }
    }
    for (file, ranges) in touched.files.iter_mut().zip(read) {
        file.read = joined(ranges).iter().map(|range| range.end - range.start).sum();
    }
    for layer in &mut touched.layers {
        layer.spans.sort_unstable_by_key(|span| span.id);
    }
    touched
}

/// The bytes of a file that are read, disjoint and ascending, inside the file.
pub(crate) fn wanted(opened: &Opened, size: u64) -> Vec<Range<u64>> {
    let whole = 0..size;
    let given = opened.ranges.as_deref().unwrap_or(std::slice::from_ref(&whole));
    let inside = given
        .iter()
        .map(|range| range.start.min(size)..range.end.min(size))
        .filter(|range| range.start < range.end);
    joined(inside.collect())
}

/// The same bytes as disjoint ranges, ascending.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn file(opened: &Opened, found: &Found, entry: usize) -> TouchedFile {
    TouchedFile {
        path: found.path.clone(),
        layer: found.layer,
        entry,
        size: found.size,
        read: 0,
        at: opened.at,
        uncertain: found.uncertain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(ranges: Option<Vec<Range<u64>>>) -> Opened {
        Opened {
            path: b"/x".to_vec(),
            at: None,
            ranges,
        }
    }

    #[test]
    fn ranges_are_joined_and_stay_inside() {
        assert_eq!(wanted(&opened(None), 10), vec![Range { start: 0, end: 10 }]);
        assert_eq!(wanted(&opened(None), 0), []);
        let many = vec![8..20, 0..2, 1..3, 3..4, 30..40, 6..6];
        assert_eq!(wanted(&opened(Some(many)), 10), [0..4, 8..10]);
        assert_eq!(wanted(&opened(Some(Vec::new())), 10), []);
    }
}
