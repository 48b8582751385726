//! Files read by several threads at once, and the small steps that writing files safely takes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::{Descriptor, Digest};

use crate::checked::{Check, Mismatch};
use crate::store::{Blob, DOCUMENT_LIMIT};
use crate::{Error, Result};

/// How much is copied between two looks at the cancel flag.
const COPY_BUFFER: usize = 1 << 20;

/// A stretch of a file, read from front to back without moving the file's own position.
#[derive(Debug, Clone)]
pub struct FileBlob {
    file: Arc<File>,
    path: Arc<Path>,
    position: u64,
    end: u64,
}

impl FileBlob {
    /// The bytes `offset..offset + size` of an open file.
    pub(crate) fn new(file: Arc<File>, path: Arc<Path>, offset: u64, size: u64) -> Self {
        Self {
            file,
            path,
            position: offset,
            end: offset.saturating_add(size),
        }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> u64 {
        self.end - self.position
    }

    /// Reads without the detour over a future.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer
            .len()
            .min(usize::try_from(self.remaining()).unwrap_or(usize::MAX));
        let count = read_at(&self.file, &mut buffer[..wanted], self.position)
            .map_err(|source| io_error("read", &self.path, source))?;
        if count == 0 && wanted > 0 {
            return Err(io_error("read", &self.path, io::ErrorKind::UnexpectedEof.into()));
        }
        self.position += count as u64;
        Ok(count)
    }

    /// Fills the buffer from `offset` behind the current position.
    pub(crate) fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        if offset
            .checked_add(buffer.len() as u64)
            .is_none_or(|end| end > self.remaining())
        {
            return Err(io_error("read", &self.path, io::ErrorKind::UnexpectedEof.into()));
        }
        while filled < buffer.len() {
            let at = self.position + offset + filled as u64;
            let count = read_at(&self.file, &mut buffer[filled..], at)
                .map_err(|source| io_error("read", &self.path, source))?;
            if count == 0 {
                return Err(io_error("read", &self.path, io::ErrorKind::UnexpectedEof.into()));
            }
            filled += count;
        }
        Ok(())
    }
}

impl Blob for FileBlob {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.read_now(buffer)
    }
}

/// Reads a whole document: its size is checked before anything is allocated, then its digest.
pub(crate) fn read_document(
    mut blob: FileBlob,
    what: &'static str,
    descriptor: &Descriptor,
) -> Result<Vec<u8>> {
    let size = blob.remaining();
    check_document_size(what, descriptor, size)?;
    let mut bytes = vec![0; usize::try_from(size).expect("at most DOCUMENT_LIMIT")];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += blob.read_now(&mut bytes[filled..])?;
    }
    check_digest(what, descriptor, &bytes)?;
    Ok(bytes)
}

/// Reads a whole document of which only the digest is known.
pub(crate) fn read_by_digest(blob: FileBlob, digest: &Digest) -> Result<Vec<u8>> {
    let descriptor = Descriptor::new("", digest.clone(), blob.remaining());
    read_document(blob, "manifest", &descriptor)
}

/// A document has the size that its descriptor says, and is not too large to be read.
pub(crate) fn check_document_size(what: &'static str, descriptor: &Descriptor, size: u64) -> Result<()> {
    let digest = descriptor.digest.clone();
    if size > DOCUMENT_LIMIT {
        return Err(Error::DocumentTooLarge {
            what,
            digest,
            size,
            limit: DOCUMENT_LIMIT,
        });
    }
    if size != descriptor.size {
        return Err(Error::SizeMismatch {
            what,
            digest,
            expected: descriptor.size,
            found: size,
        });
    }
    Ok(())
}

/// Bytes in memory are those of the descriptor.
pub(crate) fn check_digest(what: &'static str, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
    let mut passing = Check::new(descriptor);
    passing
        .take(bytes)
        .and_then(|()| passing.finish())
        .map_err(|wrong| wrong.of(what, descriptor))
}

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

/// What messages call a blob: the same whoever comes upon it.
pub(crate) fn kind_of(descriptor: &Descriptor) -> &'static str {
    let is_layer = [".layer.", ".rootfs."]
        .iter()
        .any(|part| descriptor.media_type.contains(part));
    if is_layer { "layer" } else { "blob" }
}

/// An error once the cancel flag is up.
pub(crate) fn check(cancel: &AtomicBool) -> Result<()> {
    if cancel.load(Ordering::Relaxed) {
        Err(Error::Interrupted)
    } else {
        Ok(())
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

/// An error of the operating system with its place.
pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| io_error("create", path, source))
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    // Moves the file's position, which nothing here reads by.
    file.seek_read(buffer, offset)
}
