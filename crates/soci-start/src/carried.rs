//! What an image carries for nothing: files that later layers replace or delete, files of kinds that no program
//! needs to run, and, with a trace, what no traced start opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use soci_rootfs::Rootfs;
use soci_ztoc::ztoc::Ztoc;

use crate::touch::Touched;
use crate::weights::{each_file, of_layers};

/// A part of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// About how many bytes of the compressed layers that is: each span is divided among its files by their bytes.
    pub compressed: u64,
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.compressed += other.compressed;
    }
}

/// Files that programs can do without, by where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// Histories of repositories: `.git`, `.hg`, `.svn`.
    VersionControl,
    /// What package managers downloaded and keep.
    PackageCaches,
    /// Manuals and documentation.
    Documentation,
    /// Debug symbols in files of their own.
    DebugSymbols,
    /// Headers and static libraries, which only compilers read.
    ForCompilers,
    /// Python's byte code: made again where it is missing, which costs the start time.
    ByteCode,
}

impl Kind {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VersionControl => "version control",
            Self::PackageCaches => "package caches",
            Self::Documentation => "documentation",
            Self::DebugSymbols => "debug symbols",
            Self::ForCompilers => "headers and static libraries",
            Self::ByteCode => "byte code",
        }
    }

    /// The kind of a path without links; `None` for all else.
    pub fn of(path: &[u8]) -> Option<Self> {
        let has = |part: &str| path.windows(part.len()).any(|window| window == part.as_bytes());
        let below = |folder: &str| path.starts_with(folder.as_bytes());
        let ends = |end: &str| path.ends_with(end.as_bytes());
        let any = |parts: &[&str], test: &dyn Fn(&str) -> bool| parts.iter().any(|part| test(part));
        let kinds = [
            (Self::VersionControl, any(&["/.git/", "/.hg/", "/.svn/"], &has)),
            (
                Self::PackageCaches,
                any(
                    &[
                        "/var/cache/apt/",
                        "/var/lib/apt/lists/",
                        "/var/cache/apk/",
                        "/var/cache/dnf/",
                        "/var/cache/yum/",
                    ],
                    &below,
                ) || any(
                    &[
                        "/.cache/pip/",
                        "/.cache/uv/",
                        "/.npm/_cacache/",
                        "/.cache/yarn/",
                        "/.cache/go-build/",
                        "/.cargo/registry/cache/",
                        "/.gradle/caches/",
                    ],
                    &has,
                ),
            ),
            (
                Self::Documentation,
                any(
                    &[
                        "/usr/share/doc/",
                        "/usr/share/man/",
                        "/usr/share/info/",
                        "/usr/share/gtk-doc/",
                    ],
                    &below,
                ),
            ),
            (
                Self::DebugSymbols,
                below("/usr/lib/debug/") || any(&[".debug", ".dwo", ".dwp", ".pdb"], &ends),
            ),
            (
                Self::ForCompilers,
                any(&["/usr/include/", "/usr/local/include/"], &below) || any(&[".a", ".la"], &ends),
            ),
            (Self::ByteCode, has("/__pycache__/") && ends(".pyc")),
        ];
        kinds.into_iter().find_map(|(kind, is)| is.then_some(kind))
    }
}

/// What an image carries for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carried {
    /// In a layer, and replaced or deleted by it or one above: no container can see it.
    pub hidden: Share,
    /// Files of kinds that no program needs to run, most bytes first; of those that containers see.
    pub kinds: Vec<(Kind, Share)>,
    /// What no traced start opened; none without a trace.
    pub unopened: Option<Share>,
    /// The largest directories of which nothing was opened, most bytes first, none inside another; at most ten.
    pub directories: Vec<(Vec<u8>, Share)>,
}

/// Directories that are named.
const NAMED: usize = 10;

/// Finds what is carried for nothing. `layers` are those of `rootfs`, lowest first, each with its table of contents and
/// its bytes as it is stored; a layer that is not known is left out.
pub fn carried(rootfs: &Rootfs<'_>, layers: &[Option<(&Ztoc, u64)>], touched: Option<&Touched>) -> Carried {
    let weights = of_layers(layers);
    let opened: BTreeSet<(usize, usize)> = touched
        .iter()
        .flat_map(|touched| &touched.files)
        .map(|file| (file.layer, file.entry))
        .collect();
    let mut kinds: BTreeMap<Kind, Share> = BTreeMap::new();
    let mut unopened = Share::default();
    let mut tree: BTreeMap<Vec<u8>, (Share, bool)> = BTreeMap::new();
    let seen = each_file(rootfs, &weights, |found, entry, share| {
        if let Some(kind) = Kind::of(&found.path) {
            *kinds.entry(kind).or_default() += share;
        }
        let is_opened = opened.contains(&(found.layer, entry));
        if !is_opened {
            unopened += share;
        }
        for (at, _) in found
            .path
            .iter()
            .enumerate()
            .filter(|(at, byte)| *at > 0 && **byte == b'/')
        {
            let (sum, has_opened) = tree.entry(found.path[..at].to_vec()).or_default();
            *sum += share;
            *has_opened |= is_opened;
        }
    });
    let mut hidden = Share::default();
    for (layer, weight) in weights.iter().enumerate() {
        let Some(weight) = weight else { continue };
        for (entry, _) in weight
            .ztoc
            .toc()
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.data_size() > 0)
        {
            if !seen.contains(&(layer, entry)) {
                hidden += weight.share(entry);
            }
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|(one, a), (two, b)| b.compressed.cmp(&a.compressed).then(one.cmp(two)));
    Carried {
        hidden,
        kinds,
        unopened: touched.map(|_| unopened),
        directories: touched.map_or_else(Vec::new, |_| untouched(&tree)),
    }
}

/// The largest directories without an opened file that do not lie in another one.
fn untouched(tree: &BTreeMap<Vec<u8>, (Share, bool)>) -> Vec<(Vec<u8>, Share)> {
    let is_untouched = |path: &[u8]| tree.get(path).is_some_and(|(_, has_opened)| !has_opened);
    let mut largest: Vec<(Vec<u8>, Share)> = tree
        .iter()
        .filter(|(path, (_, has_opened))| {
            let parent = path
                .iter()
                .rposition(|byte| *byte == b'/')
                .map_or(&path[..0], |at| &path[..at]);
            !has_opened && !is_untouched(parent)
        })
        .map(|(path, (share, _))| (path.clone(), *share))
        .collect();
    largest.sort_by(|(one, a), (two, b)| b.compressed.cmp(&a.compressed).then(one.cmp(two)));
    largest.truncate(NAMED);
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_paths() {
        for (path, kind) in [
            ("/srv/app/.git/objects/pack/x.pack", Some(Kind::VersionControl)),
            ("/srv/app/.gitignore", None),
            ("/var/cache/apt/archives/x.deb", Some(Kind::PackageCaches)),
            ("/root/.cache/pip/http/a", Some(Kind::PackageCaches)),
            ("/usr/share/doc/bash/README", Some(Kind::Documentation)),
            ("/usr/share/docker/x", None),
            ("/usr/lib/debug/.build-id/aa/b.debug", Some(Kind::DebugSymbols)),
            ("/usr/include/stdio.h", Some(Kind::ForCompilers)),
            ("/usr/lib/libc.a", Some(Kind::ForCompilers)),
            ("/srv/data.tar", None),
            (
                "/usr/lib/python3/__pycache__/x.cpython-311.pyc",
                Some(Kind::ByteCode),
            ),
            ("/usr/lib/x.so", None),
        ] {
            assert_eq!(Kind::of(path.as_bytes()), kind, "{path}");
        }
    }

    #[test]
    fn the_largest_directories_hold_no_other() {
        let share = |bytes| Share {
            files: 1,
            bytes,
            compressed: bytes,
        };
        let tree = [
            ("/a", share(9), true),
            ("/a/b", share(5), false),
            ("/a/b/c", share(5), false),
            ("/a/b-d", share(1), false),
            ("/a/b-d/e", share(1), false),
            ("/f", share(7), false),
        ];
        let tree = tree.map(|(path, share, opened)| (path.as_bytes().to_vec(), (share, opened)));
        let found = untouched(&tree.into());
        let paths: Vec<_> = found
            .iter()
            .map(|(path, _)| String::from_utf8_lossy(path))
            .collect();
        assert_eq!(paths, ["/f", "/a/b", "/a/b-d"]);
    }
}
