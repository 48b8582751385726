//! Where a block might begin in the middle of a DEFLATE stream.
//!
//! Blocks carry no mark, but the header of one with codes of its own has little freedom: its kind,
//! the numbers of its codes, and a code-length code whose lengths must add up to exactly one. That
//! rejects all but one of some ten thousand bit positions; the rest is a matter of trying
//! (`Tables::read_header`).

/// Bytes after the one a candidate begins in that may be looked at.
const LOOKED_AT: usize = 16;
/// Bytes whose bit positions are looked at together: with the 12 bits after them they fit into a word.
const STEP: usize = 6;

/// The first bit position from `from` on where the header of a block with codes of its own that is
/// not its member's last might begin. Positions count from the slice's start, lowest bit first.
/// Nothing is found in the last 20 bytes or so.
pub(super) fn find_block(bytes: &[u8], from: usize) -> Option<usize> {
    let mut done = !(u64::MAX << (from % 8));
    let mut at = from / 8;
    while let Some(word) = word_at(bytes, at + LOOKED_AT).and(word_at(bytes, at)) {
        let mut candidates = plausible(word) & !done;
        while candidates != 0 {
            let bit = candidates.trailing_zeros() as usize;
            let lengths = at + (bit + LENGTHS) / 8;
            let lengths = word_at(bytes, lengths)? >> ((bit + LENGTHS) % 8);
            if is_complete((word >> (bit + COUNT)) as u32 & 15, lengths) {
                return Some(8 * at + bit);
            }
            candidates &= candidates - 1;
        }
        done = 0;
        at += STEP;
    }
    None
}

fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

// A header (RFC 1951, 3.2.7): last block (1 bit), kind (2), numbers of literal/length codes − 257 (5),
// of distance codes − 1 (5) and of code-length codes − 4 (4), lengths of the latter (3 each).
const COUNT: usize = 13;
const LENGTHS: usize = 17;

/// The positions among the first 48 bits where a header begins so: not the last block, codes of its
/// own, at most 286 literal/length codes and 30 distance codes.
fn plausible(word: u64) -> u64 {
    let bit = |n: u32| word >> n;
    let kind = !bit(0) & !bit(1) & bit(2);
    // 30 and 31 have the upper four of five bits set.
    let many_lengths = bit(4) & bit(5) & bit(6) & bit(7);
    let many_distances = bit(9) & bit(10) & bit(11) & bit(12);
    kind & !many_lengths & !many_distances & !(u64::MAX << (8 * STEP))
}

/// Whether the first `count` + 4 of these code lengths make a code that uses every bit pattern once.
fn is_complete(count: u32, lengths: u64) -> bool {
    let lengths = lengths & !(u64::MAX << (3 * (count + 4)));
    // Of 128 patterns of 7 bits, a code of length l takes 128 >> l. Four lengths at a time.
    let taken = |four: u32| TAKEN[(lengths >> (12 * four)) as usize & 0xfff];
    taken(0) + taken(1) + taken(2) + taken(3) + taken(4) == 128
}

/// How many of 128 patterns four code lengths of three bits each take together.
static TAKEN: [u16; 1 << 12] = {
    let mut taken = [0; 1 << 12];
    let mut four = 0;
    while four < taken.len() {
        let mut length = 0;
        while length < 4 {
            let bits = four >> (3 * length) & 7;
            taken[four] += if bits == 0 { 0 } else { 128 >> bits };
            length += 1;
        }
        four += 1;
    }
    taken
};

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;

    use super::*;

    /// A header with these code-length code lengths, after `before` zero bits.
    fn header(before: usize, lengths: &[u8]) -> Vec<u8> {
        let mut bits = 4_u128 | 29 << 3 | 29 << 8 | (lengths.len() as u128 - 4) << 13;
        for (at, &length) in lengths.iter().enumerate() {
            bits |= u128::from(length) << (17 + 3 * at);
        }
        let mut bytes = std::vec![0; before / 8];
        bytes.extend_from_slice(&(bits << (before % 8)).to_le_bytes());
        bytes.extend_from_slice(&[0; 32]);
        bytes
    }

    #[test]
    fn a_header_is_found_at_every_bit() {
        for before in 0..40 {
            let bytes = header(before, &[0, 0, 1, 2, 3, 3]);
            assert_eq!(find_block(&bytes, 0), Some(before));
            assert_eq!(find_block(&bytes, before), Some(before));
            assert_eq!(find_block(&bytes, before + 1), None);
        }
    }

    #[test]
    fn what_cannot_be_a_header_is_not_found() {
        for lengths in [&[1, 2, 3, 4][..], &[1, 1, 1, 0], &[0, 0, 0, 0], &[7, 7, 7, 7]] {
            assert_eq!(find_block(&header(3, lengths), 0), None, "{lengths:?}");
        }
        assert_eq!(find_block(&[0xff; 64], 0), None);
        assert_eq!(find_block(&[], 0), None);
        assert_eq!(find_block(&header(0, &[1, 1, 0, 0])[..16], 0), None);
    }

    #[test]
    fn all_nineteen_lengths_count() {
        let mut lengths = [0; 19];
        (lengths[17], lengths[18]) = (1, 1);
        assert_eq!(find_block(&header(7, &lengths), 0), Some(7));
        lengths[0] = 7;
        assert_eq!(find_block(&header(7, &lengths), 0), None);
    }
}
