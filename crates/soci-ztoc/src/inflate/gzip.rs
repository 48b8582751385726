//! The inflater of whole gzip streams.

use super::Consumer;
use super::buffers::{InputBuffer, SpentBuffer};
use super::speculate::Stretch;
use super::stream::Stream;

/// Inflates a gzip stream of one or more members that is pushed in pieces of any length.
///
/// What is accepted is what zlib accepts of gzip streams: every member complete, with the right
/// CRC-32, length and header checksum, and nothing after the last one. What the consumer gets does
/// not depend on the pieces, except for their lengths.
///
/// ```
/// use soci_ztoc::inflate::{GzipInflater, InflateError, Consumer};
///
/// struct Text(Vec<u8>);
///
/// impl Consumer for Text {
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
/// let (totals, _) = inflater.finish(&mut text)?;
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
#[non_exhaustive]
pub struct GzipTotals {
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
    /// the consumer may get what belongs to this piece later, and so may an error be returned.
    pub fn push<C: Consumer>(&mut self, input: &[u8], consumer: &mut C) -> Result<(), C::Error> {
        self.stream.push(input, consumer)
    }

    /// Says that nothing follows, and delivers the rest. Gives the last buffer back: its
    /// [finished](SpentBuffer::finished) bytes go to the stream's end.
    pub fn finish<C: Consumer>(mut self, consumer: &mut C) -> Result<(GzipTotals, SpentBuffer), C::Error> {
        self.stream.finish(consumer)?;
        let totals = GzipTotals {
            compressed: self.stream.compressed(),
            uncompressed: self.stream.uncompressed(),
            members: self.stream.members(),
        };
        Ok((totals, SpentBuffer::new(self.stream.into_input())))
    }

    /// Takes the next piece of the stream in memory that can be decoded from directly, without a
    /// copy, and decodes it. Before that the buffer that came before it is given back; the first one
    /// is empty. Its [finished](SpentBuffer::finished) bytes can be hashed meanwhile, on another thread. Can be mixed with
    /// [`GzipInflater::push`].
    ///
    /// After an error the buffer may not have been given back.
    pub fn exchange<C: Consumer>(
        &mut self,
        next: InputBuffer,
        consumer: &mut C,
        give_back: impl FnOnce(SpentBuffer),
    ) -> Result<(), C::Error> {
        let give_back = |buffer| give_back(SpentBuffer::new(buffer));
        self.stream.exchange(next, consumer, give_back)
    }

    /// Gives blocks that a [`Speculator`](super::Speculator) decoded in the same stream. They are
    /// taken instead of being decoded again, if a block really begins where they do, comes not
    /// before this call, and lies at least 32 KiB of output after the start of its member.
    /// Stretches come in the order of their beginnings, and wait in memory until they are reached.
    ///
    /// The checksum at the member's end covers them as it does all output.
    pub fn offer(&mut self, stretch: Stretch) {
        self.stream.offer(stretch);
    }

    /// Decodes what was pushed and waits for more.
    pub fn run<C: Consumer>(&mut self, consumer: &mut C) -> Result<(), C::Error> {
        self.stream.run(consumer)
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
