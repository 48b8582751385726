//! Decoding a stretch of a stream before it is known what comes before it.
//!
//! DEFLATE is a chain: a block begins where the one before it ends, and copies from what was
//! decoded last. A [`Speculator`] breaks it with two guesses:
//!
//! * *Where a block begins*: at the first place that looks like one and can be decoded. Whoever
//!   decodes from the front will come by and see whether a block really begins there.
//! * *What the 32 KiB before it are*: two different windows. Decoding does not depend on them, only
//!   its output does, so the same input is decoded twice, once behind each window. The two are
//!   chosen so that no byte of one equals the byte of the other, and no pair occurs twice:
//!
//!   | window | byte at index i |
//!   |---|---|
//!   | first | i mod 256 |
//!   | second | that + 1 + ⌊i / 256⌋, mod 256 |
//!
//!   Where the outputs agree, that is the output. Where they differ, the pair tells which byte of
//!   the window it is a copy of.
//!
//! As soon as the last 32 KiB of both agree, the second is given up: what follows depends on what
//! is known. Typically that is after some hundred KiB, and in half of all places never.
//!
//! Whatever is wrong with the input, a [`Stretch`] ends before it: it is for the one who decodes
//! from the front to find and to name.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::select_unpredictable;

use super::buffers::OUTPUT_LIMIT;
use super::stream::Stream;
use super::{Boundary, BoundaryKind, InflateError, Sink, WINDOW_SIZE};

/// Output after which a stretch ends: what waits for being reached stays small.
const MAX_OUTPUT: usize = 384 << 10;
/// Blocks after which a stretch ends. Empty ones take no output.
const MAX_BLOCKS: usize = 1 << 12;

/// Decodes one stretch after another, ahead of a [`GzipInflater`](super::GzipInflater) that reads
/// the same stream from its beginning. Memory is kept from one to the next: about 1 MiB.
pub struct Speculator {
    first: Guess,
    second: Guess,
    /// Where in the stream the first byte lies that is pushed.
    offset: u64,
    /// Bit position in the stream of the stretch's start, which lies in that byte.
    start: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was begun.
    Idle,
    /// The outputs differ within the last 32 KiB.
    Twofold,
    /// Only the first is decoded.
    Single,
    /// The stretch cannot become longer.
    Ended,
}

/// A decoder behind one window, and what it decoded.
struct Guess {
    stream: Stream,
    decoded: Decoded,
}

#[derive(Default)]
struct Decoded {
    output: Vec<u8>,
    blocks: Vec<BlockEnd>,
}

/// The end of a block.
#[derive(Clone, Copy)]
pub(super) struct BlockEnd {
    /// Bit position: in a [`Stretch`], in the stream.
    pub(super) bit: u64,
    /// Bytes of output since the start of the stretch.
    pub(super) output: usize,
}

/// Whole blocks that were decoded behind an unknown window.
pub struct Stretch {
    /// Bit position in the stream.
    pub(super) start: u64,
    /// At least one. The last one is the end of the stretch.
    pub(super) blocks: Vec<BlockEnd>,
    first: Vec<u8>,
    /// Ends where it no longer differs.
    second: Vec<u8>,
}

impl Speculator {
    /// Ready for [`Speculator::begin`].
    pub fn new() -> Self {
        let (first, second) = windows();
        Speculator {
            first: Guess::behind(&first),
            second: Guess::behind(&second),
            offset: 0,
            start: 0,
            state: State::Idle,
        }
    }

    /// Begins a stretch at the first block that can be found in `bytes`, which begin at `offset` of
    /// the stream; more than an [`InputBuffer`](super::InputBuffer) holds is not looked at. Returns the index in `bytes`
    /// from which on they are to be [pushed](Speculator::push), or None without such a block. A
    /// stretch that was begun before is forgotten.
    ///
    /// Blocks with the fixed code and stored ones are not found.
    pub fn begin(&mut self, bytes: &[u8], offset: u64) -> Option<usize> {
        self.state = State::Idle;
        let bit = self.first.stream.find_start(bytes)?;
        let (first, second) = windows();
        let unused = (bit.wrapping_neg() & 7) as u8;
        for (guess, window) in [(&mut self.first, first), (&mut self.second, second)] {
            guess.stream.resume(&window, unused, u64::MAX);
            guess.decoded = Decoded {
                // More than once the limit, in one piece: growing would copy it several times.
                output: Vec::with_capacity(MAX_OUTPUT + OUTPUT_LIMIT),
                blocks: Vec::new(),
            };
        }
        self.offset = offset + bit as u64 / 8;
        self.start = 8 * offset + bit as u64;
        self.state = State::Twofold;
        Some(bit / 8)
    }

    /// Takes the bytes that follow those given so far, and decodes them. Returns whether more are
    /// wanted.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let ended = match self.state {
            State::Idle | State::Ended => true,
            State::Single => self.first.push(bytes),
            State::Twofold => {
                // Both take the same way to the same end.
                let ended = self.first.push(bytes);
                self.second.push(bytes);
                if self.first.stream.window() == self.second.stream.window() {
                    self.state = State::Single;
                }
                ended
            }
        };
        if ended && self.state != State::Idle {
            self.state = State::Ended;
        }
        !ended
    }

    /// Ends the stretch. None if it has not a single whole block.
    pub fn finish(&mut self) -> Option<Stretch> {
        if core::mem::replace(&mut self.state, State::Idle) == State::Idle {
            return None;
        }
        let Decoded { output, mut blocks } = core::mem::take(&mut self.first.decoded);
        let second = core::mem::take(&mut self.second.decoded).output;
        blocks.retain(|block| block.output <= output.len());
        for block in &mut blocks {
            block.bit += 8 * self.offset;
        }
        blocks.last()?;
        Some(Stretch {
            start: self.start,
            blocks,
            first: output,
            second,
        })
    }
}

impl Default for Speculator {
    fn default() -> Self {
        Speculator::new()
    }
}

impl core::fmt::Debug for Speculator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Speculator")
            .field("start", &self.start)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Guess {
    fn behind(window: &[u8; WINDOW_SIZE]) -> Self {
        Guess {
            stream: Stream::resumed(window, 0, u64::MAX),
            decoded: Decoded::default(),
        }
    }

    /// Decodes. Returns whether that is the end.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let Guess { stream, decoded } = self;
        let result = stream.push(bytes, decoded).and_then(|()| stream.run(decoded));
        result.and(stream.deliver_rest(decoded)).is_err()
    }
}

impl Sink for Decoded {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.output.extend_from_slice(bytes);
        match self.output.len() > MAX_OUTPUT {
            true => Err(InflateError::Stopped),
            false => Ok(()),
        }
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        // What comes behind a member's end is not blocks only.
        if boundary.kind != BoundaryKind::Block || self.blocks.len() == MAX_BLOCKS {
            return Err(InflateError::Stopped);
        }
        self.blocks.push(BlockEnd {
            bit: 8 * boundary.compressed_offset - u64::from(boundary.bits),
            output: boundary.uncompressed_offset as usize,
        });
        Ok(())
    }
}

impl Stretch {
    /// Whether more than half of its output are copies from the window. Then putting them in takes
    /// about as long as decoding.
    pub fn is_mostly_unknown(&self) -> bool {
        let both = self.first.iter().zip(&self.second);
        let unknown: usize = both.map(|(first, second)| usize::from(first != second)).sum();
        unknown > self.first.len() / 2
    }

    /// Writes the output from `from` on, as much as `output` holds, given the 32 KiB before the stretch.
    pub(super) fn resolve(&self, from: usize, window: &[u8; WINDOW_SIZE], output: &mut [u8]) {
        output.copy_from_slice(&self.first[from..from + output.len()]);
        let second = self.second.get(from..).unwrap_or_default();
        let length = second.len().min(output.len());
        let (output, second) = (&mut output[..length], &second[..length]);
        for (output, second) in output.chunks_mut(PIECE).zip(second.chunks(PIECE)) {
            if output == second {
                continue;
            }
            for (byte, &second) in output.iter_mut().zip(second) {
                let index =
                    usize::from(second.wrapping_sub(*byte).wrapping_sub(1) & 127) << 8 | usize::from(*byte);
                *byte = select_unpredictable(*byte == second, *byte, window[index]);
            }
        }
    }
}

impl core::fmt::Debug for Stretch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stretch")
            .field("start", &self.start)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

/// Bytes compared at once.
const PIECE: usize = 32;

/// The two windows.
fn windows() -> (Box<[u8; WINDOW_SIZE]>, Box<[u8; WINDOW_SIZE]>) {
    let (mut first, mut second) = (super::buffers::zeroed(), super::buffers::zeroed());
    for index in 0..WINDOW_SIZE {
        first[index] = index as u8;
        second[index] = (index as u8).wrapping_add(1 + (index >> 8) as u8);
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::inflate::GzipInflater;

    /// All that a sink is told.
    #[derive(Default, PartialEq)]
    struct Told {
        output: Vec<u8>,
        boundaries: Vec<(u64, u8, u64, BoundaryKind, Vec<u8>)>,
    }

    impl Sink for Told {
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
    fn inflate(
        layer: &[u8],
        stretches: Vec<Stretch>,
        piece: usize,
    ) -> (Result<(), InflateError>, Told, usize) {
        let mut inflater = GzipInflater::new();
        let mut told = Told::default();
        let mut stretches = stretches.into_iter().peekable();
        let mut adopted = 0;
        let mut run = || {
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

        /// With stretches and without them, a sink is told the same.
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
}
