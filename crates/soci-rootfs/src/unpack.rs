//! The tree that containerd makes of a layer: its archive code, unpacking for overlayfs into a folder of the
//! layer's own (<https://github.com/containerd/containerd>, archive/tar.go, v1.6.20, 2026-11-28).

use std::collections::BTreeSet;

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::{EntryType, Toc};

use crate::fault::UnpackFault;
use crate::names::{NameId, Names};
use crate::path::{OPAQUE, WHITEOUT};
use crate::resolve::{Blocked, Budget, NAME_LIMIT, Text, node_at, root_path};
use crate::source::{self, Entry};
use crate::tree::{FileType, Node, NodeId, Origin, ROOT, Tree};
use crate::xattr::{self, Setting};

/// The tree, and the first thing that containerd would stop at; the tree goes on behind it.
#[derive(Debug)]
pub(crate) struct Unpacked<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) fault: Option<UnpackFault>,
}

/// Unpacks a layer above others: their trees, lowest first, `None` for a layer that is not known.
pub(crate) fn unpack<'a>(
    toc: &'a Toc,
    below: &[Option<&Tree<'a>>],
    names: &mut Names<'a>,
    budget: &mut Budget,
) -> Unpacked<'a> {
    let mut unpacking = Unpacking {
        tree: Tree::new(toc),
        below,
        names,
        budget,
        folder: Vec::new(),
        last: None,
        directories: Vec::new(),
        listed: None,
    };
    // Only such a mark asks what the layer lists, and only in the lowest layer.
    if below.is_empty() && source::entries(toc).any(|entry| entry.name.ends_with(OPAQUE)) {
        unpacking.listed = Some(BTreeSet::new());
    }
    let mut fault = None;
    for entry in source::entries(toc) {
        if let Err(error) = unpacking.entry(&entry) {
            fault.get_or_insert(error);
        }
    }
    if let Err(error) = unpacking.set_times_of_directories() {
        fault.get_or_insert(error);
    }
    Unpacked {
        tree: unpacking.tree,
        fault,
    }
}

struct Unpacking<'u, 'a> {
    tree: Tree<'a>,
    below: &'u [Option<&'u Tree<'a>>],
    names: &'u mut Names<'a>,
    budget: &'u mut Budget,
    /// Where the parent of the entry really is.
    folder: Vec<NameId>,
    /// Parent of the entry before, its node, and the version of the tree for which that and `folder` are true.
    last: Option<(Vec<NameId>, NodeId, u64)>,
    /// Listed directories; their times are set in the end.
    directories: Vec<(Text, Entry<'a>)>,
    /// Paths that entries have made, where they are asked for.
    listed: Option<BTreeSet<Vec<NameId>>>,
}

impl<'a> Unpacking<'_, 'a> {
    fn entry(&mut self, entry: &Entry<'a>) -> Result<(), UnpackFault> {
        let components = crate::path::components(entry.name);
        let Some((base, above)) = components.split_last() else {
            // The root itself is not unpacked.
            return Ok(());
        };
        if entry.name.len() > PATH_LIMIT {
            return Err(UnpackFault::NameTooLong {
                name: entry.name.into(),
            });
        }
        let above: Vec<NameId> = above.iter().map(|part| self.names.intern(part)).collect();
        let absolute = matches!(entry.name, [b'/', ..] | [b'.', b'.', b'/', ..]);
        let parent = self.parent(entry, absolute, &above)?;
        if let Some(original) = base.strip_prefix(WHITEOUT) {
            return match (self.below.is_empty(), *base == OPAQUE) {
                (true, true) => {
                    self.empty(parent);
                    Ok(())
                }
                (true, false) => self.remove(entry, parent, original),
                (false, true) => {
                    self.tree.node_mut(parent).opaque = true;
                    Ok(())
                }
                (false, false) => self.whiteout(entry, parent, original),
            };
        }
        if base.len() > NAME_LIMIT {
            return Err(UnpackFault::NameTooLong {
                name: entry.name.into(),
            });
        }
        let base = self.names.intern(base);
        let directory = entry.kind == EntryType::Directory;
        let existing = self.tree.child(parent, base);
        let kept = existing.filter(|node| directory && self.tree.node(*node).kind == FileType::Directory);
        if existing.is_some() && kept.is_none() {
            self.tree.remove(parent, base);
        }
        let node = match (kept, FileType::of(entry.kind)) {
            (Some(node), _) => {
                self.apply_attributes(node, entry)?;
                node
            }
            (None, Some(kind)) => self.create(parent, base, kind, entry)?,
            (None, None) => {
                let target = self.hard_link_target(entry)?;
                self.tree.node_mut(target).links += 1;
                self.tree.set_child(parent, base, target);
                self.apply_attributes(target, entry)?;
                target
            }
        };
        if let Some(listed) = &mut self.listed {
            listed.insert(self.folder.iter().copied().chain([base]).collect());
        }
        if directory {
            let node = self.tree.node_mut(node);
            node.xattrs_uncertain |= matches!(node.origin, Origin::Implied { uncertain: true, .. });
            node.origin = Origin::Listed;
            let path: Vec<NameId> = above.into_iter().chain([base]).collect();
            self.directories.push((Text::of(absolute, &path), *entry));
        }
        Ok(())
    }

    /// The directory that an entry goes into, made if it is missing.
    fn parent(&mut self, entry: &Entry<'a>, absolute: bool, above: &[NameId]) -> Result<NodeId, UnpackFault> {
        if above.is_empty() {
            self.folder.clear();
            self.last = None;
            return Ok(ROOT);
        }
        if let Some((path, node, version)) = &self.last
            && path == above
            && *version == self.tree.version()
        {
            return Ok(*node);
        }
        let path = root_path(&self.tree, self.names, Text::of(absolute, above), self.budget)
            .map_err(|blocked| blocked.fault(entry))?;
        let mut at = ROOT;
        for depth in 0..path.len() {
            let name = path[depth];
            if self.names.text(name).len() > NAME_LIMIT {
                return Err(Blocked::NameTooLong.fault(entry));
            }
            at = match self.tree.child(at, name) {
                Some(node) if self.tree.node(node).kind == FileType::Directory => node,
                Some(_) => return Err(Blocked::NotADirectory.fault(entry)),
                None => {
                    let node = self
                        .implied_directory(&path[..=depth])
                        .map_err(|blocked| blocked.fault(entry))?;
                    self.tree.set_child(at, name, node);
                    node
                }
            };
        }
        self.folder = path;
        self.last = Some((above.to_vec(), at, self.tree.version()));
        Ok(at)
    }

    /// A directory that no entry has listed so far: it looks as in the highest layer below that has it.
    fn implied_directory(&mut self, path: &[NameId]) -> Result<NodeId, Blocked> {
        let mut uncertain = false;
        for (index, below) in self.below.iter().enumerate().rev() {
            let Some(tree) = below else {
                uncertain = true;
                continue;
            };
            let there = root_path(tree, self.names, Text::of(true, path), self.budget)?;
            let Some(found) = node_at(tree, &there) else {
                continue;
            };
            let found = *tree.node(found);
            if found.kind != FileType::Directory {
                break;
            }
            let xattrs = tree.xattrs(&found).iter().filter(|(key, value)| {
                matches!(xattr::setting(FileType::Directory, key, value), Setting::Set)
            });
            let xattrs = xattrs.copied().collect();
            let from = match found.origin {
                // What is copied on is still the fault, or the merit, of the layer where it began.
                Origin::Implied { from: Some(from), .. } => from,
                _ => index as u32,
            };
            let node = self.tree.add(Node {
                mode: found.mode,
                uid: found.uid,
                gid: found.gid,
                ..Node::directory(Origin::Implied {
                    from: Some(from),
                    uncertain: uncertain || matches!(found.origin, Origin::Implied { uncertain: true, .. }),
                })
            });
            self.tree.set_xattrs(node, xattrs);
            return Ok(node);
        }
        Ok(self.tree.add(Node::directory(Origin::Implied {
            from: None,
            uncertain,
        })))
    }

    /// A deletion above other layers is a device file that overlayfs takes for one.
    fn whiteout(&mut self, entry: &Entry<'a>, parent: NodeId, original: &'a [u8]) -> Result<(), UnpackFault> {
        let original = self.deleted(entry, original)?;
        if self.tree.child(parent, original).is_some() {
            return Err(UnpackFault::DeletesOwnEntry {
                name: entry.name.into(),
            });
        }
        let node = self.tree.add(Node::deletion());
        self.tree.set_child(parent, original, node);
        Ok(())
    }

    /// A deletion in the lowest layer takes away what the layer itself has made.
    fn remove(&mut self, entry: &Entry<'a>, parent: NodeId, original: &'a [u8]) -> Result<(), UnpackFault> {
        let original = self.deleted(entry, original)?;
        self.tree.remove(parent, original);
        Ok(())
    }

    /// What a deletion names.
    fn deleted(&mut self, entry: &Entry<'a>, original: &'a [u8]) -> Result<NameId, UnpackFault> {
        let name = entry.name.into();
        if matches!(original, b"" | b"." | b"..") {
            return Err(UnpackFault::InvalidWhiteout { name });
        }
        if original.len() > NAME_LIMIT {
            return Err(UnpackFault::NameTooLong { name });
        }
        Ok(self.names.intern(original))
    }

    /// An opaque directory of the lowest layer loses what no entry has listed so far: directories that are
    /// only implied, with everything in them.
    fn empty(&mut self, directory: NodeId) {
        let Some(listed) = self.listed.take() else {
            return;
        };
        let mut path = self.folder.clone();
        let mut open = vec![(path.len(), None, directory)];
        while let Some((depth, name, at)) = open.pop() {
            path.truncate(depth);
            path.extend(name);
            let below: Vec<_> = self.tree.list(at).collect();
            for (name, node) in below {
                path.push(name);
                if !listed.contains(&path) {
                    self.tree.remove(at, name);
                } else if self.tree.node(node).kind == FileType::Directory {
                    open.push((path.len() - 1, Some(name), node));
                }
                path.pop();
            }
        }
        self.listed = Some(listed);
    }

    fn create(
        &mut self,
        parent: NodeId,
        base: NameId,
        kind: FileType,
        entry: &Entry<'a>,
    ) -> Result<NodeId, UnpackFault> {
        let target = entry.link_name.len();
        if kind == FileType::Symlink && (target == 0 || target > TARGET_LIMIT) {
            return Err(UnpackFault::LinkTarget {
                name: entry.name.into(),
            });
        }
        let node = self.tree.add(Node {
            uid: 0,
            gid: 0,
            size: entry.data_size() as i64,
            ..Node::of(kind, entry)
        });
        self.tree.set_child(parent, base, node);
        self.apply_attributes(node, entry)?;
        Ok(node)
    }

    fn hard_link_target(&mut self, entry: &Entry<'a>) -> Result<NodeId, UnpackFault> {
        let split = entry.link_name.iter().rposition(|byte| *byte == b'/');
        let (above, base) = entry.link_name.split_at(split.map_or(0, |slash| slash + 1));
        let above = Text::read(above, self.names);
        let mut path =
            root_path(&self.tree, self.names, above, self.budget).map_err(|blocked| blocked.fault(entry))?;
        match base {
            b"" | b"." => {}
            b".." => {
                path.pop();
            }
            base => path.push(self.names.intern(base)),
        }
        let (name, target) = (entry.name.into(), entry.link_name.into());
        match node_at(&self.tree, &path) {
            Some(node) if self.tree.node(node).kind == FileType::Directory => {
                Err(UnpackFault::HardLinkToDirectory { name, target })
            }
            Some(node) => Ok(node),
            None => Err(UnpackFault::HardLinkTarget { name, target }),
        }
    }

    /// Owner, extended attributes, mode, time: of a hard link they go to the one inode, and the last one wins.
    fn apply_attributes(&mut self, id: NodeId, entry: &Entry<'a>) -> Result<(), UnpackFault> {
        let node = self.tree.node_mut(id);
        // -1 leaves the owner as it is.
        if entry.uid != u32::MAX {
            node.uid = entry.uid;
        }
        if entry.gid != u32::MAX {
            node.gid = entry.gid;
        }
        node.mode = match node.kind {
            FileType::Symlink => 0o777,
            _ => entry.permissions(),
        };
        node.modified = Some(bounded(entry.modified));
        let kind = node.kind;
        let given = entry.xattrs();
        if given.is_empty() {
            return Ok(());
        }
        let mut xattrs = self.tree.xattrs(self.tree.node(id)).to_vec();
        for (key, value) in given {
            match xattr::setting(kind, key, value) {
                Setting::Set => match xattrs.binary_search_by_key(&key, |(key, _)| key) {
                    Ok(at) => xattrs[at].1 = value,
                    Err(at) => xattrs.insert(at, (key, value)),
                },
                Setting::Ignored => {}
                Setting::Refused => {
                    return Err(UnpackFault::Xattr {
                        name: entry.name.into(),
                        key: key.into(),
                    });
                }
            }
        }
        self.tree.set_xattrs(id, xattrs);
        Ok(())
    }

    fn set_times_of_directories(&mut self) -> Result<(), UnpackFault> {
        let mut first = Ok(());
        for (path, entry) in std::mem::take(&mut self.directories) {
            let set = root_path(&self.tree, self.names, path, self.budget)
                .map_err(|blocked| blocked.fault(&entry))
                .and_then(|path| {
                    node_at(&self.tree, &path).ok_or(UnpackFault::DirectoryGone {
                        name: entry.name.into(),
                    })
                });
            match set {
                Ok(node) => self.tree.node_mut(node).modified = Some(bounded(entry.modified)),
                Err(fault) => first = first.and(Err(fault)),
            }
        }
        first
    }
}

/// Times that nanoseconds since 1970 do not hold in 63 bits become 1970.
fn bounded(time: Option<Timestamp>) -> Timestamp {
    const LAST: (i64, u32) = (i64::MAX / 1_000_000_000, (i64::MAX % 1_000_000_000) as u32);
    time.filter(|time| time.seconds() >= 0 && (time.seconds(), time.nanoseconds()) <= LAST)
        .unwrap_or_default()
}

/// The kernel takes paths of up to 4095 bytes, the folder of the layer included.
const PATH_LIMIT: usize = 4000;

/// Longest target of a symbolic link.
const TARGET_LIMIT: usize = 4095;
