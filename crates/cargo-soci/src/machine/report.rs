//! What was fetched and read, as `--format json` prints it.

use serde::Serialize;
use soci_mount::{PulledLayer, Recorded};

/// What came over the link.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fetched {
    /// Spans, each once.
    pub(crate) spans: usize,
    /// Of so many.
    pub(crate) of_spans: usize,
    /// Bytes of these spans, compressed.
    pub(crate) span_bytes: u64,
    /// Bytes of zTOCs.
    pub(crate) ztoc_bytes: u64,
    /// Bytes of layers that came whole.
    pub(crate) whole_bytes: u64,
    /// All of these bytes by those of all layers.
    pub(crate) share: f64,
}

/// A layer, lowest first.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LayerReport {
    pub(crate) digest: String,
    pub(crate) size: u64,
    /// None if it came whole.
    pub(crate) ztoc_size: Option<u64>,
    /// None if it came whole.
    pub(crate) spans: Option<usize>,
    pub(crate) fetched_spans: usize,
    pub(crate) fetched_bytes: u64,
    /// Why it came whole although it has a zTOC.
    pub(crate) refused: Option<String>,
}

/// A file that was opened.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileReport {
    pub(crate) path: String,
    pub(crate) layer: usize,
    pub(crate) size: u64,
    pub(crate) read_bytes: u64,
    /// Seconds after the begin.
    pub(crate) at: f64,
    /// Seconds that readers waited for it.
    pub(crate) seconds: f64,
}

impl Fetched {
    pub(crate) fn of(layers: &[PulledLayer], recorded: &Recorded) -> Self {
        let all: u64 = layers.iter().map(|layer| layer.compressed).sum();
        let span_bytes = recorded.fetches.iter().map(|fetch| fetch.compressed).sum();
        let ztoc_bytes = layers.iter().filter_map(|layer| layer.ztoc).sum();
        let whole = layers.iter().filter(|layer| layer.spans.is_none());
        let whole_bytes = whole.map(|layer| layer.compressed).sum();
        let fetched: u64 = span_bytes + ztoc_bytes + whole_bytes;
        Self {
            spans: recorded.fetches.len(),
            of_spans: layers.iter().filter_map(|layer| layer.spans).sum(),
            span_bytes,
            ztoc_bytes,
            whole_bytes,
            share: (fetched as f64 / all.max(1) as f64 * 1e4).round() / 1e4,
        }
    }
}

/// Each layer with what was fetched of it.
pub(crate) fn layers(layers: &[PulledLayer], recorded: &Recorded) -> Vec<LayerReport> {
    let report = |(number, layer): (usize, &PulledLayer)| {
        let fetches = recorded.fetches.iter().filter(|fetch| fetch.layer == number);
        let (fetched_spans, bytes) = fetches.fold((0, 0), |(count, bytes), fetch| {
            (count + 1, bytes + fetch.compressed)
        });
        LayerReport {
            digest: layer.digest.clone(),
            size: layer.compressed,
            ztoc_size: layer.ztoc,
            spans: layer.spans,
            fetched_spans,
            fetched_bytes: if layer.spans.is_some() {
                bytes
            } else {
                layer.compressed
            },
            refused: layer.refused.clone(),
        }
    };
    layers.iter().enumerate().map(report).collect()
}

/// Each file, in the order of its first opening.
pub(crate) fn files(recorded: &Recorded) -> Vec<FileReport> {
    let report = |file: &soci_mount::OpenedFile| FileReport {
        path: String::from_utf8_lossy(&file.path).into_owned(),
        layer: file.layer,
        size: file.size,
        read_bytes: file.ranges.iter().map(|range| range.end - range.start).sum(),
        at: round(file.at),
        seconds: round(file.seconds),
    };
    recorded.files.iter().map(report).collect()
}

/// Milliseconds.
pub(crate) fn round(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
