//! Some spans of a layer instead of all: what `verify --sample` reads of an image in a registry.
//!
//! A span is right if its bytes have their digest and give the same output from its checkpoint as from what the span
//! before it ends in. So each span is read together with the one before it; where a run of spans from the first one
//! on is in the sample, what comes before is known for certain. A window that nothing refers to may hold anything.
//! If a span does not end in what the next checkpoint's window says, that span is read as well.

use serde::Serialize;
use soci_image::digest::Hasher;
use soci_image::{Descriptor, Digest};
use soci_ztoc::inflate::{Consumer, InflateError, WINDOW_SIZE};
use soci_ztoc::ztoc::{Span, SpanReader, Window, Zinfo, Ztoc};

use super::index_layer::sha256;
use crate::Result;
use crate::store::{AnySource, Source};

/// How many spans of each layer are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// So many, or all if the layer has fewer.
    pub spans: usize,
    /// Which: the same number chooses the same ones.
    pub seed: u64,
}

/// What a fault does to whoever runs the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// Nothing while the image runs.
    None,
    /// What should be fetched at once is fetched when it is read.
    NotPrefetched,
    /// A layer is loaded whole, the others lazily.
    LayerNotLazy,
    /// The image is loaded whole. Nobody is told.
    ImageNotLazy,
    /// The image is mounted, and reading some files fails.
    ReadsFail,
    /// The image is mounted, and some files have wrong contents. Nobody is told.
    WrongContents,
    /// The image cannot be pulled.
    PullFails,
}

/// What is wrong with a span: cause, consequence, words.
pub(super) type Fault = (&'static str, Consequence, String);

/// The largest span that is read at once.
const LARGEST: u64 = 256 << 20;

impl Sample {
    /// Spans of a layer with `count` of them, in their order.
    pub(super) fn choose(&self, count: usize) -> Vec<usize> {
        let mut state = self.seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // The first so many of a shuffle.
        let mut all: Vec<usize> = (0..count).collect();
        let wanted = self.spans.min(count);
        for position in 0..wanted {
            let other =
                position + usize::try_from(next() % (count - position) as u64).expect("less than a usize");
            all.swap(position, other);
        }
        all.truncate(wanted);
        all.sort_unstable();
        all
    }
}

/// The spans of one layer, and what the last one that was read ends in.
pub(super) struct SpanSource<'a> {
    source: &'a AnySource,
    layer: &'a Descriptor,
    ztoc: &'a Ztoc,
    /// The number of a span, and the window that is right behind it.
    behind: Option<(usize, Window)>,
}

/// What a span gives.
struct Output {
    digest: Digest,
    /// The last bytes of it, at most a window.
    tail: Vec<u8>,
}

impl<'a> SpanSource<'a> {
    pub(super) fn new(source: &'a AnySource, layer: &'a Descriptor, ztoc: &'a Ztoc) -> Self {
        Self {
            source,
            layer,
            ztoc,
            behind: None,
        }
    }

    /// The bytes of a span, compared with their digest.
    async fn read(&self, id: usize) -> Result<Result<(Span, Vec<u8>), Fault>> {
        let layer = &self.layer.digest;
        let Some(span) = self.ztoc.span(id) else {
            return Ok(Err(self.unreadable(id, "is not in the zTOC")));
        };
        let length = span.compressed_end.saturating_sub(span.compressed_start);
        if span.compressed_end > self.layer.size || length > LARGEST {
            return Ok(Err(self.unreadable(id, "lies outside the layer")));
        }
        let mut bytes = vec![0; usize::try_from(length).expect("the limit fits into memory")];
        self.source
            .read_at(self.layer, span.compressed_start, &mut bytes)
            .await?;
        let found = Digest::sha256(&bytes);
        Ok(match self.ztoc.span_digests().get(id) {
            None => Err(self.unreadable(id, "has no digest in the zTOC")),
            Some(digest) if sha256(*digest) != found => {
                let text = format!("layer {layer}: span {id} has the digest {found}, not that of the zTOC");
                Err(("wrong-span-digest", Consequence::ReadsFail, text))
            }
            Some(_) => Ok((span, bytes)),
        })
    }

    fn unreadable(&self, id: usize, why: impl std::fmt::Display) -> Fault {
        let text = format!("layer {}: span {id} {why}", self.layer.digest);
        ("unreadable-span", Consequence::ReadsFail, text)
    }

    /// The window of a checkpoint; `None` for a plain tar.
    fn window(&self, id: usize) -> Option<&'a Window> {
        match self.ztoc.zinfo() {
            Zinfo::Gzip(zinfo) => zinfo.checkpoints().get(id).map(|checkpoint| checkpoint.window()),
            _ => None,
        }
    }

    fn inflate(&self, span: Span, bytes: &[u8], window: &Window) -> Result<Output, InflateError> {
        let end = span.uncompressed_end.unwrap_or(self.ztoc.uncompressed_size());
        let mut reader = SpanReader::with_window(self.ztoc, span, end, window);
        let mut tail = Tail {
            hasher: Digest::hasher(),
            bytes: Vec::new(),
        };
        reader.push(bytes, &mut tail)?;
        Ok(Output {
            digest: tail.hasher.finish(),
            tail: tail.bytes,
        })
    }

    /// What comes before a span, as the span before it has it.
    async fn history(&mut self, id: usize) -> Result<Result<Window, Fault>> {
        let Some(before) = id.checked_sub(1) else {
            return Ok(Ok(Window::default()));
        };
        if let Some((known, window)) = &self.behind
            && *known == before
        {
            return Ok(Ok(window.clone()));
        }
        let (span, bytes) = match self.read(before).await? {
            Ok(read) => read,
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(window) = self.window(before) else {
            return Ok(Ok(Window::default()));
        };
        Ok(match self.inflate(span, &bytes, window) {
            Ok(output) => Ok(joined(window, &output.tail)),
            Err(error) => Err(self.unreadable(before, format!(": {error}"))),
        })
    }
}

/// Reads a span and the one before it, and compares; what cannot be fetched is an error.
pub(super) async fn check_span(spans: &mut SpanSource<'_>, id: usize) -> Result<Option<Fault>> {
    let mut id = id;
    loop {
        let (span, bytes) = match spans.read(id).await? {
            Ok(read) => read,
            Err(fault) => return Ok(Some(fault)),
        };
        let Some(told) = spans.window(id) else {
            return Ok(None);
        };
        let history = match spans.history(id).await? {
            Ok(history) => history,
            Err(fault) => return Ok(Some(fault)),
        };
        let output = match spans.inflate(span, &bytes, told) {
            Ok(output) => output,
            Err(error) => return Ok(Some(spans.unreadable(id, format!(": {error}")))),
        };
        if *told != history {
            let right = spans.inflate(span, &bytes, &history);
            if !right.is_ok_and(|right| right.digest == output.digest) {
                let layer = &spans.layer.digest;
                let text = format!(
                    "layer {layer}: span {id} gives other contents from its checkpoint than behind the span before it"
                );
                return Ok(Some(("wrong-window", Consequence::WrongContents, text)));
            }
        }
        let behind = joined(&history, &output.tail);
        let next_fits = spans.window(id + 1).is_none_or(|next| *next == behind);
        spans.behind = Some((id, behind));
        if next_fits {
            return Ok(None);
        }
        // Perhaps nothing refers to that window: the next span tells.
        id += 1;
    }
}

/// The last window of what was there before and what came behind it.
fn joined(before: &[u8; WINDOW_SIZE], tail: &[u8]) -> Window {
    let mut window = *before;
    window.copy_within(tail.len().., 0);
    window[WINDOW_SIZE - tail.len()..].copy_from_slice(tail);
    Window::new(&window)
}

/// Hashes what it takes, and keeps the last window of it.
struct Tail {
    hasher: Hasher,
    bytes: Vec<u8>,
}

impl Consumer for Tail {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.hasher.update(bytes);
        let bytes = &bytes[bytes.len().saturating_sub(WINDOW_SIZE)..];
        self.bytes.extend_from_slice(bytes);
        let surplus = self.bytes.len().saturating_sub(WINDOW_SIZE);
        self.bytes.drain(..surplus);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_each_span_once_and_depends_on_its_seed() {
        let sample = |spans, seed| Sample { spans, seed }.choose(100);
        assert_eq!(sample(10, 7), sample(10, 7));
        assert_ne!(sample(10, 7), sample(10, 8));
        assert_eq!(sample(10, 7).len(), 10);
        assert_eq!(sample(1000, 7), (0..100).collect::<Vec<_>>());
        assert!(sample(50, 3).windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Sample { spans: 3, seed: 0 }.choose(0), Vec::<usize>::new());
    }
}
