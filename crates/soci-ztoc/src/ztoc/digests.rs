//! The digests of a layer and of its spans, while the layer passes by.
//!
//! Two hashes run over the same bytes: the layer's over all of them, a span's over its stretch.
//! Neighbouring spans share a byte where a checkpoint lies inside one, so neither can be had from
//! the other. Nothing here knows why a span begins where it does.
//!
//! SHA-256 instructions wait for each other within one hash, so the two take turns block by block:
//! the processor then works on both at once, and both take about 1.4 times as long as one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use sha2::{Digest, Sha256};

/// What the digests have to know before they see more of the layer.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// Spans that begin: where each begins anew, and whether it shares the byte before.
    spans: Vec<(u64, bool)>,
    /// Spans are of no interest any more.
    ignore_spans: bool,
    /// Where the next span can begin at the earliest, if spans are announced after their first byte has come.
    open_from: Option<u64>,
}

impl Announcements {
    /// Announces a span that begins at `offset`, or one byte before if it `shares` that byte with
    /// the span before it. Its first byte has not been passed to the digests yet.
    pub(super) fn span(&mut self, offset: u64, shares: bool) {
        self.spans.push((offset, shares));
    }

    /// Their digests are not wanted.
    pub(super) fn ignore_spans(&mut self) {
        self.spans = Vec::new();
        self.ignore_spans = true;
        self.open_from = None;
    }

    /// Spans that begin at `offset` or later may still be announced although their first byte has come.
    /// `None`: whatever has come so far belongs to the spans that are announced.
    pub(super) fn open_from(&mut self, offset: Option<u64>) {
        self.open_from = offset;
    }
}

/// Digests of a layer and its spans. Spans are announced before their first byte comes.
#[derive(Debug, Default)]
pub(super) struct LayerDigests {
    layer: Sha256,
    /// The span being hashed and its bytes so far; none before the first one begins.
    open: Option<(Sha256, u64)>,
    done: Vec<[u8; 32]>,
    /// Spans announced and not begun: where each begins anew, and whether it shares the byte before.
    announced: VecDeque<(u64, bool)>,
    /// Whether spans are of interest any more.
    ignored: bool,
    position: u64,
    /// Bytes that have come and wait until it is known which span they are in.
    waiting: VecDeque<u8>,
    /// Behind this byte they wait.
    open_from: Option<u64>,
}

impl LayerDigests {
    /// Heeds what was announced, and forgets it there.
    pub(super) fn heed(&mut self, announcements: &mut Announcements) {
        if announcements.ignore_spans {
            self.ignore_spans();
        }
        let spans = announcements.spans.drain(..);
        if !self.ignored {
            self.announced.extend(spans);
        }
        self.open_from = announcements.open_from;
    }

    /// Takes the next bytes of the layer.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if self.waiting.is_empty() {
            let (ready, open) = bytes.split_at(self.ready(bytes.len()));
            self.pass(ready);
            self.waiting.extend(open);
            return;
        }
        self.waiting.extend(bytes);
        let ready = self.ready(self.waiting.len());
        // The two parts of the queue, as far as they are ready, and what stays.
        let mut waiting = mem::take(&mut self.waiting);
        let (front, back) = waiting.as_slices();
        let (front, back) = (
            &front[..ready.min(front.len())],
            &back[..ready.saturating_sub(front.len())],
        );
        self.pass(front);
        self.pass(back);
        waiting.drain(..ready);
        self.waiting = waiting;
    }

    /// How many of the next bytes belong to spans that are announced.
    fn ready(&self, bytes: usize) -> usize {
        match self.open_from {
            None => bytes,
            Some(offset) => {
                usize::try_from(offset.saturating_sub(self.position)).map_or(bytes, |ready| ready.min(bytes))
            }
        }
    }

    /// Takes bytes of which every span is announced.
    fn pass(&mut self, mut bytes: &[u8]) {
        while let Some(&(offset, shares)) = self.announced.front() {
            let before = offset - self.position;
            if before > bytes.len() as u64 {
                break;
            }
            // The shared byte is one of these: it had not come when the span was announced.
            let (old, rest) = bytes.split_at(before as usize);
            self.hash(old);
            let mut next = Sha256::new();
            if shares {
                next.update(&old[old.len() - 1..]);
            }
            if let Some((open, _)) = self.open.replace((next, u64::from(shares))) {
                self.done.push(open.finalize().into());
            }
            self.announced.pop_front();
            bytes = rest;
        }
        self.hash(bytes);
    }

    /// Takes bytes of one span.
    fn hash(&mut self, bytes: &[u8]) {
        match &mut self.open {
            None => self.layer.update(bytes),
            Some((open, length)) => {
                update_both((&mut self.layer, self.position), (open, *length), bytes);
                *length += bytes.len() as u64;
            }
        }
        self.position += bytes.len() as u64;
    }

    fn ignore_spans(&mut self) {
        self.ignored = true;
        self.open = None;
        self.done = Vec::new();
        self.announced = VecDeque::new();
    }

    /// The layer's digest, its length, and the digests of its spans.
    pub(super) fn finish(mut self) -> ([u8; 32], u64, Vec<[u8; 32]>) {
        self.open_from = None;
        // A span can be announced at the very end: it is empty.
        self.update(&[]);
        if let Some((open, _)) = self.open.take() {
            self.done.push(open.finalize().into());
        }
        (
            self.layer.finalize().into(),
            self.position,
            mem::take(&mut self.done),
        )
    }
}

/// Adds `bytes` to two hashes that have seen so many bytes each, block by block in turns. Each gets
/// its own whole blocks, so that neither has to keep the parts of any.
fn update_both(a: (&mut Sha256, u64), b: (&mut Sha256, u64), bytes: &[u8]) {
    let (a, a_blocks, a_rest) = begin(a, bytes);
    let (b, b_blocks, b_rest) = begin(b, bytes);
    // Where they differ in number, it is by one.
    let both = a_blocks.len().min(b_blocks.len());
    for (a_block, b_block) in a_blocks.iter().zip(b_blocks) {
        a.update(a_block);
        b.update(b_block);
    }
    a.update(a_blocks[both..].as_flattened());
    b.update(b_blocks[both..].as_flattened());
    a.update(a_rest);
    b.update(b_rest);
}

/// Completes the block that a hash has begun. Returns the whole blocks after it and the rest.
fn begin<'a, 'b>(
    (hash, length): (&'a mut Sha256, u64),
    bytes: &'b [u8],
) -> (&'a mut Sha256, &'b [[u8; BLOCK]], &'b [u8]) {
    let missing = (length.next_multiple_of(BLOCK as u64) - length) as usize;
    let (first, bytes) = bytes.split_at(missing.min(bytes.len()));
    hash.update(first);
    let (blocks, rest) = bytes.as_chunks();
    (hash, blocks, rest)
}

/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever pieces the layer comes in, a digest is that of its range.
        #[test]
        fn digests_are_those_of_their_ranges(
            layer in prop::collection::vec(any::<u8>(), 1..1500),
            cuts in prop::collection::btree_map(1_u64..1500, any::<bool>(), 0..20),
            sizes in prop::collection::vec(1_usize..400, 1..20),
            // By how many bytes announcements are late, if they may be.
            late in prop::option::of(0_u64..600),
        ) {
            let length = layer.len() as u64;
            let cuts: Vec<(u64, bool)> = cuts.into_iter().filter(|(offset, _)| *offset < length).collect();
            let mut digests = LayerDigests::default();
            let mut announcements = Announcements::default();
            let mut waiting = cuts.iter();
            let mut next = waiting.next();
            let (mut rest, mut at) = (&layer[..], 0_u64);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at((*size).min(rest.len()));
                rest = behind;
                let come = at + piece.len() as u64;
                while let Some(&(offset, shares)) = next {
                    let is_known = match late {
                        None => offset - u64::from(shares) < come,
                        Some(late) => offset + late < come,
                    };
                    if !is_known {
                        break;
                    }
                    announcements.span(offset, shares);
                    next = waiting.next();
                }
                let first_open = |(offset, shares): &(u64, bool)| offset - u64::from(*shares);
                announcements.open_from(late.map(|_| next.map_or(length, first_open)));
                digests.heed(&mut announcements);
                digests.update(piece);
                at += piece.len() as u64;
            }
            for &(offset, shares) in next.into_iter().chain(waiting) {
                announcements.span(offset, shares);
            }
            digests.heed(&mut announcements);
            let (whole, counted, spans) = digests.finish();
            prop_assert_eq!(whole, <[u8; 32]>::from(Sha256::digest(&layer)));
            prop_assert_eq!(counted, length);
            let expected: Vec<[u8; 32]> = cuts
                .iter()
                .enumerate()
                .map(|(index, &(offset, shares))| {
                    let end = cuts.get(index + 1).map_or(length, |next| next.0);
                    Sha256::digest(&layer[(offset - u64::from(shares)) as usize..end as usize]).into()
                })
                .collect();
            prop_assert_eq!(spans, expected);
        }
    }
}
