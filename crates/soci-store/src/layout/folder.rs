//! A layout that is a folder of this machine.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use soci_image::{Descriptor, Digest};

use super::{INDEX_FILE, IndexJson, LAYOUT_FILE, blob_name, check_marker, check_size};
use crate::blob::{FileBlob, io_error, read_by_digest, read_document};
use crate::budget::Budget;
use crate::store::{DOCUMENT_LIMIT, Root, Source};
use crate::{Error, Result};

/// A folder that images are read from.
#[derive(Debug)]
pub struct LayoutSource {
    folder: PathBuf,
    /// The folder with every symbolic link resolved: what blobs must lie in.
    real_folder: PathBuf,
    index: IndexJson,
    budget: Budget,
}

impl LayoutSource {
    /// Opens a folder and reads its list of images.
    pub fn open(folder: &Path) -> Result<Self> {
        let place = folder.display().to_string();
        let real_folder = fs::canonicalize(folder).map_err(|source| io_error("read", folder, source))?;
        let read = |name: &str| read_small(&real_folder, &place, name);
        if let Some(marker) = read(LAYOUT_FILE)? {
            check_marker(&place, &marker)?;
        }
        let index = read_index(&real_folder, &place)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            real_folder,
            index,
            budget: Budget::default(),
        })
    }

    /// The folder as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a blob, every link resolved; `None` if it is not there.
    pub(crate) fn blob_path(&self, digest: &Digest) -> Result<Option<PathBuf>> {
        let path = self.folder.join(blob_name(digest));
        let real = match fs::canonicalize(self.real_folder.join(blob_name(digest))) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error("read", &path, source)),
        };
        if !real.starts_with(&self.real_folder) {
            let problem = "it is a symbolic link out of the layout, which is refused".into();
            return Err(Error::Place {
                place: path.display().to_string(),
                problem,
            });
        }
        // Opening a FIFO would wait forever.
        if !real.is_file() {
            let problem = "it should be a blob but is not a regular file".into();
            return Err(Error::Place {
                place: path.display().to_string(),
                problem,
            });
        }
        Ok(Some(real))
    }
}

impl Source for LayoutSource {
    type Blob = FileBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        self.index.roots(&self.folder.display().to_string())
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        if let Some(bytes) = self.index.itself(&descriptor.digest) {
            return Ok(bytes.to_vec());
        }
        let bytes = read_document(self.open(descriptor).await?, "document", descriptor)?;
        self.budget.charge(&descriptor.digest, &bytes)?;
        Ok(bytes)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        if self.blob_path(digest)?.is_none() {
            return Ok(None);
        }
        let blob = self.open(&Descriptor::new("", digest.clone(), 0)).await?;
        let bytes = read_by_digest(blob, digest)?;
        self.budget.charge(digest, &bytes)?;
        Ok(Some(bytes))
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(self.blob_path(&descriptor.digest)?.is_some())
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<FileBlob> {
        let Some(path) = self.blob_path(&descriptor.digest)? else {
            return Err(Error::Missing {
                place: self.folder.display().to_string(),
                what: "blob",
                digest: descriptor.digest.clone(),
            });
        };
        let file = File::open(&path).map_err(|source| io_error("read", &path, source))?;
        let size = file
            .metadata()
            .map_err(|source| io_error("read", &path, source))?
            .len();
        Ok(FileBlob::new(Arc::new(file), path.into(), 0, size))
    }

    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.open(descriptor).await?.read_exact_at(offset, buffer)
    }

    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>> {
        self.index.referrers(self, subject, artifact_type).await
    }

    fn is_remote(&self) -> bool {
        false
    }
}

/// The list of images as it is now.
pub(super) fn read_index(folder: &Path, place: &str) -> Result<IndexJson> {
    match read_small(folder, place, INDEX_FILE)? {
        Some(bytes) => IndexJson::parse(place, bytes),
        None => Err(Error::Place {
            place: place.to_owned(),
            problem: "it has no index.json, so it is no OCI image layout".into(),
        }),
    }
}

/// `index.json` or `oci-layout`, if it is there.
fn read_small(folder: &Path, place: &str, name: &str) -> Result<Option<Vec<u8>>> {
    let path = folder.join(name);
    let kind = match fs::metadata(&path) {
        Ok(kind) => kind,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(source) => return Err(io_error("read", &path, source)),
    };
    let inside = match (fs::canonicalize(&path), fs::canonicalize(folder)) {
        (Ok(real), Ok(folder)) => real.starts_with(folder),
        _ => false,
    };
    if !kind.is_file() || !inside {
        let problem = format!("its {name} is not a regular file inside it");
        return Err(Error::Place {
            place: place.into(),
            problem,
        });
    }
    check_size(place, name, kind.len())?;
    // Another file of this name may have come by now: the limit holds for that one as well.
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(DOCUMENT_LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|source| io_error("read", &path, source))?;
    check_size(place, name, bytes.len() as u64)?;
    Ok(Some(bytes))
}
