//! Canonical prefix codes: from code lengths to codes, with zlib's rules of what is acceptable.

/// Longest code of the literal/length and distance codes.
pub(super) const MAX_LENGTH: usize = 15;

/// Symbols in canonical order with their codes.
pub(super) struct Code {
    /// Symbols of length l are `symbols[start[l]..start[l + 1]]`.
    pub(super) start: [usize; MAX_LENGTH + 2],
    pub(super) symbols: [u16; 288],
    /// Code of `symbols[i]`, first bit lowest.
    pub(super) codes: [u16; 288],
}

impl Code {
    pub(super) const fn new() -> Self {
        Code {
            start: [0; MAX_LENGTH + 2],
            symbols: [0; 288],
            codes: [0; 288],
        }
    }

    /// Assigns codes to `lengths` (0–15 each, at most 288). False if the lengths over-subscribe the
    /// code, or leave a part of it unused. Unused parts are accepted, if `lenient`, in a code of a
    /// single 1-bit code and in one without any codes, as in zlib's `inflate_table`.
    pub(super) fn assign(&mut self, lengths: &[u8], lenient: bool) -> bool {
        let mut count = [0_usize; MAX_LENGTH + 1];
        for &length in lengths {
            count[length as usize & 15] += 1;
        }
        count[0] = 0;
        let mut unused = 1_i32;
        let mut next_code = [0_u32; MAX_LENGTH + 1];
        let mut code = 0;
        let mut longest = 0;
        self.start[0] = 0;
        for length in 1..=MAX_LENGTH {
            code = (code + count[length - 1] as u32) << 1;
            next_code[length] = code;
            self.start[length] = self.start[length - 1] + count[length - 1];
            unused = (unused << 1) - count[length] as i32;
            if unused < 0 {
                return false;
            }
            if count[length] > 0 {
                longest = length;
            }
        }
        self.start[MAX_LENGTH + 1] = self.start[MAX_LENGTH] + count[MAX_LENGTH];
        if unused > 0 && !(lenient && longest <= 1) {
            return false;
        }
        let mut next = self.start;
        for (symbol, &length) in lengths.iter().enumerate() {
            let length = length as usize & 15;
            if length > 0 {
                let at = next[length];
                next[length] += 1;
                self.symbols[at] = symbol as u16;
                self.codes[at] = (next_code[length] as u16).reverse_bits() >> (16 - length);
                next_code[length] += 1;
            }
        }
        true
    }

    /// Symbols and codes of one length.
    pub(super) fn of_length(&self, length: usize) -> impl Iterator<Item = (u16, u16)> + '_ {
        let range = self.start[length]..self.start[length + 1];
        self.symbols[range.clone()]
            .iter()
            .copied()
            .zip(self.codes[range].iter().copied())
    }
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
