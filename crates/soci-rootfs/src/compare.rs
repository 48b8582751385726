//! The image unpacked beside the image as the lazy client shows it.

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::Toc;

use crate::fault::UnpackFault;
use crate::mounted::mounted;
use crate::names::{NameId, Names};
use crate::resolve::Budget;
use crate::source::Mount;
use crate::stack::{Merged, Place, Shown, Stack, Way};
use crate::tree::{FileType, Node, Origin, Tree};
use crate::unpack::{Unpacked, unpack};
use crate::verdict::{Client, Comparison, Difference, Differences, Refused, Verdict, Weight, What};
use crate::xattr;

/// A layer, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    toc: Option<&'a Toc>,
    mount: Option<&'a Mount>,
}

impl<'a> Layer<'a> {
    /// A layer of which nothing is known: it was not read.
    pub fn unknown() -> Self {
        Self {
            toc: None,
            mount: None,
        }
    }

    /// A layer that is unpacked because it has no zTOC.
    pub fn unpacked(toc: &'a Toc) -> Self {
        Self {
            toc: Some(toc),
            mount: None,
        }
    }

    /// A layer with a zTOC.
    pub fn mounted(toc: &'a Toc, mount: &'a Mount) -> Self {
        Self {
            toc: Some(toc),
            mount: Some(mount),
        }
    }

    /// The same layer without its zTOC.
    pub fn without_ztoc(self) -> Self {
        Self { mount: None, ..self }
    }

    /// Whether it has a zTOC.
    pub fn has_ztoc(&self) -> bool {
        self.mount.is_some()
    }
}

/// Compares what unpacking makes of an image with what the lazy client shows of it. The whole stack decides:
/// what one layer shows wrongly, another one above it can put right.
pub fn compare(layers: &[Layer<'_>]) -> Comparison {
    let mut names = Names::default();
    let entries = layers.iter().filter_map(|layer| layer.toc).map(Toc::len).sum();
    let mut budget = Budget::new(entries);
    let mut unpacked: Vec<Option<Tree<'_>>> = Vec::new();
    let mut shown: Vec<Option<Tree<'_>>> = Vec::new();
    let mut verdicts = Vec::new();
    for layer in layers {
        let Some(toc) = layer.toc else {
            unpacked.push(None);
            shown.push(None);
            verdicts.push(verdict(Client::Unknown));
            continue;
        };
        let below: Vec<_> = unpacked.iter().map(Option::as_ref).collect();
        let Unpacked { tree, fault } = unpack(toc, &below, &mut names, &mut budget);
        unpacked.push(Some(tree));
        let (client, view) = match layer.mount {
            None => (Client::Unpacks, None),
            Some(mount) => match (mount.refusal(), mounted(toc, mount, &mut names)) {
                (Some(refusal), _) => (Client::Refuses(Refused::Ztoc(refusal.clone())), None),
                (None, Err(target)) => (Client::Refuses(Refused::HardLink(target)), None),
                (None, Ok(view)) => (Client::Mounts, Some(view)),
            },
        };
        // What is unpacked onto mounts copies the attributes of directories from them.
        let view = view.unwrap_or_else(|| {
            let below: Vec<_> = shown.iter().map(Option::as_ref).collect();
            let onto_mounts = unpack(toc, &below, &mut names, &mut budget);
            if let (None, Some(fault)) = (&fault, onto_mounts.fault) {
                blocked(&mut verdicts, fault);
            }
            onto_mounts.tree
        });
        shown.push(Some(view));
        verdicts.push(Verdict {
            unpack: fault,
            ..verdict(client)
        });
    }
    let mut walk = Walk {
        names: &names,
        unpacked: Stack(unpacked.iter().map(Option::as_ref).collect()),
        shown: Stack(shown.iter().map(Option::as_ref).collect()),
        verdicts: &mut verdicts,
        way: Way::default(),
    };
    walk.all();
    for verdict in &mut verdicts {
        // What an image that cannot be unpacked looks like when it is unpacked, nobody can say.
        if verdict.unpack.is_some() {
            verdict.differences = Differences::default();
        }
        verdict.differences.sort();
    }
    Comparison { layers: verdicts }
}

/// Notes of the highest mount that the next layer cannot be unpacked onto it.
fn blocked(verdicts: &mut [Verdict], fault: UnpackFault) {
    let mut mounts = verdicts.iter_mut().rev();
    if let Some(verdict) = mounts.find(|verdict| verdict.client == Client::Mounts) {
        verdict.differences.add(Difference {
            path: b"/".to_vec(),
            what: What::NotUnpacked(fault),
            weight: Weight::Harmful,
        });
    }
}

fn verdict(client: Client) -> Verdict {
    Verdict {
        client,
        unpack: None,
        differences: Differences::default(),
    }
}

struct Walk<'w, 'a> {
    names: &'w Names<'a>,
    unpacked: Stack<'w, 'a>,
    shown: Stack<'w, 'a>,
    verdicts: &'w mut Vec<Verdict>,
    way: Way,
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
    fn all(&mut self) {
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

    /// Everything that differs between two nodes.
    fn attributes(&self, place_a: Place, place_b: Place, a: &Node, b: &Node) -> Vec<(What, Weight)> {
        use Weight::{Harmful, Harmless, Unknown};
        let mut found = Vec::new();
        if a.kind != b.kind {
            return vec![(What::Type(a.kind, b.kind), Harmful)];
        }
        let implied = matches!(b.origin, Origin::Implied { .. });
        let link = a.kind == FileType::Symlink;
        let real = if link { Harmless } else { Harmful };
        if a.mode != b.mode {
            let (unpacked, client) = (a.mode, b.mode);
            found.push((
                What::Mode {
                    unpacked,
                    client,
                    implied,
                },
                real,
            ));
        }
        if owner_differs(a, b) {
            let (unpacked, client) = (owner(a), owner(b));
            found.push((
                What::Owner {
                    unpacked,
                    client,
                    implied,
                },
                real,
            ));
        }
        let same_entry = place_a.layer == place_b.layer && a.entry == b.entry;
        match (a.kind, b.unreadable) {
            (FileType::Regular, Some(why)) => found.push((What::Unreadable(why), Harmful)),
            (FileType::Directory, _) => {}
            _ if !same_entry => found.push((What::Contents, Harmful)),
            (FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice, _) if a.size != b.size => {
                found.push((What::Size(a.size, b.size), Harmless));
            }
            _ => {}
        }
        if let (Some(a), Some(b)) = (a.modified, b.modified)
            && a != b
        {
            found.push((What::Modified(a, b), Harmless));
        } else if a.modified.is_some() && b.modified.is_none() && b.entry.is_some() {
            found.push((
                What::Modified(a.modified.unwrap_or_default(), zero_time()),
                Harmless,
            ));
        }
        if a.kind != FileType::Directory && a.links != b.links {
            found.push((What::Links(a.links, b.links), Harmless));
        }
        self.xattrs(place_a, place_b, a, b, &mut found);
        if let Origin::Implied { uncertain: true, .. } = a.origin
            && implied
        {
            found.push((What::Unknown, Unknown));
        }
        found
    }

    fn xattrs(&self, place_a: Place, place_b: Place, a: &Node, b: &Node, found: &mut Vec<(What, Weight)>) {
        let (left, right) = (
            self.unpacked.tree(place_a).xattrs(a),
            self.shown.tree(place_b).xattrs(b),
        );
        let mut keys: Vec<&[u8]> = left.iter().chain(right).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        let value = |list: &[(&[u8], &[u8])], key: &[u8]| {
            let at = list.iter().find(|(found, _)| *found == key)?;
            Some(at.1.to_vec())
        };
        for key in keys {
            // Those of overlayfs are its own: nobody sees them.
            if key.starts_with(b"trusted.overlay.") {
                continue;
            }
            let (unpacked, client) = (value(left, key), value(right, key));
            if unpacked != client {
                let weight = if xattr::is_security(key) {
                    Weight::Harmful
                } else {
                    Weight::Harmless
                };
                let key = key.to_vec();
                found.push((
                    What::Xattr {
                        key,
                        unpacked,
                        client,
                    },
                    weight,
                ));
            }
        }
        if b.xattrs_vary {
            let security = left.iter().chain(right).any(|(key, _)| xattr::is_security(key));
            let weight = if security {
                Weight::Harmful
            } else {
                Weight::Harmless
            };
            found.push((What::XattrsVary, weight));
        }
    }

    /// Whose zTOC makes the attributes of a path differ.
    fn blame(&self, a: Place, b: Place, node: &Node, culprit: Option<usize>) -> usize {
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
    fn hider(
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
    fn keeper(
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
    fn cut(&self, unpacked: &Merged, shown: &Merged) -> usize {
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

    fn mounts(&self, layer: usize) -> bool {
        self.verdicts[layer].client == Client::Mounts
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

/// Owner and group as `stat` tells them: the kernel has no user 2³² − 1.
fn owner(node: &Node) -> (u32, u32) {
    let shown = |id: u32| if id == u32::MAX { OVERFLOW_ID } else { id };
    (shown(node.uid), shown(node.gid))
}

fn owner_differs(a: &Node, b: &Node) -> bool {
    owner(a) != owner(b)
}

/// What stands for a user that cannot be (`/proc/sys/kernel/overflowuid`).
const OVERFLOW_ID: u32 = 65_534;

/// What the client shows for no time at all: Go's zero time.
fn zero_time() -> Timestamp {
    Timestamp::from_rfc_3339(b"0001-01-01T00:00:00Z").unwrap_or_default()
}
