//! Stretches of files that are read at any place: natively of files on a disk, in WASM of those that the host has.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::{Descriptor, Digest};

use crate::checked::Check;
use crate::store::{Blob, DOCUMENT_LIMIT};
use crate::{Error, Result};

/// Bytes that are read at any place, by several threads at once.
pub trait ReadAt: std::fmt::Debug + Send + Sync {
    /// Reads at most `buffer.len()` bytes from `offset` on and says how many; 0 is the end.
    ///
    /// # Errors
    /// Those of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// Bytes in memory.
impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..));
        let mut rest = rest.unwrap_or_default();
        io::Read::read(&mut rest, buffer)
    }
}

/// A stretch of a file, read from front to back without moving the file's own position.
#[derive(Debug, Clone)]
pub struct FileBlob {
    file: Arc<dyn ReadAt>,
    path: Arc<Path>,
    position: u64,
    end: u64,
}

impl FileBlob {
    /// The bytes `offset..offset + size` of an open file.
    pub(crate) fn new(file: Arc<dyn ReadAt>, path: Arc<Path>, offset: u64, size: u64) -> Self {
        Self {
            file,
            path,
            position: offset,
            end: offset.saturating_add(size),
        }
    }

    /// The file that it is a stretch of, and where the stretch begins: what was read of it counts no more.
    pub fn place(&self) -> (&Arc<dyn ReadAt>, u64) {
        (&self.file, self.position)
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
        let count = self
            .file
            .read_at(&mut buffer[..wanted], self.position)
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
            let count = self
                .file
                .read_at(&mut buffer[filled..], at)
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

/// An error of the operating system with its place.
pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}

/// An error once the cancel flag is up.
pub(crate) fn check(cancel: &AtomicBool) -> Result<()> {
    if cancel.load(Ordering::Relaxed) {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// What messages call a blob: the same whoever comes upon it.
pub(crate) fn kind_of(descriptor: &Descriptor) -> &'static str {
    let is_layer = [".layer.", ".rootfs."]
        .iter()
        .any(|part| descriptor.media_type.contains(part));
    if is_layer { "layer" } else { "blob" }
}
