//! Canonical prefix codes: from code lengths to codes, with zlib's rules of what is acceptable.

/// Longest code of the literal/length and distance codes.
pub(super) const MAX_LENGTH: usize = 15;

/// What an index of symbols is masked with.
const SYMBOLS_MASK: usize = 511;

/// Symbols in canonical order with their codes.
pub(super) struct Code {
    /// Symbols of length l, from 1 on, are `symbols[start[l]..start[l + 1]]`.
    pub(super) start: [usize; MAX_LENGTH + 2],
    pub(super) symbols: [u16; SYMBOLS_MASK + 1],
    /// Code of `symbols[i]`, first bit lowest.
    pub(super) codes: [u16; 288],
}

impl Code {
    pub(super) const fn new() -> Self {
        Code {
            start: [0; MAX_LENGTH + 2],
            symbols: [0; SYMBOLS_MASK + 1],
            codes: [0; 288],
        }
    }

    /// Assigns codes to `lengths` (0–15 each, at most 288). False if the lengths over-subscribe the
    /// code, or leave a part of it unused. Unused parts are accepted, if `lenient`, in a code of a
    /// single 1-bit code and in one without any codes, as in zlib's `inflate_table`.
    pub(super) fn assign(&mut self, lengths: &[u8], lenient: bool) -> bool {
        let count = count(lengths);
        let mut first_code = [0_u16; MAX_LENGTH + 1];
        let mut unused = 1_i32;
        let mut code = 0_u32;
        let mut longest = 0;
        self.start[1] = 0;
        for length in 1..=MAX_LENGTH {
            first_code[length] = code as u16;
            code = (code + u32::from(count[length])) << 1;
            self.start[length + 1] = self.start[length] + usize::from(count[length]);
            unused = (unused << 1) - i32::from(count[length]);
            if unused < 0 {
                return false;
            }
            if count[length] > 0 {
                longest = length;
            }
        }
        if unused > 0 && !(lenient && longest <= 1) {
            return false;
        }

        // Symbols without a code go after the others: no branch, since which have one is as good
        // as random.
        let mut next = [0_u16; MAX_LENGTH + 1];
        for (next, &start) in next.iter_mut().zip(&self.start) {
            *next = start as u16;
        }
        next[0] = self.start[MAX_LENGTH + 1] as u16;
        for (symbol, &length) in lengths.iter().enumerate() {
            let at = &mut next[length as usize & 15];
            self.symbols[usize::from(*at) & SYMBOLS_MASK] = symbol as u16;
            *at += 1;
        }
        for (length, &first) in first_code.iter().enumerate().skip(1) {
            let codes = &mut self.codes[self.start[length]..self.start[length + 1]];
            for (code, reversed) in (first..).zip(codes) {
                *reversed = code.reverse_bits() >> (16 - length);
            }
        }
        true
    }

    /// Symbols and codes of one length.
    pub(super) fn of_length(&self, length: usize) -> impl DoubleEndedIterator<Item = (u16, u16)> + '_ {
        let range = self.start[length]..self.start[length + 1];
        self.symbols[range.clone()]
            .iter()
            .copied()
            .zip(self.codes[range].iter().copied())
    }
}

/// How many symbols have which length.
fn count(lengths: &[u8]) -> [u16; MAX_LENGTH + 1] {
    // Neighbours often have the same length: separate counters do not wait for each other.
    let mut counts = [[0_u16; MAX_LENGTH + 1]; 4];
    let fours = lengths.chunks_exact(4);
    for &length in fours.remainder() {
        counts[0][length as usize & 15] += 1;
    }
    for four in fours {
        for (count, &length) in counts.iter_mut().zip(four) {
            count[length as usize & 15] += 1;
        }
    }
    core::array::from_fn(|length| counts.iter().map(|count| count[length]).sum())
}

/// Calls `subtable(prefix, bits, members)` for every group of codes longer than `root` bits that
/// share their first `root` bits; `members` are indices into `symbols` with lengths. The longest
/// code of a group comes last, because codes are in order of length and value.
pub(super) fn for_each_subtable(
    code: &Code,
    root: usize,
    mut subtable: impl FnMut(usize, usize, &mut dyn Iterator<Item = (u16, u16, usize)>),
) {
    let end = code.start[MAX_LENGTH + 1];
    let mask = (1 << root) - 1;
    let length_at = |i: usize| (root + 1..=MAX_LENGTH).find(|&l| i < code.start[l + 1]);
    let mut i = code.start[root + 1];
    while i < end {
        let prefix = code.codes[i] as usize & mask;
        let mut after = i + 1;
        while after < end && code.codes[after] as usize & mask == prefix {
            after += 1;
        }
        let longest = length_at(after - 1).expect("an index below the end has a length");
        let mut members = (i..after).map(|k| {
            let length = length_at(k).expect("an index below the end has a length");
            (code.symbols[k], code.codes[k], length)
        });
        subtable(prefix, longest - root, &mut members);
        i = after;
    }
}
