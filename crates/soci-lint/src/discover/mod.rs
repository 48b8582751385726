//! From words to files: paths, folders and globs. One meaning for the command line and the Action, over any
//! disk that can be asked.
//!
//! A folder is searched for the names that task definitions usually have. Symbolic links found on the way are
//! not followed: public repositories hold links that lead out of the folder. A link that is named itself is
//! read, because then somebody asked for it. What `.gitignore` lists is passed over unless it is named.

mod gitignore;
mod pattern;

use std::collections::BTreeSet;

use crate::names::is_common_name;
use crate::table::sorted;
use gitignore::Ignores;
use pattern::Pattern;

/// Folders that hold no documents of the project itself.
const SKIPPED: &[&str] = &[".git", ".terraform", "node_modules", "target"];

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link, a pipe or anything else that a search passes over.
    Other,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name alone.
    pub name: String,
    /// What it is by itself: links are not followed.
    pub kind: EntryKind,
}

/// Answers what a search has to know. Paths have `/` between their parts, also on Windows.
pub trait Disk {
    /// The working folder as an absolute path, for the `.gitignore` files above it; `None` where there is none.
    fn here(&self) -> Option<String>;
    /// What a path leads to, through links; `None` if there is nothing. The empty path is the working folder.
    fn kind(&self, path: &str) -> Option<EntryKind>;
    /// What a folder holds, in any order, or why that cannot be known.
    fn entries(&self, folder: &str) -> Result<Vec<Entry>, String>;
    /// The content of a small text file, such as `.gitignore`; `None` if there is none.
    fn text(&self, path: &str) -> Option<String>;
}

/// A document to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path: relative where the word was, with `/` between the parts and no `./` in front; `-` is stdin.
    pub path: String,
    /// How it was found.
    pub by: By,
}

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A word named the file, or stdin.
    Word,
    /// A glob matched it.
    Glob,
    /// A folder was searched and its name looked right; it may turn out to be something else.
    Name,
}

/// Why words lead to no files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// A word that is no glob names nothing.
    #[error("there is no file or folder {word}")]
    NoSuch {
        /// The word.
        word: String,
    },
    /// A folder in which no name looks right.
    #[error("the folder {word} holds no file with a name that task definitions have")]
    EmptyFolder {
        /// The word.
        word: String,
    },
    /// A glob that no file matches.
    #[error("no file matches {word}")]
    NoMatch {
        /// The word.
        word: String,
    },
    /// A glob that is none.
    #[error("cannot read the glob {word}: {reason}")]
    Glob {
        /// The word.
        word: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A folder that cannot be read.
    #[error("cannot read the folder {folder}: {reason}")]
    Unreadable {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
}

impl DiscoverError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::EmptyFolder { .. } => Some(
                "name the file itself, or a glob such as 'deploy/**/*.json'; what .gitignore lists is passed over",
            ),
            Self::NoMatch { .. } => Some("what .gitignore lists is passed over: name such a file itself"),
            Self::NoSuch { .. } | Self::Glob { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// All files that the words name, each once, in the order of the words and then by path.
pub fn discover(words: &[String], disk: &dyn Disk) -> Result<Vec<Found>, DiscoverError> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for word in words {
        for found in expand(word, disk)? {
            if seen.insert(found.path.clone()) {
                all.push(found);
            }
        }
    }
    Ok(all)
}

fn expand(word: &str, disk: &dyn Disk) -> Result<Vec<Found>, DiscoverError> {
    let found = |by| move |path: String| Found { path, by };
    if word == "-" {
        return Ok(vec![found(By::Word)(word.to_owned())]);
    }
    let path = shown(word);
    match disk.kind(&path) {
        Some(EntryKind::Folder) => {
            let mut files = walk(&path, disk)?;
            files.retain(|path| is_common_name(path));
            if files.is_empty() {
                return Err(DiscoverError::EmptyFolder {
                    word: word.to_owned(),
                });
            }
            Ok(files.into_iter().map(found(By::Name)).collect())
        }
        // A file whose name has the letters of a glob is still that file.
        Some(EntryKind::File | EntryKind::Other) => Ok(vec![found(By::Word)(path)]),
        None if pattern::is_glob(word) => {
            let glob = Pattern::of_word(&path).map_err(|reason| DiscoverError::Glob {
                word: word.to_owned(),
                reason,
            })?;
            let base = glob.fixed_folder();
            let mut files = match disk.kind(base) {
                Some(EntryKind::Folder) => walk(base, disk)?,
                _ => Vec::new(),
            };
            files.retain(|path| glob.matches(path));
            if files.is_empty() {
                return Err(DiscoverError::NoMatch {
                    word: word.to_owned(),
                });
            }
            Ok(files.into_iter().map(found(By::Glob)).collect())
        }
        None => Err(DiscoverError::NoSuch {
            word: word.to_owned(),
        }),
    }
}

/// The plain files below a folder that `.gitignore` does not list, sorted.
fn walk(folder: &str, disk: &dyn Disk) -> Result<Vec<String>, DiscoverError> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), Ignores::above(folder, disk))];
    while let Some((folder, above)) = open.pop() {
        let entries = disk
            .entries(&folder)
            .map_err(|reason| DiscoverError::Unreadable {
                folder: folder.clone(),
                reason,
            })?;
        let has_ignores = entries.iter().any(|entry| entry.name == gitignore::FILE);
        let ignores = match has_ignores {
            true => above.with(&folder, disk),
            false => above,
        };
        for entry in entries {
            let path = below(&folder, &entry.name);
            let is_folder = entry.kind == EntryKind::Folder;
            let is_skipped = is_folder && SKIPPED.contains(&entry.name.as_str());
            if entry.kind == EntryKind::Other || is_skipped || ignores.list(&path, is_folder) {
                continue;
            }
            match is_folder {
                true => open.push((path, ignores.clone())),
                false => files.push(path),
            }
        }
    }
    Ok(sorted(files, Ord::cmp))
}

/// A name in a folder.
fn below(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        _ if folder.ends_with('/') => format!("{folder}{name}"),
        _ => format!("{folder}/{name}"),
    }
}

/// The path as reports write it: no `./` in front or inside, no doubled and no last `/`.
fn shown(word: &str) -> String {
    let parts: Vec<&str> = word
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let root = if word.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
