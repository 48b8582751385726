//! Decoding a stretch of a stream before it is known what comes before it.
//!
//! DEFLATE is a chain: a block begins where the one before it ends, and copies from what was
//! decoded last. A [`Speculator`] breaks it with two guesses:
//!
//! * *Where a block begins*: at the first place that looks like one and can be decoded. Whoever
//!   decodes from the front will come by and see whether a block really begins there.
//! * *What the 32 KiB before it are*: two different windows. Decoding does not depend on them, only
//!   its output does, so everything is written twice, once after each window. The two are chosen
//!   so that no byte of one equals the byte of the other, and no pair occurs twice:
//!
//!   | window | byte at index i |
//!   |---|---|
//!   | first | i mod 256 |
//!   | second | that + 1 + ⌊i / 256⌋, mod 256 |
//!
//!   Where the outputs agree, that is the output. Where they differ, the pair tells which byte of
//!   the window it is a copy of.
//!
//! As soon as the last 32 KiB of both agree, the second is not kept any more: what follows depends
//! on what is known. Typically that is after some hundred KiB, and in half of all places never.
//!
//! Whatever is wrong with the input, a [`Stretch`] ends before it: it is for the one who decodes
//! from the front to find and to name.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::buffers::{OUTPUT_LIMIT, zeroed};
use super::stream::{Outlet, Stream};
use super::{Boundary, BoundaryKind, InflateError, WINDOW_SIZE};

/// Output after which a stretch ends: what waits for being reached stays small.
const MAX_OUTPUT: usize = 768 << 10;
/// Blocks after which a stretch ends. Empty ones take no output.
const MAX_BLOCKS: usize = 1 << 12;
/// Offsets are counted in bits, and a stretch goes on after its beginning.
const MAX_OFFSET: u64 = u64::MAX >> 4;

/// Decodes one stretch after another, ahead of a [`GzipInflater`](super::GzipInflater) that reads
/// the same stream from its beginning. Memory is kept from one to the next: about 0.8 MiB.
pub struct Speculator {
    stream: Stream<2>,
    windows: [Box<[u8; WINDOW_SIZE]>; 2],
    decoded: Twofold,
    /// Where in the stream the first byte lies that is pushed.
    offset: u64,
    /// Bit position in the stream of the stretch's start, which lies in that byte.
    start: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was begun.
    Idle,
    Open,
    /// The stretch cannot become longer.
    Ended,
}

#[derive(Default)]
struct Twofold {
    first: Vec<u8>,
    /// Ends where it no longer differs.
    second: Vec<u8>,
    differs: bool,
    blocks: Vec<BlockEnd>,
}

/// The end of a block.
#[derive(Clone, Copy)]
pub(super) struct BlockEnd {
    /// Bit position: in a [`Stretch`], in the stream.
    pub(super) bit: u64,
    /// Bytes of output since the start of the stretch.
    pub(super) output: usize,
}

/// Whole blocks that were decoded after an unknown window.
pub struct Stretch {
    /// Bit position in the stream.
    pub(super) start: u64,
    /// At least one. The last one is the end of the stretch.
    pub(super) blocks: Vec<BlockEnd>,
    first: Vec<u8>,
    /// Ends where it no longer differs.
    second: Vec<u8>,
}

impl Speculator {
    /// Ready for [`Speculator::begin`].
    pub fn new() -> Self {
        let windows = windows();
        Speculator {
            stream: Stream::resumed(windows.each_ref().map(|window| &**window), 0, u64::MAX),
            windows,
            decoded: Twofold::default(),
            offset: 0,
            start: 0,
            state: State::Idle,
        }
    }

    /// Begins a stretch at the first block that can be found in `bytes`, which begin at `offset` of
    /// the stream; more than an [`InputBuffer`](super::InputBuffer) holds is not looked at. Returns the index in `bytes`
    /// from which on they are to be [pushed](Speculator::push), or None without such a block. A
    /// stretch that was begun before is forgotten.
    ///
    /// Blocks with the fixed code and stored ones are not found, nor any beyond the first 2^60 bytes.
    pub fn begin(&mut self, bytes: &[u8], offset: u64) -> Option<usize> {
        self.state = State::Idle;
        if offset > MAX_OFFSET {
            return None;
        }
        let bit = self.stream.find_start(bytes)?;
        let unused = (bit.wrapping_neg() & 7) as u8;
        let windows = self.windows.each_ref().map(|window| &**window);
        self.stream.resume(windows, unused, u64::MAX);
        // More than once the limit, in one piece: growing would copy it several times.
        let room = MAX_OUTPUT + OUTPUT_LIMIT;
        self.decoded = Twofold {
            first: Vec::with_capacity(room),
            second: Vec::with_capacity(room),
            differs: true,
            blocks: Vec::new(),
        };
        self.offset = offset + bit as u64 / 8;
        self.start = 8 * offset + bit as u64;
        self.state = State::Open;
        Some(bit / 8)
    }

    /// Takes the bytes that follow those given so far, and decodes them. Returns whether more are
    /// wanted.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        if self.state != State::Open {
            return false;
        }
        let (stream, decoded) = (&mut self.stream, &mut self.decoded);
        let pushed = stream.push(bytes, decoded).and_then(|()| stream.run(decoded));
        if pushed.and(stream.deliver_rest(decoded)).is_err() {
            self.state = State::Ended;
        }
        let [first, second] = self.stream.windows();
        self.decoded.differs &= first != second;
        self.state == State::Open
    }

    /// Ends the stretch. None if it has not a single whole block.
    pub fn finish(&mut self) -> Option<Stretch> {
        if core::mem::replace(&mut self.state, State::Idle) == State::Idle {
            return None;
        }
        let mut decoded = core::mem::take(&mut self.decoded);
        decoded.blocks.retain(|block| block.output <= decoded.first.len());
        for block in &mut decoded.blocks {
            block.bit += 8 * self.offset;
        }
        decoded.blocks.last()?;
        Some(Stretch {
            start: self.start,
            blocks: decoded.blocks,
            first: decoded.first,
            second: decoded.second,
        })
    }
}

impl Default for Speculator {
    fn default() -> Self {
        Speculator::new()
    }
}

impl core::fmt::Debug for Speculator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Speculator")
            .field("start", &self.start)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Outlet<2> for Twofold {
    type Error = InflateError;

    fn output(&mut self, [first, second]: [&[u8]; 2]) -> Result<(), InflateError> {
        self.first.extend_from_slice(first);
        if self.differs {
            self.second.extend_from_slice(second);
        }
        match self.first.len() > MAX_OUTPUT {
            true => Err(InflateError::Stopped),
            false => Ok(()),
        }
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        // What comes after a member's end is not blocks only.
        if boundary.kind != BoundaryKind::Block || self.blocks.len() == MAX_BLOCKS {
            return Err(InflateError::Stopped);
        }
        self.blocks.push(BlockEnd {
            bit: 8 * boundary.compressed_offset - u64::from(boundary.bits),
            output: boundary.uncompressed_offset as usize,
        });
        Ok(())
    }

    fn compressed(&mut self, _: &[u8]) -> Result<(), InflateError> {
        Ok(())
    }
}

impl Stretch {
    /// Whether more than half of its output are copies from the window. Then putting them in takes
    /// about as long as decoding.
    pub fn is_mostly_unknown(&self) -> bool {
        let both = self.first.iter().zip(&self.second);
        let unknown: usize = both.map(|(first, second)| usize::from(first != second)).sum();
        unknown > self.first.len() / 2
    }

    /// Writes the output from `from` on, as much as `output` holds.
    pub(super) fn resolve(&self, from: usize, known: &Known, output: &mut [u8]) {
        let first = &self.first[from..from + output.len()];
        let second = self.second.get(from..).unwrap_or_default();
        let twofold = second.len().min(output.len());
        let (output, rest) = output.split_at_mut(twofold);
        rest.copy_from_slice(&first[twofold..]);
        let (first, first_rest) = first[..twofold].as_chunks::<PIECE>();
        let (second, second_rest) = second[..twofold].as_chunks::<PIECE>();
        let (output, output_rest) = output.as_chunks_mut::<PIECE>();
        for ((output, first), second) in output.iter_mut().zip(first).zip(second) {
            if first == second {
                *output = *first;
                continue;
            }
            for ((byte, &first), &second) in output.iter_mut().zip(first).zip(second) {
                *byte = known.byte(first, second);
            }
        }
        let rest = output_rest.iter_mut().zip(first_rest).zip(second_rest);
        for ((byte, &first), &second) in rest {
            *byte = known.byte(first, second);
        }
    }
}

/// What a pair of bytes stands for: rows by their difference, columns by the first. Row 0 are the
/// bytes themselves, the next 128 are the window, those behind do not occur.
pub(super) struct Known(Box<[u8; 1 << 16]>);

impl Known {
    /// For a stretch after this window.
    pub(super) fn new(window: &[u8; WINDOW_SIZE]) -> Self {
        let mut table = zeroed();
        let (bytes, rows) = table.split_at_mut(1 << 8);
        for (value, byte) in bytes.iter_mut().enumerate() {
            *byte = value as u8;
        }
        rows[..WINDOW_SIZE].copy_from_slice(window);
        Known(table)
    }

    #[inline(always)]
    fn byte(&self, first: u8, second: u8) -> u8 {
        self.0[usize::from(second.wrapping_sub(first)) << 8 | usize::from(first)]
    }
}

impl core::fmt::Debug for Stretch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stretch")
            .field("start", &self.start)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

/// Bytes compared at once. Fewer or more are slower.
const PIECE: usize = 32;

/// The two windows.
fn windows() -> [Box<[u8; WINDOW_SIZE]>; 2] {
    let (mut first, mut second) = (zeroed(), zeroed());
    for index in 0..WINDOW_SIZE {
        first[index] = index as u8;
        second[index] = (index as u8).wrapping_add(1 + (index >> 8) as u8);
    }
    [first, second]
}

#[cfg(test)]
mod tests;
