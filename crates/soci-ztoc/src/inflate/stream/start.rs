//! Where decoding could start in the middle of a stream.

use super::super::block::HEADER_NEED;
use super::super::find::find_block;
use super::{Bits, Stream};

/// Headers tried before giving up. Some dozens are usual; bytes made for it could be full of them.
const TRIES: usize = 1 << 10;

impl<const N: usize> Stream<N> {
    /// Bit position in `bytes` of the first block with codes of its own; what does not fit into the
    /// input buffer is not looked at. The stream has to be [resumed](Stream::resume) afterwards.
    pub(in super::super) fn find_start(&mut self, bytes: &[u8]) -> Option<usize> {
        self.input.space();
        self.input.append(bytes);
        let base = self.input.start;
        let length = self.input.filled().len().saturating_sub(HEADER_NEED);
        let mut from = 0;
        for _ in 0..TRIES {
            let bit = find_block(&bytes[..length], from)?;
            let mut bits = Bits::at_bit(8 * base + bit, &self.input.bytes);
            if self.tables.read_header(&mut bits, &self.input.bytes).is_ok() {
                return Some(bit);
            }
            from = bit + 1;
        }
        None
    }
}
