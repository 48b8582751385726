//! The table that decodes match distances.
//!
//! Entries are looked up with the next 9 bits; longer codes have subtables after the first 512
//! entries. An entry is a `u32`:
//!
//! | bits | distances | special (bit 7 set) |
//! |---|---|---|
//! | 0–5 | bits to take: code and extra bits | bits to take: 9 |
//! | 7 | 0 | 1 |
//! | 8–13 | bits of the code alone | bits of the subtable's index; 0 for an invalid code |
//! | 16–31 | distance without its extra bits | where the subtable begins |
//!
//! In a subtable, the bits taken before are not counted again.

use super::code::{Code, for_each_subtable};

/// Bits of the first lookup.
pub(super) const DISTANCE_BITS: usize = 9;
const ROOT: usize = 1 << DISTANCE_BITS;
/// Array length: with subtables a complete code of 30 symbols needs at most 594 entries
/// (zlib's `examples/enough.c`: 30 symbols, 9 bits, longest code 15).
pub(super) const DISTANCE_LEN: usize = 1 << 10;
/// What an index into the whole table is masked with.
pub(super) const DISTANCE_MASK: usize = DISTANCE_LEN - 1;

/// Set in entries that are not distances.
pub(super) const SPECIAL: u32 = 1 << 7;
/// Takes one bit, as in zlib.
pub(super) const INVALID: u32 = SPECIAL | 1;

/// Extra bits and shortest distance of the symbols (RFC 1951, 3.2.5).
const DISTANCES: [(u8, u16); 30] = [
    (0, 1),
    (0, 2),
    (0, 3),
    (0, 4),
    (1, 5),
    (1, 7),
    (2, 9),
    (2, 13),
    (3, 17),
    (3, 25),
    (4, 33),
    (4, 49),
    (5, 65),
    (5, 97),
    (6, 129),
    (6, 193),
    (7, 257),
    (7, 385),
    (8, 513),
    (8, 769),
    (9, 1025),
    (9, 1537),
    (10, 2049),
    (10, 3073),
    (11, 4097),
    (11, 6145),
    (12, 8193),
    (12, 12289),
    (13, 16385),
    (13, 24577),
];

/// Fills `table` for `code`, by doubling as in `litlen`.
pub(super) fn build_distances(code: &Code, table: &mut [u32; DISTANCE_LEN]) {
    table[0] = INVALID;
    for l in 1..=DISTANCE_BITS {
        let half = 1 << (l - 1);
        table.copy_within(..half, half);
        for (symbol, code) in code.of_length(l) {
            table[code as usize & (ROOT - 1)] = entry(symbol, l);
        }
    }
    let mut free = ROOT;
    for_each_subtable(code, DISTANCE_BITS, |prefix, index_bits, members| {
        table[prefix] = DISTANCE_BITS as u32 | SPECIAL | (index_bits as u32) << 8 | (free as u32) << 16;
        for (symbol, code, length) in members {
            let bits = length - DISTANCE_BITS;
            let entry = entry(symbol, bits);
            let mut at = code as usize >> DISTANCE_BITS;
            while at < 1 << index_bits {
                table[free + at] = entry;
                at += 1 << bits;
            }
        }
        free += 1 << index_bits;
    });
}

fn entry(symbol: u16, bits: usize) -> u32 {
    match DISTANCES.get(usize::from(symbol)) {
        Some(&(extra, base)) => (bits as u32 + u32::from(extra)) | (bits as u32) << 8 | u32::from(base) << 16,
        None => SPECIAL | bits as u32,
    }
}
