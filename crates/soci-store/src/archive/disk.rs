//! Archives on a disk: in place, or through a temporary file.
//!
//! What cannot be read at any place (standard input, a pipe, a gzip'd archive) passes through once; its files are kept,
//! one after the other, in an unnamed temporary file that vanishes with the process, however that ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::links::Links;
use super::table::{Stored, Table, insert, stored, tar_error};
use super::tar_reader::{Input, TarReader};
use crate::blob::{self, ReadAt, io_error};
use crate::file;
use crate::{Error, Result};

/// A passing archive may hold at most this much: more is a decompression bomb, not an image.
pub(crate) const SPOOL_LIMIT: u64 = 100 << 30;

impl Table {
    /// Reads the archive at a path: in place if it is a plain tar in a regular file.
    pub(crate) fn open(path: &Path, cancel: &AtomicBool) -> Result<Self> {
        let place = path.display().to_string();
        let file = File::open(path).map_err(|source| io_error("read", path, source))?;
        let kind = file.metadata().map_err(|source| io_error("read", path, source))?;
        if kind.is_dir() {
            return Err(Error::Place {
                place,
                problem: "it is a folder, not an archive: write oci: before it".into(),
            });
        }
        if !kind.is_file() {
            return Self::receive(place, file, cancel);
        }
        let file = Arc::new(file);
        let mut magic = [0; 2];
        let found =
            ReadAt::read_at(&*file, &mut magic, 0).map_err(|source| io_error("read", path, source))?;
        let table = match found == 2 && magic == GZIP_MAGIC {
            true => Self::receive(place, Arc::clone(&file), cancel)?,
            false => Self::in_place(place, file.clone(), kind.len(), cancel)?,
        };
        Ok(Self {
            opened: Some(file),
            ..table
        })
    }

    /// Lets an archive pass that can be read only once.
    pub(crate) fn receive(place: String, input: impl Read, cancel: &AtomicBool) -> Result<Self> {
        let mut input = io::BufReader::with_capacity(1 << 18, input);
        let magic = io::BufRead::fill_buf(&mut input)
            .map_err(|source| io_error("read", Path::new(&place), source))?;
        if magic.starts_with(&GZIP_MAGIC) {
            Self::spool(place, flate2::bufread::MultiGzDecoder::new(input), cancel)
        } else if magic.is_empty() {
            Err(Error::Place {
                place,
                problem: "it is empty: nothing was written to it".into(),
            })
        } else {
            Self::spool(place, input, cancel)
        }
    }

    fn spool(place: String, input: impl Read, cancel: &AtomicBool) -> Result<Self> {
        let folder = file::spool_folder();
        let mut spool =
            tempfile::tempfile_in(&folder).map_err(|source| io_error("write into", &folder, source))?;
        let mut reader = TarReader::new(Passing(input));
        let mut entries = HashMap::new();
        let mut links = Links::default();
        let mut position = 0;
        let mut buffer = vec![0; 1 << 18];
        while let Some(entry) = reader.next().map_err(|error| tar_error(&place, error))? {
            let stored = stored(&entry, position);
            links.keep(&entry);
            insert(&place, &mut entries, entry.name, stored)?;
            if matches!(stored, Stored::Unusable(_)) {
                continue;
            }
            loop {
                blob::check(cancel)?;
                let count = reader
                    .read(&mut buffer)
                    .map_err(|error| tar_error(&place, error))?;
                if count == 0 {
                    break;
                }
                position += count as u64;
                if position > SPOOL_LIMIT {
                    let problem = format!(
                        "it unpacks to more than {} GiB, which is refused",
                        SPOOL_LIMIT >> 30
                    );
                    return Err(Error::Place { place, problem });
                }
                spool
                    .write_all(&buffer[..count])
                    .map_err(|source| io_error("write into", &folder, source))?;
            }
        }
        reader.drain().map_err(|error| tar_error(&place, error))?;
        let spool = Arc::new(spool);
        Ok(Self {
            files: vec![spool.clone()],
            path: Path::new(&place).into(),
            place,
            entries,
            links,
            opened: Some(spool),
        })
    }

    /// The file at the path that was opened, or what took in a stream.
    pub(crate) fn opened(&self) -> Option<&Arc<File>> {
        self.opened.as_ref()
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Any reader, whose contents are skipped by reading them.
struct Passing<R>(R);

impl<R: Read> Read for Passing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Input for Passing<R> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        match io::copy(&mut self.0.by_ref().take(count), &mut io::sink())? {
            copied if copied == count => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
