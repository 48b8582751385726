//! The digests of a layer and of its spans, while the layer passes by.
//!
//! Two hashes run over the same bytes: the layer's over all of them, a span's over its stretch.
//! Neighbouring spans share a byte where a checkpoint lies inside one, so neither can be had from
//! the other. Nothing here knows why a span begins where it does.

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
    }
}

/// Digests of a layer and its spans. Spans are announced before their first byte comes.
#[derive(Debug, Default)]
pub(super) struct LayerDigests {
    layer: Sha256,
    /// The span being hashed; none before the first one begins.
    open: Option<Sha256>,
    done: Vec<[u8; 32]>,
    /// Spans announced and not begun: where each begins anew, and whether it shares the byte before.
    announced: VecDeque<(u64, bool)>,
    /// Whether spans are of interest any more.
    ignored: bool,
    position: u64,
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
    }

    /// Takes the next bytes of the layer.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        // Pieces small enough that the second hash finds them in the cache.
        for piece in bytes.chunks(PIECE) {
            self.layer.update(piece);
            self.update_spans(piece);
            self.position += piece.len() as u64;
        }
    }

    fn update_spans(&mut self, mut piece: &[u8]) {
        let mut position = self.position;
        while let Some(&(offset, shares)) = self.announced.front() {
            let before = offset - position;
            if before > piece.len() as u64 {
                break;
            }
            // The shared byte is part of this piece: it had not come when the span was announced.
            let (old, rest) = piece.split_at(before as usize);
            let mut next = Sha256::new();
            if shares {
                next.update(&old[old.len() - 1..]);
            }
            if let Some(mut open) = self.open.replace(next) {
                open.update(old);
                self.done.push(open.finalize().into());
            }
            self.announced.pop_front();
            piece = rest;
            position = offset;
        }
        if let Some(open) = &mut self.open {
            open.update(piece);
        }
    }

    fn ignore_spans(&mut self) {
        self.ignored = true;
        self.open = None;
        self.done = Vec::new();
        self.announced = VecDeque::new();
    }

    /// The layer's digest, its length, and the digests of its spans.
    pub(super) fn finish(mut self) -> ([u8; 32], u64, Vec<[u8; 32]>) {
        // A span can be announced at the very end: it is empty.
        self.update_spans(&[]);
        if let Some(open) = self.open.take() {
            self.done.push(open.finalize().into());
        }
        (
            self.layer.finalize().into(),
            self.position,
            mem::take(&mut self.done),
        )
    }
}

const PIECE: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever pieces the layer comes in, a digest is that of its range.
        #[test]
        fn digests_are_those_of_their_ranges(
            layer in prop::collection::vec(any::<u8>(), 1..300),
            cuts in prop::collection::btree_map(1_u64..300, any::<bool>(), 0..20),
            sizes in prop::collection::vec(1_usize..40, 1..20),
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
                while let Some(&(offset, shares)) = next {
                    if offset - u64::from(shares) >= at + piece.len() as u64 {
                        break;
                    }
                    announcements.span(offset, shares);
                    next = waiting.next();
                }
                digests.heed(&mut announcements);
                digests.update(piece);
                at += piece.len() as u64;
            }
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
