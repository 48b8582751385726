//! Some spans of a layer instead of all: what `verify --sample` reads of an image in a registry.
//!
//! A span is right if its bytes have their digest and inflate from its checkpoint to what the next checkpoint's
//! window says came before it. That ties neighbouring checkpoints to each other; the first one has nothing before
//! it. What is in the files is not compared.

use soci_image::Descriptor;
use soci_ztoc::inflate::{Consumer, InflateError, SpanInflater, WINDOW_SIZE};
use soci_ztoc::ztoc::{Span, Zinfo, Ztoc};

use super::Consequence;
use crate::Result;
use crate::store::{AnySource, Source};
use crate::workflow::index_layer::sha256;

/// How many spans of each layer are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// So many, or all if the layer has fewer.
    pub spans: usize,
    /// Which: the same number chooses the same ones.
    pub seed: u64,
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

/// Reads one span and compares it; a span that cannot be fetched is an error.
pub(super) async fn check_span(
    source: &AnySource,
    layer: &Descriptor,
    ztoc: &Ztoc,
    id: usize,
) -> Result<Option<Fault>> {
    let unreadable = |why: &str| {
        Some((
            "unreadable-span",
            Consequence::ReadsFail,
            format!("layer {}: span {id} {why}", layer.digest),
        ))
    };
    let Some(span) = ztoc.span(id) else {
        return Ok(unreadable("is not in the zTOC"));
    };
    let length = span.compressed_end.saturating_sub(span.compressed_start);
    if span.compressed_end > layer.size || length > LARGEST {
        return Ok(unreadable("lies outside of the layer"));
    }
    let mut bytes = vec![0; usize::try_from(length).expect("the limit fits into memory")];
    source.read_at(layer, span.compressed_start, &mut bytes).await?;
    let found = soci_image::Digest::sha256(&bytes);
    match ztoc.span_digests().get(id) {
        None => return Ok(unreadable("has no digest in the zTOC")),
        Some(digest) if sha256(*digest) != found => {
            let text = format!(
                "layer {}: span {id} has the digest {found}, not that of the zTOC",
                layer.digest
            );
            return Ok(Some(("wrong-span-digest", Consequence::ReadsFail, text)));
        }
        Some(_) => {}
    }
    Ok(inflate(ztoc, &span, &bytes)
        .and_then(|tail| compare(ztoc, &span, &tail))
        .err()
        .map(|fault| match fault {
            Wrong::Stream(error) => (
                "unreadable-span",
                Consequence::ReadsFail,
                format!("layer {}: span {id}: {error}", layer.digest),
            ),
            Wrong::Window => (
                "wrong-window",
                Consequence::WrongContents,
                format!(
                    "layer {}: span {id} does not lead to checkpoint {}",
                    layer.digest,
                    id + 1
                ),
            ),
        }))
}

enum Wrong {
    Stream(InflateError),
    Window,
}

impl From<InflateError> for Wrong {
    fn from(error: InflateError) -> Self {
        Self::Stream(error)
    }
}

/// The last bytes of a span's output, at most a window.
fn inflate(ztoc: &Ztoc, span: &Span, bytes: &[u8]) -> Result<Vec<u8>, Wrong> {
    let Zinfo::Gzip(zinfo) = ztoc.zinfo() else {
        return Ok(Vec::new());
    };
    let Some(checkpoint) = zinfo.checkpoints().get(span.id) else {
        return Ok(Vec::new());
    };
    let end = span.uncompressed_end.unwrap_or(ztoc.uncompressed_size());
    let wanted = end.saturating_sub(span.uncompressed_start);
    let mut tail = Tail(Vec::new());
    if wanted > 0 {
        let mut inflater = SpanInflater::new(checkpoint.window(), checkpoint.bits(), wanted);
        inflater.push(bytes, &mut tail)?;
        inflater.finish(&mut tail)?;
    }
    Ok(tail.0)
}

/// The next checkpoint knows what came before it.
fn compare(ztoc: &Ztoc, span: &Span, tail: &[u8]) -> Result<(), Wrong> {
    let Zinfo::Gzip(zinfo) = ztoc.zinfo() else {
        return Ok(());
    };
    let Some(next) = zinfo.checkpoints().get(span.id + 1) else {
        return Ok(());
    };
    // A checkpoint at a member's beginning has no history: nothing can refer to it.
    let window: &[u8; WINDOW_SIZE] = next.window();
    let has_history = window.iter().any(|byte| *byte != 0);
    if has_history && window[WINDOW_SIZE - tail.len()..] != *tail {
        return Err(Wrong::Window);
    }
    Ok(())
}

/// Keeps the last window of what it takes.
struct Tail(Vec<u8>);

impl Consumer for Tail {
    type Error = Wrong;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        let bytes = &bytes[bytes.len().saturating_sub(WINDOW_SIZE)..];
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(WINDOW_SIZE);
        self.0.drain(..surplus);
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
