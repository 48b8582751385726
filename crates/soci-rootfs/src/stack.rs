//! Layers on top of each other, as overlayfs shows them.

use crate::names::{NameId, Names};
use crate::tree::{FileType, Node, NodeId, ROOT, Tree};

/// A node of one of the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) layer: usize,
    pub(crate) node: NodeId,
}

/// Trees, lowest first; `None` is a layer that is not known.
#[derive(Debug)]
pub(crate) struct Stack<'s, 'a>(pub(crate) Vec<Option<&'s Tree<'a>>>);

/// A directory of the stack: its place in each layer that shows through, highest first.
pub(crate) type Merged = Vec<Place>;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Something that is not a directory.
    File(Place),
    /// A directory; its first place has the attributes.
    Directory(Merged),
}

impl Shown {
    /// The place whose attributes are shown.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::File(place) => *place,
            Self::Directory(merged) => merged[0],
        }
    }

    /// The places of a directory; none for anything else.
    pub(crate) fn into_merged(self) -> Merged {
        match self {
            Self::File(_) => Merged::new(),
            Self::Directory(merged) => merged,
        }
    }
}

impl<'a> Stack<'_, 'a> {
    pub(crate) fn root(&self) -> Merged {
        let known = self.0.iter().enumerate().rev().filter(|(_, tree)| tree.is_some());
        known.map(|(layer, _)| Place { layer, node: ROOT }).collect()
    }

    pub(crate) fn tree(&self, place: Place) -> &Tree<'a> {
        self.0[place.layer].expect("places are in layers that are known")
    }

    pub(crate) fn node(&self, place: Place) -> &Node {
        self.tree(place).node(place.node)
    }

    /// What several layers have under one name, highest first: a deletion or a file ends the search, a
    /// directory adds what is below it unless it is opaque.
    pub(crate) fn merge(&self, places: impl IntoIterator<Item = Place>) -> Option<Shown> {
        let mut merged = Merged::new();
        for place in places {
            let node = self.node(place);
            if node.whiteout {
                break;
            }
            if node.kind != FileType::Directory {
                if merged.is_empty() {
                    return Some(Shown::File(place));
                }
                break;
            }
            merged.push(place);
            if node.opaque {
                break;
            }
        }
        (!merged.is_empty()).then_some(Shown::Directory(merged))
    }

    /// A name in a directory.
    pub(crate) fn child(&self, directory: &Merged, name: NameId) -> Option<Shown> {
        self.merge(directory.iter().filter_map(|place| self.in_layer(*place, name)))
    }

    pub(crate) fn in_layer(&self, place: Place, name: NameId) -> Option<Place> {
        let node = self.tree(place).child(place.node, name)?;
        Some(Place { node, ..place })
    }

    /// Every name that some layer has in a directory, with its places, highest layer first.
    pub(crate) fn list(&self, directory: &Merged) -> Vec<(NameId, Place)> {
        let mut all: Vec<(NameId, usize, Place)> = Vec::new();
        for (depth, place) in directory.iter().enumerate() {
            let children = self.tree(*place).list(place.node);
            all.extend(children.map(|(name, node)| (name, depth, Place { node, ..*place })));
        }
        all.sort_unstable_by_key(|(name, depth, _)| (*name, *depth));
        all.into_iter().map(|(name, _, place)| (name, place)).collect()
    }

    /// Names that the directory lists and that nobody finds.
    pub(crate) fn phantoms(&self, directory: &Merged) -> Vec<(NameId, usize)> {
        let mut all = Vec::new();
        for place in directory {
            let names = self.tree(*place).phantoms(place.node);
            all.extend(names.map(|name| (name, place.layer)));
        }
        all.sort_unstable_by_key(|(name, layer)| (*name, usize::MAX - layer));
        all.dedup_by_key(|(name, _)| *name);
        all
    }
}

/// A path while a tree is walked.
#[derive(Debug, Default)]
pub(crate) struct Way(Vec<NameId>);

impl Way {
    /// Goes to a name that is so deep.
    pub(crate) fn enter(&mut self, depth: usize, name: Option<NameId>) {
        self.0.truncate(depth.saturating_sub(1));
        self.0.extend(name);
    }

    pub(crate) fn path(&self, names: &Names<'_>, last: Option<NameId>) -> Vec<u8> {
        let components: Vec<NameId> = self.0.iter().copied().chain(last).collect();
        names.path(&components)
    }

    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }
}
