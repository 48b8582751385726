//! Files on a disk, and the small steps that writing them safely takes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::Descriptor;

use crate::blob::{FileBlob, ReadAt, check, io_error, kind_of};
use crate::checked::{Check, Mismatch};
use crate::store::Blob;
use crate::{Error, Result};

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

/// A new file in the spool folder that nobody sees and that goes with its last user.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    size: u64,
}

impl Spool {
    /// An empty one.
    pub(crate) fn new() -> Result<Self> {
        let file = tempfile::tempfile_in(spool_folder()).map_err(spool_error)?;
        Ok(Self { file, size: 0 })
    }

    /// What was written, to be read.
    pub(crate) fn into_blob(self) -> FileBlob {
        FileBlob::new(Arc::new(self.file), spool_folder().into(), 0, self.size)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error of a file in the spool folder.
pub(crate) fn spool_error(source: io::Error) -> Error {
    io_error("write into", &spool_folder(), source)
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
