//! The state machine under both inflaters: member headers, blocks, trailers.
//!
//! [`Stream::run`] goes on until it needs input that is not in the buffer yet. What it leaves
//! unread is less than a block header and moves in front of the next input, so no state has a
//! variant for slowly arriving bytes. At the end of the stream the buffer goes on with zeros; only
//! after the fact is the position compared with the real end, before any other error.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::bits::Bits;
use super::block::{BadBlock, Block, HEADER_NEED, Tables};
use super::buffers::{InputBuffer, OUTPUT_LIMIT, Output, PADDING};
use super::decode::{Cursor, Exit, decode, decode_both};
use super::error::{CodeKind, InflateError};
use super::header::MemberHeader;
use super::speculate::Stretch;
use super::{Boundary, BoundaryKind, WINDOW_SIZE};

mod adopt;
mod delivery;
mod outlet;
mod start;

use adopt::Adopted;
pub(super) use outlet::Outlet;

/// A stream, and its output after `N` windows: one, but for decoding ahead.
pub(super) struct Stream<const N: usize = 1> {
    input: InputBuffer,
    /// Nothing follows what the input buffer holds.
    ended: bool,
    /// Offset in the compressed stream of the input buffer's index 0 (wrapping).
    base: u64,
    bits: Bits,
    tables: Box<Tables>,
    output: Output<N>,
    state: State,
    last_block: bool,
    crc: crc32fast::Hasher,
    /// Where the current member's output begins.
    member_start: u64,
    members: u64,
    /// Whether the current member's beginning was seen, so that its trailer can be checked.
    whole_member: bool,
    /// Output position to stop at.
    wanted: u64,
    /// What may come, in order.
    offered: VecDeque<Stretch>,
}

enum State {
    /// Before the first byte of a raw stream, of which only this many bits count.
    Prime(u8),
    Member(MemberHeader),
    Block,
    Adopted(Box<Adopted>),
    /// On the way to this bit position, after a stretch.
    Skip(u64),
    Stored(usize),
    Codes,
    Trailer,
    Done,
    Stopped(InflateError),
}

impl<const N: usize> Stream<N> {
    /// A gzip stream from its first byte.
    pub(super) fn gzip() -> Self {
        Stream::new(State::Member(MemberHeader::new()), true, u64::MAX)
    }

    /// Raw DEFLATE from a block boundary, until `wanted` bytes are delivered.
    pub(super) fn resumed(windows: [&[u8; WINDOW_SIZE]; N], bits: u8, wanted: u64) -> Self {
        let mut stream = Stream::new(State::Done, false, wanted);
        stream.resume(windows, bits, wanted);
        stream
    }

    /// Becomes what [`Stream::resumed`] returns, in the same memory.
    pub(super) fn resume(&mut self, windows: [&[u8; WINDOW_SIZE]; N], bits: u8, wanted: u64) {
        self.input.space();
        self.base = (self.input.start as u64).wrapping_neg();
        self.bits = Bits::at(self.input.start);
        self.ended = false;
        self.output.restart(windows);
        self.state = State::Prime(bits);
        self.whole_member = false;
        self.wanted = wanted;
    }

    fn new(state: State, whole_member: bool, wanted: u64) -> Self {
        let input = InputBuffer::new();
        let start = input.start;
        Stream {
            base: (start as u64).wrapping_neg(),
            input,
            ended: false,
            bits: Bits::at(start),
            tables: Tables::new(),
            output: Output::new(),
            state,
            last_block: false,
            crc: crc32fast::Hasher::new(),
            member_start: 0,
            members: 0,
            whole_member,
            wanted,
            offered: VecDeque::new(),
        }
    }

    /// Takes all of `input`, decoding whenever the buffer is full.
    pub(super) fn push<S: Outlet<N>>(&mut self, mut input: &[u8], outlet: &mut S) -> Result<(), S::Error> {
        self.check_stopped()?;
        while !input.is_empty() {
            if self.input.is_full() {
                self.run(outlet)?;
                self.compact(outlet)?;
            }
            input = self.input.append(input);
        }
        Ok(())
    }

    /// Hands out the bytes that are finished and makes room in the input buffer.
    fn compact<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), S::Error> {
        let keep = self.keep();
        self.guard(|stream| outlet.compressed(&stream.input.bytes[stream.input.start..keep]))?;
        let moved = self.input.compact(keep);
        self.moved(moved);
        Ok(())
    }

    /// Goes on with `next`, which comes after what was given so far, and decodes it. In between,
    /// the buffer before it is given back.
    pub(super) fn exchange<S: Outlet<N>>(
        &mut self,
        mut next: InputBuffer,
        outlet: &mut S,
        give_back: impl FnOnce(InputBuffer),
    ) -> Result<(), S::Error> {
        // After a push there can be more.
        if !self.input.can_hand_over(self.keep()) {
            self.run(outlet)?;
        }
        let keep = self.keep();
        let moved = next.take_over(&mut self.input, keep);
        self.moved(moved);
        give_back(core::mem::replace(&mut self.input, next));
        self.run(outlet)
    }

    /// First input index that is still needed.
    fn keep(&self) -> usize {
        match self.state {
            State::Done | State::Stopped(_) => self.input.end,
            _ => self.bits.floor(),
        }
    }

    fn moved(&mut self, down: usize) {
        self.base = self.base.wrapping_add(down as u64);
        self.bits.pos = self.bits.pos.wrapping_sub(down);
        if matches!(self.state, State::Done | State::Stopped(_)) {
            self.bits = Bits::at(self.input.start);
        }
    }

    /// Says that nothing follows, and decodes the rest.
    pub(super) fn finish<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), S::Error> {
        self.check_stopped()?;
        if !self.ended {
            self.ended = true;
            self.input.pad();
            self.run(outlet)?;
            self.guard(|stream| outlet.compressed(stream.input.filled()))?;
        }
        Ok(())
    }

    /// The last input buffer, after [`Stream::finish`].
    pub(super) fn into_input(self) -> InputBuffer {
        self.input
    }

    /// Decodes what the input buffer holds.
    pub(super) fn run<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), S::Error> {
        self.check_stopped()?;
        loop {
            match self.step(outlet) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(stop) => {
                    let (state, error) = match stop {
                        Stop::Stream(error) => (error, S::Error::from(error)),
                        Stop::Consumer(error) => (InflateError::Stopped, error),
                    };
                    self.state = State::Stopped(state);
                    return Err(error);
                }
            }
        }
    }

    /// Uncompressed bytes so far.
    pub(super) fn uncompressed(&self) -> u64 {
        self.output.position()
    }

    /// Bytes of the stream so far.
    pub(super) fn compressed(&self) -> u64 {
        self.offset(self.input.end)
    }

    /// Members completed.
    pub(super) fn members(&self) -> u64 {
        self.members
    }

    /// Whether everything that was wanted is delivered.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Does one step. False when more input is needed, or none.
    fn step<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<bool, Stop<S::Error>> {
        match &mut self.state {
            State::Prime(bits) => {
                let bits = usize::from(*bits);
                if bits > 0 {
                    if self.input.filled().is_empty() {
                        return self.need_input();
                    }
                    self.bits = Bits::at_bit(8 * self.bits.pos + 8 - bits, &self.input.bytes);
                }
                self.state = State::Block;
                self.stop_if_delivered(outlet)?;
                Ok(true)
            }
            State::Member(_) => self.member_header(outlet),
            State::Block => self.block_header(),
            State::Adopted(_) => self.adopted(outlet),
            State::Skip(_) => self.skip(),
            State::Stored(_) => self.stored(outlet),
            State::Codes => self.codes(outlet),
            State::Trailer => self.trailer(),
            State::Done | State::Stopped(_) => Ok(false),
        }
    }

    fn member_header<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<bool, Stop<S::Error>> {
        let State::Member(header) = &mut self.state else {
            unreachable!("called in this state only");
        };
        let bytes = &self.input.bytes[self.bits.pos..self.input.end];
        let offset = self.base.wrapping_add(self.bits.pos as u64);
        self.bits.pos += header.read(bytes, offset)?;
        if !header.is_done() {
            return self.need_input();
        }
        let long_field = header.long_field;
        self.whole_member = true;
        self.crc = crc32fast::Hasher::new();
        self.member_start = self.output.position();
        self.output.low = self.output.op;
        self.state = State::Block;
        self.announce(
            BoundaryKind::MemberHeader { long_field },
            self.bit_offset(),
            outlet,
        )?;
        Ok(true)
    }

    fn block_header<E>(&mut self) -> Result<bool, Stop<E>> {
        if !self.ended && self.input.end.saturating_sub(self.bits.pos) < HEADER_NEED {
            return Ok(false);
        }
        if self.adopt() {
            return Ok(true);
        }
        let header = self.tables.read_header(&mut self.bits, &self.input.bytes);
        self.check_truncated()?;
        let offset = self.offset(self.bits.ceil());
        let (last, block) = header.map_err(|bad| match bad {
            BadBlock::Type => InflateError::BadBlockType { offset },
            BadBlock::StoredLength => InflateError::BadStoredLength { offset },
            BadBlock::TooManyCodes => InflateError::TooManyCodes { offset },
            BadBlock::Repeat => InflateError::BadRepeat { offset },
            BadBlock::NoEndOfBlock => InflateError::MissingEndOfBlock { offset },
            BadBlock::Code(code) => InflateError::BadCode { offset, code },
        })?;
        self.last_block = last;
        self.state = match block {
            Block::Stored(length) => State::Stored(length),
            Block::Codes => State::Codes,
        };
        Ok(true)
    }

    fn stored<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<bool, Stop<S::Error>> {
        let State::Stored(remaining) = &mut self.state else {
            unreachable!("called in this state only");
        };
        let there = &self.input.bytes[self.bits.pos..self.input.end];
        let copied = self.output.append(&there[..there.len().min(*remaining)]);
        self.bits.pos += copied;
        *remaining -= copied;
        if *remaining == 0 {
            self.block_end(outlet)?;
        } else if self.bits.pos < self.input.end {
            self.make_room(outlet)?;
        } else {
            return self.need_input();
        }
        Ok(true)
    }

    fn codes<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<bool, Stop<S::Error>> {
        // No more than 8 bytes of padding are read with the last real bit; a step reads at most 9
        // and a refill loads 8.
        let in_limit = match self.ended {
            true => self.input.end + PADDING - 40,
            false => self.input.end - 40,
        };
        let still_wanted = self.wanted.saturating_sub(self.output.position());
        let enough = self
            .output
            .op
            .saturating_add(usize::try_from(still_wanted).unwrap_or(usize::MAX));
        let mut cursor = Cursor {
            bits: self.bits,
            op: self.output.op,
            in_limit,
            out_limit: OUTPUT_LIMIT.min(enough.saturating_sub(1)),
            low: self.output.low,
        };
        let (input, tables) = (&self.input.bytes, &self.tables.decode);
        let exit = match self.output.bytes.as_mut_slice() {
            [output] => decode(input, output, tables, &mut cursor),
            both => {
                let both = both.try_into().expect("there are one or two outputs");
                decode_both(input, both, tables, &mut cursor)
            }
        };
        self.bits = cursor.bits;
        self.output.op = cursor.op;
        self.check_truncated()?;
        let offset = self.offset(self.bits.ceil());
        match exit {
            Exit::EndOfBlock => self.block_end(outlet)?,
            Exit::Output => self.make_room(outlet)?,
            Exit::Input => return self.need_input(),
            Exit::BadLitLen => {
                let code = CodeKind::LiteralLength;
                return Err(InflateError::BadSymbol { offset, code }.into());
            }
            Exit::BadDistance => {
                let code = CodeKind::Distance;
                return Err(InflateError::BadSymbol { offset, code }.into());
            }
            Exit::TooFar(distance) => {
                let available = (self.output.op - self.output.low) as u32;
                return Err(InflateError::DistanceTooFar {
                    offset,
                    distance,
                    available,
                }
                .into());
            }
        }
        Ok(true)
    }

    fn block_end<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), Stop<S::Error>> {
        if self.last_block {
            self.bits.align();
            self.state = State::Trailer;
        } else {
            self.state = State::Block;
            self.announce(BoundaryKind::Block, self.bit_offset(), outlet)?;
        }
        // A member's end needs its whole output in the checksum.
        if self.last_block {
            self.deliver(outlet)?;
        }
        self.stop_if_delivered(outlet)
    }

    fn trailer<E>(&mut self) -> Result<bool, Stop<E>> {
        let Some(trailer) = self.input.bytes[self.bits.pos..self.input.end].first_chunk::<8>() else {
            return self.need_input();
        };
        let [a, b, c, d, e, f, g, h] = *trailer;
        self.bits.pos += 8;
        if self.whole_member {
            let offset = self.offset(self.bits.pos);
            let (stored, computed) = (u32::from_le_bytes([a, b, c, d]), self.crc.clone().finalize());
            if stored != computed {
                return Err(InflateError::Crc {
                    offset,
                    stored,
                    computed,
                }
                .into());
            }
            let stored = u32::from_le_bytes([e, f, g, h]);
            let counted = (self.output.position() - self.member_start) as u32;
            if stored != counted {
                return Err(InflateError::Size {
                    offset,
                    stored,
                    counted,
                }
                .into());
            }
        }
        self.members += 1;
        self.state = State::Member(MemberHeader::new());
        Ok(true)
    }

    /// Stops here until more input comes; at the end of the stream, says what that means.
    fn need_input<E>(&mut self) -> Result<bool, Stop<E>> {
        if !self.ended {
            return Ok(false);
        }
        let end = self.compressed();
        if let State::Member(_) = self.state
            && self.bits.pos == self.input.end
            && self.at_member_start()
        {
            if end == 0 {
                return Err(InflateError::EmptyInput.into());
            }
            if self.wanted == u64::MAX {
                self.state = State::Done;
                return Ok(false);
            }
        }
        Err(InflateError::Truncated { offset: end }.into())
    }

    fn at_member_start(&self) -> bool {
        matches!(&self.state, State::Member(header) if header.is_new())
    }

    fn check_truncated(&self) -> Result<(), InflateError> {
        if self.ended && self.bits.position() > 8 * self.input.end {
            return Err(InflateError::Truncated {
                offset: self.compressed(),
            });
        }
        Ok(())
    }

    fn check_stopped(&self) -> Result<(), InflateError> {
        match self.state {
            State::Stopped(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Calls the outlet outside of a step.
    fn guard<E>(&mut self, call: impl FnOnce(&Self) -> Result<(), E>) -> Result<(), E> {
        let result = call(self);
        if result.is_err() {
            self.state = State::Stopped(InflateError::Stopped);
        }
        result
    }

    /// Bit position in the compressed stream.
    fn bit_offset(&self) -> u64 {
        self.base
            .wrapping_mul(8)
            .wrapping_add(self.bits.position() as u64)
    }

    /// Offset in the compressed stream of an input index.
    fn offset(&self, index: usize) -> u64 {
        self.base.wrapping_add(index as u64)
    }
}

/// Why a step failed.
enum Stop<E> {
    Stream(InflateError),
    Consumer(E),
}

impl<E> From<InflateError> for Stop<E> {
    fn from(error: InflateError) -> Self {
        Stop::Stream(error)
    }
}
