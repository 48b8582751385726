//! The inflater that begins at a checkpoint.

use super::stream::Stream;
use super::{Consumer, WINDOW_SIZE};

/// Inflates from a [`Boundary`](super::Boundary) on until a given number of bytes is delivered.
///
/// The stream begins with the byte at [`Boundary::start`](super::Boundary::start). It goes on over
/// member ends: the trailer of the member that the boundary lies in is skipped, because its
/// beginning was not seen; following members are read and checked as a [`GzipInflater`](super::GzipInflater)
/// does, if output is still wanted after them.
pub struct SpanInflater {
    stream: Stream,
}

impl SpanInflater {
    /// Ready for the first byte. `window` are the 32 KiB before the boundary, `bits` how many
    /// high-order bits of the first byte belong to the stream (0–7, 0 for all of it), `wanted` how
    /// many bytes to deliver.
    pub fn new(window: &[u8; WINDOW_SIZE], bits: u8, wanted: u64) -> Self {
        SpanInflater {
            stream: Stream::resumed([window], bits & 7, wanted),
        }
    }

    /// Takes the next piece of the stream. Decoding happens whenever enough has come together.
    pub fn push<C: Consumer>(&mut self, input: &[u8], consumer: &mut C) -> Result<(), C::Error> {
        self.stream.push(input, consumer)
    }

    /// Says that nothing follows, and delivers the rest. If the input ends before everything that
    /// was wanted, that is [`Truncated`](super::InflateError::Truncated).
    pub fn finish<C: Consumer>(mut self, consumer: &mut C) -> Result<(), C::Error> {
        self.stream.finish(consumer)
    }

    /// Whether everything that was wanted is delivered. Further input is ignored then.
    pub fn is_done(&self) -> bool {
        self.stream.is_done()
    }
}

impl core::fmt::Debug for SpanInflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SpanInflater")
            .field("compressed", &self.stream.compressed())
            .finish_non_exhaustive()
    }
}
