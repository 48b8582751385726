//! Input and output memory of an inflater.
//!
//! Both are arrays of a power of two plus a little. The decoding loop masks every index, so the
//! compiler sees that constant-length accesses stay inside and leaves the bounds checks out; the
//! limits below keep real indices under the mask, so it never wraps.
//!
//! Input buffer:
//!
//! | from | to | content |
//! |---|---|---|
//! | `start` | `HEADROOM` | rest of the buffer before: bytes not read yet |
//! | `HEADROOM` | `end` | bytes filled in |
//! | `end` | `end` + 64 | zeros, if the stream ends there |
//!
//! Output buffer: at least 32 KiB of history (zeros at first), then new bytes up to `op`.

use alloc::boxed::Box;
use alloc::vec;

use super::WINDOW_SIZE;

/// What every input index is masked with.
pub(super) const INPUT_MASK: usize = (1 << 18) - 1;
/// Length of an input buffer's array: an 8-byte load at any masked index is inside.
pub(super) const INPUT_LEN: usize = INPUT_MASK + 1 + 8;
/// Room for what the buffer before leaves: less than the [`HEADER_NEED`] of a block header.
const HEADROOM: usize = 2 << 10;
/// Zeros after the end of the stream, so that the loop needs no careful variant there.
pub(super) const PADDING: usize = 64;
/// Where filling ends.
const INPUT_END: usize = INPUT_MASK + 1 - PADDING;

/// What every output index is masked with.
pub(super) const OUTPUT_MASK: usize = (1 << 18) - 1;
/// Length of the output array: a 16-byte access a match length after any masked index is inside.
pub(super) const OUTPUT_LEN: usize = OUTPUT_MASK + 1 + 320;
/// The decoding loop starts no step with `op` beyond this.
pub(super) const OUTPUT_LIMIT: usize = OUTPUT_MASK + 1 - 640;

/// A piece of the compressed stream, of at most about 256 KiB, in memory that an inflater can
/// decode from directly.
///
/// For callers that read into the inflater's own memory instead of pushing slices:
/// fill [`InputBuffer::space`], say how much with [`InputBuffer::set_filled`], and give it to
/// [`GzipInflater::exchange`](super::GzipInflater::exchange), which gives the buffer before it back
/// as a [`SpentBuffer`].
pub struct InputBuffer {
    pub(super) bytes: Box<[u8; INPUT_LEN]>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl InputBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        InputBuffer {
            bytes: zeroed(),
            start: HEADROOM,
            end: HEADROOM,
        }
    }

    /// The memory to fill from its beginning. What it held before is given up.
    pub fn space(&mut self) -> &mut [u8] {
        self.start = HEADROOM;
        self.end = HEADROOM;
        &mut self.bytes[HEADROOM..INPUT_END]
    }

    /// Says how many bytes of [`InputBuffer::space`] hold data; more than it has are all of them.
    pub fn set_filled(&mut self, filled: usize) {
        self.start = HEADROOM;
        self.end = HEADROOM + filled.min(INPUT_END - HEADROOM);
    }

    /// The bytes that it was filled with.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Appends as much of `input` as fits and returns the rest.
    pub fn append<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        let (fits, rest) = input.split_at(input.len().min(INPUT_END - self.end));
        self.bytes[self.end..self.end + fits.len()].copy_from_slice(fits);
        self.end += fits.len();
        rest
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == INPUT_END
    }

    /// Writes the zeros after the end of the stream.
    pub(super) fn pad(&mut self) {
        self.bytes[self.end..self.end + PADDING].fill(0);
    }

    /// Moves the bytes from `keep` on in front of the headroom's end, and forgets the others.
    /// Returns by how much indices went down.
    pub(super) fn compact(&mut self, keep: usize) -> usize {
        let start = HEADROOM - (self.end - keep);
        self.bytes.copy_within(keep..self.end, start);
        self.start = start;
        self.end = HEADROOM;
        keep.wrapping_sub(start)
    }

    /// Whether what comes after `keep` fits in front of the next buffer's bytes.
    pub(super) fn can_hand_over(&self, keep: usize) -> bool {
        self.end - keep <= HEADROOM
    }

    /// Puts the bytes of `before` from `keep` on in front of this buffer's, and ends `before` there.
    /// Returns by how much indices went down.
    pub(super) fn take_over(&mut self, before: &mut InputBuffer, keep: usize) -> usize {
        let rest = &before.bytes[keep..before.end];
        let start = HEADROOM - rest.len();
        self.bytes[start..HEADROOM].copy_from_slice(rest);
        self.start = start;
        before.end = keep;
        keep.wrapping_sub(start)
    }
}

impl core::fmt::Debug for InputBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InputBuffer")
            .field("length", &(self.end - self.start))
            .finish_non_exhaustive()
    }
}

impl Default for InputBuffer {
    fn default() -> Self {
        InputBuffer::new()
    }
}

/// An [`InputBuffer`] that came back from an inflater.
#[derive(Debug)]
pub struct SpentBuffer(InputBuffer);

impl SpentBuffer {
    pub(crate) fn new(buffer: InputBuffer) -> Self {
        SpentBuffer(buffer)
    }

    /// The bytes before which no later boundary starts and which no earlier buffer contained. All
    /// such stretches together are the stream.
    pub fn finished(&self) -> &[u8] {
        self.0.filled()
    }

    /// The buffer, empty.
    pub fn reuse(self) -> InputBuffer {
        let mut buffer = self.0;
        buffer.set_filled(0);
        buffer
    }
}

/// History and new output, `N` times: the same stream after different windows.
pub(super) struct Output<const N: usize> {
    pub(super) bytes: Box<[[u8; OUTPUT_LEN]; N]>,
    /// Where the next byte goes.
    pub(super) op: usize,
    /// First index that a match may reach back to.
    pub(super) low: usize,
    /// First index that was not delivered.
    delivered: usize,
    /// Offset in the uncompressed stream of index 0 (wrapping: there are zeros before the stream).
    base: u64,
}

impl<const N: usize> Output<N> {
    /// Nothing written yet, and nothing to reach back to.
    pub(super) fn new() -> Self {
        Output {
            bytes: vec![[0; OUTPUT_LEN]; N].try_into().expect("a vector of N arrays"),
            op: WINDOW_SIZE,
            low: WINDOW_SIZE,
            delivered: WINDOW_SIZE,
            base: (WINDOW_SIZE as u64).wrapping_neg(),
        }
    }

    /// Begins anew with nothing written and windows to reach back to.
    pub(super) fn restart(&mut self, windows: [&[u8; WINDOW_SIZE]; N]) {
        for (bytes, window) in self.bytes.iter_mut().zip(windows) {
            bytes[..WINDOW_SIZE].copy_from_slice(window);
        }
        self.op = WINDOW_SIZE;
        self.low = 0;
        self.delivered = WINDOW_SIZE;
        self.base = (WINDOW_SIZE as u64).wrapping_neg();
    }

    /// Offset in the uncompressed stream of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.base.wrapping_add(self.op as u64)
    }

    /// The 32 KiB before the next byte.
    pub(super) fn windows(&self) -> [&[u8; WINDOW_SIZE]; N] {
        self.bytes.each_ref().map(|bytes| {
            bytes[self.op - WINDOW_SIZE..self.op]
                .first_chunk()
                .expect("the history has 32 KiB")
        })
    }

    /// Appends as much of `bytes` as fits and returns how much.
    pub(super) fn append(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(OUTPUT_LIMIT.saturating_sub(self.op));
        for output in self.bytes.iter_mut() {
            output[self.op..self.op + count].copy_from_slice(&bytes[..count]);
        }
        self.op += count;
        count
    }

    /// What was written since the last call.
    pub(super) fn undelivered(&mut self) -> [&[u8]; N] {
        let from = core::mem::replace(&mut self.delivered, self.op);
        self.bytes.each_ref().map(|bytes| &bytes[from..self.op])
    }

    /// Makes room by moving the history to the front. Everything was delivered.
    pub(super) fn slide(&mut self) {
        let by = self.op - WINDOW_SIZE;
        for bytes in self.bytes.iter_mut() {
            bytes.copy_within(by..self.op, 0);
        }
        self.base = self.base.wrapping_add(by as u64);
        self.op = WINDOW_SIZE;
        self.delivered = WINDOW_SIZE;
        self.low = self.low.saturating_sub(by);
    }
}

/// An array of zeros, made on the heap.
pub(super) fn zeroed<const N: usize>() -> Box<[u8; N]> {
    vec![0; N].try_into().expect("a vector of N bytes")
}
