//! gzip and DEFLATE, pushed in and delivered to a [`Consumer`], with a stop at every block end.
//!
//! A checkpoint of a zTOC is a place where decoding can begin: a DEFLATE block boundary, its bit
//! position and the 32 KiB of output before it. General inflaters do not tell where blocks end
//! without slowing down, so this one is our own. It accepts what zlib accepts of gzip streams, and
//! its stops are zlib's `Z_BLOCK` stops.
//!
//! * [`GzipInflater`] reads a whole gzip stream, all members.
//! * [`SpanInflater`] starts at a checkpoint and delivers a given number of bytes.
//! * [`Speculator`] decodes a stretch ahead of a [`GzipInflater`], for one more thread.
//!
//! From the bottom up: `bits` (bit reader), `buffers` (input and output), `code` (canonical codes),
//! `litlen` and `distance` (decoding tables), `decode` (the loop), `block` (block headers),
//! `header` (member headers), `find` (blocks in the middle of a stream), `stream` (the state machine
//! over all of them), `speculate` (one after an unknown window), `gzip` and `span` (the two doors).

mod bits;
mod block;
mod buffers;
mod code;
mod decode;
mod distance;
mod error;
mod find;
mod gzip;
mod header;
mod litlen;
mod span;
mod speculate;
mod stream;

pub use buffers::{InputBuffer, SpentBuffer};
pub use error::{CodeKind, InflateError};
pub use gzip::{GzipInflater, GzipTotals};
pub use span::SpanInflater;
pub use speculate::{Speculator, Stretch};

/// Bytes of history a DEFLATE match can reach back, and the size of a checkpoint's window.
pub const WINDOW_SIZE: usize = 1 << 15;

/// Where an inflater delivers to. Only [`Consumer::output`] must be written.
pub trait Consumer {
    /// What the inflater returns: its own errors and the consumer's.
    type Error: From<InflateError>;

    /// Takes the next uncompressed bytes, in order, in pieces of any length.
    /// An error stops the inflater.
    fn output(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Takes a place where decoding can begin: the end of a member header, or the end of a block
    /// that is not its member's last. Output before it may be delivered later; the 32 KiB before
    /// it are in the argument. An error stops the inflater.
    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), Self::Error> {
        let _ = boundary;
        Ok(())
    }

    /// Takes the next compressed bytes, in order and without gaps, once it is certain that no
    /// later [`Boundary`] starts inside them: [`Boundary::start`] of every later call of
    /// [`Consumer::boundary`] is at or after their end. For digests over stretches between
    /// boundaries. Called before the inflater reuses its input buffer, and for the rest when the
    /// stream is finished.
    fn compressed(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        let _ = bytes;
        Ok(())
    }
}

/// A place where decoding can begin.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Boundary<'a> {
    /// Offset in the stream of the first compressed byte of which nothing has been read.
    pub compressed_offset: u64,
    /// How many high-order bits of the byte before `compressed_offset` belong to what follows, 0–7.
    pub bits: u8,
    /// Uncompressed bytes before this place.
    pub uncompressed_offset: u64,
    /// What ends here.
    pub kind: BoundaryKind,
    /// The 32 KiB before `uncompressed_offset`, zeros where there are none.
    pub(crate) window: &'a [u8; WINDOW_SIZE],
}

/// What ends at a [`Boundary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundaryKind {
    /// A gzip member's header.
    #[non_exhaustive]
    MemberHeader {
        /// The file name or comment is longer than 511 bytes. zlib reads such a header, Go's gzip
        /// reader (`readString`, 512 bytes with the NUL) refuses it: "gzip: invalid header".
        long_field: bool,
    },
    /// A block that is not the last of its member.
    Block,
}

impl Boundary<'_> {
    /// Offset of the first byte needed to begin here: the byte before `compressed_offset` if some
    /// of its bits are still to be read.
    pub fn start(&self) -> u64 {
        self.compressed_offset - u64::from(self.bits > 0)
    }

    /// Writes the 32 KiB before this place, oldest first, with zeros in front when there are fewer.
    /// They run across member ends.
    pub fn copy_window_to(&self, window: &mut [u8; WINDOW_SIZE]) {
        window.copy_from_slice(self.window);
    }

    /// The same 32 KiB in place.
    pub fn window(&self) -> &[u8; WINDOW_SIZE] {
        self.window
    }
}
