//! Going on with blocks that were decoded ahead.

use alloc::boxed::Box;

use super::super::speculate::Known;
use super::{Bits, BoundaryKind, OUTPUT_LIMIT, Outlet, State, Stop, Stream, Stretch, WINDOW_SIZE};

/// A stretch that has turned out to be what comes next.
pub(super) struct Adopted {
    stretch: Stretch,
    /// What its bytes stand for, after the 32 KiB before it.
    known: Known,
    /// Bytes of its output that were taken.
    done: usize,
    /// Blocks that were taken.
    blocks: usize,
}

impl<const N: usize> Stream<N> {
    /// Goes on with `stretch` when its beginning is reached. For streams of one output.
    pub(in super::super) fn offer(&mut self, stretch: Stretch) {
        self.offered.push_back(stretch);
    }

    /// Called between blocks. Returns whether what was offered begins here.
    pub(super) fn adopt(&mut self) -> bool {
        let here = self.bit_offset();
        while self.offered.front().is_some_and(|stretch| stretch.start < here) {
            self.offered.pop_front();
        }
        let Some(stretch) = self.offered.pop_front_if(|stretch| stretch.start == here) else {
            return false;
        };
        // Its matches were not checked against the member's start: that must not lie in reach.
        if self.output.op - self.output.low < WINDOW_SIZE {
            return false;
        }
        self.state = State::Adopted(Box::new(Adopted {
            stretch,
            known: Known::new(self.output.windows()[0]),
            done: 0,
            blocks: 0,
        }));
        true
    }

    /// Takes output up to the next block's end, or as much as there is room for.
    pub(super) fn adopted<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<bool, Stop<S::Error>> {
        let State::Adopted(adopted) = &mut self.state else {
            unreachable!("called in this state only");
        };
        let block = adopted.stretch.blocks[adopted.blocks];
        let count = block.output - adopted.done;
        let room = OUTPUT_LIMIT.saturating_sub(self.output.op);
        let to = self.output.op + count.min(room);
        let output = &mut self.output.bytes[0][self.output.op..to];
        adopted.stretch.resolve(adopted.done, &adopted.known, output);
        self.output.op = to;
        if count > room {
            adopted.done += room;
            self.make_room(outlet)?;
            return Ok(true);
        }
        adopted.done += count;
        adopted.blocks += 1;
        if adopted.blocks == adopted.stretch.blocks.len() {
            self.last_block = false;
            self.state = State::Skip(block.bit);
        }
        self.announce(BoundaryKind::Block, block.bit, outlet)?;
        Ok(true)
    }

    /// Goes to where the stretch ended.
    pub(super) fn skip<E>(&mut self) -> Result<bool, Stop<E>> {
        let State::Skip(bit) = self.state else {
            unreachable!("called in this state only");
        };
        if bit > 8 * self.compressed() {
            self.bits = Bits::at(self.input.end);
            return self.need_input();
        }
        let position = bit.wrapping_sub(self.base.wrapping_mul(8)) as usize;
        self.bits = Bits::at_bit(position, &self.input.bytes);
        self.state = State::Block;
        Ok(true)
    }
}
