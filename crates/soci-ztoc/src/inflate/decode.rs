//! The loop over the codes of a block.
//!
//! It is bound by the chain of loads and shifts from one code to the next and by mispredicted
//! branches, so both are kept short rather than the number of instructions:
//!
//! * Up to two lookups of literals share one path: after a match, the second one becomes an entry
//!   that stores and takes nothing.
//! * A refill comes after the load that does not need it, and hides behind it.
//! * The next entry is looked up before a match is copied.
//!
//! Bits: 56 are valid after a refill. A distance takes at most 9 + 13, the next step's two lookups
//! 11 each, and the distance lookup after them needs 9: 53 in all.
//!
//! Bytes: one step reads at most 9 and writes at most 262 (four literals and a match).

use core::hint::select_unpredictable;

use super::bits::Bits;
use super::buffers::{INPUT_LEN, OUTPUT_LEN, OUTPUT_LIMIT, OUTPUT_MASK};
use super::distance::{DISTANCE_BITS, DISTANCE_LEN, DISTANCE_MASK, SPECIAL};
use super::litlen::{
    EXCEPTIONAL, KIND_END, KIND_LENGTH, KIND_SUBTABLE, LITLEN_BITS, LITLEN_LEN, LITLEN_MASK, MATCH,
};

/// Why the loop stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The end-of-block code was read.
    EndOfBlock,
    /// The input position is past its limit.
    Input,
    /// The output position is past its limit.
    Output,
    /// A literal/length code that stands for nothing.
    BadLitLen,
    /// A distance code that stands for nothing.
    BadDistance,
    /// A distance that reaches back too far.
    TooFar(u32),
}

/// Where the loop stands and how far it may go.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) bits: Bits,
    /// Where the next output byte goes.
    pub(super) op: usize,
    /// No step starts with the input position beyond this.
    pub(super) in_limit: usize,
    /// No step starts with `op` beyond this; at most [`OUTPUT_LIMIT`].
    pub(super) out_limit: usize,
    /// First output index that a match may reach back to.
    pub(super) low: usize,
}

/// Both tables of a block. Behind one pointer, because the loop is short of registers.
pub(super) struct DecodeTables {
    pub(super) litlen: [u32; LITLEN_LEN],
    pub(super) distances: [u32; DISTANCE_LEN],
}

/// Input bytes that a step may need, rounded up to make the division a shift.
const STEP_IN: usize = 16;
/// Output bytes that a step may write, rounded up.
const STEP_OUT: usize = 264;

/// Decodes until the block ends, a limit is reached, or a code is wrong.
// Not inlined, nor the next: their code must not depend on the caller's generics and profile.
#[inline(never)]
pub(super) fn decode(
    input: &[u8; INPUT_LEN],
    output: &mut [u8; OUTPUT_LEN],
    tables: &DecodeTables,
    cursor: &mut Cursor,
) -> Exit {
    run(input, core::array::from_mut(output), tables, cursor)
}

/// The same into two outputs. What is written is the same, except for copies of what was different
/// before. The chain from code to code is the same too, so this takes only a little longer.
#[inline(never)]
pub(super) fn decode_both(
    input: &[u8; INPUT_LEN],
    output: &mut [[u8; OUTPUT_LEN]; 2],
    tables: &DecodeTables,
    cursor: &mut Cursor,
) -> Exit {
    run(input, output, tables, cursor)
}

#[inline(always)]
fn run<const N: usize>(
    input: &[u8; INPUT_LEN],
    output: &mut [[u8; OUTPUT_LEN]; N],
    tables: &DecodeTables,
    cursor: &mut Cursor,
) -> Exit {
    let DecodeTables { litlen, distances } = tables;
    let Cursor {
        mut bits,
        mut op,
        in_limit,
        out_limit,
        low,
    } = *cursor;
    let first = |bits: &Bits| litlen[bits.buffer as usize & ((1 << LITLEN_BITS) - 1)];
    debug_assert!(out_limit <= OUTPUT_LIMIT);

    let exit = 'run: loop {
        if bits.pos > in_limit {
            break Exit::Input;
        }
        if op > out_limit {
            break Exit::Output;
        }
        let steps = ((in_limit - bits.pos) / STEP_IN).min((out_limit - op) / STEP_OUT) + 1;
        bits.refill(input);
        // At the head of every step an entry is looked up, but not taken.
        let mut entry = first(&bits);
        for _ in 0..steps {
            put_literals(output, op, entry);
            op += (entry >> 6 & 3) as usize;
            bits.take(entry);
            // No branch: whether a match comes next is as good as random.
            let second = select_unpredictable(entry < MATCH, first(&bits), 0);
            put_literals(output, op, second);
            op += (second >> 6 & 3) as usize;
            bits.take(second);

            if entry | second < MATCH {
                entry = first(&bits);
                bits.refill(input);
                continue;
            }
            let last = entry.max(second);
            let length;
            if last & EXCEPTIONAL == EXCEPTIONAL {
                // What was counted as three literals.
                op -= 3;
                let (after, what) = exceptional(input, litlen, bits, last);
                bits = after;
                match what {
                    Exceptional::Literal(literal) => {
                        put_literals(output, op, literal);
                        op += 1;
                        entry = first(&bits);
                        bits.refill(input);
                        continue;
                    }
                    Exceptional::Length(of) => length = of,
                    Exceptional::End => break 'run Exit::EndOfBlock,
                    Exceptional::Bad => break 'run Exit::BadLitLen,
                }
            } else {
                length = ((entry | second) >> 24) as usize + 2;
            }

            let mut place = distances[bits.buffer as usize & ((1 << DISTANCE_BITS) - 1)];
            bits.refill(input);
            if place & SPECIAL != 0 {
                (bits, place) = special(input, distances, bits, place);
                if place & SPECIAL != 0 {
                    break 'run Exit::BadDistance;
                }
            }
            let extra = bits.buffer & !(u64::MAX << (place & 63));
            let distance = (place >> 16) as usize + (extra >> (place >> 8 & 63)) as usize;
            bits.take(place);
            if distance > op - low {
                break 'run Exit::TooFar(distance as u32);
            }
            entry = first(&bits);
            copy(output, op, distance, length);
            op += length;
        }
    };
    cursor.bits = bits;
    cursor.op = op;
    exit
}

enum Exceptional {
    Literal(u32),
    Length(usize),
    End,
    Bad,
}

/// Reads what an exceptional entry stands for.
#[cold]
#[inline(never)]
fn exceptional(
    input: &[u8; INPUT_LEN],
    litlen: &[u32; LITLEN_LEN],
    mut bits: Bits,
    mut entry: u32,
) -> (Bits, Exceptional) {
    bits.refill(input);
    if entry >> 8 & 3 == KIND_SUBTABLE {
        let index = bits.buffer as usize & ((1 << (entry >> 10 & 15)) - 1);
        entry = litlen[((entry >> 14 & 0xfff) as usize + index) & LITLEN_MASK];
        bits.take(entry);
        if entry < MATCH {
            return (bits, Exceptional::Literal(entry));
        }
    }
    let what = match entry >> 8 & 3 {
        KIND_LENGTH => {
            let extra = bits.value(entry >> 10 & 15);
            Exceptional::Length(((entry >> 16 & 0x1ff) + extra) as usize)
        }
        KIND_END => Exceptional::End,
        _ => Exceptional::Bad,
    };
    (bits, what)
}

/// Looks a special distance entry up in its subtable and leaves only its extra bits to take.
/// The entry is still special if the code is invalid.
#[cold]
#[inline(never)]
fn special(
    input: &[u8; INPUT_LEN],
    distances: &[u32; DISTANCE_LEN],
    mut bits: Bits,
    entry: u32,
) -> (Bits, u32) {
    bits.take(entry);
    let index_bits = entry >> 8 & 15;
    if index_bits == 0 {
        return (bits, entry);
    }
    let index = bits.buffer as usize & ((1 << index_bits) - 1);
    let entry = distances[((entry >> 16) as usize + index) & DISTANCE_MASK];
    let code = entry >> 8 & 63;
    bits.take(code);
    bits.refill(input);
    (
        bits,
        entry & (0xffff_0000 | SPECIAL) | (entry & 63).wrapping_sub(code) & 63,
    )
}

/// Writes the two literal bytes of an entry; those beyond its number of literals are overwritten.
#[inline(always)]
fn put_literals<const N: usize>(output: &mut [[u8; OUTPUT_LEN]; N], op: usize, entry: u32) {
    let at = op & OUTPUT_MASK;
    for output in output {
        output[at..at + 2].copy_from_slice(&((entry >> 8) as u16).to_le_bytes());
    }
}

/// Copies `length` bytes from `distance` before `op` to `op`, and up to 31 meaningless ones behind.
#[inline(always)]
fn copy<const N: usize>(output: &mut [[u8; OUTPUT_LEN]; N], op: usize, distance: usize, length: usize) {
    let from = op - distance;
    if distance >= 16 {
        for output in output.iter_mut() {
            // In order: with distances below 32 the second piece begins with bytes of the first.
            copy_piece::<16>(output, from, op);
            copy_piece::<16>(output, from + 16, op + 16);
        }
        if length > 32 {
            for output in output {
                copy_rest(output, from, op, length);
            }
        }
    } else {
        for output in output {
            copy_near(output, op, distance, length);
        }
    }
}

#[inline(never)]
fn copy_rest(output: &mut [u8; OUTPUT_LEN], from: usize, op: usize, length: usize) {
    let mut done = 32;
    while done < length {
        copy_piece::<16>(output, from + done, op + done);
        done += 16;
    }
}

#[inline(never)]
fn copy_near(output: &mut [u8; OUTPUT_LEN], op: usize, distance: usize, length: usize) {
    let from = op - distance;
    if distance >= 8 {
        let mut done = 0;
        while done < length {
            copy_piece::<8>(output, from + done, op + done);
            done += 8;
        }
    } else {
        // 8 bytes of the repeated pattern, and the whole periods in them.
        let mut pattern = u64::from_le_bytes(piece(output, from));
        let mut bits = 8 * distance as u32;
        pattern &= !(u64::MAX << bits);
        while bits < 64 {
            pattern |= pattern << bits;
            bits *= 2;
        }
        let step = 8 - 8 % distance;
        let mut done = 0;
        while done < length {
            let at = (op + done) & OUTPUT_MASK;
            output[at..at + 8].copy_from_slice(&pattern.to_le_bytes());
            done += step;
        }
    }
}

#[inline(always)]
fn piece<const N: usize>(output: &[u8; OUTPUT_LEN], from: usize) -> [u8; N] {
    let from = from & OUTPUT_MASK;
    output[from..from + N].try_into().expect("N bytes")
}

#[inline(always)]
fn copy_piece<const N: usize>(output: &mut [u8; OUTPUT_LEN], from: usize, to: usize) {
    let bytes: [u8; N] = piece(output, from);
    let to = to & OUTPUT_MASK;
    output[to..to + N].copy_from_slice(&bytes);
}
