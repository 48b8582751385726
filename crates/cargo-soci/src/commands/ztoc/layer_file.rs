//! A layer in a file, read at any offset.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use soci_ztoc::ztoc::{BoxError, ReadAt};

use crate::causes::AtPath;
use crate::error::CommandError;

/// A layer in a file.
pub(super) struct LayerFile {
    file: File,
    bytes_read: u64,
}

impl LayerFile {
    /// Opens a regular file.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        let name = path.display();
        let file = File::open(path).at("read", path)?;
        let metadata = file.metadata().at("read", path)?;
        if !metadata.is_file() {
            return Err(CommandError::failed(format!("{name} is not a regular file"))
                .help("spans are read at their offsets; save the layer to a file first"));
        }
        Ok(Self { file, bytes_read: 0 })
    }

    /// How much was read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The file itself, for reading from front to back.
    pub(super) fn into_file(self) -> File {
        self.file
    }
}

impl ReadAt for LayerFile {
    fn size(&mut self) -> Result<u64, BoxError> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), BoxError> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BoxError::from("the layer ends before"),
            _ => error.into(),
        })?;
        self.bytes_read += buffer.len() as u64;
        Ok(())
    }
}
