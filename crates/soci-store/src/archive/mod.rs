//! An OCI image layout in a tar, read in place and written in one pass.

#[cfg(feature = "native")]
mod destination;
#[cfg(feature = "native")]
mod disk;
mod docker_archive;
mod links;
mod lone;
mod table;
mod tar_reader;
#[cfg(feature = "native")]
mod tar_writer;

use std::collections::BTreeMap;
#[cfg(feature = "native")]
use std::fs::File;
#[cfg(feature = "native")]
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::{Descriptor, Digest, Document, Json};

#[cfg(feature = "native")]
pub use destination::{ArchiveDestination, ArchiveSink};
pub use lone::Holds;
pub use table::GivenFile;

use self::docker_archive::{DockerArchive, MANIFEST_FILE, media_type_of};
use self::table::Table;
use crate::blob::{FileBlob, ReadAt, read_by_digest, read_document};
use crate::budget::Budget;
use crate::layout::{INDEX_FILE, IndexJson, LAYOUT_FILE, blob_name, check_marker, check_size};
use crate::store::{Published, Root, Source};
use crate::{Error, Result};

/// An archive that images are read from.
#[derive(Debug)]
pub struct ArchiveSource {
    table: Table,
    index: IndexJson,
    /// Set if it is an archive in docker's own form.
    docker: Option<DockerArchive>,
    has_docker_manifest: bool,
    /// What was made of its images.
    added: BTreeMap<Digest, FileBlob>,
    budget: Budget,
}

impl ArchiveSource {
    /// Opens the archive at a path.
    ///
    /// A plain tar is read in place through its offsets. A gzip'd one, a pipe or a device passes through once into
    /// an unnamed temporary file in `TMPDIR` or `/var/tmp` (100 GiB at most).
    #[cfg(feature = "native")]
    pub fn open(path: &Path, cancel: &AtomicBool) -> Result<Self> {
        Self::read(Table::open(path, cancel)?)
    }

    /// Reads an archive, gzip'd or not, that can be read only once, such as standard input, to its very end.
    #[cfg(feature = "native")]
    pub fn receive(name: &str, input: impl Read, cancel: &AtomicBool) -> Result<Self> {
        Self::read(Table::receive(name.to_string(), input, cancel)?)
    }

    /// Reads a plain tar of `length` bytes in place, whoever has it; messages call it `name`.
    ///
    /// # Errors
    /// If it is not an archive of images.
    pub fn in_place(name: &str, file: Arc<dyn ReadAt>, length: u64, cancel: &AtomicBool) -> Result<Self> {
        Self::read(Table::in_place(name.to_owned(), file, length, cancel)?)
    }

    /// A folder that holds what an archive would, as an OCI image layout, of which somebody else has listed the files.
    ///
    /// # Errors
    /// If it holds no images.
    pub fn folder(name: &str, files: Vec<GivenFile>) -> Result<Self> {
        Self::read(Table::folder(name.to_owned(), files)?)
    }

    /// The images that were made of its own, with what is new of them; blobs that were there are there still.
    ///
    /// # Errors
    /// None of documents that a conversion made.
    pub fn with(&self, images: &[Published], added: BTreeMap<Digest, Vec<u8>>) -> Result<Self> {
        let place = self.table.place();
        let index = IndexJson::parse(place, IndexJson::new().with(images))?;
        let blob = |bytes: Vec<u8>| {
            let size = bytes.len() as u64;
            FileBlob::new(Arc::new(bytes), Path::new(place).into(), 0, size)
        };
        let added = added.into_iter().map(|(digest, bytes)| (digest, blob(bytes)));
        Ok(Self {
            table: self.table.clone(),
            index,
            docker: self.docker.clone(),
            has_docker_manifest: self.has_docker_manifest,
            added: added.collect(),
            budget: Budget::default(),
        })
    }

    fn read(table: Table) -> Result<Self> {
        let place = table.place().to_string();
        let read = |name: &str| -> Result<Option<Vec<u8>>> {
            let Some(mut blob) = table.find(name)? else {
                return Ok(None);
            };
            check_size(&place, name, blob.remaining())?;
            let mut bytes = vec![0; usize::try_from(blob.remaining()).expect("checked")];
            let mut filled = 0;
            while filled < bytes.len() {
                filled += blob.read_now(&mut bytes[filled..])?;
            }
            Ok(Some(bytes))
        };
        if let Some(marker) = read(LAYOUT_FILE)? {
            check_marker(&place, &marker)?;
        }
        let manifest = read(MANIFEST_FILE)?;
        let has_docker_manifest = manifest.is_some();
        let index = match read(INDEX_FILE)? {
            Some(bytes) => Some(IndexJson::parse(&place, bytes)?),
            None => None,
        };
        // Docker 25.0.1 wrote `"manifests": null` for some images and a good manifest.json beside it
        // (https://github.com/moby/moby/issues/47065).
        let is_layout = index.as_ref().is_some_and(|index| index.roots(&place).is_ok());
        // Docker 25.0.0 wrote OCI manifests without their layers, and a good manifest.json beside them.
        let is_layout = match (&index, &manifest) {
            (Some(index), Some(manifest)) if is_layout && lists_layers(manifest) => {
                !has_no_layers(&table, &index.roots(&place)?)?
            }
            _ => is_layout,
        };
        let budget = Budget::default();
        match (index, manifest) {
            (Some(index), manifest) if is_layout || manifest.is_none() => Ok(Self {
                table,
                index,
                docker: None,
                has_docker_manifest,
                added: BTreeMap::new(),
                budget,
            }),
            (index, Some(manifest)) => {
                let docker = DockerArchive::read(&table, &manifest, &budget);
                let mut docker = match (docker, index) {
                    (Err(error), Some(_)) => {
                        let problem = format!(
                            "its index.json lists an image without layers, and its manifest.json does not make up for \
                             that: {error}"
                        );
                        return Err(Error::Place { place, problem });
                    }
                    (docker, _) => docker?,
                };
                let index = IndexJson::parse(&place, std::mem::take(&mut docker.index))?;
                Ok(Self {
                    table,
                    index,
                    docker: Some(docker),
                    has_docker_manifest,
                    added: BTreeMap::new(),
                    budget,
                })
            }
            (_, None) => Err(Error::Place {
                place,
                problem: "it has neither index.json nor manifest.json, so it is not an archive of an image"
                    .into(),
            }),
        }
    }

    /// The path that was opened; no file's for a stream.
    #[cfg(feature = "native")]
    pub(crate) fn path(&self) -> &Path {
        Path::new(self.table.place())
    }

    /// The file at the path that was opened.
    #[cfg(feature = "native")]
    pub(crate) fn opened(&self) -> Option<&Arc<File>> {
        self.table.opened()
    }

    /// Whether `docker save` or a tool like it wrote the archive. Its uncompressed layers are how the engine
    /// stores them, not how anybody wants to push them.
    pub fn is_docker_archive(&self) -> bool {
        self.has_docker_manifest
    }
}

/// Whether a `manifest.json` lists layers for some image.
fn lists_layers(manifest: &[u8]) -> bool {
    let has_layers = |image: &Json| {
        let layers = image.get("Layers").and_then(Json::as_array);
        layers.is_some_and(|layers| !layers.is_empty())
    };
    let images = Json::parse(manifest).ok();
    let images = images.as_ref().and_then(Json::as_array);
    images.is_some_and(|images| images.iter().any(has_layers))
}

/// Whether all images of a layout are manifests that list no layer.
fn has_no_layers(table: &Table, roots: &[Root]) -> Result<bool> {
    for root in roots {
        let Some(blob) = table.find(&blob_name(&root.descriptor.digest))? else {
            return Ok(false);
        };
        // What is wrong with it is said when it is read as what it is.
        let Ok(bytes) = read_document(blob, "manifest", &root.descriptor) else {
            return Ok(false);
        };
        let parsed = Document::parse(&bytes, &root.descriptor.media_type);
        if !matches!(parsed, Ok(Document::Manifest(manifest)) if manifest.layers.is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Source for ArchiveSource {
    type Blob = FileBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        self.index.roots(self.table.place())
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        if let Some(bytes) = self.index.itself(&descriptor.digest) {
            return Ok(bytes.to_vec());
        }
        if let Some(bytes) = self
            .docker
            .as_ref()
            .and_then(|docker| docker.documents.get(&descriptor.digest))
        {
            return Ok(bytes.clone());
        }
        let bytes = read_document(self.open(descriptor).await?, "document", descriptor)?;
        self.budget.charge(&descriptor.digest, &bytes)?;
        Ok(bytes)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let descriptor = Descriptor::new("", digest.clone(), 0);
        if !self.contains(&descriptor).await? {
            return Ok(None);
        }
        let bytes = read_by_digest(self.open(&descriptor).await?, digest)?;
        self.budget.charge(digest, &bytes)?;
        Ok(Some(bytes))
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        if self.added.contains_key(&descriptor.digest) {
            return Ok(true);
        }
        match &self.docker {
            Some(docker) => Ok(docker.blobs.contains_key(&descriptor.digest)),
            None => Ok(self.table.find(&blob_name(&descriptor.digest))?.is_some()),
        }
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<FileBlob> {
        if let Some(added) = self.added.get(&descriptor.digest) {
            return Ok(added.clone());
        }
        let found = match &self.docker {
            Some(docker) => docker.blobs.get(&descriptor.digest).cloned(),
            None => self.table.find(&blob_name(&descriptor.digest))?,
        };
        found.ok_or_else(|| Error::Missing {
            place: self.table.place().to_string(),
            what: "blob",
            digest: descriptor.digest.clone(),
        })
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
