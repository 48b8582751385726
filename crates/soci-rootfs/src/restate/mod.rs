//! A layer on top that says again what the layers below it say: files that a start needs, so that they lie together,
//! and directories whose attributes a lazy client would lose. It changes nothing of the file system, which
//! [`Rootfs::is_unchanged_by_top`] proves.
//!
//! What may be said again, and in which form, was learnt by trying (soci-snapshotter 77fb4266 and containerd 1.6.20,
//! 2026-11-28): paths without links, the winning file only, whole; each directory on the way before it, with its own
//! attributes; no file with several names, because a copy would be another file.

mod lost;
mod unchanged;

use std::collections::BTreeSet;
use std::fmt;

use crate::lookup::LookupFault;
use crate::path::{WHITEOUT, components};
use crate::rootfs::{Found, Rootfs};
use crate::tree::FileType;

pub use lost::lost_directories;
pub use unchanged::Changed;

/// What a layer on top is to say again, in the order of its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restated {
    /// Directories and files; each directory on the way to one stands before it.
    pub entries: Vec<Found>,
    /// Files that are not said again, with the reason, in the order in which they were asked for.
    pub left_below: Vec<(Vec<u8>, LeftBelow)>,
}

/// Why a file is not said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LeftBelow {
    /// It has several names; a copy would leave the others behind.
    HardLinks,
    /// Its layer comes whole anyway.
    ComesWhole,
    /// A layer that is not known decides about it.
    Unknown,
    /// A name on its way, or an extended attribute, means something else in a layer, or cannot be written there.
    Unwritable,
}

impl fmt::Display for LeftBelow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HardLinks => "it has several names (hard links), of which a copy would be none",
            Self::ComesWhole => "its layer comes whole anyway",
            Self::Unknown => "a layer that is not known decides about it",
            Self::Unwritable => "its name or an extended attribute of it cannot be written into a layer",
        })
    }
}

impl Rootfs<'_> {
    /// What a layer on top has to say so that it repeats these directories and files. Paths are followed through
    /// links; what is no directory or file, is empty, or is not there, is passed over. `comes_whole` are layers, from 0 for
    /// the lowest, of which nothing needs to be repeated.
    pub fn restate<P: AsRef<[u8]>>(
        &self,
        directories: impl IntoIterator<Item = P>,
        files: impl IntoIterator<Item = P>,
        comes_whole: &dyn Fn(usize) -> bool,
    ) -> Restated {
        let mut restating = Restating {
            rootfs: self,
            restated: Restated::default(),
            seen: BTreeSet::new(),
        };
        for path in directories {
            if let Ok(found) = self.find_link(path.as_ref())
                && found.file_type == FileType::Directory
                && is_writable(&found)
            {
                restating.parents(&found.path);
                restating.entry(found);
            }
        }
        for path in files {
            restating.file(path.as_ref(), comes_whole);
        }
        restating.restated
    }
}

struct Restating<'r, 'a> {
    rootfs: &'r Rootfs<'a>,
    restated: Restated,
    /// Paths that were decided.
    seen: BTreeSet<Vec<u8>>,
}

impl Restating<'_, '_> {
    fn file(&mut self, path: &[u8], comes_whole: &dyn Fn(usize) -> bool) {
        let found = match self.rootfs.find(path) {
            Ok(found) => found,
            Err(LookupFault::Unknown { path, .. }) => {
                if self.seen.insert(path.clone()) {
                    self.restated.left_below.push((path, LeftBelow::Unknown));
                }
                return;
            }
            Err(_) => return,
        };
        if found.file_type != FileType::Regular || found.size == 0 || self.seen.contains(&found.path) {
            return;
        }
        let reason = [
            (found.links > 1, LeftBelow::HardLinks),
            (comes_whole(found.layer), LeftBelow::ComesWhole),
            (found.uncertain, LeftBelow::Unknown),
            (
                !is_writable(&found) || loses_attributes(&found),
                LeftBelow::Unwritable,
            ),
        ]
        .into_iter()
        .find_map(|(holds, reason)| holds.then_some(reason));
        match reason {
            Some(reason) => {
                self.seen.insert(found.path.clone());
                self.restated.left_below.push((found.path, reason));
            }
            None => {
                self.parents(&found.path);
                self.entry(found);
            }
        }
    }

    /// The directories on the way, the root left out.
    fn parents(&mut self, path: &[u8]) {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (at, _) in slashes.filter(|(at, _)| *at > 0) {
            let parent = &path[..at];
            if !self.seen.contains(parent)
                && let Ok(found) = self.rootfs.find_link(parent)
            {
                self.entry(found);
            }
        }
    }

    fn entry(&mut self, found: Found) {
        if found.path != b"/" && self.seen.insert(found.path.clone()) {
            self.restated.entries.push(found);
        }
    }
}

/// Whether a layer can hold an entry of this name with these attributes, and means by it what is meant.
fn is_writable(found: &Found) -> bool {
    let mut names = components(&found.path).into_iter();
    let first = names.clone().next();
    !names.any(|name| name.starts_with(WHITEOUT))
        // The client's own folder in the root of each mount.
        && first != Some(b".soci-snapshotter")
        // The key of a PAX record is text, and ends at the first `=`.
        && found.xattrs.iter().all(|(key, _)| std::str::from_utf8(key).is_ok() && !key.contains(&b'='))
}

/// Clients lose some of several attributes of which some are empty, and then cannot read the file.
fn loses_attributes(found: &Found) -> bool {
    found.xattrs.len() > 1 && found.xattrs.iter().any(|(_, value)| value.is_empty())
}
