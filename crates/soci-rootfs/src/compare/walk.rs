//! Both sides, directory by directory.

use crate::names::{NameId, Names};
use crate::stack::{Merged, Place, Shown, Stack, Way};
use crate::tree::Origin;
use crate::verdict::{Difference, Verdict, Weight, What};

/// A walk over both sides.
pub(super) struct Walk<'w, 'a> {
    pub(super) names: &'w Names<'a>,
    pub(super) unpacked: Stack<'w, 'a>,
    pub(super) shown: Stack<'w, 'a>,
    pub(super) verdicts: &'w mut Vec<Verdict>,
    pub(super) way: Way,
}

/// A directory still to be looked at.
struct Open {
    depth: usize,
    name: Option<NameId>,
    unpacked: Merged,
    shown: Merged,
    /// The layer that made the two sides differ higher up.
    culprit: Option<usize>,
}

impl Walk<'_, '_> {
    /// Tells everything that differs.
    pub(super) fn all(&mut self) {
        let (unpacked, shown) = (self.unpacked.root(), self.shown.root());
        self.root(&unpacked, &shown);
        let mut open = vec![Open {
            depth: 0,
            name: None,
            unpacked,
            shown,
            culprit: None,
        }];
        while let Some(next) = open.pop() {
            self.way.enter(next.depth, next.name);
            self.directory(&next, &mut open);
        }
    }

    /// The root of the image. A container's own layer lies above it with mode 0755 and the owner of the layer
    /// below, and so does each layer that is unpacked: the highest mount decides whom `/` belongs to.
    fn root(&mut self, unpacked: &Merged, shown: &Merged) {
        let highest = shown.iter().find(|place| self.mounts(place.layer)).copied();
        let (Some(a), Some(b)) = (unpacked.first().copied(), highest) else {
            return;
        };
        let (node_a, node_b) = (*self.unpacked.node(a), *self.shown.node(b));
        for (what, _) in self.attributes(a, b, &node_a, &node_b) {
            match what {
                What::Owner { .. } => self.tell(b.layer, None, what, Weight::Harmful),
                What::Mode { .. } | What::Xattr { .. } => {
                    self.tell(b.layer, None, what, Weight::Harmless);
                }
                _ => {}
            }
        }
    }

    fn directory(&mut self, at: &Open, open: &mut Vec<Open>) {
        let unpacked = self.unpacked.list(&at.unpacked);
        let shown = self.shown.list(&at.shown);
        let (mut unpacked, mut shown) = (&unpacked[..], &shown[..]);
        while let Some(name) = next_name(unpacked, shown) {
            let (a, rest) = take(unpacked, name);
            unpacked = rest;
            let (b, rest) = take(shown, name);
            shown = rest;
            self.name(at, name, a, b, open);
        }
        for (name, layer) in self.shown.phantoms(&at.shown) {
            if self.shown.child(&at.shown, name).is_none() {
                self.tell(layer, Some(name), What::Phantom, Weight::Harmful);
            }
        }
    }

    fn name(
        &mut self,
        at: &Open,
        name: NameId,
        unpacked: &[(NameId, Place)],
        shown: &[(NameId, Place)],
        open: &mut Vec<Open>,
    ) {
        let a = self.unpacked.merge(unpacked.iter().map(|(_, place)| *place));
        let b = self.shown.merge(shown.iter().map(|(_, place)| *place));
        let mut culprit = at.culprit;
        match (&a, &b) {
            (None, None) => return,
            (Some(there), None) => {
                let layer = self.hider(there.place(), shown, &at.shown, culprit);
                culprit = Some(layer);
                self.tell(layer, Some(name), What::Missing, Weight::Harmful);
            }
            (None, Some(extra)) => {
                let layer = self.keeper(extra.place(), unpacked, &at.unpacked, culprit);
                culprit = Some(layer);
                let own = self.shown.node(extra.place()).origin == Origin::State;
                let weight = if own { Weight::Harmless } else { Weight::Harmful };
                self.tell(layer, Some(name), What::Added, weight);
            }
            (Some(a), Some(b)) => self.both(name, a, b, culprit),
        }
        let (unpacked, shown) = (merged(a), merged(b));
        // Layers that show through on one side only: what differs below is that difference.
        if culprit.is_none() && unpacked.len() != shown.len() && !unpacked.is_empty() && !shown.is_empty() {
            culprit = Some(self.cut(&unpacked, &shown));
        }
        if !unpacked.is_empty() || !shown.is_empty() {
            open.push(Open {
                depth: self.way.depth() + 1,
                name: Some(name),
                unpacked,
                shown,
                culprit,
            });
        }
    }

    fn both(&mut self, name: NameId, a: &Shown, b: &Shown, culprit: Option<usize>) {
        let (place_a, place_b) = (a.place(), b.place());
        let (node_a, node_b) = (*self.unpacked.node(place_a), *self.shown.node(place_b));
        let layer = self.blame(place_a, place_b, &node_b, culprit);
        for (what, weight) in self.attributes(place_a, place_b, &node_a, &node_b) {
            self.tell(layer, Some(name), what, weight);
        }
    }

    fn tell(&mut self, layer: usize, name: Option<NameId>, what: What, weight: Weight) {
        let differences = &mut self.verdicts[layer].differences;
        let path = self.way.path(self.names, name);
        differences.add(Difference { path, what, weight });
    }
}

fn merged(shown: Option<Shown>) -> Merged {
    shown.map(Shown::into_merged).unwrap_or_default()
}

/// The smaller of the next names of two lists.
fn next_name(a: &[(NameId, Place)], b: &[(NameId, Place)]) -> Option<NameId> {
    let first = |list: &[(NameId, Place)]| list.first().map(|(name, _)| *name);
    match (first(a), first(b)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

type Places<'p> = &'p [(NameId, Place)];

/// The places of a name at the head of a list, and the rest.
fn take(list: Places<'_>, name: NameId) -> (Places<'_>, Places<'_>) {
    list.split_at(list.iter().take_while(|(found, _)| *found == name).count())
}
