//! What the files of an image take, and what of it nobody sees.

use std::collections::{HashMap, HashSet};

use soci_ztoc::ztoc::Toc;

use crate::path::WHITEOUT;
use crate::rootfs::{Found, Rootfs};
use crate::tree::FileType;

/// The unpacked file system of an image with the sizes of all that is in it.
///
/// Sizes are bytes of contents, uncompressed; a file with several names counts once, under the first of them.
#[derive(Debug)]
pub struct Usage {
    /// The root first; parents before children, the children of one directory side by side.
    nodes: Vec<Node>,
    names: Vec<u8>,
    layers: Vec<LayerUsage>,
    hidden: Vec<Hidden>,
}

/// One name of the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// The directory that it is in; the root is in itself.
    pub parent: usize,
    /// What it is.
    pub kind: FileType,
    /// The layer that it comes from, from 0 for the lowest; of a directory the one with its attributes.
    pub layer: usize,
    /// Bytes of its contents, or of all that is below it.
    pub size: u64,
    /// Files below it, or 1.
    pub files: u64,
    name: (u32, u32),
    children: (u32, u32),
}

/// What one layer holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerUsage {
    /// Whether its table of contents is known; nothing is counted otherwise.
    pub known: bool,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Bytes of those that are not in the file system: another entry, most often of a layer above, replaces or deletes
    /// them.
    pub hidden: u64,
    /// How many those are.
    pub hidden_files: u64,
}

/// A file of a layer that is not in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hidden {
    /// Its layer.
    pub layer: usize,
    /// Its name as the layer has it.
    pub name: Vec<u8>,
    /// Bytes of its contents.
    pub size: u64,
}

impl Usage {
    /// The file system of these layers, lowest first; `None` is a layer that is not known. Of the files that are hidden,
    /// the largest are kept by name, at most `listed`.
    pub fn of(layers: &[Option<&Toc>], listed: usize) -> Self {
        let mut usage = Self {
            nodes: vec![Node {
                parent: 0,
                kind: FileType::Directory,
                layer: 0,
                size: 0,
                files: 0,
                name: (0, 0),
                children: (1, 0),
            }],
            names: Vec::new(),
            layers: Vec::new(),
            hidden: Vec::new(),
        };
        let mut seen: Vec<Vec<bool>> = (layers.iter())
            .map(|layer| vec![false; layer.map_or(0, Toc::len)])
            .collect();
        let mut directories: HashMap<Vec<u8>, usize> = HashMap::from([(Vec::new(), 0)]);
        let mut linked = HashSet::new();
        Rootfs::new(layers).each(|found| {
            if let Some(entry) = found.entry {
                seen[found.layer][entry] = true;
            }
            let again = found.links > 1 && !linked.insert((found.layer, found.entry));
            usage.add(found, again, &mut directories);
        });
        for node in (1..usage.nodes.len()).rev() {
            let Node {
                parent, size, files, ..
            } = usage.nodes[node];
            usage.nodes[parent].size += size;
            usage.nodes[parent].files += files;
        }
        for (layer, (toc, seen)) in layers.iter().zip(&seen).enumerate() {
            let counted = usage.count(layer, *toc, seen);
            usage.layers.push(counted);
        }
        usage
            .hidden
            .sort_by(|a, b| (b.size, a.layer, &a.name).cmp(&(a.size, b.layer, &b.name)));
        usage.hidden.truncate(listed);
        usage
    }

    fn add(&mut self, found: Found, again: bool, directories: &mut HashMap<Vec<u8>, usize>) {
        let at = found.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (folder, name) = (&found.path[..at], &found.path[at + 1..]);
        let Some(parent) = directories.get(folder).copied() else {
            return;
        };
        let node = self.nodes.len();
        let start = self.names.len() as u32;
        self.names.extend_from_slice(name);
        let children = &mut self.nodes[parent].children;
        if children.1 == 0 {
            children.0 = node as u32;
        }
        children.1 += 1;
        let is_file = found.file_type == FileType::Regular;
        self.nodes.push(Node {
            parent,
            kind: found.file_type,
            layer: found.layer,
            size: if again { 0 } else { found.size },
            files: u64::from(is_file),
            name: (start, name.len() as u32),
            children: (0, 0),
        });
        if found.file_type == FileType::Directory {
            directories.insert(found.path, node);
        }
    }

    /// One layer, and its hidden files into the list.
    fn count(&mut self, layer: usize, toc: Option<&Toc>, seen: &[bool]) -> LayerUsage {
        let mut usage = LayerUsage::default();
        let Some(toc) = toc else { return usage };
        usage.known = true;
        for (entry, seen) in toc.iter().zip(seen) {
            let size = entry.data_size();
            usage.bytes += size;
            let base = entry.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            if *seen || size == 0 || base.starts_with(WHITEOUT) {
                continue;
            }
            usage.hidden += size;
            usage.hidden_files += 1;
            self.hidden.push(Hidden {
                layer,
                name: entry.name.to_vec(),
                size,
            });
        }
        usage
    }

    /// The node with this number; the root has 0.
    pub fn node(&self, node: usize) -> Option<&Node> {
        self.nodes.get(node)
    }

    /// The last part of a node's path; empty for the root.
    pub fn name(&self, node: &Node) -> &[u8] {
        let (start, length) = node.name;
        &self.names[start as usize..][..length as usize]
    }

    /// The whole path, from the root.
    pub fn path(&self, node: usize) -> Vec<u8> {
        let mut parts = Vec::new();
        let mut at = node;
        while let Some(node) = self.nodes.get(at).filter(|_| at != 0) {
            parts.push(self.name(node));
            at = node.parent;
        }
        let mut path = Vec::new();
        for part in parts.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(part);
        }
        path
    }

    /// The numbers of what is in a directory, largest first.
    pub fn children(&self, node: usize) -> Vec<usize> {
        let (first, count) = self.nodes.get(node).map_or((0, 0), |node| node.children);
        let mut children: Vec<usize> = (first as usize..(first + count) as usize).collect();
        self.sort(&mut children);
        children
    }

    /// The numbers of everything whose name has this text in it, in whatever case, or whose path has where the text has a
    /// `/` itself; largest first.
    pub fn search(&self, text: &[u8]) -> Vec<usize> {
        if text.is_empty() {
            return Vec::new();
        }
        let text = text.to_ascii_lowercase();
        let by_path = text.contains(&b'/');
        let fits = |node: &usize| match by_path {
            true => holds(&self.path(*node), &text),
            false => holds(self.name(&self.nodes[*node]), &text),
        };
        let mut found: Vec<usize> = (1..self.nodes.len()).filter(fits).collect();
        self.sort(&mut found);
        found
    }

    /// What each layer holds, lowest first.
    pub fn layers(&self) -> &[LayerUsage] {
        &self.layers
    }

    /// The largest files that are in a layer and not in the file system, largest first.
    pub fn hidden(&self) -> &[Hidden] {
        &self.hidden
    }

    fn sort(&self, nodes: &mut [usize]) {
        nodes.sort_by(|a, b| {
            let (one, other) = (&self.nodes[*a], &self.nodes[*b]);
            (other.size, self.name(one), a).cmp(&(one.size, self.name(other), b))
        });
    }
}

/// Whether the bytes have these in them; `text` is in lower case.
fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window.eq_ignore_ascii_case(text))
}
