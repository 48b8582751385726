//! An image in a registry as a [`Source`] of the workflow.

use std::fmt;
use std::sync::Arc;

use soci_image::media_type::{is_index, is_manifest};
use soci_image::{Descriptor, Digest, Reference};
#[cfg(feature = "native")]
use soci_registry::{AdaptiveReader, LARGE_BLOB, WindowedReader};
use soci_registry::{BlobReader, Client, Manifest, RegistryError, Repository};

use super::Wire;
use super::kept::{Kept, Present};
use crate::store::{AnySource, Blob, DOCUMENT_LIMIT, Root, RootName, Source, Stored};
use crate::{Error, Result};

/// One image of a registry, to be read.
#[derive(Clone)]
pub struct RegistrySource {
    repository: Repository<Wire>,
    reference: Reference,
    kept: Arc<Kept>,
    pub(super) present: Arc<Present>,
}

impl RegistrySource {
    /// The image of a reference; asks the registry how it wants to be spoken to, nothing else yet.
    pub async fn open(client: &Client<Wire>, reference: &Reference) -> Result<Self> {
        Ok(Self {
            repository: client.repository(reference).await?,
            reference: reference.clone(),
            kept: Arc::default(),
            present: Arc::default(),
        })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository<Wire> {
        &self.repository
    }

    /// What was asked for.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    async fn manifest(&self, digest: &Digest) -> Result<Arc<Manifest>> {
        if let Some(manifest) = self.kept.get(digest) {
            return Ok(manifest);
        }
        let manifest = Arc::new(self.repository.manifest(digest).await?);
        self.kept.keep(&manifest);
        self.present.add(digest);
        Ok(manifest)
    }

    /// A blob that is read as a whole: a config, or a document whose type nobody stated.
    async fn small_blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let mut reader = self.repository.blob(&descriptor.digest, descriptor.size).await?;
        let mut bytes = vec![0; usize::try_from(descriptor.size).expect("the limit was checked")];
        let mut filled = 0;
        while filled < bytes.len() {
            match reader.read(&mut bytes[filled..]).await? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Opens a blob: in one stream, or over several connections where the registry is far and the blob large.
    #[cfg(feature = "native")]
    async fn blob(&self, descriptor: &Descriptor) -> Result<RegistryBlob, RegistryError> {
        let (repository, digest, size) = (&self.repository, &descriptor.digest, descriptor.size);
        let connections = if size > LARGE_BLOB {
            repository.client().connections_per_blob()
        } else {
            Some(1)
        };
        match connections {
            None => {
                let reader = AdaptiveReader::open(repository, digest, size).await;
                reader.map(|reader| RegistryBlob::Adaptive(Box::new(reader)))
            }
            Some(connections @ 2..) => Ok(RegistryBlob::Windowed(WindowedReader::new(
                repository,
                digest,
                size,
                connections,
            ))),
            Some(_) => {
                let reader = repository.blob(digest, size).await;
                reader.map(|reader| RegistryBlob::Single(Box::new(reader)))
            }
        }
    }

    /// Opens a blob, in one stream: a host without threads has nobody to read several.
    #[cfg(not(feature = "native"))]
    async fn blob(&self, descriptor: &Descriptor) -> Result<RegistryBlob, RegistryError> {
        let reader = self.repository.blob(&descriptor.digest, descriptor.size).await;
        reader.map(|reader| RegistryBlob::Single(Box::new(reader)))
    }

    pub(crate) async fn stored(&self, descriptor: &Descriptor) -> Result<Stored> {
        Ok(match self.repository.blob_head(&descriptor.digest).await? {
            None => Stored::Missing,
            Some(size) => {
                self.present.add(&descriptor.digest);
                Stored::There(size)
            }
        })
    }

    /// Asks for one byte inside the blob; the rest of a longer answer is not read.
    pub(crate) async fn ignores_ranges(&self, blob: &Descriptor) -> Result<bool> {
        let part = self.repository.blob_part(&blob.digest, 1, 2, blob.size).await;
        match part {
            Ok(reader) => Ok(!reader.is_ranged()),
            // Another part than the one asked for is as good as none.
            Err(RegistryError::Protocol { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn missing(&self, what: &'static str, digest: &Digest) -> Error {
        Error::Missing {
            place: self.reference.name(),
            what,
            digest: digest.clone(),
        }
    }
}

impl Source for RegistrySource {
    type Blob = RegistryBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        let tag = self.reference.tag_or_latest();
        let manifest = match (self.reference.digest(), tag) {
            (Some(digest), _) => self.manifest(digest).await?,
            (None, tag) => {
                let tag = tag.unwrap_or("latest");
                let manifest = Arc::new(self.repository.manifest_by_tag(tag).await?);
                self.kept.keep(&manifest);
                manifest
            }
        };
        let media_type = manifest_type(&manifest);
        let name = RootName {
            tag: self.reference.tag_or_latest().map(str::to_owned),
            full: Some(self.reference.to_string()),
            entry: None,
        };
        Ok(vec![Root {
            descriptor: Descriptor::new(&media_type, manifest.digest.clone(), manifest.bytes.len() as u64),
            names: vec![name],
        }])
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        if descriptor.size > DOCUMENT_LIMIT {
            return Err(Error::DocumentTooLarge {
                what: "document",
                digest: descriptor.digest.clone(),
                size: descriptor.size,
                limit: DOCUMENT_LIMIT,
            });
        }
        let is_document = is_manifest(&descriptor.media_type) || is_index(&descriptor.media_type);
        let bytes =
            if is_document || descriptor.media_type.is_empty() || self.kept.get(&descriptor.digest).is_some()
            {
                match self.manifest(&descriptor.digest).await {
                    Ok(manifest) => manifest.bytes.clone(),
                    Err(error) if is_not_found(&error) && !is_document => self.small_blob(descriptor).await?,
                    Err(error) if is_not_found(&error) => {
                        return Err(self.missing("manifest", &descriptor.digest));
                    }
                    Err(error) => return Err(error),
                }
            } else {
                match self.small_blob(descriptor).await {
                    Err(error) if is_not_found(&error) => {
                        return Err(self.missing("document", &descriptor.digest));
                    }
                    other => other?,
                }
            };
        if bytes.len() as u64 != descriptor.size {
            return Err(Error::SizeMismatch {
                what: "document",
                digest: descriptor.digest.clone(),
                expected: descriptor.size,
                found: bytes.len() as u64,
            });
        }
        if !descriptor.digest.matches(&bytes) {
            return Err(Error::DigestMismatch {
                what: "document",
                expected: descriptor.digest.clone(),
                found: Digest::sha256(&bytes),
            });
        }
        Ok(bytes)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        match RegistrySource::manifest(self, digest).await {
            Ok(manifest) => Ok(Some(manifest.bytes.clone())),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        // A manifest that is there is read next: one request instead of two.
        let is_document = is_manifest(&descriptor.media_type) || is_index(&descriptor.media_type);
        if is_document && descriptor.size <= DOCUMENT_LIMIT {
            return match self.manifest(&descriptor.digest).await {
                Ok(_) => Ok(true),
                Err(error) if is_not_found(&error) => Ok(false),
                Err(error) => Err(error),
            };
        }
        self.present.contains(&self.repository, descriptor).await
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<RegistryBlob> {
        match self.blob(descriptor).await {
            Err(error) if error.is_not_found() => Err(self.missing("blob", &descriptor.digest)),
            other => Ok(other?),
        }
    }

    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let end = offset
            .checked_add(buffer.len() as u64)
            .filter(|end| *end <= descriptor.size);
        let Some(end) = end else {
            return Err(Error::SizeMismatch {
                what: "blob",
                digest: descriptor.digest.clone(),
                expected: offset.saturating_add(buffer.len() as u64),
                found: descriptor.size,
            });
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let mut reader = self
            .repository
            .blob_part(&descriptor.digest, offset, end, descriptor.size)
            .await?;
        let mut filled = 0;
        while filled < buffer.len() {
            match reader.read(&mut buffer[filled..]).await? {
                0 => {
                    return Err(Error::SizeMismatch {
                        what: "blob",
                        digest: descriptor.digest.clone(),
                        expected: end,
                        found: offset + filled as u64,
                    });
                }
                count => filled += count,
            }
        }
        Ok(())
    }

    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>> {
        Ok(self.repository.referrers(&subject.digest, artifact_type).await?)
    }

    fn is_remote(&self) -> bool {
        true
    }
}

/// A blob of a registry, being read over one connection or several.
pub enum RegistryBlob {
    /// In one stream.
    Single(Box<BlobReader<Wire>>),
    /// In ranges, put in order.
    #[cfg(feature = "native")]
    Windowed(WindowedReader<Wire>),
    /// In one stream, or in ranges if that leaves the reader waiting.
    #[cfg(feature = "native")]
    Adaptive(Box<AdaptiveReader<Wire>>),
}

impl Blob for RegistryBlob {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(match self {
            Self::Single(reader) => reader.read(buffer).await?,
            #[cfg(feature = "native")]
            Self::Windowed(reader) => reader.read(buffer).await?,
            #[cfg(feature = "native")]
            Self::Adaptive(reader) => reader.read(buffer).await?,
        })
    }
}

impl AnySource {
    /// The registry below, if the bytes come from one.
    pub(crate) fn registry(&self) -> Option<&RegistrySource> {
        match self {
            Self::Registry(source) => Some(source),
            #[cfg(feature = "native")]
            Self::Overlay(overlay) => overlay.base.registry(),
            #[cfg(feature = "files")]
            _ => None,
        }
    }
}

/// The type that the manifest states itself, else the one that the registry gave.
fn manifest_type(manifest: &Manifest) -> String {
    stated_type(&manifest.bytes, &manifest.media_type)
}

/// The same of bytes, and of the type that somebody gave.
pub(crate) fn stated_type(bytes: &[u8], given: &str) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let stated = document
        .as_ref()
        .and_then(|document| document.get("mediaType")?.as_str());
    match stated {
        Some(stated) if !stated.is_empty() => stated.to_owned(),
        _ => given.to_owned(),
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Registry(error) if error.is_not_found())
}

impl fmt::Debug for RegistrySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RegistrySource({})", self.reference)
    }
}
