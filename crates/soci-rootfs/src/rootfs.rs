//! Looking paths up in the unpacked file system.

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::Toc;

use crate::fault::UnpackFault;
use crate::names::{NameId, Names};
use crate::path::parts;
use crate::resolve::{Budget, KERNEL_LINKS};
use crate::stack::{Merged, Shown, Stack, Way};
use crate::tree::{FileType, Tree};
use crate::unpack::unpack;

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
    /// Extended attributes, names ascending.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// A layer above it is not known and can hide or replace it.
    pub uncertain: bool,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFault {
    /// No layer has it.
    #[error("'{}' is not in the image", path.escape_ascii())]
    Missing {
        /// The path; after following links perhaps not the one given.
        path: Vec<u8>,
    },
    /// No layer that is known has it, but one is not known.
    #[error("'{}' is in no layer that could be read; it may be in another", path.escape_ascii())]
    Unknown {
        /// The path; after following links perhaps not the one given.
        path: Vec<u8>,
    },
    /// Links lead in a circle, or through more than 40 others.
    #[error("too many links on the way to '{}'", path.escape_ascii())]
    TooManyLinks {
        /// The path that was looked for.
        path: Vec<u8>,
    },
    /// A part of the way is not a directory.
    #[error("'{}' is not a directory", path.escape_ascii())]
    NotADirectory {
        /// That part.
        path: Vec<u8>,
    },
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

    /// Why containerd cannot unpack a layer; the file system holds what the other entries make.
    pub fn fault(&self, layer: usize) -> Option<&UnpackFault> {
        self.faults.get(layer)?.as_ref()
    }

    /// What a path means in a container: links on the way and at its end are followed, and stay inside.
    ///
    /// # Errors
    /// [`LookupFault`]
    pub fn find(&self, path: &[u8]) -> Result<Found, LookupFault> {
        self.walk_to(path, true)
    }

    /// The same, but a link at the end of the path is what was looked for.
    ///
    /// # Errors
    /// [`LookupFault`]
    pub fn find_link(&self, path: &[u8]) -> Result<Found, LookupFault> {
        self.walk_to(path, false)
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

    fn stack(&self) -> Stack<'_, 'a> {
        Stack(self.trees.iter().map(Option::as_ref).collect())
    }

    fn walk_to(&self, path: &[u8], follow: bool) -> Result<Found, LookupFault> {
        let stack = self.stack();
        let mut open: Vec<Vec<u8>> = parts(path).map(<[u8]>::to_vec).collect();
        open.reverse();
        let mut way: Vec<NameId> = Vec::new();
        let mut at = vec![Shown::Directory(stack.root())];
        let mut links = 0;
        while let Some(part) = open.pop() {
            let directory = match at.last() {
                Some(Shown::Directory(merged)) => merged,
                _ => {
                    let path = self.names.path(&way);
                    return Err(LookupFault::NotADirectory { path });
                }
            };
            if part == b".." {
                way.pop();
                if at.len() > 1 {
                    at.pop();
                }
                continue;
            }
            let name = self.names.get(&part);
            let child = name.and_then(|name| Some((name, stack.child(directory, name)?)));
            let Some((name, shown)) = child else {
                return Err(self.missing(&way, &part, &open));
            };
            let place = shown.place();
            let node = stack.node(place);
            if node.kind != FileType::Symlink || (open.is_empty() && !follow) {
                way.push(name);
                at.push(shown);
                continue;
            }
            links += 1;
            if links > KERNEL_LINKS {
                return Err(LookupFault::TooManyLinks { path: path.to_vec() });
            }
            let target = stack.tree(place).link_target(node);
            if target.first() == Some(&b'/') {
                way.clear();
                at.truncate(1);
            }
            let steps: Vec<Vec<u8>> = parts(target).map(<[u8]>::to_vec).collect();
            open.extend(steps.into_iter().rev());
        }
        let found = at
            .last()
            .filter(|shown| **shown != Shown::Directory(Merged::new()));
        let found = found.ok_or_else(|| self.missing(&way, b"", &[]))?;
        Ok(self.found(&stack, self.names.path(&way), found))
    }

    fn missing(&self, way: &[NameId], part: &[u8], open: &[Vec<u8>]) -> LookupFault {
        let mut path = Vec::new();
        for component in way
            .iter()
            .map(|name| self.names.text(*name))
            .chain([part])
            .chain(open.iter().rev().map(|part| &part[..]))
        {
            path.push(b'/');
            path.extend_from_slice(component);
        }
        if self.trees.iter().any(Option::is_none) {
            LookupFault::Unknown { path }
        } else {
            LookupFault::Missing { path }
        }
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
            xattrs: xattrs
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
                .collect(),
            uncertain: self.trees[place.layer..].iter().any(Option::is_none),
        }
    }
}
