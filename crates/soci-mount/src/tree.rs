//! The merged file system as inodes: numbers, attributes, names of children. All of it is known before the first
//! request, and nothing of it changes.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, INodeNo};
use soci_image::{Descriptor, SociIndex};
use soci_rootfs::{Client, FileType, Found, Rootfs, Unreadable};

use crate::layer::Contents;
use crate::pull::{Pulled, mounts};
use crate::{Error, Result};

/// The root's number; 0 means "nothing there" in FUSE.
pub(crate) const ROOT: u64 = 1;

/// All inodes; number 1 is the first.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

/// A file, directory or other thing; hard links share it.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its path, of hard links one.
    pub(crate) path: Vec<u8>,
    pub(crate) layer: usize,
    /// The entry of the layer that has its contents.
    pub(crate) entry: Option<usize>,
    /// Of a symbolic link.
    pub(crate) target: Vec<u8>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) unreadable: Option<Unreadable>,
    pub(crate) parent: u64,
    /// Of a directory, by name.
    pub(crate) children: BTreeMap<Box<[u8]>, u64>,
    pub(crate) attributes: FileAttr,
}

impl Tree {
    /// What the client shows of an image. Directories that nothing dates have the time `now`.
    pub(crate) fn new(pulled: &Pulled, index: Option<&SociIndex>, now: SystemTime) -> Result<Self> {
        let descriptors: Vec<Descriptor> = pulled
            .layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect();
        let lazy = pulled.layers.iter().map(|layer| match layer.contents {
            Contents::Spans(_) => Some(&layer.ztoc),
            Contents::Whole(_) => None,
        });
        let mounts = mounts(lazy, &descriptors, index);
        let views: Vec<_> = pulled
            .layers
            .iter()
            .zip(&mounts)
            .map(|(layer, mount)| match mount {
                Some(mount) => soci_rootfs::Layer::mounted(layer.ztoc.toc(), mount),
                None => soci_rootfs::Layer::unpacked(layer.ztoc.toc()),
            })
            .collect();
        let (rootfs, clients) = Rootfs::mounted(&views);
        for (number, layer) in pulled.layers.iter().enumerate() {
            if let Some(fault) = rootfs.fault(number).filter(|_| clients[number] != Client::Mounts) {
                return Err(Error::Unpack {
                    layer: layer.descriptor.digest.to_string(),
                    fault: Box::new(fault.clone()),
                });
            }
        }
        Ok(Self::of(&rootfs, now))
    }

    /// The tree of a file system.
    fn of(rootfs: &Rootfs<'_>, now: SystemTime) -> Self {
        let mut tree = Self { nodes: Vec::new() };
        // An image without layers has no root to look up, but an empty one.
        tree.add(rootfs.find(b"/").ok(), ROOT, now);
        let mut directories: HashMap<Vec<u8>, u64> = HashMap::from([(b"/".to_vec(), ROOT)]);
        let mut shared: HashMap<(usize, usize), u64> = HashMap::new();
        rootfs.each(|found| {
            let cut = found.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            let name: Box<[u8]> = found.path[cut + 1..].into();
            let parent = directories[&found.path[..cut.max(1)]];
            let is_directory = found.file_type == FileType::Directory;
            let path = is_directory.then(|| found.path.clone());
            // One entry has the contents of all hard links to it.
            let key = found
                .entry
                .filter(|_| !is_directory)
                .map(|entry| (found.layer, entry));
            let known = key.and_then(|key| shared.get(&key).copied());
            let number = known.unwrap_or_else(|| tree.add(Some(found), parent, now));
            if let Some(key) = key {
                shared.insert(key, number);
            }
            if let Some(path) = path {
                directories.insert(path, number);
            }
            tree.nodes[parent as usize - 1].children.insert(name, number);
        });
        tree.count_names();
        tree
    }

    fn add(&mut self, found: Option<Found>, parent: u64, now: SystemTime) -> u64 {
        let number = self.nodes.len() as u64 + 1;
        let attributes = attributes(number, found.as_ref(), now);
        let mut node = Node {
            path: b"/".to_vec(),
            layer: 0,
            entry: None,
            target: Vec::new(),
            xattrs: Vec::new(),
            unreadable: None,
            parent,
            children: BTreeMap::new(),
            attributes,
        };
        if let Some(found) = found {
            node.path = found.path;
            node.layer = found.layer;
            node.entry = found.entry;
            node.target = found.link_target.unwrap_or_default();
            node.unreadable = found.unreadable;
            // Marks of overlayfs are about layers; here they are merged.
            node.xattrs = found.xattrs;
            node.xattrs
                .retain(|(key, _)| !key.starts_with(b"trusted.overlay."));
        }
        self.nodes.push(node);
        number
    }

    /// Names that a file has here: other layers can hide some of those in its own.
    fn count_names(&mut self) {
        let mut names: HashMap<u64, u32> = HashMap::new();
        for node in &self.nodes {
            for child in node.children.values() {
                *names.entry(*child).or_default() += 1;
            }
        }
        for node in &mut self.nodes {
            if node.attributes.kind != fuser::FileType::Directory {
                node.attributes.nlink = names.get(&node.attributes.ino.0).copied().unwrap_or(1);
            }
        }
    }

    pub(crate) fn node(&self, number: u64) -> Option<&Node> {
        self.nodes.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    pub(crate) fn child(&self, parent: u64, name: &OsStr) -> Option<&Node> {
        let number = self.node(parent)?.children.get(name.as_bytes())?;
        self.node(*number)
    }

    /// Bytes of all files together, and how many inodes there are.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let bytes = self
            .nodes
            .iter()
            .map(|node| node.attributes.size)
            .fold(0, u64::saturating_add);
        (bytes, self.nodes.len() as u64)
    }
}

fn attributes(number: u64, found: Option<&Found>, now: SystemTime) -> FileAttr {
    let modified = found.and_then(time).unwrap_or(now);
    let size = found.map_or(0, |found| match &found.link_target {
        Some(target) => target.len() as u64,
        None => found.size,
    });
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: modified,
        mtime: modified,
        ctime: modified,
        crtime: modified,
        kind: kind(found.map_or(FileType::Directory, |found| found.file_type)),
        perm: found.map_or(0o755, |found| found.mode),
        // Of a directory 1 says that nobody counted, as on overlayfs.
        nlink: 1,
        uid: found.map_or(0, |found| found.uid),
        gid: found.map_or(0, |found| found.gid),
        rdev: found.map_or(0, |found| found.device),
        blksize: 4096,
        flags: 0,
    }
}

pub(crate) fn kind(file_type: FileType) -> fuser::FileType {
    match file_type {
        FileType::Directory => fuser::FileType::Directory,
        FileType::Regular => fuser::FileType::RegularFile,
        FileType::Symlink => fuser::FileType::Symlink,
        FileType::CharacterDevice => fuser::FileType::CharDevice,
        FileType::BlockDevice => fuser::FileType::BlockDevice,
        FileType::Fifo => fuser::FileType::NamedPipe,
    }
}

pub(crate) fn time(found: &Found) -> Option<SystemTime> {
    let time = found.modified?;
    let seconds = Duration::from_secs(time.seconds().unsigned_abs());
    let whole = match time.seconds() < 0 {
        true => UNIX_EPOCH.checked_sub(seconds),
        false => UNIX_EPOCH.checked_add(seconds),
    };
    whole?.checked_add(Duration::from_nanos(u64::from(time.nanoseconds())))
}
