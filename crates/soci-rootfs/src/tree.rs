//! The tree of one layer: nodes in an arena, names of children in one ordered map.

use std::collections::BTreeMap;
use std::fmt;

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::{EntryType, Toc};

use crate::names::NameId;
use crate::source::{self, Entry};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// A directory.
    Directory,
    /// A file with contents.
    Regular,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Regular => "a file",
            Self::Symlink => "a symbolic link",
            Self::CharacterDevice => "a character device",
            Self::BlockDevice => "a block device",
            Self::Fifo => "a named pipe",
        })
    }
}

impl FileType {
    /// The type of an entry; a hard link has the type of its target.
    pub(crate) fn of(kind: EntryType) -> Option<Self> {
        Some(match kind {
            EntryType::Regular => Self::Regular,
            EntryType::Symlink => Self::Symlink,
            EntryType::CharacterDevice => Self::CharacterDevice,
            EntryType::BlockDevice => Self::BlockDevice,
            EntryType::Directory => Self::Directory,
            EntryType::Fifo => Self::Fifo,
            EntryType::HardLink => return None,
        })
    }
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// The root of every tree.
pub(crate) const ROOT: NodeId = NodeId(0);

/// One file, directory or other thing; hard links share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: FileType,
    /// What overlayfs takes as the mark of a deletion: a character device 0/0.
    pub(crate) whiteout: bool,
    /// A directory that hides what lies below it.
    pub(crate) opaque: bool,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Names that it has, as `stat` tells it.
    pub(crate) links: u32,
    pub(crate) size: i64,
    /// `None` is the time of unpacking, or none at all.
    pub(crate) modified: Option<Timestamp>,
    /// The entry that holds its contents or target.
    pub(crate) entry: Option<u32>,
    pub(crate) origin: Origin,
    /// Reading it from the lazy client ends with an I/O error.
    pub(crate) unreadable: Option<Unreadable>,
    /// Which of its extended attributes the client keeps differs from run to run.
    pub(crate) xattrs_vary: bool,
    /// A directory that was implied before it was listed: it keeps attributes of a layer that is not known.
    pub(crate) xattrs_uncertain: bool,
    pub(crate) xattrs: u32,
}

/// Where a node's attributes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From an entry of the layer.
    Listed,
    /// No entry lists the directory; another stands in it. `from` is the layer that its attributes are copied
    /// from; `uncertain` if a layer that is not known may have it as well.
    Implied { from: Option<u32>, uncertain: bool },
    /// The client's own directory in the root of each mount.
    State,
}

/// Why the lazy client cannot read a file that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Clients find a header where the entry before it ends; that one has a size but no data.
    #[error(
        "the entry in front of it has a size but no data, so the client looks for its header in a wrong place"
    )]
    HeaderMisplaced,
    /// The header's owner does not fit into the zTOC's 32 bits.
    #[error("its owner's number does not fit into 32 bits")]
    Owner,
    /// The header's time is before year 0 or behind year 9999, which a zTOC cannot hold.
    #[error("its modification time lies outside the years 0 to 9999")]
    Time,
    /// The mode's upper bits name another type than the type byte.
    #[error("the upper bits of its mode name another type")]
    Mode,
    /// Of several extended attributes some are empty: the client loses those, some runs more, some less.
    #[error("it has several extended attributes of which some are empty, and the client loses those")]
    EmptyXattrs,
    /// It ends a plain tar exactly where a span ends; the client looks for a span behind it.
    #[error("it ends the layer exactly where a span ends, and the client looks for another one")]
    EndOfLastSpan,
}

/// Extended attributes, names ascending.
pub(crate) type XattrList<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The tree of one layer.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    toc: &'a Toc,
    nodes: Vec<Node>,
    children: BTreeMap<(NodeId, NameId), NodeId>,
    /// The first is empty.
    xattrs: Vec<XattrList<'a>>,
    /// Names that the client lists and does not find.
    phantoms: Vec<(NodeId, NameId)>,
    /// Grows with every change that can lead a path elsewhere.
    version: u64,
}

impl<'a> Tree<'a> {
    /// An empty root directory, for the entries of this table.
    pub(crate) fn new(toc: &'a Toc) -> Self {
        Self {
            toc,
            nodes: vec![Node::directory(Origin::Implied {
                from: None,
                uncertain: false,
            })],
            children: BTreeMap::new(),
            xattrs: vec![Vec::new()],
            phantoms: Vec::new(),
            version: 0,
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    pub(crate) fn child(&self, parent: NodeId, name: NameId) -> Option<NodeId> {
        self.children.get(&(parent, name)).copied()
    }

    /// Gives a node a name; what had the name loses it.
    pub(crate) fn set_child(&mut self, parent: NodeId, name: NameId, child: NodeId) {
        let before = self.children.insert((parent, name), child);
        if before.is_some_and(|before| before != child) || self.node(child).kind == FileType::Symlink {
            self.version += 1;
        }
    }

    /// Names and nodes of a directory.
    pub(crate) fn list(&self, parent: NodeId) -> impl Iterator<Item = (NameId, NodeId)> {
        let last = NodeId(parent.0 + 1);
        self.children
            .range((parent, NameId::FIRST)..(last, NameId::FIRST))
            .map(|((_, name), child)| (*name, *child))
    }

    /// Takes a name away with all that is below it.
    pub(crate) fn remove(&mut self, parent: NodeId, name: NameId) {
        let Some(child) = self.children.remove(&(parent, name)) else {
            return;
        };
        self.version += 1;
        let mut open = vec![child];
        while let Some(id) = open.pop() {
            let node = self.node_mut(id);
            node.links = node.links.saturating_sub(1);
            let below: Vec<NameId> = self.list(id).map(|(name, _)| name).collect();
            for name in below {
                open.extend(self.children.remove(&(id, name)));
            }
        }
    }

    /// A hard link to a directory makes a directory with two names, perhaps one inside the other. What a kernel
    /// makes of that nobody should have to know: here it is empty under each of its names.
    pub(crate) fn part_directories_with_two_names(&mut self) {
        let directories = |tree: &Self, id: NodeId| tree.node(id).kind == FileType::Directory;
        let mut named = vec![false; self.nodes.len()];
        named[0] = true;
        let mut twice = Vec::new();
        for child in self.children.values() {
            if std::mem::replace(&mut named[child.0 as usize], true) && directories(self, *child) {
                twice.push(*child);
            }
        }
        for id in twice {
            let below: Vec<NameId> = self.list(id).map(|(name, _)| name).collect();
            for name in below {
                self.forget(id, name);
            }
        }
    }

    /// Takes a name away; what had it stays for its other names.
    pub(crate) fn forget(&mut self, parent: NodeId, name: NameId) {
        self.children.remove(&(parent, name));
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The target of a symbolic link.
    pub(crate) fn link_target(&self, node: &Node) -> &'a [u8] {
        let entry = node.entry.and_then(|entry| source::entry(self.toc, entry));
        entry.map_or(&[], |entry| entry.link_name)
    }

    /// The number of a device.
    pub(crate) fn device(&self, node: &Node) -> u32 {
        let entry = node.entry.and_then(|entry| source::entry(self.toc, entry));
        entry.map_or(0, |entry| device_number(entry.device))
    }

    pub(crate) fn set_phantoms(&mut self, mut phantoms: Vec<(NodeId, NameId)>) {
        phantoms.sort_unstable();
        phantoms.dedup();
        self.phantoms = phantoms;
    }

    /// Names that a directory lists and does not have.
    pub(crate) fn phantoms(&self, parent: NodeId) -> impl Iterator<Item = NameId> {
        let from = self.phantoms.partition_point(|(at, _)| *at < parent);
        self.phantoms[from..]
            .iter()
            .take_while(move |(at, _)| *at == parent)
            .map(|(_, name)| *name)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    pub(crate) fn xattrs(&self, node: &Node) -> &[(&'a [u8], &'a [u8])] {
        &self.xattrs[node.xattrs as usize]
    }

    pub(crate) fn set_xattrs(&mut self, id: NodeId, xattrs: XattrList<'a>) {
        let at = if xattrs.is_empty() {
            0
        } else {
            self.xattrs.push(xattrs);
            self.xattrs.len() as u32 - 1
        };
        self.node_mut(id).xattrs = at;
    }
}

impl Node {
    /// A directory as both sides make one that nothing is known of.
    pub(crate) fn directory(origin: Origin) -> Self {
        Self {
            kind: FileType::Directory,
            whiteout: false,
            opaque: false,
            mode: 0o755,
            uid: 0,
            gid: 0,
            links: 1,
            size: 0,
            modified: None,
            entry: None,
            origin,
            unreadable: None,
            xattrs_vary: false,
            xattrs_uncertain: false,
            xattrs: 0,
        }
    }

    /// The mark of a deletion.
    pub(crate) fn deletion() -> Self {
        Self {
            kind: FileType::CharacterDevice,
            whiteout: true,
            ..Self::directory(Origin::Listed)
        }
    }

    /// What an entry makes, its attributes as they are in the table of contents.
    pub(crate) fn of(kind: FileType, entry: &Entry<'_>) -> Self {
        Self {
            kind,
            whiteout: kind == FileType::CharacterDevice && device_number(entry.device) == 0,
            mode: entry.permissions(),
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            modified: entry.modified,
            entry: Some(entry.index),
            ..Self::directory(Origin::Listed)
        }
    }
}

/// A device number as the kernel gets it: 32 bits of glibc's `makedev`, 12 for the major and 20 for the minor.
fn device_number((major, minor): (i64, i64)) -> u32 {
    let (major, minor) = (major as u32, minor as u32);
    ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xffff_ff00) << 12)
}
