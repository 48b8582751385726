//! The tree that the lazy client shows of a layer (<https://github.com/awslabs/soci-snapshotter>, 77fb4266:
//! metadata/reader.go, metadata/db.go, fs/layer/node.go, fs/reader/reader.go, 2026-11-28).
//!
//! No link is followed, neither on the way to an entry nor to the target of a hard link; what stands below a
//! link is a child of the link, where nobody finds it.

use std::collections::{BTreeMap, BTreeSet};

use soci_ztoc::ztoc::{EntryType, Toc};

use crate::names::{NameId, Names};
use crate::path::{OPAQUE, WHITEOUT, components};
use crate::source::{self, Entry, Mount};
use crate::tree::{FileType, Node, NodeId, Origin, ROOT, Tree, Unreadable};
use crate::xattr::OVERLAY_OPAQUE;

/// A hard link that the client cannot make: it refuses the whole layer then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the hard link '{}' has a target that is not earlier in the layer under the name '{}'",
    name.escape_ascii(),
    target.escape_ascii()
)]
pub struct UnknownTarget {
    /// The link.
    pub name: Box<[u8]>,
    /// Its target, as written.
    pub target: Box<[u8]>,
}

/// Makes the tree; the names that mean something to the client are already what they mean.
pub(crate) fn mounted<'a>(
    toc: &'a Toc,
    mount: &Mount,
    names: &mut Names<'a>,
) -> Result<Tree<'a>, UnknownTarget> {
    let misplaced = misplaced_headers(toc);
    let mut tree = Tree::new(toc);
    for entry in source::entries(toc) {
        let path: Vec<NameId> = components(entry.name)
            .iter()
            .map(|part| names.intern(part))
            .collect();
        let node = match FileType::of(entry.kind) {
            None => hard_link(&mut tree, &entry, names)?,
            Some(kind) => {
                let existing = lookup(&tree, &path).filter(|_| kind == FileType::Directory);
                let made = Node {
                    unreadable: unreadable(&entry, mount, &misplaced),
                    ..Node::of(kind, &entry)
                };
                match existing {
                    Some(node) => lay_over(&mut tree, node, made, &entry),
                    None => {
                        let node = tree.add(made);
                        keep_xattrs(&mut tree, node, &entry);
                        node
                    }
                }
            }
        };
        // The root has no name.
        if let Some((base, above)) = path.split_last() {
            let parent = directory(&mut tree, above);
            tree.set_child(parent, *base, node);
        }
    }
    finish(&mut tree, mount, names);
    Ok(tree)
}

fn hard_link<'a>(
    tree: &mut Tree<'a>,
    entry: &Entry<'a>,
    names: &mut Names<'a>,
) -> Result<NodeId, UnknownTarget> {
    let target: Option<Vec<NameId>> = components(entry.link_name)
        .iter()
        .map(|part| names.get(part))
        .collect();
    let node = target
        .and_then(|path| lookup(tree, &path))
        .ok_or_else(|| UnknownTarget {
            name: entry.name.into(),
            target: entry.link_name.into(),
        })?;
    tree.node_mut(node).links += 1;
    Ok(node)
}

fn lookup(tree: &Tree<'_>, path: &[NameId]) -> Option<NodeId> {
    path.iter().try_fold(ROOT, |at, name| tree.child(at, *name))
}

/// The parent of an entry; what is missing on the way is made.
fn directory(tree: &mut Tree<'_>, path: &[NameId]) -> NodeId {
    let mut at = ROOT;
    for name in path {
        at = match tree.child(at, *name) {
            Some(node) => node,
            None => {
                let node = tree.add(Node::directory(Origin::Implied {
                    from: None,
                    uncertain: false,
                }));
                tree.set_child(at, *name, node);
                node
            }
        };
    }
    at
}

/// A directory whose path is there already, whatever stands there: what is zero or empty in the new entry
/// leaves what was there.
fn lay_over<'a>(tree: &mut Tree<'a>, id: NodeId, made: Node, entry: &Entry<'a>) -> NodeId {
    let node = tree.node_mut(id);
    let keep = |new: u32, old: u32| if new == 0 { old } else { new };
    node.kind = FileType::Directory;
    node.whiteout = false;
    node.mode = made.mode;
    node.uid = keep(made.uid, node.uid);
    node.gid = keep(made.gid, node.gid);
    if made.size != 0 {
        node.size = made.size;
    }
    // Go's zero time is the first second of year 1.
    if let Some(modified) = made.modified.filter(|time| time.seconds() != ZERO_TIME) {
        node.modified = Some(modified);
    }
    node.entry = made.entry;
    node.origin = Origin::Listed;
    node.unreadable = None;
    if !entry.xattrs().is_empty() {
        keep_xattrs(tree, id, entry);
    }
    id
}

/// The client's database keeps one attribute in full and of the others only those with a value; which is the
/// one, chance decides. Attributes of an earlier entry can stay beside a single new one.
fn keep_xattrs<'a>(tree: &mut Tree<'a>, id: NodeId, entry: &Entry<'a>) {
    let given = entry.xattrs();
    let before = tree.xattrs(tree.node(id)).len();
    let several = given.len() > 1;
    let empty = |value: &[u8]| value.is_empty();
    let lossy = several && given.iter().any(|(_, value)| empty(value));
    let kept = given
        .iter()
        .filter(|(_, value)| !several || !empty(value))
        .copied();
    let kept = kept.collect();
    tree.set_xattrs(id, kept);
    tree.node_mut(id).xattrs_vary = lossy || (before > 1 && !several);
}

/// Entries whose header the client looks for in a wrong place: it takes each to begin where the one before it
/// ends, by the size in its header, though links and the like have no data.
fn misplaced_headers(toc: &Toc) -> BTreeSet<u32> {
    let told: Vec<_> = source::entries(toc)
        .filter(|entry| entry.kind != EntryType::Regular && entry.size != 0)
        .map(|entry| (entry.offset, entry.size))
        .collect();
    if told.is_empty() {
        return BTreeSet::new();
    }
    let mut ordered: BTreeMap<u64, (i64, bool, u32)> = BTreeMap::new();
    for entry in source::entries(toc) {
        let regular = entry.kind == EntryType::Regular;
        ordered.insert(entry.offset, (entry.size, regular, entry.index));
    }
    let mut misplaced = BTreeSet::new();
    let mut wrong = false;
    for (offset, (size, regular, index)) in ordered {
        if wrong {
            misplaced.insert(index);
        }
        let blocks = |end: i128| (end + 511) & !511;
        let offset = i128::from(offset);
        wrong = !regular && blocks(offset + i128::from(size)) != blocks(offset);
    }
    misplaced
}

/// Why reading the file ends with an error: the client reads its header back and compares it with the zTOC. It
/// never does for a file without contents.
fn unreadable(entry: &Entry<'_>, mount: &Mount, misplaced: &BTreeSet<u32>) -> Option<Unreadable> {
    if entry.data_size() == 0 {
        return None;
    }
    let xattrs = entry.xattrs();
    let end = entry.offset.saturating_add(entry.data_size());
    [
        (misplaced.contains(&entry.index), Unreadable::HeaderMisplaced),
        (entry.owner_is_cut, Unreadable::Owner),
        (entry.modified.is_none(), Unreadable::Time),
        (entry.mode_names_another_type(), Unreadable::Mode),
        (
            xattrs.len() > 1 && xattrs.iter().any(|(_, value)| value.is_empty()),
            Unreadable::EmptyXattrs,
        ),
        (mount.ends_behind_the_last_span(end), Unreadable::EndOfLastSpan),
    ]
    .into_iter()
    .find_map(|(holds, why)| holds.then_some(why))
}

/// Turns names with a meaning into what the client shows for them.
fn finish<'a>(tree: &mut Tree<'a>, mount: &Mount, names: &mut Names<'a>) {
    tree.part_directories_with_two_names();
    let mut phantoms = Vec::new();
    for parent in tree.ids() {
        let marks: Vec<(NameId, &'a [u8])> = tree
            .list(parent)
            .filter_map(|(name, _)| Some((name, names.text(name).strip_prefix(WHITEOUT)?)))
            .collect();
        for (name, original) in marks {
            let opaque = names.text(name) == OPAQUE;
            tree.forget(parent, name);
            if opaque {
                tree.node_mut(parent).opaque = mount.shows_xattrs();
                continue;
            }
            let shown = names.intern(original);
            if original.starts_with(WHITEOUT) {
                // It is listed, and every look at it says that it is not there.
                phantoms.push((parent, shown));
            } else if tree.child(parent, shown).is_none() {
                let node = tree.add(Node::deletion());
                tree.set_child(parent, shown, node);
            }
        }
        let node = *tree.node(parent);
        let told = |(key, value): &(&[u8], &[u8])| *key == OVERLAY_OPAQUE && *value == b"y";
        if node.kind == FileType::Directory && mount.shows_xattrs() && tree.xattrs(&node).iter().any(told) {
            tree.node_mut(parent).opaque = true;
        }
        if !mount.shows_xattrs() {
            tree.set_xattrs(parent, Vec::new());
        }
    }
    tree.set_phantoms(phantoms);
    let state = names.intern(STATE_DIRECTORY);
    if tree.child(ROOT, state).is_some() {
        let node = tree.add(Node {
            mode: 0o500,
            modified: Some(Default::default()),
            ..Node::directory(Origin::State)
        });
        tree.set_child(ROOT, state, node);
    }
}

/// The client's own folder in the root of each layer: statistics of the mount.
const STATE_DIRECTORY: &[u8] = b".soci-snapshotter";

/// 0001-01-01T00:00:00Z.
const ZERO_TIME: i64 = -62_135_596_800;
