//! Advisory locks: who writes `index.json`, and whether whoever made a temporary folder still lives.
//!
//! The system drops a lock with the process that holds it, however that ends, so a lock that can be taken is proof
//! that its owner is gone. Some network file systems have no locks: there runs do as they did without them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::blob::{check, io_error};
use crate::{Error, Result};

/// The lock of a folder: one run at a time changes the list of images in it.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// Locked as long as it is open.
    _file: File,
    path: PathBuf,
}

impl FolderLock {
    /// Waits until nobody else holds the lock, or until the cancel flag is raised.
    pub(crate) fn take(folder: &Path, cancel: &AtomicBool) -> Result<Self> {
        let path = folder.join(LOCK_FILE);
        loop {
            // Opening a planted link would make a file elsewhere, opening a planted FIFO would wait forever.
            if fs::symlink_metadata(&path).is_ok_and(|kind| !kind.is_file()) {
                return Err(Error::Place {
                    place: path.display().to_string(),
                    problem: "it should be the lock of the layout but is not a regular file: remove it"
                        .into(),
                });
            }
            let opened = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let file = opened.map_err(|source| io_error("lock", &path, source))?;
            wait(&file, &path, cancel)?;
            // Whoever held it before has removed the file that we waited for.
            if is_at(&file, &path) {
                return Ok(Self { _file: file, path });
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Others may wait for this very file; they see that it is gone. Where that cannot be seen, it stays.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Waits for the lock of an open file; where there are no locks it is taken at once.
pub(crate) fn wait(file: &File, path: &Path, cancel: &AtomicBool) -> Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {
                check(cancel)?;
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(io_error("lock", path, source)),
        }
    }
}

/// Whether the file of a lock is one that nobody holds. False where there are no locks.
pub(crate) fn is_abandoned(file: &File) -> bool {
    file.try_lock().is_ok()
}

fn has_no_locks(error: &io::Error) -> bool {
    // ENOLCK of NFS without a lock server has no kind of its own.
    const NO_LOCK: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };
    error.kind() == io::ErrorKind::Unsupported || (cfg!(unix) && error.raw_os_error() == Some(NO_LOCK))
}

/// Whether an open file is the one that has this name now.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |kind: fs::Metadata| (kind.dev(), kind.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        _ => false,
    }
}

/// Where files have no stable numbers to compare, locks are never removed, so the name is enough.
#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// The file in a layout that is locked; it is there only while a run writes.
const LOCK_FILE: &str = ".cargo-soci-lock";

const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_at_a_time_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let never = AtomicBool::new(false);
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let lock = FolderLock::take(folder.path(), &never).expect("it comes");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
    }

    #[test]
    fn waiting_ends_with_the_cancel_flag() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let _held = FolderLock::take(folder.path(), &AtomicBool::new(false)).expect("free");
        let outcome = FolderLock::take(folder.path(), &AtomicBool::new(true));
        assert!(matches!(outcome, Err(Error::Interrupted)));
    }

    #[cfg(unix)]
    #[test]
    fn a_planted_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, folder.path().join(LOCK_FILE)).expect("a link");
        let error = FolderLock::take(folder.path(), &AtomicBool::new(false)).expect_err("refused");
        assert!(error.to_string().contains("not a regular file"), "{error}");
        assert!(!elsewhere.exists());
    }
}
