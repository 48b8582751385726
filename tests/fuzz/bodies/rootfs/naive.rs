//! The same file systems, made the simple way: paths are strings, every look-up begins at the root, and the
//! code follows the programs that it describes line by line. Slow, and of another make than the crate.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::layers::Item;

pub use mount::mount;
pub use unpack::unpack;

#[path = "naive_mount.rs"]
mod mount;
#[path = "naive_unpack.rs"]
mod unpack;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inode {
    pub kind: char,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: Option<i64>,
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// Layer and entry that the contents come from.
    pub contents: Option<(usize, usize)>,
    pub link: String,
    pub size: u64,
    pub links: u32,
    pub opaque: bool,
    pub unreadable: bool,
    pub varies: bool,
    pub implied: bool,
}

/// A layer's files by path, as in `/a/b`.
pub type Files = BTreeMap<String, Rc<RefCell<Inode>>>;

impl Inode {
    pub fn directory() -> Self {
        Self {
            kind: 'd',
            mode: 0o755,
            owner: (0, 0),
            modified: None,
            xattrs: BTreeMap::new(),
            contents: None,
            link: String::new(),
            size: 0,
            links: 1,
            opaque: false,
            unreadable: false,
            varies: false,
            implied: true,
        }
    }

    pub fn whiteout() -> Self {
        Self {
            kind: 'w',
            implied: false,
            ..Self::directory()
        }
    }

    pub fn of(item: &Item, layer: usize, index: usize) -> Self {
        let kind = match item.type_flag {
            b'5' => 'd',
            b'0' => 'f',
            b'2' => 'l',
            b'3' if item.device == (0, 0) => 'w',
            b'3' => 'c',
            b'4' => 'b',
            _ => 'p',
        };
        Self {
            kind,
            mode: item.mode & 0o7777,
            owner: (item.owner.0 as u32, item.owner.1 as u32),
            modified: Some(item.modified),
            contents: Some((layer, index)),
            link: text(&item.link),
            size: item.size,
            implied: false,
            ..Self::directory()
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("names of these layers are ASCII")
}

/// `path.Join("/", …)` of Go.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `filepath.Split` of Go.
pub fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// The program gives up.
#[derive(Debug)]
pub struct Failed;

/// overlayfs: every path of the layers together, with the layer that it comes from.
pub fn merge(layers: &[Files]) -> BTreeMap<String, (usize, Rc<RefCell<Inode>>)> {
    let mut shown = BTreeMap::new();
    let all: Vec<usize> = (0..layers.len()).rev().collect();
    let mut open = vec![(String::new(), all)];
    while let Some((folder, from)) = open.pop() {
        let prefix = format!("{folder}/");
        let names: BTreeSet<String> = from
            .iter()
            .flat_map(|layer| layers[*layer].keys())
            .filter_map(|path| path.strip_prefix(&prefix))
            .filter(|rest| !rest.contains('/'))
            .map(str::to_owned)
            .collect();
        for name in names {
            let path = format!("{prefix}{name}");
            let (mut below, mut phantom) = (Vec::new(), None);
            for layer in &from {
                let Some(inode) = layers[*layer].get(&path) else {
                    continue;
                };
                let kind = inode.borrow().kind;
                if kind == 'd' {
                    below.push(*layer);
                    shown.entry(path.clone()).or_insert((*layer, inode.clone()));
                    if inode.borrow().opaque {
                        break;
                    }
                    continue;
                }
                if kind == 'x' {
                    phantom.get_or_insert((*layer, inode.clone()));
                    continue;
                }
                if kind != 'w' && below.is_empty() {
                    shown.insert(path.clone(), (*layer, inode.clone()));
                }
                break;
            }
            if let Some(phantom) = phantom {
                shown.entry(path.clone()).or_insert(phantom);
            }
            if !below.is_empty() {
                open.push((path, below));
            }
        }
    }
    shown
}
