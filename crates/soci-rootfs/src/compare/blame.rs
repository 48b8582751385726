//! Whose zTOC is to blame for a difference: the layer that is better left to be unpacked.

use super::walk::Walk;
use crate::names::NameId;
use crate::stack::{Merged, Place};
use crate::tree::{Node, Origin};
use crate::verdict::Client;

impl Walk<'_, '_> {
    /// Whose zTOC makes the attributes of a path differ.
    pub(super) fn blame(&self, a: Place, b: Place, node: &Node, culprit: Option<usize>) -> usize {
        if self.mounts(b.layer) {
            return b.layer;
        }
        if let Origin::Implied { from: Some(from), .. } = node.origin
            && self.mounts(from as usize)
        {
            return from as usize;
        }
        self.lazy([Some(a.layer), culprit])
    }

    /// Whose zTOC hides what unpacking shows.
    pub(super) fn hider(
        &self,
        there: Place,
        shown: &[(NameId, Place)],
        parent: &Merged,
        culprit: Option<usize>,
    ) -> usize {
        let above = shown.iter().map(|(_, place)| place.layer);
        let hides = above
            .clone()
            .find(|layer| self.mounts(*layer) && *layer > there.layer);
        let cut = parent.last().map(|place| place.layer);
        let cut = cut.filter(|layer| self.mounts(*layer) && *layer > there.layer);
        let own = Some(there.layer).filter(|layer| self.mounts(*layer));
        // A layer that does not even show through in this directory is hidden by what lies above it.
        match parent.iter().any(|place| place.layer == there.layer) {
            true => self.lazy([hides, own, culprit, cut]),
            false => self.lazy([hides, culprit, cut, own]),
        }
    }

    /// Whose zTOC fails to hide what unpacking hides.
    pub(super) fn keeper(
        &self,
        extra: Place,
        unpacked: &[(NameId, Place)],
        parent: &Merged,
        culprit: Option<usize>,
    ) -> usize {
        let hides = unpacked
            .iter()
            .map(|(_, place)| place.layer)
            .find(|layer| self.mounts(*layer) && *layer > extra.layer);
        let own = Some(extra.layer).filter(|layer| self.mounts(*layer));
        let cut = parent.last().map(|place| place.layer);
        let cut = cut.filter(|layer| self.mounts(*layer) && *layer > extra.layer);
        self.lazy([hides, culprit, cut, own])
    }

    /// The layer whose directory ends the search on one side only.
    pub(super) fn cut(&self, unpacked: &Merged, shown: &Merged) -> usize {
        let shorter = if unpacked.len() < shown.len() {
            unpacked
        } else {
            shown
        };
        self.lazy([
            shorter.last().map(|place| place.layer),
            shown.first().map(|place| place.layer),
        ])
    }

    /// The first of these that is mounted, or else the highest layer that is: without any mounted layer both
    /// sides are the same.
    fn lazy<const N: usize>(&self, candidates: [Option<usize>; N]) -> usize {
        let mounted = |layer: &usize| self.mounts(*layer);
        candidates
            .into_iter()
            .flatten()
            .find(mounted)
            .or_else(|| (0..self.verdicts.len()).rev().find(mounted))
            .unwrap_or(0)
    }

    pub(super) fn mounts(&self, layer: usize) -> bool {
        self.verdicts[layer].client == Client::Mounts
    }
}
