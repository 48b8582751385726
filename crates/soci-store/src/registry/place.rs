//! A repository as a place of the workflow: [`Source`] and [`Destination`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use soci_image::media_type::{is_index, is_manifest};
use soci_image::{Descriptor, Digest, Reference};

use super::blobs::BlobReader;
use super::client::{Client, lock};
use super::error::RegistryError;
use super::native::UreqTransport;
use super::repository::{Manifest, ManifestName, Repository};
use super::uploads::BlobWriter;
use super::windowed::{LARGE_BLOB, WindowedReader};
use crate::store::{
    AnyDestination, AnySource, Blob, DOCUMENT_LIMIT, Destination, Published, Root, RootName, Sink, Source,
};
use crate::{Error, Result};

/// The client over the native transport: what the commands use.
pub type NativeClient = Client<UreqTransport>;

/// Manifests that were read or written are kept up to this many bytes: they are asked for again.
const KEPT: usize = 32 << 20;

/// One image of a registry, to be read.
#[derive(Clone)]
pub struct RegistrySource {
    repository: Repository<UreqTransport>,
    reference: Reference,
    kept: Arc<Kept>,
    present: Arc<Present>,
}

/// Manifests by digest, each read once per run.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<Digest, Arc<Manifest>>>);

impl Kept {
    fn get(&self, digest: &Digest) -> Option<Arc<Manifest>> {
        lock(&self.0).get(digest).cloned()
    }

    fn keep(&self, manifest: &Arc<Manifest>) {
        let mut kept = lock(&self.0);
        let bytes: usize = kept.values().map(|manifest| manifest.bytes.len()).sum();
        if bytes + manifest.bytes.len() <= KEPT {
            kept.insert(manifest.digest.clone(), Arc::clone(manifest));
        }
    }
}

impl RegistrySource {
    /// The image of a reference; asks the registry how it wants to be spoken to, nothing else yet.
    pub async fn open(client: &NativeClient, reference: &Reference) -> Result<Self> {
        Ok(Self {
            repository: client.repository(reference).await?,
            reference: reference.clone(),
            kept: Arc::default(),
            present: Arc::default(),
        })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository<UreqTransport> {
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
        let connections = self.repository.client().connections_per_blob();
        let opened = if descriptor.size > LARGE_BLOB && connections > 1 {
            Ok(RegistryBlob::Windowed(WindowedReader::new(
                &self.repository,
                &descriptor.digest,
                descriptor.size,
                connections,
            )))
        } else {
            let reader = self.repository.blob(&descriptor.digest, descriptor.size).await;
            reader.map(|reader| RegistryBlob::Single(Box::new(reader)))
        };
        match opened {
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
    Single(Box<BlobReader<UreqTransport>>),
    /// In ranges, put in order.
    Windowed(WindowedReader<UreqTransport>),
}

impl Blob for RegistryBlob {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(match self {
            Self::Single(reader) => reader.read(buffer).await?,
            Self::Windowed(reader) => reader.read(buffer).await?,
        })
    }
}

/// A repository to write to, and the tag that is moved at the end.
pub struct RegistryDestination {
    repository: Repository<UreqTransport>,
    reference: Reference,
    /// Whether the image is converted in place: the tag must still name what was read when it is moved.
    in_place: bool,
    /// A repository of the same registry whose blobs can be mounted.
    neighbour: Option<String>,
    kept: Kept,
    present: Arc<Present>,
}

impl RegistryDestination {
    /// The place of a reference.
    pub async fn open(client: &NativeClient, reference: &Reference) -> Result<Self> {
        Ok(Self {
            repository: client.repository(reference).await?,
            reference: reference.clone(),
            in_place: false,
            neighbour: None,
            kept: Kept::default(),
            present: Arc::default(),
        })
    }

    /// Moves the tag only if it still names the image that was read: somebody may have pushed meanwhile.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self {
            in_place: true,
            ..self
        }
    }

    /// The repository.
    pub fn repository(&self) -> &Repository<UreqTransport> {
        &self.repository
    }

    async fn tag(&self, tag: &str, image: &Published) -> Result<()> {
        let (descriptor, expected) = (&image.descriptor, &image.root.descriptor.digest);
        let name = ManifestName::Tag(tag);
        let now = self.repository.manifest_head(name).await?;
        let named = now.as_ref().and_then(|head| head.digest.as_ref());
        if named == Some(&descriptor.digest) {
            return Ok(());
        }
        if self.in_place
            && let Some(named) = named
            && expected != named
        {
            return Err(Error::Place {
                place: format!("{}:{tag}", self.reference.name()),
                problem: format!(
                    "the tag was moved from {expected} to {named} while the image was converted; \
                     nothing was published, run the command again"
                ),
            });
        }
        let manifest = match self.kept.get(&descriptor.digest) {
            Some(manifest) => manifest,
            None => Arc::new(self.repository.manifest(&descriptor.digest).await?),
        };
        self.repository
            .put_manifest(name, &descriptor.media_type, &manifest.bytes, false)
            .await?;
        Ok(())
    }
}

impl Destination for RegistryDestination {
    type Sink = RegistrySink;

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        self.present.contains(&self.repository, descriptor).await
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        if self.contains(descriptor).await? {
            return Ok(());
        }
        self.repository.put_blob(&descriptor.digest, bytes).await?;
        self.present.add(&descriptor.digest);
        Ok(())
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        let subject = subject_of(bytes);
        let media_type = descriptor.media_type.clone();
        self.kept.keep(&Arc::new(Manifest {
            media_type,
            digest: descriptor.digest.clone(),
            bytes: bytes.to_vec(),
        }));
        match subject {
            Some(subject) => self.repository.put_referrer(&subject, descriptor, bytes).await?,
            None => {
                // Nothing crosses the network for what is there already.
                if !self.contains(descriptor).await? {
                    let name = ManifestName::Digest(&descriptor.digest);
                    self.repository
                        .put_manifest(name, &descriptor.media_type, bytes, false)
                        .await?;
                    self.present.add(&descriptor.digest);
                }
            }
        }
        Ok(())
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        if self.contains(descriptor).await? {
            return Ok(());
        }
        let mut lost = None;
        // An upload that a registry loses is begun again; each time the source is read again.
        for _ in 0..3 {
            match self.copy_once(descriptor, source, verified).await {
                Err(Error::Registry(error)) if matches!(*error, RegistryError::UploadLost { .. }) => {
                    lost = Some(error);
                }
                Ok(()) => {
                    self.present.add(&descriptor.digest);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Registry(
            lost.expect("the loop ends here only after a loss"),
        ))
    }

    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<RegistrySink>> {
        if self.contains(descriptor).await? {
            return Ok(None);
        }
        let digest = &descriptor.digest;
        let writer = match &self.neighbour {
            None => self.repository.begin_blob(digest).await?,
            Some(from) => match self.repository.mount(digest, from).await? {
                Some(writer) => writer,
                None => {
                    self.present.add(digest);
                    return Ok(None);
                }
            },
        };
        Ok(Some(RegistrySink {
            writer: Some(writer),
            digest: digest.clone(),
            present: Arc::clone(&self.present),
        }))
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        // SOCI indexes v1 are found through their subject: they get no tag.
        let is_referrer = |image: &&Published| {
            let has_tag = image.root.names.iter().any(|name| name.tag.is_some());
            !has_tag && !image.descriptor.artifact_type.is_empty()
        };
        let images: Vec<&Published> = images.iter().filter(|image| !is_referrer(image)).collect();
        if let ([image], Some(tag)) = (&images[..], self.reference.tag()) {
            return self.tag(tag, image).await;
        }
        for image in &images {
            let mut tags = image
                .root
                .names
                .iter()
                .filter_map(|name| name.tag.as_deref())
                .peekable();
            if tags.peek().is_none() {
                if images.len() > 1 {
                    return Err(self.nameless());
                }
                // A reference by digest or without tag: the image is stored under its digest alone,
                // unless it means `latest`.
                if let Some(tag) = self.reference.tag_or_latest() {
                    self.tag(tag, image).await?;
                }
            }
            for tag in tags {
                self.tag(tag, image).await?;
            }
        }
        Ok(())
    }

    async fn abort(self) {}

    fn is_sequential(&self) -> bool {
        false
    }
}

impl AnyDestination {
    /// Tells a registry destination what is read: layers of a neighbouring repository are mounted, and in the
    /// same repository what was seen once need not be looked up again.
    #[must_use]
    pub fn near(self, source: &AnySource) -> Self {
        match (self, source.registry()) {
            (Self::Registry(mut destination), Some(source)) => {
                let other = source.repository();
                if other.registry() == destination.repository.registry() {
                    if other.name() == destination.repository.name() {
                        destination.present = Arc::clone(&source.present);
                    } else {
                        destination.neighbour = Some(other.name().to_owned());
                    }
                }
                Self::Registry(destination)
            }
            (other, _) => other,
        }
    }
}

impl AnySource {
    /// The registry below, if the bytes come from one.
    pub(crate) fn registry(&self) -> Option<&RegistrySource> {
        match self {
            Self::Registry(source) => Some(source),
            Self::Overlay(overlay) => overlay.base.registry(),
            _ => None,
        }
    }
}

/// Blobs and manifests that are known to be in a repository.
#[derive(Default)]
struct Present(Mutex<BTreeSet<Digest>>);

impl Present {
    fn knows(&self, digest: &Digest) -> bool {
        lock(&self.0).contains(digest)
    }

    fn add(&self, digest: &Digest) {
        lock(&self.0).insert(digest.clone());
    }

    /// Asks the registry unless it said so before.
    async fn contains(
        &self,
        repository: &Repository<UreqTransport>,
        descriptor: &Descriptor,
    ) -> Result<bool> {
        let digest = &descriptor.digest;
        if self.knows(digest) {
            return Ok(true);
        }
        let media_type = &descriptor.media_type;
        let found = if is_manifest(media_type) || is_index(media_type) {
            repository
                .manifest_head(ManifestName::Digest(digest))
                .await?
                .is_some()
        } else {
            repository.blob_head(digest).await?.is_some()
        };
        if found {
            self.add(digest);
        }
        Ok(found)
    }
}

impl RegistryDestination {
    fn nameless(&self) -> Error {
        Error::Place {
            place: self.reference.name(),
            problem: "several images, and not all of them have a tag: convert them one by one".into(),
        }
    }

    /// Mounts where both repositories are of one registry, else streams through.
    async fn copy_once(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        let neighbour = source.registry().map(RegistrySource::repository).filter(|other| {
            other.registry() == self.repository.registry() && other.name() != self.repository.name()
        });
        let mut writer = match neighbour {
            None => self.repository.begin_blob(&descriptor.digest).await?,
            Some(from) => match self.repository.mount(&descriptor.digest, from.name()).await? {
                // The registry has the bytes under their digest; it compared them when they came.
                None => return Ok(()),
                Some(writer) => writer,
            },
        };
        let mut blob = source.open(descriptor).await?;
        let mut hasher = (!verified).then(|| descriptor.digest.algorithm().hasher());
        let mut buffer = vec![0; 256 * 1024];
        let mut size = 0;
        loop {
            let count = blob.read(&mut buffer).await?;
            if count == 0 {
                break;
            }
            size += count as u64;
            if size > descriptor.size {
                break;
            }
            if let Some(hasher) = &mut hasher {
                hasher.update(&buffer[..count]);
            }
            writer.write(&buffer[..count]).await?;
        }
        if size != descriptor.size {
            return Err(Error::SizeMismatch {
                what: "blob",
                digest: descriptor.digest.clone(),
                expected: descriptor.size,
                found: size,
            });
        }
        if let Some(found) = hasher
            .map(soci_image::digest::Hasher::finish)
            .filter(|found| *found != descriptor.digest)
        {
            return Err(Error::DigestMismatch {
                what: "blob",
                expected: descriptor.digest.clone(),
                found,
            });
        }
        Ok(writer.commit().await?)
    }
}

/// A blob on its way up.
pub struct RegistrySink {
    /// Gone once the registry lost the upload: the blob is then brought by `copy_blob`.
    writer: Option<BlobWriter<UreqTransport>>,
    digest: Digest,
    present: Arc<Present>,
}

impl Sink for RegistrySink {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            match writer.write(bytes).await {
                Err(RegistryError::UploadLost { .. }) => self.writer = None,
                other => other?,
            }
        }
        Ok(())
    }

    async fn commit(self) -> Result<()> {
        let Some(writer) = self.writer else { return Ok(()) };
        match writer.commit().await {
            Err(RegistryError::UploadLost { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.present.add(&self.digest);
                Ok(())
            }
        }
    }
}

/// The type that the manifest states itself, else the one that the registry gave.
fn manifest_type(manifest: &Manifest) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(&manifest.bytes).ok();
    let stated = document
        .as_ref()
        .and_then(|document| document.get("mediaType")?.as_str());
    match stated {
        Some(stated) if !stated.is_empty() => stated.to_owned(),
        _ => manifest.media_type.clone(),
    }
}

/// The digest of a manifest's `subject`.
fn subject_of(bytes: &[u8]) -> Option<Digest> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    Digest::parse(document.get("subject")?.get("digest")?.as_str()?).ok()
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Registry(error) if error.is_not_found())
}

impl fmt::Debug for RegistrySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RegistrySource({})", self.reference)
    }
}
