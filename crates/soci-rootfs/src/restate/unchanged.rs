//! The proof that a layer on top changes nothing: all layers beside all but the highest, directory by directory.

use crate::names::NameId;
use crate::rootfs::Rootfs;
use crate::stack::{Merged, Place, Shown, Stack, Way};
use crate::tree::FileType;

/// Why a layer on top is not one that repeats.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Changed {
    /// A path is not what it was.
    #[error("'{}' {what}", path.escape_ascii())]
    Path {
        /// The path.
        path: Vec<u8>,
        /// What of it is different.
        what: &'static str,
    },
    /// A layer is not known, so nothing can be proved.
    #[error("layer {layer} is not known")]
    Unknown {
        /// That layer, from 0 for the lowest.
        layer: usize,
    },
    /// A layer cannot be unpacked, so there is no file system to compare.
    #[error("layer {layer} cannot be unpacked: {problem}")]
    Unpack {
        /// That layer, from 0 for the lowest.
        layer: usize,
        /// Why not.
        problem: String,
    },
    /// There is no layer.
    #[error("there is no layer")]
    Empty,
}

impl Rootfs<'_> {
    /// Whether the highest layer leaves the file system as the others make it: the same paths with the same types,
    /// modes, owners, times, extended attributes, link targets, devices, numbers of links, and contents. `copies` says of
    /// each entry of the highest layer whose contents it has: which layer's, and which entry's. A directory that no entry
    /// lists below has no time of its own; it may get one.
    ///
    /// # Errors
    /// The first thing that is not the same, or cannot be known.
    pub fn is_unchanged_by_top(
        &self,
        copies: &dyn Fn(usize) -> Option<(usize, usize)>,
    ) -> Result<(), Changed> {
        self.compare_with_top(Some(copies))
    }

    /// The same where nobody knows whose contents the highest layer has: what its entries tell is compared, the size of
    /// a file among it, and its contents are taken on trust.
    ///
    /// # Errors
    /// The first thing that is not the same, or cannot be known.
    pub fn is_repeated_by_top(&self) -> Result<(), Changed> {
        self.compare_with_top(None)
    }

    fn compare_with_top(&self, copies: Option<Copies<'_>>) -> Result<(), Changed> {
        let after = self.stack();
        if let Some(layer) = after.0.iter().position(Option::is_none) {
            return Err(Changed::Unknown { layer });
        }
        for layer in 0..after.0.len() {
            if let Some(fault) = self.fault(layer) {
                let problem = fault.to_string();
                return Err(Changed::Unpack { layer, problem });
            }
        }
        let top = after.0.len().checked_sub(1).ok_or(Changed::Empty)?;
        let before = Stack(after.0[..top].to_vec());
        let compared = Compared {
            before,
            after,
            top,
            copies,
        };
        let mut way = Way::default();
        let mut open = vec![(0, None, compared.before.root(), compared.after.root())];
        while let Some((depth, name, before, after)) = open.pop() {
            way.enter(depth, name);
            for (name, before, after) in compared.children(&before, &after) {
                let changed = |what| Changed::Path {
                    path: way.path(self.names(), Some(name)),
                    what,
                };
                match (before, after) {
                    (None, None) => {}
                    (Some(_), None) => return Err(changed("is gone")),
                    (None, Some(_)) => return Err(changed("is new")),
                    (Some(before), Some(after)) => {
                        compared.same(&before, &after).map_err(changed)?;
                        if let (Shown::Directory(before), Shown::Directory(after)) = (before, after) {
                            open.push((way.depth() + 1, Some(name), before, after));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

struct Compared<'c, 'a> {
    before: Stack<'c, 'a>,
    after: Stack<'c, 'a>,
    /// The number of the highest layer.
    top: usize,
    copies: Option<Copies<'c>>,
}

/// Of each entry of the highest layer, whose contents it has: the layer, and the entry of that.
type Copies<'c> = &'c dyn Fn(usize) -> Option<(usize, usize)>;

/// A name, and what stands under it before and after.
type Child = (NameId, Option<Shown>, Option<Shown>);

impl Compared<'_, '_> {
    fn children(&self, before: &Merged, after: &Merged) -> Vec<Child> {
        let (old, new) = (self.before.list(before), self.after.list(after));
        let (mut old, mut new) = (&old[..], &new[..]);
        let mut children = Vec::new();
        loop {
            let first = |list: &[(NameId, Place)]| list.first().map(|(name, _)| *name);
            let name = match (first(old), first(new)) {
                (Some(one), Some(other)) => one.min(other),
                (Some(name), None) | (None, Some(name)) => name,
                (None, None) => return children,
            };
            let take = |list: &mut &[(NameId, Place)], stack: &Stack<'_, '_>| {
                let count = list.iter().take_while(|(found, _)| *found == name).count();
                let (these, rest) = list.split_at(count);
                *list = rest;
                stack.merge(these.iter().map(|(_, place)| *place))
            };
            let was = take(&mut old, &self.before);
            let is = take(&mut new, &self.after);
            children.push((name, was, is));
        }
    }

    fn same(&self, before: &Shown, after: &Shown) -> Result<(), &'static str> {
        let (was, is) = (before.place(), after.place());
        let (old, new) = (self.before.node(was), self.after.node(is));
        let (old_tree, new_tree) = (self.before.tree(was), self.after.tree(is));
        let is_file = old.kind == FileType::Regular;
        let is_device = matches!(old.kind, FileType::CharacterDevice | FileType::BlockDevice);
        let contents = || match self.copies {
            _ if is.layer != self.top => was == is,
            None => true,
            Some(copies) => {
                let copied = new.entry.and_then(|entry| copies(entry as usize));
                copied.is_some() && copied == old.entry.map(|entry| (was.layer, entry as usize))
            }
        };
        let checks: [(bool, &'static str); 10] = [
            (old.kind == new.kind, "has another type"),
            (old.mode == new.mode, "has another mode"),
            ((old.uid, old.gid) == (new.uid, new.gid), "has another owner"),
            (!is_file || old.size == new.size, "has another size"),
            (
                old.kind == FileType::Directory || old.links == new.links,
                "has another number of names",
            ),
            (
                old.modified.is_none() || old.modified == new.modified,
                "has another time",
            ),
            (
                old_tree.xattrs(old) == new_tree.xattrs(new),
                "has other extended attributes",
            ),
            (
                old.kind != FileType::Symlink || old_tree.link_target(old) == new_tree.link_target(new),
                "leads elsewhere",
            ),
            (
                !is_device || old_tree.device(old) == new_tree.device(new),
                "is another device",
            ),
            (
                old.kind == FileType::Directory || contents(),
                "has contents of another file",
            ),
        ];
        checks
            .into_iter()
            .find_map(|(holds, what)| (!holds).then_some(Err(what)))
            .unwrap_or(Ok(()))
    }
}
