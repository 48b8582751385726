extern crate std;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::inflate::{Consumer, GzipInflater};

/// All that a consumer is told.
#[derive(Default, PartialEq)]
struct Told {
    output: Vec<u8>,
    boundaries: Vec<(u64, u8, u64, BoundaryKind, Vec<u8>)>,
}

impl Consumer for Told {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        self.boundaries.push((
            boundary.compressed_offset,
            boundary.bits,
            boundary.uncompressed_offset,
            boundary.kind,
            boundary.window().to_vec(),
        ));
        Ok(())
    }
}

fn gzip(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(content).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

/// Words, repeated at all distances, and bytes that do not compress.
fn content(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize
    };
    let mut content = Vec::with_capacity(length + 300);
    while content.len() < length {
        match random() % 8 {
            0 => content.extend((0..random() % 20).map(|at| (at * 7) as u8 ^ 0x55)),
            1..5 if content.len() > 300 => {
                let from =
                    content.len() - 300 - random() % content.len().min(40_000).saturating_sub(300).max(1);
                content.extend_from_within(from..from + random() % 24);
            }
            _ => content.extend(std::format!("{:x}", random()).bytes()),
        }
    }
    content
}

/// Inflates in pieces, and gives each stretch as soon as its first byte may come.
fn inflate(layer: &[u8], stretches: Vec<Stretch>, piece: usize) -> (Result<(), InflateError>, Told, usize) {
    let mut inflater = GzipInflater::new();
    let mut told = Told::default();
    let mut stretches = stretches.into_iter().peekable();
    let mut adopted = 0;
    let run = || {
        for (at, bytes) in layer.chunks(piece).enumerate() {
            if let Some(stretch) = stretches.next_if(|next| next.start <= 8 * ((at + 1) * piece) as u64) {
                let start = stretch.start;
                inflater.offer(stretch);
                inflater.push(bytes, &mut told)?;
                inflater.run(&mut told)?;
                adopted += usize::from(
                    told.boundaries
                        .iter()
                        .any(|told| 8 * told.0 - u64::from(told.1) == start),
                );
            } else {
                inflater.push(bytes, &mut told)?;
            }
        }
        inflater.finish(&mut told).map(|_| ())
    };
    let result = run();
    (result, told, adopted)
}

/// A stretch of every `every` bytes of the layer, from at most `length` bytes.
fn stretches(layer: &[u8], every: usize, length: usize) -> Vec<Stretch> {
    let mut speculator = Speculator::new();
    (every..layer.len())
        .step_by(every)
        .filter_map(|at| {
            let bytes = &layer[at..(at + length).min(layer.len())];
            let begin = speculator.begin(bytes, at as u64)?;
            for piece in bytes[begin..].chunks(10_000) {
                if !speculator.push(piece) {
                    break;
                }
            }
            speculator.finish()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// With stretches and without them, a consumer is told the same.
    #[test]
    fn stretches_change_nothing(
        length in 60_000_usize..900_000,
        seed: u32,
        level in 1_u32..10,
        every in 30_000_usize..120_000,
        share in 0.1_f64..1.2,
        piece in 1_000_usize..70_000,
    ) {
        let layer = gzip(&content(length, seed), level);
        let stretches = stretches(&layer, every, (every as f64 * share) as usize);
        let (result, told, _) = inflate(&layer, stretches, piece);
        prop_assert_eq!(result, Ok(()));
        let (result, expected, _) = inflate(&layer, Vec::new(), piece);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(told.output == expected.output);
        prop_assert!(told.boundaries == expected.boundaries);
    }
}

#[test]
fn stretches_are_found_and_taken() {
    let layer = gzip(&content(3 << 20, 1), 6);
    let stretches = stretches(&layer, 200_000, 150_000);
    let expected = layer.len() / 200_000;
    assert!(
        stretches.len() >= expected - 1,
        "{} of {expected}",
        stretches.len()
    );
    let (count, blocks) = (
        stretches.len(),
        stretches
            .iter()
            .map(|stretch| stretch.blocks.len())
            .sum::<usize>(),
    );
    assert!(blocks > 2 * count, "{blocks} blocks");
    let (result, _, adopted) = inflate(&layer, stretches, 200_000);
    assert_eq!((result, adopted), (Ok(()), count));
}

#[test]
fn a_window_that_becomes_known_ends_the_second_decoding() {
    let mut tar = content(400_000, 7);
    // What follows cannot reach what came before.
    tar.extend(std::iter::repeat_n(0, 40_000));
    tar.extend(content(100_000, 9));
    let layer = gzip(&tar, 6);
    let mut speculator = Speculator::new();
    let middle = layer.len() / 2;
    let begin = speculator
        .begin(&layer[middle..], middle as u64)
        .expect("there are blocks");
    for piece in layer[middle + begin..].chunks(10_000) {
        speculator.push(piece);
    }
    let stretch = speculator.finish().expect("there are blocks");
    assert!(stretch.second.len() < stretch.first.len());
    let (result, told, adopted) = inflate(&layer, std::vec![stretch], middle);
    assert_eq!((result, adopted), (Ok(()), 1));
    assert!(told.output == tar);
}

#[test]
fn a_stretch_of_another_stream_does_not_pass_the_checksum() {
    let (layer, mut other) = (content(1 << 20, 1), content(1 << 20, 1));
    other[700_000] ^= 1;
    let (layer, other) = (gzip(&layer, 6), gzip(&other, 6));
    let of_other = stretches(&other, 100_000, 90_000);
    let (result, ..) = inflate(&layer, of_other, 50_000);
    assert!(result.is_err());
}

#[test]
fn copies_of_what_is_not_known_are_counted() {
    let random = content(100_000, 3);
    let mut repeated = random[..30_000].repeat(30);
    // The copies must not be the longest matches throughout, or there would be a single block.
    for at in (0..repeated.len()).step_by(20) {
        repeated[at] ^= at as u8;
    }
    for (content, expected) in [(repeated, true), (content(1 << 20, 5), false)] {
        let layer = gzip(&content, 6);
        let found = stretches(&layer, layer.len() / 3, 200_000);
        assert!(
            found
                .iter()
                .any(|stretch| stretch.is_mostly_unknown() == expected)
        );
        assert!(
            found
                .iter()
                .all(|stretch| stretch.is_mostly_unknown() == expected)
        );
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let mut speculator = Speculator::new();
    assert!(speculator.finish().is_none());
    assert!(!speculator.push(&[1, 2, 3]));
    assert_eq!(speculator.begin(&[], 0), None);
    assert_eq!(speculator.begin(&[0xff; 300_000], 0), None);
    assert!(speculator.finish().is_none());
}

#[test]
fn bytes_full_of_headers_are_given_up() {
    // It looks like a header at every sixteenth byte, but the code lengths cannot be read.
    let header = (4_u128 | 1 << 17 | 1 << 20).to_le_bytes();
    let layer = gzip(&content(400_000, 2), 6);
    let good = &layer[layer.len() / 2..];
    let mut speculator = Speculator::new();
    for (headers, is_found) in [(0, true), (300, true), (3000, false)] {
        let bytes = [&header.repeat(headers), good].concat();
        assert_eq!(
            speculator.begin(&bytes, 0).is_some(),
            is_found,
            "{headers} headers"
        );
    }
}
