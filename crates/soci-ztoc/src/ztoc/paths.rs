//! Finding entries by path.
//!
//! Tars write `app/x`, `./app/x`, `/app/x` or `app//x` for the same file, and a directory with or
//! without `/` at its end. Names are compared as paths from the root of the image: lexically
//! cleaned, `..` taken out, no slash in front or behind. Of entries with one path the last counts,
//! as when a tar is unpacked.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::toc::{EntryType, Toc, TocEntry};

/// The paths of a table of contents, sorted.
#[derive(Debug)]
pub struct Paths<'a> {
    toc: &'a Toc,
    sorted: Vec<(Cow<'a, [u8]>, u32)>,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFault {
    /// The layer has no such entry.
    #[error("'{}' is not in this layer", path.escape_ascii())]
    Missing {
        /// The path that was looked for, cleaned; after following links perhaps not the one given.
        path: Vec<u8>,
    },
    /// Links lead in a circle, or through more than 40 others.
    #[error("too many links on the way to '{}'", path.escape_ascii())]
    TooManyLinks {
        /// The path that was looked for.
        path: Vec<u8>,
    },
    /// Links lead to a path that is longer than Linux takes.
    #[error("links on the way to '{}' lead to a path of more than {PATH_LIMIT} bytes", path.escape_ascii())]
    TooLong {
        /// The path that was looked for.
        path: Vec<u8>,
    },
    /// A part of the way is not a directory.
    #[error("'{}' is not a directory", path.escape_ascii())]
    NotADirectory {
        /// That part.
        path: Vec<u8>,
    },
}

impl Toc {
    /// Sorts the paths for lookups.
    pub fn paths(&self) -> Paths<'_> {
        let mut sorted: Vec<_> = self
            .iter()
            .zip(0..)
            .map(|(entry, index)| (clean(entry.name), index))
            .collect();
        sorted.sort_unstable();
        Paths { toc: self, sorted }
    }
}

impl<'a> Paths<'a> {
    /// The index of the entry with this path, however path and name are written. No link is followed.
    pub fn find(&self, path: &[u8]) -> Option<usize> {
        self.find_clean(&clean(path))
    }

    /// The index of the entry that a path means when links are followed: symbolic links on the way
    /// and at the end, hard links to the entry that has the data. Only inside this layer.
    ///
    /// # Errors
    /// [`LookupFault`]
    pub fn resolve(&self, path: &[u8]) -> Result<usize, LookupFault> {
        let mut wanted = clean(path).into_owned();
        // A way through a layer that lacks directory entries is fine: only links matter.
        for links in 0..LINKS {
            // A path that was given may have any length, those in a zTOC would be looked for forever.
            if links > 0 && wanted.len() > PATH_LIMIT {
                let path = clean(path).into_owned();
                return Err(LookupFault::TooLong { path });
            }
            if let Some((link, rest)) = self.link_on_the_way(&wanted)? {
                wanted = target_of_symlink(&link, rest);
                continue;
            }
            let index = self
                .find_clean(&wanted)
                .ok_or(LookupFault::Missing { path: wanted.clone() })?;
            let entry = self.toc.get(index).expect("the index comes from this table");
            match entry.entry_type {
                EntryType::Symlink => wanted = target_of_symlink(&entry, &[]),
                // The target of a hard link is a path from the root of the archive.
                EntryType::HardLink => match self.hard_link_target(index, &entry) {
                    Some(target) => return Ok(target),
                    None => wanted = clean(entry.link_name).into_owned(),
                },
                _ => return Ok(index),
            }
        }
        Err(LookupFault::TooManyLinks {
            path: clean(path).into_owned(),
        })
    }

    /// The file behind a hard link: the last entry of that path *before* the link, because the link
    /// was made when that was the file.
    fn hard_link_target(&self, link: usize, entry: &TocEntry<'_>) -> Option<usize> {
        let target = clean(entry.link_name);
        let (mut index, mut target) = (link, target);
        for _ in 0..LINKS {
            let end = self
                .sorted
                .partition_point(|(path, at)| (&**path, *at as usize) < (&*target, index));
            let (path, found) = self.sorted.get(end.checked_sub(1)?)?;
            if **path != *target {
                return None;
            }
            index = *found as usize;
            let entry = self.toc.get(index).expect("the index comes from this table");
            match entry.entry_type {
                EntryType::HardLink => target = clean(entry.link_name),
                _ => return Some(index),
            }
        }
        None
    }

    fn find_clean(&self, path: &[u8]) -> Option<usize> {
        let end = self.sorted.partition_point(|(known, _)| **known <= *path);
        let (known, index) = self.sorted.get(end.checked_sub(1)?)?;
        (**known == *path).then_some(*index as usize)
    }

    /// The first proper prefix of a path that is a symbolic link, and what follows it.
    fn link_on_the_way<'p>(&self, path: &'p [u8]) -> Result<Option<(TocEntry<'a>, &'p [u8])>, LookupFault> {
        for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let Some(index) = self.find_clean(&path[..slash]) else {
                continue;
            };
            let entry = self.toc.get(index).expect("the index comes from this table");
            match entry.entry_type {
                EntryType::Symlink => return Ok(Some((entry, &path[slash + 1..]))),
                EntryType::Directory => {}
                _ => {
                    return Err(LookupFault::NotADirectory {
                        path: path[..slash].to_vec(),
                    });
                }
            }
        }
        Ok(None)
    }
}

/// As many links as Linux follows.
const LINKS: usize = 40;

/// The longest path that Linux takes (PATH_MAX), without its NUL.
const PATH_LIMIT: usize = 4095;

/// The path that a symbolic link leads to: from the root if its target begins with `/`, else from the
/// link's directory.
fn target_of_symlink(link: &TocEntry<'_>, rest: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    if link.link_name.first() != Some(&b'/') {
        let name = clean(link.name);
        let parent = name.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        path.extend_from_slice(&name[..parent]);
        path.push(b'/');
    }
    path.extend_from_slice(link.link_name);
    path.push(b'/');
    path.extend_from_slice(rest);
    clean(&path).into_owned()
}

/// The path without `.`, `..`, doubled slashes and slashes at either end. Borrowed where nothing
/// but the ends has to go, which is nearly always.
fn clean(name: &[u8]) -> Cow<'_, [u8]> {
    let mut name = name;
    loop {
        name = match name {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] | [rest @ .., b'/'] => rest,
            [b'.'] => &[],
            _ => break,
        };
    }
    let odd = |part: &[u8]| matches!(part, b"" | b"." | b"..");
    if name.is_empty() || !name.split(|&byte| byte == b'/').any(odd) {
        return Cow::Borrowed(name);
    }
    let mut cleaned: Vec<u8> = Vec::with_capacity(name.len());
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let parent = cleaned.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                cleaned.truncate(parent);
            }
            _ => {
                if !cleaned.is_empty() {
                    cleaned.push(b'/');
                }
                cleaned.extend_from_slice(part);
            }
        }
    }
    Cow::Owned(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ztoc::toc::Xattrs;

    fn toc(entries: &[(&str, EntryType, &str)]) -> Toc {
        let mut toc = Toc::new();
        for (name, entry_type, link_name) in entries {
            let entry = TocEntry {
                name: name.as_bytes(),
                entry_type: *entry_type,
                offset: 0,
                size: 0,
                link_name: link_name.as_bytes(),
                mode: 0,
                uid: 0,
                gid: 0,
                user_name: b"",
                group_name: b"",
                modified: b"",
                device_major: 0,
                device_minor: 0,
                xattrs: Xattrs::NONE,
            };
            toc.push(&entry, core::iter::empty());
        }
        toc
    }

    use EntryType::{Directory, HardLink, Regular, Symlink};

    #[test]
    fn a_path_is_found_however_it_is_written() {
        for name in [
            "app/x",
            "./app/x",
            "/app/x",
            "app//x",
            "app/./x",
            "app/y/../x",
            "./app/x/",
            ".//app/x",
        ] {
            let toc = toc(&[("other", Regular, ""), (name, Regular, "")]);
            for path in [
                "app/x",
                "./app/x",
                "/app/x",
                "//app//x/",
                "app/z/../x",
                "../app/x",
            ] {
                assert_eq!(toc.paths().find(path.as_bytes()), Some(1), "{name} as {path}");
            }
            assert_eq!(toc.paths().find(b"app"), None);
            assert_eq!(toc.paths().find(b"app/x/y"), None);
        }
        assert_eq!(toc(&[("./", Directory, "")]).paths().find(b"/"), Some(0));
    }

    #[test]
    fn the_last_of_equal_paths_counts() {
        let toc = toc(&[("a", Regular, ""), ("./a", Regular, ""), ("b", Regular, "")]);
        assert_eq!(toc.paths().find(b"a"), Some(1));
    }

    #[test]
    fn links_are_followed_inside_the_layer() {
        let toc = toc(&[
            ("usr/lib/", Directory, ""),
            ("usr/lib/libz.so.1.3", Regular, ""),
            ("usr/lib/libz.so.1", Symlink, "libz.so.1.3"),
            ("usr/lib/libz.so", Symlink, "./libz.so.1"),
            ("lib", Symlink, "usr/lib"),
            ("root", Symlink, "/"),
            ("hard", HardLink, "./usr/lib/libz.so.1.3"),
            ("harder", HardLink, "hard"),
            ("loop", Symlink, "loop"),
            ("out", Symlink, "../../etc/passwd"),
            ("file", Regular, ""),
        ]);
        let paths = toc.paths();
        for path in [
            "lib/libz.so",
            "/usr/lib/libz.so.1",
            "root/root/lib/libz.so",
            "hard",
            "harder",
        ] {
            assert_eq!(paths.resolve(path.as_bytes()), Ok(1), "{path}");
        }
        assert_eq!(
            paths.resolve(b"loop"),
            Err(LookupFault::TooManyLinks {
                path: b"loop".to_vec()
            })
        );
        assert_eq!(
            paths.resolve(b"out"),
            Err(LookupFault::Missing {
                path: b"etc/passwd".to_vec()
            })
        );
        assert_eq!(
            paths.resolve(b"file/x"),
            Err(LookupFault::NotADirectory {
                path: b"file".to_vec()
            })
        );
    }

    #[test]
    fn links_that_lead_to_endless_paths_are_not_followed() {
        let far = "x/".repeat(300_000);
        let toc = toc(&[
            ("far", Symlink, &far),
            ("near", Symlink, "file"),
            ("file", Regular, ""),
        ]);
        assert_eq!(toc.paths().resolve(b"near"), Ok(2));
        let fault = toc.paths().resolve(b"far").expect_err("too far");
        assert_eq!(
            fault,
            LookupFault::TooLong {
                path: b"far".to_vec()
            }
        );
    }

    #[test]
    fn a_hard_link_means_the_file_that_was_there_before_it() {
        let toc = toc(&[
            ("a", Regular, ""),
            ("b", HardLink, "a"),
            ("a", Regular, ""),
            ("c", HardLink, "c"),
        ]);
        assert_eq!(toc.paths().resolve(b"b"), Ok(0));
        assert_eq!(toc.paths().resolve(b"a"), Ok(2));
        assert!(toc.paths().resolve(b"c").is_err());
    }
}
