//! The table that decodes literals and match lengths, up to two literals at a time.
//!
//! Entries are looked up with the next 11 bits; longer codes have subtables after the first 2048
//! entries. An entry is a `u32`:
//!
//! | bits | literals and matches | exceptional |
//! |---|---|---|
//! | 0–5 | bits to take: codes and the length's extra bits | bits to take: the code alone (11 for a subtable) |
//! | 6–7 | number of literals: 0, 1 or 2 | 3 |
//! | 8–15 | first literal | 8–9: kind, 10–13: extra bits, or bits of the subtable's index |
//! | 16–23 | second literal | 14–25: where the subtable begins, or 16–24: length without its extra bits |
//! | 24–31 | match length − 2, or 0 if no match follows | bit 31: set |
//!
//! So `entry < 1 << 24` means literals only. Exceptional are the end of the block, symbols 284 and
//! 285 (lengths up to 258 do not fit), lengths whose code and extra bits exceed 11 bits together,
//! and codes over 11 bits. A length's extra bits are written out: each value is an entry of its own.
//!
//! The first 2048 entries are made by doubling: for every `l` from 1 to 11 the lower half is copied
//! up, then everything that takes `l` bits in all goes to its code (first bit lowest, so the
//! copies land in the remaining bits). A pair is a literal and a follower, with the follower's code
//! above the literal's, and its entry is the sum of theirs. It overwrites the literal's own entry,
//! since it takes more bits.

use super::code::{Code, for_each_subtable};

/// Bits of the first lookup.
pub(super) const LITLEN_BITS: usize = 11;
/// Entries for the first lookup.
const ROOT: usize = 1 << LITLEN_BITS;
/// Array length: with subtables a complete code of 286 symbols needs at most 2342 entries
/// (zlib's `examples/enough.c`: 286 symbols, 11 bits, longest code 15).
pub(super) const LITLEN_LEN: usize = 1 << 12;
/// What an index into the whole table is masked with.
pub(super) const LITLEN_MASK: usize = LITLEN_LEN - 1;

/// `entry & EXCEPTIONAL == EXCEPTIONAL` for exceptional entries.
pub(super) const EXCEPTIONAL: u32 = 3 << 6;
/// From this value on, an entry is more than literals.
pub(super) const MATCH: u32 = 1 << 24;

/// The kind of an exceptional entry, in bits 8–9.
pub(super) const KIND_LENGTH: u32 = 0;
pub(super) const KIND_SUBTABLE: u32 = 1;
pub(super) const KIND_END: u32 = 2;

const EXCEPTION: u32 = 1 << 31 | EXCEPTIONAL;
const SUBTABLE: u32 = EXCEPTION | KIND_SUBTABLE << 8;
const END: u32 = EXCEPTION | KIND_END << 8;
/// Every other kind is invalid. Takes one bit, as in zlib.
pub(super) const INVALID: u32 = EXCEPTION | 3 << 8 | 1;

const END_OF_BLOCK: u16 = 256;

/// Extra bits and shortest length of the symbols from 257 (RFC 1951, 3.2.5).
const LENGTHS: [(u8, u16); 29] = [
    (0, 3),
    (0, 4),
    (0, 5),
    (0, 6),
    (0, 7),
    (0, 8),
    (0, 9),
    (0, 10),
    (1, 11),
    (1, 13),
    (1, 15),
    (1, 17),
    (2, 19),
    (2, 23),
    (2, 27),
    (2, 31),
    (3, 35),
    (3, 43),
    (3, 51),
    (3, 59),
    (4, 67),
    (4, 83),
    (4, 99),
    (4, 115),
    (5, 131),
    (5, 163),
    (5, 195),
    (5, 227),
    (0, 258),
];

/// The memory that building the table needs.
pub(super) struct LitLen {
    /// Literals in order of length, to begin pairs with.
    literals: [Item; 256],
    /// Literals and plain lengths in order of their total length, to end pairs with.
    followers: [Item; 512],
    /// Exceptional entries of up to 11 bits.
    exceptions: [Item; 32],
}

#[derive(Clone, Copy)]
struct Item {
    code: u16,
    entry: u32,
}

impl LitLen {
    pub(super) const fn new() -> Self {
        const NONE: Item = Item { code: 0, entry: 0 };
        LitLen {
            literals: [NONE; 256],
            followers: [NONE; 512],
            exceptions: [NONE; 32],
        }
    }

    /// Fills `table` for `code`.
    pub(super) fn build(&mut self, code: &Code, table: &mut [u32; LITLEN_LEN]) {
        // Boundaries by (total) length, as in `Code::start`.
        let mut literals = [0_usize; LITLEN_BITS + 2];
        let mut followers = [0_usize; LITLEN_BITS + 2];
        let mut exceptions = [0_usize; LITLEN_BITS + 2];
        let lengths = PlainLengths::of(code);
        for l in 1..=LITLEN_BITS {
            let (mut n, mut m, mut x) = (literals[l], followers[l], exceptions[l]);
            for (symbol, code) in code.of_length(l) {
                let bits = l as u32;
                if symbol < END_OF_BLOCK {
                    let literal = u32::from(symbol);
                    self.literals[n] = Item {
                        code,
                        entry: bits | 1 << 6 | literal << 8,
                    };
                    self.followers[m] = Item {
                        code,
                        entry: bits | 1 << 6 | literal << 16,
                    };
                    n += 1;
                    m += 1;
                } else if let Some(entry) = exception(symbol, l) {
                    self.exceptions[x] = Item {
                        code,
                        entry: bits | entry,
                    };
                    x += 1;
                }
            }
            lengths.for_each_of_total(l, |code, length| {
                let entry = l as u32 | (u32::from(length) - 2) << 24;
                self.followers[m] = Item { code, entry };
                m += 1;
            });
            literals[l + 1] = n;
            followers[l + 1] = m;
            exceptions[l + 1] = x;
        }

        table[0] = INVALID;
        for l in 1..=LITLEN_BITS {
            let half = 1 << (l - 1);
            table.copy_within(..half, half);
            for first in 1..l {
                let seconds = &self.followers[followers[l - first]..followers[l - first + 1]];
                if seconds.is_empty() {
                    continue;
                }
                for a in &self.literals[literals[first]..literals[first + 1]] {
                    for b in seconds {
                        table[(a.code as usize | (b.code as usize) << first) & (ROOT - 1)] =
                            a.entry + b.entry;
                    }
                }
            }
            for item in &self.literals[literals[l]..literals[l + 1]] {
                table[item.code as usize & (ROOT - 1)] = item.entry;
            }
            for item in &self.followers[followers[l]..followers[l + 1]] {
                // Literals went in above, with the literal in its first place.
                if item.entry >= MATCH {
                    table[item.code as usize & (ROOT - 1)] = item.entry;
                }
            }
            for item in &self.exceptions[exceptions[l]..exceptions[l + 1]] {
                table[item.code as usize & (ROOT - 1)] = item.entry;
            }
        }
        build_subtables(code, table);
    }
}

fn build_subtables(code: &Code, table: &mut [u32; LITLEN_LEN]) {
    let mut free = ROOT;
    for_each_subtable(code, LITLEN_BITS, |prefix, index_bits, members| {
        table[prefix] = LITLEN_BITS as u32 | SUBTABLE | (index_bits as u32) << 10 | (free as u32) << 14;
        for (symbol, code, length) in members {
            let bits = length - LITLEN_BITS;
            let entry = bits as u32
                | if symbol < END_OF_BLOCK {
                    1 << 6 | u32::from(symbol) << 8
                } else {
                    exception(symbol, length).expect("over 11 bits every length is exceptional")
                };
            let mut at = code as usize >> LITLEN_BITS;
            while at < 1 << index_bits {
                table[free + at] = entry;
                at += 1 << bits;
            }
        }
        free += 1 << index_bits;
    });
}

/// The entry of an exceptional symbol from 256 on, without its bits to take; none for a plain length.
fn exception(symbol: u16, code_length: usize) -> Option<u32> {
    if symbol == END_OF_BLOCK {
        return Some(END);
    }
    match LENGTHS.get(usize::from(symbol) - 257) {
        None => Some(EXCEPTION | 3 << 8),
        Some(&(extra, base)) => {
            let plain = symbol < 284 && code_length + extra as usize <= LITLEN_BITS;
            (!plain).then(|| EXCEPTION | u32::from(extra) << 10 | u32::from(base) << 16)
        }
    }
}

/// The length symbols whose code and extra bits fit into 11 bits, in order of both together.
struct PlainLengths {
    /// Those of a total of l bits are `symbols[start[l]..start[l + 1]]`.
    start: [usize; LITLEN_BITS + 2],
    symbols: [PlainLength; 28],
}

#[derive(Clone, Copy, Default)]
struct PlainLength {
    code: u16,
    code_length: u8,
    extra: u8,
    base: u16,
}

impl PlainLengths {
    fn of(code: &Code) -> Self {
        let mut found = [PlainLength::default(); 28];
        let mut end = 0;
        let mut start = [0; LITLEN_BITS + 2];
        for l in 1..=LITLEN_BITS {
            // In canonical order, the symbols of one length ascend.
            for (symbol, code) in code
                .of_length(l)
                .rev()
                .take_while(|(symbol, _)| *symbol > END_OF_BLOCK)
            {
                if exception(symbol, l).is_none() {
                    let (extra, base) = LENGTHS[usize::from(symbol) - 257];
                    found[end] = PlainLength {
                        code,
                        code_length: l as u8,
                        extra,
                        base,
                    };
                    end += 1;
                    start[l + usize::from(extra) + 1] += 1;
                }
            }
        }
        for l in 0..=LITLEN_BITS {
            start[l + 1] += start[l];
        }
        let mut symbols = [PlainLength::default(); 28];
        let mut next = start;
        for length in &found[..end] {
            let next = &mut next[usize::from(length.code_length + length.extra)];
            symbols[*next] = *length;
            *next += 1;
        }
        PlainLengths { start, symbols }
    }

    /// Every length that takes `total` bits, with the bits that stand for it.
    fn for_each_of_total(&self, total: usize, mut each: impl FnMut(u16, u16)) {
        for length in &self.symbols[self.start[total]..self.start[total + 1]] {
            for value in 0..1 << length.extra {
                each(length.code | value << length.code_length, length.base + value);
            }
        }
    }
}
