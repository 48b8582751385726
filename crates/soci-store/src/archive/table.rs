//! The table of an archive: where each of its files lies in a file that can be read at any place. Headers are read,
//! contents are skipped.

use std::collections::HashMap;
#[cfg(feature = "native")]
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::links::{Links, Resolved};
use super::tar_reader::{Entry, Input, Kind, TarError, TarReader};
use crate::blob::{self, FileBlob, ReadAt, io_error};
use crate::{Error, Result};

/// The files of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(super) files: Vec<Arc<dyn ReadAt>>,
    pub(super) path: Arc<Path>,
    pub(super) place: String,
    pub(super) entries: HashMap<String, Stored>,
    pub(super) links: Links,
    /// The file at the path that was opened, whatever it was unpacked into.
    #[cfg(feature = "native")]
    pub(super) opened: Option<Arc<File>>,
}

/// A file of a folder that somebody else has listed.
#[derive(Debug)]
pub struct GivenFile {
    /// Its path in the folder, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub bytes: Arc<dyn ReadAt>,
    /// How much that is.
    pub size: u64,
}

/// Where the contents of a file lie, or why they do not count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    /// In the file of this number.
    File {
        number: usize,
        offset: u64,
        size: u64,
    },
    Unusable(&'static str),
}

impl Table {
    /// Reads the table of a plain tar; its contents stay where they are.
    pub(crate) fn in_place(
        place: String,
        file: Arc<dyn ReadAt>,
        length: u64,
        cancel: &AtomicBool,
    ) -> Result<Self> {
        let input = Seekable {
            length,
            position: 0,
            file: &*file,
        };
        let mut reader = TarReader::new(input);
        let mut entries = HashMap::new();
        let mut links = Links::default();
        while let Some(entry) = reader.next().map_err(|error| tar_error(&place, error))? {
            blob::check(cancel)?;
            let stored = stored(&entry, entry.offset);
            links.keep(&entry);
            insert(&place, &mut entries, entry.name, stored)?;
        }
        Ok(Self {
            files: vec![file],
            path: Path::new(&place).into(),
            place,
            entries,
            links,
            #[cfg(feature = "native")]
            opened: None,
        })
    }

    /// The files of a folder, by their paths in it.
    pub(crate) fn folder(place: String, given: Vec<GivenFile>) -> Result<Self> {
        let mut entries = HashMap::new();
        let mut files = Vec::new();
        for (number, file) in given.into_iter().enumerate() {
            let (offset, size) = (0, file.size);
            let stored = Stored::File { number, offset, size };
            insert(&place, &mut entries, file.path, stored)?;
            files.push(file.bytes);
        }
        Ok(Self {
            files,
            path: Path::new(&place).into(),
            place,
            entries,
            links: Links::default(),
            #[cfg(feature = "native")]
            opened: None,
        })
    }

    /// The archive as messages call it.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Whether there is an entry of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
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
            Some(Stored::File { number, offset, size }) => Ok(Some(FileBlob::new(
                Arc::clone(&self.files[*number]),
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

/// Where an entry lies in the one file that there is.
pub(super) fn stored(entry: &Entry, offset: u64) -> Stored {
    match entry.kind {
        Kind::File => Stored::File {
            number: 0,
            offset,
            size: entry.size,
        },
        Kind::Folder => Stored::Unusable("is a folder"),
        Kind::HardLink(_) | Kind::SymbolicLink(_) => Stored::Unusable("is a link, not a file"),
        Kind::Other(_) => Stored::Unusable("is neither a file nor a folder"),
    }
}

/// Blobs may come twice, being what their digest says; a second `index.json` would be another image.
pub(super) fn insert(
    place: &str,
    entries: &mut HashMap<String, Stored>,
    name: String,
    stored: Stored,
) -> Result<()> {
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

pub(super) fn tar_error(place: &str, error: TarError) -> Error {
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
    file: &'a dyn ReadAt,
}

impl Read for Seekable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
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
