//! What the target for sequences of calls does: bytes choose which public call comes next, on which
//! value, with what. A file of its own, so that the tests do the same on a stable toolchain.
//!
//! Whatever comes in which order: nothing panics; after an error there are only errors; two halves
//! that end well build what one builder builds; a file that is complete is the right one.

#[path = "calls/given.rs"]
mod given;
#[path = "calls/readers.rs"]
mod readers;

use soci_ztoc::inflate::{GzipInflater, InputBuffer, SpanInflater, Speculator, Stretch, WINDOW_SIZE};
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, DecodeHalf, Decoded, Handover, HashHalf, ZtocBuilder};

use given::{Choices, Patience, Used, any_options, build, pick, take};
use readers::{Readers, ask};

/// Calls of one input.
const CALLS: usize = 150;

/// Makes the calls that these bytes stand for.
pub fn calls(bytes: &[u8]) {
    let mut choices = Choices { bytes };
    let mut world = World::default();
    // All kinds together, or a few that get further for it.
    let kinds = match choices.byte() {
        0 => [0, 1, 2, 3, 4, 5, 6, 7, 8],
        focus => [
            focus % 9,
            focus / 9 % 9,
            2,
            focus % 9,
            focus % 9,
            focus % 9,
            focus % 9,
            2,
            4,
        ],
    };
    for _ in 0..CALLS {
        if choices.bytes.is_empty() {
            break;
        }
        match kinds[choices.below(kinds.len())] {
            0 => world.inflater(&mut choices),
            1 => world.span(&mut choices),
            2 => world.speculator(&mut choices),
            3 => world.builder(&mut choices),
            4 => world.halves(&mut choices),
            5 => world.readers.walker(&mut choices),
            6 => world.readers.verifier(&mut choices),
            7 => world.readers.extractor(&mut choices),
            _ => ask(&mut choices),
        }
    }
}

struct Decoding {
    number: usize,
    half: DecodeHalf,
    options: BuildOptions,
    /// What it was given.
    bytes: Vec<u8>,
    /// Whether it was offered blocks of another layer, which nobody should do.
    foreign: bool,
    spare: Option<InputBuffer>,
}

#[derive(Default)]
struct World {
    inflaters: Vec<Used<GzipInflater>>,
    spans: Vec<Used<SpanInflater>>,
    speculator: Speculator,
    /// Each with the layer that it is of.
    stretches: Vec<(&'static [u8], Stretch)>,
    builders: Vec<Used<ZtocBuilder>>,
    decoding: Vec<Used<Decoding>>,
    hashes: Vec<(usize, HashHalf)>,
    /// In the order in which they were made; each with the number of its layer.
    handovers: Vec<(usize, Handover)>,
    decoded: Vec<(usize, Decoded, BuildOptions, Vec<u8>, bool)>,
    layers: usize,
    readers: Readers,
}

impl World {
    fn inflater(&mut self, choices: &mut Choices<'_>) {
        let mut patience = Patience(choices.number());
        let Some(at) = pick(&self.inflaters, choices) else {
            self.inflaters
                .push(Used::new(GzipInflater::new(), choices.layer()));
            return;
        };
        let used = &mut self.inflaters[at];
        let piece = choices.piece(used.layer, used.at);
        match choices.below(6) {
            0 => {
                used.at += piece.len();
                let pushed = used.value.push(piece, &mut patience);
                used.told(pushed);
            }
            1 | 2 => {
                let (buffer, taken) = choices.buffer(piece, None);
                used.at += taken;
                let exchanged = used.value.exchange(buffer, &mut patience, |spent| {
                    let _ = (spent.finished().len(), spent.reuse());
                });
                used.told(exchanged);
            }
            3 => {
                let ran = used.value.run(&mut patience);
                used.told(ran);
            }
            4 => {
                if let Some((_, stretch)) = take(&mut self.stretches, choices) {
                    used.value.offer(stretch);
                }
            }
            _ => {
                let mut used = self.inflaters.swap_remove(at);
                let finished = used.value.finish(&mut patience);
                assert!(!used.failed || finished.is_err(), "it ended well after an error");
                used.failed = true;
            }
        }
    }

    fn span(&mut self, choices: &mut Choices<'_>) {
        let mut patience = Patience(choices.number());
        let Some(at) = pick(&self.spans, choices) else {
            let window = [choices.byte() as u8; WINDOW_SIZE];
            let span = SpanInflater::new(&window, choices.byte() as u8, choices.number());
            let mut used = Used::new(span, choices.layer());
            used.at = choices.byte();
            self.spans.push(used);
            return;
        };
        let used = &mut self.spans[at];
        let piece = choices.piece(used.layer, used.at);
        if choices.below(4) > 0 {
            used.at += piece.len();
            let pushed = used.value.push(piece, &mut patience);
            used.told(pushed);
            let _ = used.value.is_done();
        } else {
            let used = self.spans.swap_remove(at);
            let finished = used.value.finish(&mut patience);
            assert!(!used.failed || finished.is_err(), "it ended well after an error");
        }
    }

    fn speculator(&mut self, choices: &mut Choices<'_>) {
        let layer = choices.layer();
        match choices.below(4) {
            // As it is meant to be, so that there are stretches that can be reached.
            0 => {
                let from = choices.byte() * layer.len() / 256;
                if let Some(begin) = self.speculator.begin(&layer[from..], from as u64) {
                    self.speculator.push(&layer[from + begin..]);
                    self.stretches
                        .extend(self.speculator.finish().map(|stretch| (layer, stretch)));
                }
            }
            1 => drop(self.speculator.begin(choices.piece(layer, 0), choices.number())),
            2 => drop(self.speculator.push(choices.piece(layer, 0))),
            _ => self
                .stretches
                .extend(self.speculator.finish().map(|stretch| (layer, stretch))),
        }
        self.stretches.truncate(8);
        for (_, stretch) in &self.stretches {
            let _ = stretch.is_mostly_unknown();
        }
    }

    fn builder(&mut self, choices: &mut Choices<'_>) {
        let Some(at) = pick(&self.builders, choices) else {
            let options = any_options(choices);
            if let Ok(builder) = ZtocBuilder::new(options) {
                self.builders.push(Used::new(builder, choices.layer()));
            }
            return;
        };
        let used = &mut self.builders[at];
        if choices.below(4) > 0 {
            let piece = choices.piece(used.layer, used.at);
            used.at += piece.len();
            let pushed = used.value.push(piece);
            used.told(pushed);
            let _ = used.value.skip_reason();
        } else {
            let used = self.builders.swap_remove(at);
            let finished = used.value.finish();
            assert!(!used.failed || finished.is_err(), "it ended well after an error");
        }
    }

    fn halves(&mut self, choices: &mut Choices<'_>) {
        let Some(at) = pick(&self.decoding, choices) else {
            let options = any_options(choices);
            let Ok((half, hash)) = ZtocBuilder::halves(options.clone()) else {
                return;
            };
            self.layers += 1;
            let decoding = Decoding {
                number: self.layers,
                half,
                options,
                bytes: Vec::new(),
                foreign: false,
                spare: None,
            };
            self.decoding.push(Used::new(decoding, choices.layer()));
            self.hashes.push((self.layers, hash));
            return;
        };
        match choices.below(8) {
            0 => {
                let used = self.decoding.swap_remove(at);
                let Decoding {
                    number,
                    half,
                    options,
                    bytes,
                    foreign,
                    ..
                } = used.value;
                if let Ok((decoded, handover)) = half.finish() {
                    assert!(!used.failed, "it ended well after an error");
                    self.handovers.push((number, handover));
                    self.decoded.push((number, decoded, options, bytes, foreign));
                }
            }
            1 => {
                if let Some((layer, stretch)) = take(&mut self.stretches, choices) {
                    let used = &mut self.decoding[at];
                    used.value.foreign |= !std::ptr::eq(layer, used.layer);
                    used.value.half.offer(stretch);
                }
            }
            2 => {
                let Some((number, decoded, options, bytes, foreign)) = take(&mut self.decoded, choices)
                else {
                    return;
                };
                let Some(hash) = self.hash_of(number, choices) else {
                    return;
                };
                let (_, hash) = self.hashes.swap_remove(hash);
                if let Ok(BuildOutcome::Indexed(built)) = hash.finish(decoded) {
                    let whole = match build(&options, &bytes) {
                        Ok(BuildOutcome::Indexed(whole)) => whole,
                        // Blocks of the layer before the damage stand for the damaged ones.
                        Err(_) if foreign => return,
                        other => panic!("one builder does not build it: {other:?}"),
                    };
                    assert_eq!(built.layer_digest(), whole.layer_digest());
                    assert_eq!(built.encoded().digest(), whole.encoded().digest());
                }
            }
            3..6 => {
                if self.handovers.is_empty() {
                    return;
                }
                // Mostly the oldest.
                let next = match choices.below(16) {
                    0 => choices.below(self.handovers.len()),
                    _ => 0,
                };
                let (number, handover) = self.handovers.remove(next);
                if let Some(hash) = self.hash_of(number, choices) {
                    let buffer = self.hashes[hash].1.take(handover);
                    self.decoding[at].value.spare = Some(buffer);
                }
            }
            _ => {
                let used = &mut self.decoding[at];
                let piece = choices.piece(used.layer, used.at);
                let (buffer, taken) = choices.buffer(piece, used.value.spare.take());
                used.at += taken;
                used.value.bytes.extend_from_slice(buffer.filled());
                let (number, handovers) = (used.value.number, &mut self.handovers);
                let exchanged = used.value.half.exchange(buffer, |handover| {
                    handovers.push((number, handover));
                });
                used.told(exchanged);
            }
        }
    }

    /// Mostly the one that belongs to this layer.
    fn hash_of(&self, number: usize, choices: &mut Choices<'_>) -> Option<usize> {
        let own = self.hashes.iter().position(|(known, _)| *known == number);
        match choices.below(16) {
            0 if !self.hashes.is_empty() => Some(choices.below(self.hashes.len())),
            _ => own,
        }
    }
}
