//! Files that documents name: a module's neighbours, modules that it calls, templates.
//!
//! Only plain files below the working folder, or below the folder of a file that was asked for, are read:
//! configuration of somebody else may name any path.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use soci_lint::{Beside, Input};

/// Reads beside the files of a run and keeps what it read.
pub struct OnDisk {
    /// Folders that may be read, without links in them.
    roots: Vec<PathBuf>,
    /// Files that the caller did not name one by one.
    searched: HashSet<String>,
    /// Files beside them that the caller named, wherever they lie.
    named: HashSet<PathBuf>,
    read: RefCell<Vec<Input>>,
}

/// Larger files are no configuration that somebody wrote.
const MAX_BYTES: u64 = 4 << 20;

impl OnDisk {
    /// For the files that were asked for.
    pub fn new(inputs: &[Input]) -> Self {
        let folders = inputs.iter().map(|input| Path::new(&input.path));
        let folders: HashSet<&Path> = folders.filter_map(Path::parent).collect();
        let mut roots: Vec<PathBuf> = folders
            .into_iter()
            .chain([Path::new(".")])
            .filter_map(|folder| {
                let folder = if folder.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    folder
                };
                folder.canonicalize().ok()
            })
            .collect();
        roots.sort();
        roots.dedup();
        Self {
            roots,
            searched: HashSet::new(),
            named: HashSet::new(),
            read: RefCell::default(),
        }
    }

    /// With the files that a search or a pattern found.
    pub fn searched(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        self.searched.extend(paths);
        self
    }

    /// With files that may be read wherever they lie, because the caller named them.
    pub fn named(mut self, paths: &[String]) -> Self {
        let real = paths
            .iter()
            .filter_map(|path| Path::new(path).canonicalize().ok());
        self.named.extend(real);
        self
    }

    /// What was read.
    pub fn into_read(self) -> Vec<Input> {
        self.read.into_inner()
    }

    fn may_read(&self, path: &Path) -> bool {
        path.canonicalize()
            .is_ok_and(|path| self.roots.iter().any(|root| path.starts_with(root)))
    }
}

impl Beside for OnDisk {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let at = Path::new(path);
        // A link that was not named itself may lead anywhere, a pipe may never end.
        let is_plain = at.symlink_metadata().is_ok_and(|found| found.is_file());
        let is_named = || at.canonicalize().is_ok_and(|real| self.named.contains(&real));
        if !(is_plain && self.may_read(at) || is_named()) {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(at)
            .ok()?
            .take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .ok()?;
        self.read.borrow_mut().push(Input {
            path: path.to_owned(),
            bytes: bytes.clone(),
        });
        Some(bytes)
    }

    fn folder(&self, path: &str) -> Vec<String> {
        let at = Path::new(if path.is_empty() { "." } else { path });
        if !self.may_read(at) {
            return Vec::new();
        }
        let entries = std::fs::read_dir(at).into_iter().flatten().flatten();
        let plain = entries.filter(|entry| entry.file_type().is_ok_and(|found| found.is_file()));
        let mut names: Vec<String> = plain
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn is_named(&self, path: &str) -> bool {
        !self.searched.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_near_the_documents_are_read() {
        let root = tempfile::tempdir().expect("a folder");
        let inside = root.path().join("inside");
        std::fs::create_dir(&inside).expect("made");
        std::fs::write(inside.join("a.tf"), "a = 1").expect("written");
        std::fs::write(root.path().join("secret"), "s").expect("written");
        let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let beside = OnDisk::new(&[Input {
            path: path(&inside.join("main.tf")),
            bytes: Vec::new(),
        }]);
        assert_eq!(
            beside.file(&path(&inside.join("a.tf"))).as_deref(),
            Some(&b"a = 1"[..])
        );
        assert_eq!(beside.folder(&path(&inside)), ["a.tf"]);
        for outside in ["secret", "inside/../secret", "inside/none.tf"] {
            assert_eq!(beside.file(&path(&root.path().join(outside))), None, "{outside}");
        }
        assert!(beside.folder(&path(root.path())).is_empty());
        #[cfg(unix)]
        {
            let link = inside.join("link.tf");
            std::os::unix::fs::symlink(root.path().join("secret"), &link).expect("linked");
            assert_eq!(beside.file(&path(&link)), None);
            assert_eq!(beside.folder(&path(&inside)), ["a.tf"]);
        }
        assert_eq!(beside.into_read().len(), 1);
    }
}
