//! DEFLATE streams of our own making: random complete codes, every block type, valid matches.

use proptest::prelude::*;

/// Writes bits, the first one lowest.
#[derive(Default)]
pub(crate) struct BitWriter {
    pub(crate) bytes: Vec<u8>,
    bits: u32,
}

impl BitWriter {
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        for i in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> i & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    fn put_code(&mut self, code: (u32, u32)) {
        // Codes go out from their highest bit.
        for i in (0..code.1).rev() {
            self.put(code.0 >> i & 1, 1);
        }
    }

    fn align(&mut self) {
        self.bits = self.bits.next_multiple_of(8);
    }
}

/// What a generated block holds.
#[derive(Debug, Clone)]
pub(crate) enum BlockPlan {
    Stored(Vec<u8>),
    Fixed(Vec<Item>),
    /// Splits of the two code trees, and the items.
    Dynamic(Vec<u16>, Vec<u16>, Vec<Item>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Item {
    Literal(u8),
    /// Length 3–258 and a number that becomes a possible distance.
    Match(u16, u32),
}

pub(crate) fn blocks() -> impl Strategy<Value = Vec<BlockPlan>> {
    let item = prop_oneof![
        3 => any::<u8>().prop_map(Item::Literal),
        2 => (3..=258_u16, any::<u32>()).prop_map(|(length, pick)| Item::Match(length, pick)),
        1 => (3..=258_u16, 0..20_u32).prop_map(|(length, pick)| Item::Match(length, pick)),
        1 => (Just(258_u16), any::<u32>()).prop_map(|(length, pick)| Item::Match(length, pick)),
    ];
    let items = || prop::collection::vec(item.clone(), 0..400);
    let block = prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..600).prop_map(BlockPlan::Stored),
        1 => items().prop_map(BlockPlan::Fixed),
        5 => (
            prop::collection::vec(any::<u16>(), 285),
            prop::collection::vec(any::<u16>(), 1..30),
            items()
        )
            .prop_map(|(a, b, items)| BlockPlan::Dynamic(a, b, items)),
    ];
    prop::collection::vec(block, 1..6)
}

/// A raw DEFLATE stream of these blocks and what it inflates to.
pub(crate) fn deflate(blocks: &[BlockPlan]) -> (Vec<u8>, Vec<u8>) {
    let mut writer = BitWriter::default();
    let mut output = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        writer.put(u32::from(i + 1 == blocks.len()), 1);
        match block {
            BlockPlan::Stored(bytes) => {
                writer.put(0, 2);
                writer.align();
                writer.put(bytes.len() as u32, 16);
                writer.put(!bytes.len() as u32 & 0xffff, 16);
                writer.bytes.extend_from_slice(bytes);
                writer.bits += 8 * bytes.len() as u32;
                output.extend_from_slice(bytes);
            }
            BlockPlan::Fixed(items) => {
                writer.put(1, 2);
                let mut litlen = [8; 288];
                litlen[144..256].fill(9);
                litlen[256..280].fill(7);
                write_items(&mut writer, &mut output, items, &litlen, &[5; 30]);
            }
            BlockPlan::Dynamic(litlen_splits, distance_splits, items) => {
                writer.put(2, 2);
                let litlen = random_lengths(286, litlen_splits);
                let mut distances = random_lengths(30, distance_splits);
                if distance_splits.len() == 1 {
                    // The one incomplete code there is.
                    distances = vec![0; 30];
                    distances[usize::from(distance_splits[0]) % 30] = 1;
                }
                write_lengths(&mut writer, &litlen, &distances);
                write_items(&mut writer, &mut output, items, &litlen, &distances);
            }
        }
    }
    (writer.bytes, output)
}

/// Lengths of a complete code over all `count` symbols if there are enough splits, up to 15 bits: starts with two
/// leaves and splits leaves that `splits` pick.
fn random_lengths(count: usize, splits: &[u16]) -> Vec<u8> {
    let mut leaves = vec![1_u8, 1];
    for &split in splits {
        if leaves.len() == count {
            break;
        }
        // Mostly near the last one, so that codes get long.
        let back = usize::from(split) % leaves.len().min(if split & 1 == 0 { 3 } else { 300 });
        let mut at = leaves.len() - 1 - back;
        while leaves[at] == 15 {
            at = (at + leaves.len() - 1) % leaves.len();
        }
        leaves[at] += 1;
        let length = leaves[at];
        leaves.push(length);
    }
    // Which symbols get which lengths does not matter, but it should not be their order.
    let stride = if count == 286 { 101 } else { 7 };
    let mut lengths = vec![0; count];
    for (i, length) in leaves.into_iter().enumerate() {
        lengths[(256 + i * stride) % count] = length;
    }
    lengths
}

/// The code lengths, without repeats but for some zeros.
fn write_lengths(writer: &mut BitWriter, litlen: &[u8], distances: &[u8]) {
    writer.put(litlen.len() as u32 - 257, 5);
    writer.put(distances.len() as u32 - 1, 5);
    writer.put(19 - 4, 4);
    // Symbols 0–12 have 4 bits, 13–18 have 5: complete.
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let mut lengths = [4_u8; 19];
    lengths[13..].fill(5);
    for symbol in order {
        writer.put(u32::from(lengths[symbol]), 3);
    }
    let codes = canonical(&lengths);
    let all: Vec<u8> = litlen.iter().chain(distances).copied().collect();
    let mut at = 0;
    while at < all.len() {
        let run = all[at..].iter().take_while(|&&length| length == all[at]).count();
        if all[at] == 0 && run >= 11 {
            let run = run.min(138);
            writer.put_code(codes[18]);
            writer.put(run as u32 - 11, 7);
            at += run;
        } else if at > 0 && all[at] == all[at - 1] && run >= 3 {
            let run = run.min(6);
            writer.put_code(codes[16]);
            writer.put(run as u32 - 3, 2);
            at += run;
        } else {
            writer.put_code(codes[usize::from(all[at])]);
            at += 1;
        }
    }
}

fn write_items(
    writer: &mut BitWriter,
    output: &mut Vec<u8>,
    items: &[Item],
    litlen: &[u8],
    distances: &[u8],
) {
    let codes = canonical(litlen);
    let distance_codes = canonical(distances);
    for item in items {
        match *item {
            Item::Literal(literal) => {
                if litlen[usize::from(literal)] > 0 {
                    writer.put_code(codes[usize::from(literal)]);
                    output.push(literal);
                }
            }
            Item::Match(length, pick) => {
                let reach = output.len().min(32768) as u32;
                if reach == 0 {
                    continue;
                }
                let distance = pick % reach + 1;
                let (symbol, extra, value) = place(&LENGTHS, 257, length);
                let (distance_symbol, distance_extra, distance_value) = place(&DISTANCES, 0, distance as u16);
                if litlen[symbol] == 0 || distances.get(distance_symbol).is_none_or(|&length| length == 0) {
                    continue;
                }
                writer.put_code(codes[symbol]);
                writer.put(value, extra);
                writer.put_code(distance_codes[distance_symbol]);
                writer.put(distance_value, distance_extra);
                for _ in 0..length {
                    output.push(output[output.len() - distance as usize]);
                }
            }
        }
    }
    writer.put_code(codes[256]);
}

/// Symbol, extra bits and their value; `bases` are the shortest values of the symbols from `first` on.
fn place(bases: &[(u16, u32)], first: usize, value: u16) -> (usize, u32, u32) {
    let at = bases
        .iter()
        .rposition(|&(base, _)| base <= value)
        .expect("bases begin with the least value");
    let (base, extra) = bases[at];
    (first + at, extra, u32::from(value - base))
}

fn canonical(lengths: &[u8]) -> Vec<(u32, u32)> {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut code = 0;
    for length in 1..=15 {
        for (symbol, _) in lengths
            .iter()
            .enumerate()
            .filter(|&(_, &l)| u32::from(l) == length)
        {
            codes[symbol] = (code, length);
            code += 1;
        }
        code <<= 1;
    }
    codes
}

#[rustfmt::skip]
const LENGTHS: [(u16, u32); 29] = [
    (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1),
    (19, 2), (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4),
    (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0),
];

#[rustfmt::skip]
const DISTANCES: [(u16, u32); 30] = [
    (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4), (49, 4),
    (65, 5), (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8), (1025, 9), (1537, 9),
    (2049, 10), (3073, 10), (4097, 11), (6145, 11), (8193, 12), (12289, 12), (16385, 13), (24577, 13),
];

/// Wraps a raw stream in a member.
pub(crate) fn member(deflate: &[u8], output: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(output);
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    gzip.extend_from_slice(deflate);
    gzip.extend_from_slice(&crc.sum().to_le_bytes());
    gzip.extend_from_slice(&(output.len() as u32).to_le_bytes());
    gzip
}
