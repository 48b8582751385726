//! What an image carries for nothing: files that later layers replace or delete, files of kinds that no program
//! needs to run, and, with a trace, what no traced start opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use soci_rootfs::{FileType, Rootfs};
use soci_ztoc::ztoc::{TocEntry, Ztoc};

use crate::touch::Touched;

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
    let weights: Vec<Option<Weights<'_>>> = layers
        .iter()
        .map(|layer| layer.map(|(ztoc, size)| Weights::new(ztoc, size)))
        .collect();
    let opened: BTreeSet<(usize, usize)> = touched
        .iter()
        .flat_map(|touched| &touched.files)
        .map(|file| (file.layer, file.entry))
        .collect();
    let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut kinds: BTreeMap<Kind, Share> = BTreeMap::new();
    let mut unopened = Share::default();
    let mut tree: BTreeMap<Vec<u8>, (Share, bool)> = BTreeMap::new();
    rootfs.each(|found| {
        let Some(entry) = found.entry.filter(|_| found.file_type == FileType::Regular) else {
            return;
        };
        let weight = weights.get(found.layer).and_then(Option::as_ref);
        // A file with several names is there once.
        let Some(weight) = weight.filter(|_| seen.insert((found.layer, entry))) else {
            return;
        };
        let share = weight.share(entry);
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

/// Bytes of a layer, as its spans divide them.
pub(crate) struct Weights<'a> {
    ztoc: &'a Ztoc,
    /// Stored bytes of the layer for each byte that its spans have: not 1 where it was unpacked to be known.
    scale: f64,
}

impl<'a> Weights<'a> {
    pub(crate) fn new(ztoc: &'a Ztoc, size: u64) -> Self {
        Self {
            ztoc,
            scale: size as f64 / ztoc.compressed_size().max(1) as f64,
        }
    }

    pub(crate) fn share(&self, entry: usize) -> Share {
        let Some(entry) = self.ztoc.toc().get(entry) else {
            return Share::default();
        };
        Share {
            files: 1,
            bytes: entry.data_size(),
            compressed: (self.compressed(&entry) * self.scale) as u64,
        }
    }

    fn compressed(&self, entry: &TocEntry<'_>) -> f64 {
        let (begin, size) = (entry.offset, entry.data_size());
        if size == 0 {
            return 0.0;
        }
        let end = begin.saturating_add(size);
        let mut sum = 0.0;
        for id in self.ztoc.span_of(begin)..=self.ztoc.span_of(end - 1) {
            let Some(span) = usize::try_from(id).ok().and_then(|id| self.ztoc.span(id)) else {
                break;
            };
            let span_end = span.uncompressed_end.unwrap_or(self.ztoc.uncompressed_size());
            let inside = end
                .min(span_end)
                .saturating_sub(begin.max(span.uncompressed_start));
            let whole = span_end.saturating_sub(span.uncompressed_start).max(1);
            let stored = span.compressed_end.saturating_sub(span.compressed_start);
            sum += stored as f64 * (inside as f64 / whole as f64);
        }
        sum
    }
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
