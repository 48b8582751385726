//! Where a result grows before it appears: a folder of its own, on the file system of its target.
//!
//! ```text
//! .cargo-soci-AbCdEf         what is being written; goes with its run, or is renamed into place at the end
//! .cargo-soci-AbCdEf.lock    locked as long as that run lives
//! ```
//!
//! What a killed run left is taken away by the next one that works in the same folder: its lock can be had. A run
//! that lives holds its lock, so nobody takes anything from it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::blob::io_error;
use crate::{Result, lock};

/// A temporary folder that is gone when this is dropped.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    /// The lock's file; removed last, and unlocked when it is closed.
    lock: Option<tempfile::TempPath>,
    _locked: File,
}

impl Workspace {
    /// Takes away what killed runs left in `place`, and makes a folder there.
    ///
    /// # Errors
    /// If the folder cannot be written into.
    pub fn new_in(place: &Path) -> Result<Self> {
        Self::make(place, 0o777)
    }

    /// The same for what is nobody else's business.
    ///
    /// # Errors
    /// If the folder cannot be written into.
    pub fn private_in(place: &Path) -> Result<Self> {
        Self::make(place, 0o700)
    }

    /// The umask takes from `mode` what the user does not want.
    fn make(place: &Path, mode: u32) -> Result<Self> {
        sweep(place);
        let builder = folder_builder(mode);
        loop {
            let file = tempfile::Builder::new()
                .prefix(PREFIX)
                .suffix(SUFFIX)
                .tempfile_in(place)
                .map_err(|source| io_error("write into", place, source))?;
            let (file, lock) = file.into_parts();
            // Another run may have come between making and locking, and have taken it for a dead one's.
            if file
                .try_lock()
                .is_err_and(|error| matches!(error, fs::TryLockError::WouldBlock))
                || !lock.exists()
            {
                continue;
            }
            let folder = lock.with_extension("");
            known().push((folder.clone(), lock.to_path_buf()));
            let workspace = Self {
                folder,
                lock: Some(lock),
                _locked: file,
            };
            builder
                .create(&workspace.folder)
                .map_err(|source| io_error("write into", place, source))?;
            return Ok(workspace);
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Renamed into place, or not needed any more.
        let _ = fs::remove_dir_all(&self.folder);
        self.lock.take();
        known().retain(|(folder, _)| *folder != self.folder);
    }
}

/// Removes every workspace of this process, for whoever ends it without waiting for its threads.
pub fn remove_all() {
    for (folder, lock) in known().drain(..) {
        let _ = fs::remove_dir_all(folder);
        let _ = fs::remove_file(lock);
    }
}

#[cfg(unix)]
fn folder_builder(mode: u32) -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    builder
}

#[cfg(not(unix))]
fn folder_builder(_mode: u32) -> fs::DirBuilder {
    fs::DirBuilder::new()
}

/// Takes away what no living run owns.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        // Never opens what is not a file: a FIFO would wait forever.
        if !name.ends_with(SUFFIX) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        if lock::is_abandoned(&file) {
            // Does not follow links, neither here nor below. What cannot be removed is somebody else's.
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = fs::remove_file(&path);
        }
    }
}

/// The folders of this process and their locks.
static KNOWN: Mutex<Vec<(PathBuf, PathBuf)>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<(PathBuf, PathBuf)>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What temporary files and folders of ours begin with.
const PREFIX: &str = ".cargo-soci-";
const SUFFIX: &str = ".lock";

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable").flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_dead_run_left_goes_and_what_a_living_one_has_stays() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let dead = place.path().join(".cargo-soci-dead01");
        fs::create_dir_all(dead.join("blobs/sha256")).expect("writable");
        fs::write(dead.join("blobs/sha256/x"), "x").expect("writable");
        fs::write(place.path().join(".cargo-soci-dead01.lock"), "").expect("writable");
        fs::create_dir(place.path().join(".cargo-soci-of-others")).expect("writable");
        fs::write(place.path().join("file.lock"), "").expect("writable");

        let living = Workspace::new_in(place.path()).expect("writable");
        fs::write(living.path().join("x"), "x").expect("writable");
        let second = Workspace::new_in(place.path()).expect("writable");
        assert!(!dead.exists());
        assert!(living.path().join("x").exists());
        assert_ne!(living.path(), second.path());
        drop((living, second));
        assert_eq!(names(place.path()), [".cargo-soci-of-others", "file.lock"]);
    }

    #[test]
    fn many_at_once_do_not_take_from_each_other() {
        let place = tempfile::tempdir().expect("a temporary folder");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let workspace = Workspace::new_in(place.path()).expect("writable");
                        std::thread::yield_now();
                        fs::write(workspace.path().join("x"), "x").expect("it is still there");
                    }
                });
            }
        });
        assert_eq!(names(place.path()), [""; 0]);
    }
}
