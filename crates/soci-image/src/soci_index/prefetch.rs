//! Prefetch artifacts: spans of a layer that a client should fetch at once.
//!
//! `{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":2}]}`: ranges with both ends
//! included, sorted, those that overlap or touch joined into one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json::Json;

/// Spans `start..=end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpanRange {
    /// The first span.
    pub start: u64,
    /// The last span; for a plain tar it can lie one past the layer's last.
    pub end: u64,
}

/// The artifact for these ranges, in any order.
pub fn artifact(ranges: &[SpanRange]) -> Vec<u8> {
    let mut text = String::from("{\"version\":\"1.0\",\"prefetch_spans\":[");
    for (i, range) in joined(ranges).into_iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        text += &format!(
            "{comma}{{\"start_span\":{},\"end_span\":{}}}",
            range.start, range.end
        );
    }
    text += "]}";
    text.into_bytes()
}

/// Reads an artifact's ranges.
pub fn parse(bytes: &[u8]) -> Result<Vec<SpanRange>> {
    let document = Json::parse(bytes)?;
    let Some(items) = document.get("prefetch_spans").and_then(Json::as_array) else {
        return Err(Error::field("prefetch_spans", "a list is missing"));
    };
    let number = |i: usize, item: &Json, key: &str| match item.get(key) {
        Some(Json::Number(text)) if text.parse::<u64>().is_ok() => Ok(text.parse().unwrap_or(0)),
        _ => Err(Error::field(
            format!("prefetch_spans[{i}].{key}"),
            "a whole number is missing",
        )),
    };
    let range = |(i, item)| {
        Ok(SpanRange {
            start: number(i, item, "start_span")?,
            end: number(i, item, "end_span")?,
        })
    };
    items.iter().enumerate().map(range).collect()
}

/// Sorts ranges and joins those that overlap or follow each other without a gap.
fn joined(ranges: &[SpanRange]) -> Vec<SpanRange> {
    let mut sorted = ranges.to_vec();
    sorted.sort();
    let mut out: Vec<SpanRange> = Vec::new();
    for range in sorted {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(1) => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// A path without `.`, `..`, doubled and outer slashes: how paths are compared with the names in a
/// layer, so that `/app/x`, `app/x` and `./app/x` are one file.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

/// The search for paths through the layers of an image.
///
/// Feed the layers **from the last to the first** and stop when [`Search::is_done`]; a path is found
/// in the first layer that has it.
#[derive(Debug)]
pub struct Search {
    wanted: Vec<Wanted>,
    found: BTreeMap<usize, Vec<SpanRange>>,
}

#[derive(Debug)]
struct Wanted {
    path: String,
    clean: Vec<u8>,
    open: bool,
}

impl Search {
    /// A search for these paths.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(paths: I) -> Self {
        let wanted = |path: String| Wanted {
            clean: clean(path.as_bytes()),
            path,
            open: true,
        };
        Self {
            wanted: paths.into_iter().map(|path| wanted(path.into())).collect(),
            found: BTreeMap::new(),
        }
    }

    /// Whether every path was found.
    pub fn is_done(&self) -> bool {
        self.wanted.iter().all(|wanted| !wanted.open)
    }

    /// Looks for the open paths in the layer at `position`. `entries` gives each name of its TOC, in
    /// the TOC's order, with the spans from the one of its offset to the one of its offset + size. A
    /// name spelled exactly as the clean path wins over other spellings; the first of equals wins.
    pub fn layer<'a>(&mut self, position: usize, entries: impl Iterator<Item = (&'a [u8], SpanRange)>) {
        let mut best: BTreeMap<&[u8], (bool, Option<SpanRange>)> = self
            .wanted
            .iter()
            .filter(|wanted| wanted.open)
            .map(|wanted| (&*wanted.clean, (false, None)))
            .collect();
        if best.is_empty() {
            return;
        }
        for (name, spans) in entries {
            let name_clean = clean(name);
            let Some((exact, place)) = best.get_mut(&*name_clean) else {
                continue;
            };
            let is_exact = *name == *name_clean;
            if place.is_none() || (is_exact && !*exact) {
                *place = Some(spans);
                *exact = is_exact;
            }
        }
        let hits: Vec<(Vec<u8>, SpanRange)> = best
            .into_iter()
            .filter_map(|(path, (_, spans))| Some((path.to_vec(), spans?)))
            .collect();
        for (path, spans) in hits {
            self.found(&path, Some((position, spans)));
        }
    }

    /// The paths that no layer had so far, clean and each once.
    pub fn open(&self) -> Vec<Vec<u8>> {
        let open = self.wanted.iter().filter(|wanted| wanted.open);
        let mut open: Vec<Vec<u8>> = open.map(|wanted| wanted.clean.clone()).collect();
        open.sort_unstable();
        open.dedup();
        open
    }

    /// Takes an open path as found: in this layer, or, without spans, where nothing need be fetched.
    pub fn found(&mut self, path: &[u8], spans: Option<(usize, SpanRange)>) {
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.clean == path) {
            wanted.open = false;
        }
        if let Some((position, spans)) = spans {
            self.found.entry(position).or_default().push(spans);
        }
    }

    /// Adds spans of a layer that are to be fetched whatever files lie in them.
    pub fn add(&mut self, position: usize, spans: SpanRange) {
        self.found.entry(position).or_default().push(spans);
    }

    /// The artifacts by layer position, and the paths that no layer has, as they were given.
    pub fn finish(self) -> (BTreeMap<usize, Vec<u8>>, Vec<String>) {
        let artifacts = self
            .found
            .iter()
            .map(|(position, ranges)| (*position, artifact(ranges)))
            .collect();
        let missing = self.wanted.into_iter().filter(|wanted| wanted.open);
        (artifacts, missing.map(|wanted| wanted.path).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: u64, end: u64) -> SpanRange {
        SpanRange { start, end }
    }

    #[test]
    fn ranges_that_overlap_or_touch_are_joined() {
        let text = artifact(&[range(7, 7), range(0, 1), range(2, 3), range(2, 2), range(5, 5)]);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":3},{"start_span":5,"end_span":5},{"start_span":7,"end_span":7}]}"#
        );
    }

    #[test]
    fn paths_are_compared_clean() {
        for path in ["/app/x", "app/x", "./app/x", "//app/./y/../x/", "/../app/x"] {
            assert_eq!(clean(path.as_bytes()), b"app/x", "{path}");
        }
        assert_eq!(clean(b"/"), b"");
    }

    #[test]
    fn the_last_layer_and_the_exact_spelling_win() {
        let mut search = Search::new(["/app/x", "app/x", "gone", "opt/d"]);
        search.layer(
            2,
            [
                (&b"./app/x"[..], range(1, 1)),
                (b"app/x", range(2, 3)),
                (b"app/x", range(9, 9)),
            ]
            .into_iter(),
        );
        search.layer(
            0,
            [(&b"app/x"[..], range(5, 5)), (b"opt/d/", range(0, 0))].into_iter(),
        );
        assert!(!search.is_done());
        let (artifacts, missing) = search.finish();
        assert_eq!(missing, ["gone"]);
        assert_eq!(parse(&artifacts[&2]).unwrap(), [range(2, 3)]);
        assert_eq!(parse(&artifacts[&0]).unwrap(), [range(0, 0)]);
    }

    #[test]
    fn broken_artifacts_are_refused() {
        for (text, error) in [
            ("{}", "prefetch_spans: a list is missing"),
            (
                r#"{"prefetch_spans":[{"start_span":1}]}"#,
                "prefetch_spans[0].end_span: a whole number is missing",
            ),
            (
                r#"{"prefetch_spans":[{"start_span":-1}]}"#,
                "prefetch_spans[0].start_span: a whole number is missing",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), error);
        }
    }

    proptest! {
        #[test]
        fn an_artifact_covers_the_same_spans(ranges in proptest::collection::vec((0u64..40, 0u64..5), 0..12)) {
            let ranges: Vec<_> = ranges.into_iter().map(|(start, len)| range(start, start + len)).collect();
            let out = parse(&artifact(&ranges)).unwrap();
            let covered = |ranges: &[SpanRange], span| ranges.iter().any(|r| (r.start..=r.end).contains(&span));
            for span in 0..50 {
                prop_assert_eq!(covered(&ranges, span), covered(&out, span));
            }
            prop_assert!(out.windows(2).all(|pair| pair[0].end + 1 < pair[1].start));
        }
    }
}
