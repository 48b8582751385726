//! The inflater of whole gzip streams.

use super::Sink;
use super::buffers::InputBuffer;
use super::speculate::Stretch;
use super::stream::Stream;

/// Inflates a gzip stream of one or more members that is pushed in pieces of any length.
///
/// What is accepted is what zlib accepts of gzip streams: every member complete, with the right
/// CRC-32, length and header checksum, and nothing behind the last one. What the sink gets does
/// not depend on the pieces, except for their lengths.
///
/// ```
/// use soci_ztoc::inflate::{GzipInflater, InflateError, Sink};
///
/// struct Text(Vec<u8>);
///
/// impl Sink for Text {
///     type Error = InflateError;
///     fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
///         self.0.extend_from_slice(bytes);
///         Ok(())
///     }
/// }
///
/// // "hi" in a stored block.
/// let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x02\0\xfd\xffhi\xac\x2a\x93\xd8\x02\0\0\0";
/// let mut inflater = GzipInflater::new();
/// let mut text = Text(Vec::new());
/// inflater.push(&gzip[..7], &mut text)?;
/// inflater.push(&gzip[7..], &mut text)?;
/// let totals = inflater.finish(&mut text)?;
/// assert_eq!(text.0, b"hi");
/// assert_eq!((totals.compressed, totals.uncompressed, totals.members), (25, 2, 1));
/// # Ok::<(), InflateError>(())
/// ```
///
/// Memory is fixed: about 256 KiB of input, 256 KiB of output and 30 KiB of tables.
pub struct GzipInflater {
    stream: Stream,
}

/// What a gzip stream was, after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of the stream.
    pub compressed: u64,
    /// Bytes in it.
    pub uncompressed: u64,
    /// Members, at least one.
    pub members: u64,
}

impl GzipInflater {
    /// Ready for the first byte.
    pub fn new() -> Self {
        GzipInflater {
            stream: Stream::gzip(),
        }
    }

    /// Takes the next piece of the stream. Decoding happens whenever enough has come together, so
    /// the sink may get what belongs to this piece later, and so may an error be returned.
    pub fn push<S: Sink>(&mut self, input: &[u8], sink: &mut S) -> Result<(), S::Error> {
        self.stream.push(input, sink)
    }

    /// Says that nothing follows, and delivers the rest.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<Totals, S::Error> {
        self.stream.finish(sink)?;
        Ok(Totals {
            compressed: self.stream.compressed(),
            uncompressed: self.stream.uncompressed(),
            members: self.stream.members(),
        })
    }

    /// Gives the next piece of the stream in memory that can be decoded from directly, without a
    /// copy. Returns the buffer before it, of which the [finished](InputBuffer::finished) bytes can be hashed now;
    /// the first one is empty. Call [`GzipInflater::run`] next. Can be mixed with [`GzipInflater::push`].
    #[must_use = "the bytes in the returned buffer belong to the stream"]
    pub fn exchange(&mut self, next: InputBuffer) -> InputBuffer {
        self.stream.exchange(next)
    }

    /// Gives blocks that a [`Speculator`](super::Speculator) decoded in the same stream. They are
    /// taken instead of being decoded again, if a block really begins where they do, comes not
    /// before this call, and lies at least 32 KiB of output behind the start of its member.
    /// Stretches come in the order of their beginnings, and wait in memory until they are reached.
    ///
    /// The checksum at the member's end covers them as it does all output.
    pub fn offer(&mut self, stretch: Stretch) {
        self.stream.offer(stretch);
    }

    /// Decodes what there is.
    pub fn run<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        self.stream.run(sink)
    }

    /// The last buffer, after [`GzipInflater::finish`]: its finished bytes go to the stream's end.
    pub fn into_buffer(self) -> InputBuffer {
        self.stream.into_input()
    }

    /// Uncompressed bytes so far.
    pub fn uncompressed(&self) -> u64 {
        self.stream.uncompressed()
    }
}

impl Default for GzipInflater {
    fn default() -> Self {
        GzipInflater::new()
    }
}

impl core::fmt::Debug for GzipInflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GzipInflater")
            .field("compressed", &self.stream.compressed())
            .field("uncompressed", &self.stream.uncompressed())
            .finish_non_exhaustive()
    }
}
