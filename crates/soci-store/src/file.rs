//! Files on a disk, and the small steps that writing them safely takes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use soci_image::Descriptor;

use crate::Result;
use crate::blob::{ReadAt, check, io_error, kind_of};
use crate::checked::{Check, Mismatch};
use crate::store::Blob;

/// How much is copied between two looks at the cancel flag.
const COPY_BUFFER: usize = 1 << 20;

/// Copies a blob into a writer and compares its size on the way, and its digest unless the caller did.
pub(crate) fn copy(
    blob: &mut impl Blob,
    descriptor: &Descriptor,
    verified: bool,
    cancel: &AtomicBool,
    mut write: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut passing = match verified {
        true => Check::counting(descriptor),
        false => Check::new(descriptor),
    };
    let wrong = |mismatch: Mismatch| mismatch.of(kind_of(descriptor), descriptor);
    let mut buffer = vec![0; COPY_BUFFER];
    loop {
        check(cancel)?;
        let count = crate::block_on(blob.read(&mut buffer))?;
        if count == 0 {
            return passing.finish().map_err(wrong);
        }
        // Stops at the first byte too many: an archive has promised the size already.
        passing.take(&buffer[..count]).map_err(wrong)?;
        write(&buffer[..count])?;
    }
}

/// Where what passes only once is kept: `TMPDIR` if it is set, else `/var/tmp`, which unlike `/tmp` is made for large
/// files and is never in memory, else the system's folder.
pub(crate) fn spool_folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if cfg!(unix) && large.is_dir() => large.to_path_buf(),
        _ => std::env::temp_dir(),
    }
}

/// Makes the entries of a folder last; where folders cannot be synced there is nothing to do.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| io_error("create", path, source))
}

/// A file on a disk.
impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match std::os::unix::fs::FileExt::read_at(self, buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    // Moves the file's position, which nothing here reads by.
    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}
