//! The unpacked file system.

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::Toc;

use crate::compare::{self, Layer};
use crate::fault::UnpackFault;
use crate::lookup::{LookupFault, walk};
use crate::names::Names;
use crate::resolve::Budget;
use crate::stack::{Shown, Stack, Way};
use crate::tree::{FileType, Origin, Tree, Unreadable};
use crate::unpack::unpack;
use crate::verdict::Client;

/// The file system of an image, as its layers make it when they are unpacked.
#[derive(Debug)]
pub struct Rootfs<'a> {
    names: Names<'a>,
    trees: Vec<Option<Tree<'a>>>,
    faults: Vec<Option<UnpackFault>>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The path without links.
    pub path: Vec<u8>,
    /// Its layer, from 0 for the lowest.
    pub layer: usize,
    /// The entry of that layer with its contents, after following hard links; none for a directory that no
    /// entry lists.
    pub entry: Option<usize>,
    /// What it is.
    pub file_type: FileType,
    /// Permission bits, with set-uid, set-gid and sticky.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Bytes of contents.
    pub size: u64,
    /// Names that the file has in its layer.
    pub links: u32,
    /// When it was modified; `None` is the time of unpacking.
    pub modified: Option<Timestamp>,
    /// The target of a symbolic link.
    pub link_target: Option<Vec<u8>>,
    /// The number of a device as Linux keeps it in 32 bits; 0 of anything else.
    pub device: u32,
    /// Extended attributes, names ascending.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Why reading it from the lazy client ends with an I/O error; only of what that client shows.
    pub unreadable: Option<Unreadable>,
    /// A layer that is not known decides about it: lies above and can hide or replace it, or has the directory that
    /// no entry lists here. What a path leads to is never hidden or replaced.
    pub uncertain: bool,
}

impl<'a> Rootfs<'a> {
    /// The file system of these layers, lowest first; `None` is a layer that is not known.
    pub fn new(layers: &[Option<&'a Toc>]) -> Self {
        let mut names = Names::default();
        let entries = layers.iter().flatten().map(|toc| toc.len()).sum();
        let mut budget = Budget::new(entries);
        let mut trees: Vec<Option<Tree<'a>>> = Vec::new();
        let mut faults = Vec::new();
        for layer in layers {
            let below: Vec<_> = trees.iter().map(Option::as_ref).collect();
            let made = layer.map(|toc| unpack(toc, &below, &mut names, &mut budget));
            let (tree, fault) = made.map_or((None, None), |made| (Some(made.tree), made.fault));
            trees.push(tree);
            faults.push(fault);
        }
        Self { names, trees, faults }
    }

    /// The file system of these layers as the lazy client shows it, lowest first, and what it does with each of them.
    /// Layers that it does not mount are unpacked onto the others, as containerd does it for the client.
    pub fn mounted(layers: &[Layer<'a>]) -> (Self, Vec<Client>) {
        let mut names = Names::default();
        let shown = compare::shown(layers, &mut names);
        let rootfs = Self {
            names,
            trees: shown.trees,
            faults: shown.faults,
        };
        (rootfs, shown.clients)
    }

    /// Why containerd cannot unpack a layer; the file system holds what the other entries make.
    pub fn fault(&self, layer: usize) -> Option<&UnpackFault> {
        self.faults.get(layer)?.as_ref()
    }

    /// What a path means in a container: links on the way and at its end are followed, and stay inside.
    ///
    /// # Errors
    /// [`LookupFault`]
    pub fn find(&self, path: &[u8]) -> Result<Found, LookupFault> {
        self.look_up(path, true)
    }

    /// The same, but a link at the end of the path is what was looked for.
    ///
    /// # Errors
    /// [`LookupFault`]
    pub fn find_link(&self, path: &[u8]) -> Result<Found, LookupFault> {
        self.look_up(path, false)
    }

    /// Tells everything that is in the file system, parents before children.
    pub fn each(&self, mut visit: impl FnMut(Found)) {
        let stack = self.stack();
        let mut way = Way::default();
        let mut open = vec![(0, None, stack.root())];
        while let Some((depth, name, directory)) = open.pop() {
            way.enter(depth, name);
            let list = stack.list(&directory);
            for places in list.chunk_by(|(a, _), (b, _)| a == b) {
                let name = places[0].0;
                let Some(shown) = stack.merge(places.iter().map(|(_, place)| *place)) else {
                    continue;
                };
                visit(self.found(&stack, way.path(&self.names, Some(name)), &shown));
                if let Shown::Directory(merged) = shown {
                    open.push((way.depth() + 1, Some(name), merged));
                }
            }
        }
    }

    pub(crate) fn names(&self) -> &Names<'a> {
        &self.names
    }

    pub(crate) fn stack(&self) -> Stack<'_, 'a> {
        Stack(self.trees.iter().map(Option::as_ref).collect())
    }

    fn look_up(&self, path: &[u8], follow: bool) -> Result<Found, LookupFault> {
        let stack = self.stack();
        let (way, shown) = walk(&stack, &self.names, path, follow)?;
        Ok(self.found(&stack, self.names.path(&way), &shown))
    }

    fn found(&self, stack: &Stack<'_, 'a>, path: Vec<u8>, shown: &Shown) -> Found {
        let place = shown.place();
        let node = stack.node(place);
        let tree = stack.tree(place);
        let xattrs = tree.xattrs(node).iter();
        Found {
            path,
            layer: place.layer,
            entry: node.entry.map(|entry| entry as usize),
            file_type: node.kind,
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            size: match node.kind {
                FileType::Regular => node.size.max(0) as u64,
                _ => 0,
            },
            links: node.links,
            modified: node.modified,
            link_target: (node.kind == FileType::Symlink).then(|| tree.link_target(node).to_vec()),
            device: match node.kind {
                FileType::CharacterDevice | FileType::BlockDevice => tree.device(node),
                _ => 0,
            },
            unreadable: node.unreadable,
            xattrs: xattrs
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
                .collect(),
            uncertain: node.xattrs_uncertain
                || matches!(node.origin, Origin::Implied { uncertain: true, .. })
                || self.trees[place.layer..].iter().any(Option::is_none),
        }
    }
}
