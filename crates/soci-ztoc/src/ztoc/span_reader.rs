//! One span from its checkpoint: the only place where spans are opened.

use core::mem;
use core::ops::Range;

use sha2::{Digest, Sha256};

use super::value::{Span, Ztoc};
use super::zinfo::Zinfo;
use crate::inflate::{Consumer, SpanInflater, WINDOW_SIZE};

/// A span while its bytes come in: their digest, and what they inflate to. Does no reading itself.
///
/// The digest is known at the end only, so what came out before must not be used if it turns out wrong.
#[derive(Debug)]
pub struct SpanReader {
    span: Span,
    received: u64,
    digest: Sha256,
    decoder: Decoder,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
enum Decoder {
    /// A plain tar: the bytes are the output.
    Copy,
    Inflate(SpanInflater),
    /// No output is wanted, or an error has ended it.
    Ended,
}

impl SpanReader {
    /// Opens a span for its output before `until`, an offset in the uncompressed layer.
    pub fn new(ztoc: &Ztoc, span: Span, until: u64) -> Self {
        Self::open(ztoc, span, until, None)
    }

    /// The same with another window than the zTOC's.
    pub fn with_window(ztoc: &Ztoc, span: Span, until: u64, window: &[u8; WINDOW_SIZE]) -> Self {
        Self::open(ztoc, span, until, Some(window))
    }

    fn open(ztoc: &Ztoc, span: Span, until: u64, window: Option<&[u8; WINDOW_SIZE]>) -> Self {
        let wanted = until.saturating_sub(span.uncompressed_start);
        let decoder = match ztoc.zinfo() {
            Zinfo::Uncompressed(_) => Decoder::Copy,
            Zinfo::Gzip(zinfo) => match zinfo.checkpoints().get(span.id) {
                Some(checkpoint) if wanted > 0 => Decoder::Inflate(SpanInflater::new(
                    window.unwrap_or(checkpoint.window()),
                    checkpoint.bits(),
                    wanted,
                )),
                _ => Decoder::Ended,
            },
        };
        SpanReader {
            span,
            received: 0,
            digest: Sha256::new(),
            decoder,
        }
    }

    /// The span.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The stretch of the layer that is still to come.
    pub fn wanted(&self) -> Range<u64> {
        self.span.compressed_start + self.received..self.span.compressed_end
    }

    /// Whether every byte of the span was there.
    pub fn is_complete(&self) -> bool {
        self.wanted().is_empty()
    }

    /// Takes the next bytes of the layer; what lies behind the span is left alone. After an error the bytes are
    /// only hashed.
    pub fn push<S: Consumer>(&mut self, bytes: &[u8], consumer: &mut S) -> Result<(), S::Error> {
        let wanted = self.wanted();
        let left = wanted.end.saturating_sub(wanted.start);
        let bytes = &bytes[..usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))];
        self.digest.update(bytes);
        self.received += bytes.len() as u64;
        if self.is_complete() {
            return match mem::replace(&mut self.decoder, Decoder::Ended) {
                Decoder::Copy => consumer.output(bytes),
                Decoder::Inflate(mut inflater) => {
                    inflater.push(bytes, consumer)?;
                    inflater.finish(consumer)
                }
                Decoder::Ended => Ok(()),
            };
        }
        let outcome = match &mut self.decoder {
            Decoder::Copy => consumer.output(bytes),
            Decoder::Inflate(inflater) => inflater.push(bytes, consumer),
            Decoder::Ended => Ok(()),
        };
        if outcome.is_err() {
            self.decoder = Decoder::Ended;
        }
        outcome
    }

    /// Says that the layer ends here, before the span does.
    pub fn cut<S: Consumer>(&mut self, consumer: &mut S) -> Result<(), S::Error> {
        match mem::replace(&mut self.decoder, Decoder::Ended) {
            Decoder::Inflate(inflater) => inflater.finish(consumer),
            Decoder::Copy | Decoder::Ended => Ok(()),
        }
    }

    /// SHA-256 of the bytes so far.
    pub fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }
}
