//! Block headers: the three kinds of blocks, and the code lengths of a dynamic one.

use alloc::boxed::Box;

use super::bits::Bits;
use super::buffers::INPUT_LEN;
use super::code::Code;
use super::decode::DecodeTables;
use super::distance::{self, DISTANCE_LEN, build_distances};
use super::error::CodeKind;
use super::litlen::{self, LITLEN_LEN, LitLen};

/// Input bytes that must be there before a header is read, unless the stream ends: the longest
/// one has 17 + 19 * 3 + 316 * (7 + 7) bits, 563 bytes.
pub(super) const HEADER_NEED: usize = 1 << 10;

/// What follows a block header.
pub(super) enum Block {
    /// This many bytes as they are, starting at the reader's byte.
    Stored(usize),
    /// Codes, for which the tables are set.
    Codes,
}

/// What is wrong with a block header.
pub(super) enum BadBlock {
    Type,
    StoredLength,
    TooManyCodes,
    Repeat,
    NoEndOfBlock,
    Code(CodeKind),
}

/// The decoding tables of the current block and what building them needs.
pub(super) struct Tables {
    pub(super) decode: DecodeTables,
    litlen: LitLen,
    code: Code,
    /// The tables hold the fixed codes.
    fixed: bool,
}

impl Tables {
    pub(super) fn new() -> Box<Self> {
        Box::new(Tables {
            decode: DecodeTables {
                litlen: [litlen::INVALID; LITLEN_LEN],
                distances: [distance::INVALID; DISTANCE_LEN],
            },
            litlen: LitLen::new(),
            code: Code::new(),
            fixed: false,
        })
    }

    /// Reads a block header. Returns whether the block is its member's last, and what follows.
    pub(super) fn read_header(
        &mut self,
        bits: &mut Bits,
        input: &[u8; INPUT_LEN],
    ) -> Result<(bool, Block), BadBlock> {
        bits.refill(input);
        let last = bits.value(1) == 1;
        let block = match bits.value(2) {
            0 => stored(bits, input)?,
            1 => {
                self.set_fixed();
                Block::Codes
            }
            2 => {
                self.read_codes(bits, input)?;
                Block::Codes
            }
            _ => return Err(BadBlock::Type),
        };
        Ok((last, block))
    }

    /// The codes of RFC 1951, 3.2.6.
    fn set_fixed(&mut self) {
        if self.fixed {
            return;
        }
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        let complete = self.code.assign(&lengths, false);
        debug_assert!(complete, "the fixed literal code is complete");
        self.litlen.build(&self.code, &mut self.decode.litlen);
        let complete = self.code.assign(&[5; 32], false);
        debug_assert!(complete, "the fixed distance code is complete");
        build_distances(&self.code, &mut self.decode.distances);
        self.fixed = true;
    }

    /// The code lengths of RFC 1951, 3.2.7.
    fn read_codes(&mut self, bits: &mut Bits, input: &[u8; INPUT_LEN]) -> Result<(), BadBlock> {
        self.fixed = false;
        let litlen_count = bits.value(5) as usize + 257;
        let distance_count = bits.value(5) as usize + 1;
        let length_count = bits.value(4) as usize + 4;
        if litlen_count > 286 || distance_count > 30 {
            return Err(BadBlock::TooManyCodes);
        }

        let mut code_lengths = [0; 19];
        for &symbol in &ORDER[..length_count] {
            bits.refill(input);
            code_lengths[symbol] = bits.value(3) as u8;
        }
        if !self.code.assign(&code_lengths, false) {
            return Err(BadBlock::Code(CodeKind::CodeLength));
        }
        let table = code_length_table(&self.code);

        let total = litlen_count + distance_count;
        let mut lengths = [0_u8; 286 + 30 + LONGEST_RUN];
        let mut at = 0;
        while at < total {
            bits.refill(input);
            let entry = table[bits.buffer as usize & 127];
            bits.take(u32::from(entry & 7));
            let symbol = (entry >> 3) as u8;
            if symbol < 16 {
                lengths[at] = symbol;
                at += 1;
                continue;
            }
            // Runs are written at their greatest length: what is too much is written again, or is
            // after the last length.
            let count = match symbol {
                16 => {
                    let before = at.checked_sub(1).ok_or(BadBlock::Repeat)?;
                    let length = lengths[before];
                    lengths[at..at + 8].fill(length);
                    3 + bits.value(2)
                }
                17 => {
                    lengths[at..at + 16].fill(0);
                    3 + bits.value(3)
                }
                _ => {
                    lengths[at..at + LONGEST_RUN].fill(0);
                    11 + bits.value(7)
                }
            };
            at += count as usize;
        }
        if at > total {
            return Err(BadBlock::Repeat);
        }

        if lengths[256] == 0 {
            return Err(BadBlock::NoEndOfBlock);
        }
        if !self.code.assign(&lengths[..litlen_count], true) {
            return Err(BadBlock::Code(CodeKind::LiteralLength));
        }
        self.litlen.build(&self.code, &mut self.decode.litlen);
        if !self.code.assign(&lengths[litlen_count..total], true) {
            return Err(BadBlock::Code(CodeKind::Distance));
        }
        build_distances(&self.code, &mut self.decode.distances);
        Ok(())
    }
}

/// Longest run of equal code lengths, and a little.
const LONGEST_RUN: usize = 144;

fn stored(bits: &mut Bits, input: &[u8; INPUT_LEN]) -> Result<Block, BadBlock> {
    bits.align();
    bits.refill(input);
    let length = bits.value(16);
    let complement = bits.value(16);
    if length != complement ^ 0xffff {
        return Err(BadBlock::StoredLength);
    }
    // Nothing of a byte is taken, so this only hands whole bytes back.
    *bits = Bits::at(bits.ceil());
    Ok(Block::Stored(length as usize))
}

/// Symbols of the code-length code in the order of their lengths (RFC 1951, 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Looked up with the next 7 bits: code length in bits 0–2, symbol above. The code is complete.
fn code_length_table(code: &Code) -> [u16; 128] {
    let mut table = [0; 128];
    for length in 1..=7 {
        let half = 1 << (length - 1);
        table.copy_within(..half, half);
        for (symbol, code) in code.of_length(length) {
            table[code as usize & 127] = symbol << 3 | length as u16;
        }
    }
    table
}
