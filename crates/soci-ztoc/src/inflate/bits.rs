//! The bit reader.
//!
//! | field | content |
//! |---|---|
//! | `buffer` | the next bits of the stream, the first one lowest |
//! | `left` | number of valid bits in `buffer`; only its low 6 bits count |
//! | `pos` | index in the input buffer of the byte after the valid bits |
//!
//! A refill loads 8 bytes at `pos` above the valid bits and advances by the whole bytes that fit:
//! 56 to 63 bits are valid afterwards, without a branch. What lies above the valid bits are bits of
//! the stream too, so or-ing them in a second time changes nothing – as long as the bytes at `pos`
//! do not change between refills. Loads therefore stay inside real data or the padding after the
//! end of the stream.
//!
//! The position in the input is `8 * pos - (left & 63)` bits.

use super::buffers::{INPUT_LEN, INPUT_MASK};

#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    pub(super) buffer: u64,
    pub(super) left: u32,
    pub(super) pos: usize,
}

impl Bits {
    /// Starts at a byte.
    pub(super) fn at(pos: usize) -> Self {
        Bits {
            buffer: 0,
            left: 0,
            pos,
        }
    }

    /// Starts at a bit: a position as of [`Bits::position`]. Loads no more than its byte.
    pub(super) fn at_bit(position: usize, input: &[u8; INPUT_LEN]) -> Self {
        let taken = position as u32 % 8;
        let mut bits = Bits::at(position / 8);
        if taken > 0 {
            bits.buffer = u64::from(input[bits.pos] >> taken);
            bits.left = 8 - taken;
            bits.pos += 1;
        }
        bits
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    pub(super) fn refill(&mut self, input: &[u8; INPUT_LEN]) {
        let at = self.pos & INPUT_MASK;
        let bytes = input[at..at + 8].try_into().expect("8 bytes");
        self.buffer |= u64::from_le_bytes(bytes) << (self.left & 63);
        self.pos += (((self.left >> 3) & 7) ^ 7) as usize;
        self.left |= 56;
    }

    /// Takes as many bits as the low 6 bits of `entry` say; they are valid.
    #[inline(always)]
    pub(super) fn take(&mut self, entry: u32) {
        self.buffer >>= entry & 63;
        self.left = self.left.wrapping_sub(entry);
    }

    /// Takes and returns `count` bits, at most 32 and all valid.
    #[inline(always)]
    pub(super) fn value(&mut self, count: u32) -> u32 {
        let value = (self.buffer & !(u64::MAX << count)) as u32;
        self.take(count);
        value
    }

    /// Position in bits from the start of the input buffer.
    pub(super) fn position(&self) -> usize {
        8 * self.pos - (self.left & 63) as usize
    }

    /// Index of the byte that holds the next bit.
    pub(super) fn floor(&self) -> usize {
        self.position() / 8
    }

    /// Index of the first byte of which no bit was taken.
    pub(super) fn ceil(&self) -> usize {
        self.position().div_ceil(8)
    }

    /// Drops the rest of a byte that was begun and goes back to whole bytes: nothing buffered.
    pub(super) fn align(&mut self) {
        *self = Bits::at(self.ceil());
    }
}
