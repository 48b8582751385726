//! The table of an archive: where each of its files lies in a file that can be read at any place.
//!
//! A tar on disk is read in place: headers only, contents are skipped. What cannot be read at any place (standard
//! input, a pipe, a gzip'd archive) passes through once; its files are kept, one after the other, in an unnamed
//! temporary file that vanishes with the process, however that ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::links::{Links, Resolved};
use super::tar_reader::{Entry, Input, Kind, TarError, TarReader};
use crate::file::{self, FileBlob, io_error};
use crate::{Error, Result};

/// A passing archive may hold at most this much: more is a decompression bomb, not an image.
pub(crate) const SPOOL_LIMIT: u64 = 100 << 30;

/// The files of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    file: Arc<File>,
    /// The archive itself, where `file` is what it was unpacked into.
    packed: Option<Arc<File>>,
    path: Arc<Path>,
    place: String,
    entries: HashMap<String, Stored>,
    links: Links,
}

/// Where the contents of a file lie, or why they do not count.
#[derive(Debug, Clone, Copy)]
enum Stored {
    File { offset: u64, size: u64 },
    Unusable(&'static str),
}

impl Table {
    /// Reads the archive at a path: in place if it is a plain tar in a regular file.
    pub(crate) fn open(path: &Path, cancel: &AtomicBool) -> Result<Self> {
        let place = path.display().to_string();
        let mut file = File::open(path).map_err(|source| io_error("read", path, source))?;
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
        let mut magic = [0; 2];
        let found = file::read_at(&file, &mut magic, 0).map_err(|source| io_error("read", path, source))?;
        if found == 2 && magic == GZIP_MAGIC {
            let packed = Arc::new(file);
            let table = Self::receive(place, Arc::clone(&packed), cancel)?;
            return Ok(Self {
                packed: Some(packed),
                ..table
            });
        }
        file.seek(SeekFrom::Start(0))
            .map_err(|source| io_error("read", path, source))?;
        let input = Seekable {
            length: kind.len(),
            position: 0,
            file: &file,
        };
        let mut reader = TarReader::new(input);
        let mut entries = HashMap::new();
        let mut links = Links::default();
        while let Some(entry) = reader.next().map_err(|error| tar_error(&place, error))? {
            file::check(cancel)?;
            let stored = stored(&entry, entry.offset);
            links.keep(&entry);
            insert(&place, &mut entries, entry.name, stored)?;
        }
        Ok(Self {
            file: Arc::new(file),
            packed: None,
            path: path.into(),
            place,
            entries,
            links,
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
                file::check(cancel)?;
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
        Ok(Self {
            file: Arc::new(spool),
            packed: None,
            path: Path::new(&place).into(),
            place,
            entries,
            links,
        })
    }

    /// The file at the path that was opened.
    pub(crate) fn opened(&self) -> &Arc<File> {
        self.packed.as_ref().unwrap_or(&self.file)
    }

    /// The archive as messages call it.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The name of the entry that a name means once every link on the way was followed.
    ///
    /// # Errors
    /// The link that leads out of the archive or in a circle, and where it leads.
    pub(crate) fn resolve(&self, name: &str) -> Result<Resolved, String> {
        self.links.resolve(name)
    }

    /// A file of the archive, `None` if it has none of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<FileBlob>> {
        match self.entries.get(name) {
            None => Ok(None),
            Some(Stored::File { offset, size }) => Ok(Some(FileBlob::new(
                Arc::clone(&self.file),
                Arc::clone(&self.path),
                *offset,
                *size,
            ))),
            Some(Stored::Unusable(why)) => Err(Error::Place {
                place: self.place.clone(),
                problem: format!("its entry {name} {why}"),
            }),
        }
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

fn stored(entry: &Entry, offset: u64) -> Stored {
    match entry.kind {
        Kind::File => Stored::File {
            offset,
            size: entry.size,
        },
        Kind::Folder => Stored::Unusable("is a folder"),
        Kind::HardLink(_) | Kind::SymbolicLink(_) => Stored::Unusable("is a link, not a file"),
        Kind::Other(_) => Stored::Unusable("is neither a file nor a folder"),
    }
}

/// Blobs may come twice, being what their digest says; a second `index.json` would be another image.
fn insert(place: &str, entries: &mut HashMap<String, Stored>, name: String, stored: Stored) -> Result<()> {
    let unique = matches!(name.as_str(), "index.json" | "oci-layout" | "manifest.json");
    if unique && entries.contains_key(&name) {
        return Err(Error::Place {
            place: place.into(),
            problem: format!("it has {name} twice"),
        });
    }
    entries.insert(name, stored);
    Ok(())
}

fn tar_error(place: &str, error: TarError) -> Error {
    match error {
        TarError::Io(source) => io_error("read", Path::new(place), source),
        other => Error::Place {
            place: place.into(),
            problem: other.to_string(),
        },
    }
}

/// A file whose contents are skipped by moving.
struct Seekable<'a> {
    length: u64,
    position: u64,
    file: &'a File,
}

impl Read for Seekable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = file::read_at(self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Input for Seekable<'_> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        match self.position.checked_add(count) {
            Some(position) if position <= self.length => {
                self.position = position;
                Ok(())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

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
