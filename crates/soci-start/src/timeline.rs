//! A lazy start second by second, by the model of `estimate`: when which span is on its way, and for which file.

use crate::estimate::{Client, Image, Way, estimate};
use crate::link::Link;
use crate::touch::{Touched, TouchedSpan};

/// A lazy start, in seconds after its begin. The steps follow each other; one that takes no time ends where it begins.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Timeline {
    /// When the documents are there.
    pub documents: f64,
    /// When the zTOCs are there.
    pub ztocs: f64,
    /// When the layers without a zTOC are there: the container is created.
    pub layers: f64,
    /// The files of mounted layers, in the order of the start.
    pub files: Vec<FileTime>,
}

/// A file on its way.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FileTime {
    /// Its place in [`Touched::files`].
    pub file: usize,
    /// When it is opened.
    pub begin: f64,
    /// When it is read as far as the start reads it.
    pub end: f64,
    /// The spans that come for it; none if others brought them.
    pub spans: Vec<SpanTime>,
}

/// A span on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SpanTime {
    /// Its layer, from 0 for the lowest.
    pub layer: usize,
    /// Its number in the zTOC.
    pub id: usize,
    /// Bytes that are fetched.
    pub compressed: u64,
    /// When it is asked for.
    pub begin: f64,
    /// When its last byte is there.
    pub arrived: f64,
    /// When it is inflated and checked.
    pub end: f64,
}

impl Timeline {
    /// When the program is ready, but for what it computes itself.
    pub fn end(&self) -> f64 {
        self.files.last().map_or(self.layers, |file| file.end)
    }
}

/// The steps of [`Way::Lazy`], which take as long together as [`estimate`] says.
pub fn timeline(image: &Image, touched: &Touched, link: &Link, client: &Client) -> Timeline {
    let made = estimate(Way::Lazy, image, touched, link, client);
    let mut timeline = Timeline {
        documents: made.documents,
        ztocs: made.documents + made.ztocs,
        layers: made.documents + made.ztocs + made.layers,
        files: Vec::new(),
    };
    let mut spans: Vec<(usize, &TouchedSpan)> = (touched.layers.iter().enumerate())
        .flat_map(|(layer, found)| found.spans.iter().map(move |span| (layer, span)))
        .collect();
    spans.sort_unstable_by_key(|(_, span)| (span.file, span.order));
    let mut spans = spans.into_iter().peekable();
    let mut now = timeline.layers;
    let is_mounted = |layer: usize| image.layers.get(layer).is_some_and(|layer| layer.ztoc.is_some());
    for (file, of_file) in touched.files.iter().enumerate() {
        if !is_mounted(of_file.layer) {
            continue;
        }
        let begin = now;
        let mut fetched = Vec::new();
        while let Some((layer, span)) = spans.next_if(|(_, span)| span.file <= file) {
            let asked = now;
            let arrived = asked + link.round_trip() + link.transfer(span.compressed);
            now = arrived + span.uncompressed as f64 / f64::from(1 << 20) * client.per_mib;
            fetched.push(SpanTime {
                layer,
                id: span.id,
                compressed: span.compressed,
                begin: asked,
                arrived,
                end: now,
            });
        }
        timeline.files.push(FileTime {
            file,
            begin,
            end: now,
            spans: fetched,
        });
    }
    timeline
}
