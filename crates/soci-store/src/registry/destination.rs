//! A repository as a [`Destination`] of the workflow.

use std::sync::Arc;

use soci_image::media_type::SOCI_INDEX_V1;
use soci_image::{Descriptor, Digest, Reference};
use soci_registry::{BlobWriter, Client, Manifest, RegistryError, Repository, Tagged};

use super::Wire;
use super::kept::{Kept, Present};
use super::source::RegistrySource;
use crate::store::{AnyDestination, AnySource, Blob, Destination, Published, Sink, Source};
use crate::{Error, Result};

/// A repository to write to, and the tag that is moved at the end.
pub struct RegistryDestination {
    repository: Repository<Wire>,
    reference: Reference,
    replaces: Replaces,
    /// A repository of the same registry whose blobs can be mounted.
    neighbour: Option<String>,
    kept: Kept,
    present: Arc<Present>,
}

/// What the tag may name before it is moved.
enum Replaces {
    Anything,
    /// The image is converted in place.
    WhatWasRead,
    This(Digest),
}

impl RegistryDestination {
    /// The place of a reference.
    pub async fn open(client: &Client<Wire>, reference: &Reference) -> Result<Self> {
        Ok(Self {
            repository: client.repository(reference).await?,
            reference: reference.clone(),
            replaces: Replaces::Anything,
            neighbour: None,
            kept: Kept::default(),
            present: Arc::default(),
        })
    }

    /// Moves the tag only if it still names the image that was read: somebody may have pushed meanwhile.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self {
            replaces: Replaces::WhatWasRead,
            ..self
        }
    }

    /// Moves the tag only from this image, or makes it: the image was pushed under it, and what came after is newer.
    #[must_use]
    pub fn over(self, digest: &Digest) -> Self {
        Self {
            replaces: Replaces::This(digest.clone()),
            ..self
        }
    }

    /// The repository.
    pub fn repository(&self) -> &Repository<Wire> {
        &self.repository
    }

    /// Moves the tag. In place it must still name what was read: compared just before, and again by the registry
    /// where it heeds `If-Match`.
    async fn tag(&self, tag: &str, image: &Published) -> Result<()> {
        let descriptor = &image.descriptor;
        let manifest = match self.kept.get(&descriptor.digest) {
            Some(manifest) => manifest,
            None => Arc::new(self.repository.manifest(&descriptor.digest).await?),
        };
        let put = |replaces| {
            self.repository
                .put_tag(tag, &descriptor.media_type, &manifest.bytes, replaces)
        };
        let now = self.repository.tag(tag).await?;
        if now.as_ref().map(|now| &now.digest) == Some(&descriptor.digest) {
            return Ok(());
        }
        let expected = match &self.replaces {
            Replaces::Anything => return Ok(put(None).await?),
            Replaces::This(_) if now.is_none() => return Ok(put(None).await?),
            Replaces::This(digest) => digest,
            Replaces::WhatWasRead => &image.root.descriptor.digest,
        };
        self.check_unmoved(tag, expected, now.as_ref())?;
        match put(now.as_ref()).await {
            Err(RegistryError::TagMoved { .. }) => {
                // A registry that says so of a tag that did not move compares something else than its own ETags.
                let now = self.repository.tag(tag).await?;
                self.check_unmoved(tag, expected, now.as_ref())?;
                Ok(put(None).await?)
            }
            other => Ok(other?),
        }
    }

    fn check_unmoved(&self, tag: &str, expected: &Digest, now: Option<&Tagged>) -> Result<()> {
        let problem = match now {
            Some(now) if now.digest == *expected => return Ok(()),
            Some(now) => format!("the tag was moved from {expected} to {}", now.digest),
            None => format!("the tag, which named {expected}, was deleted"),
        };
        Err(Error::Place {
            place: format!("{}:{tag}", self.reference.name()),
            problem: format!(
                "{problem} while the image was converted; nothing was published, run the command again"
            ),
        })
    }
}

impl Destination for RegistryDestination {
    type Sink = RegistrySink;

    /// Opens an upload and leaves it: the only question about rights that every registry answers. A session that
    /// nobody uses ends by itself.
    async fn ready(&self) -> Result<()> {
        self.repository.begin_blob(&Digest::sha256(b"{}")).await?;
        Ok(())
    }

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
        // A list of our own, where the registry keeps none, is for our own index, which clients look for there. What
        // comes with an image (an attestation) is found through its index, and its subject stays behind.
        let subject = subject_of(bytes).filter(|_| descriptor.artifact_type == SOCI_INDEX_V1);
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
                    self.repository
                        .put_manifest(&descriptor.digest, &descriptor.media_type, bytes)
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
    writer: Option<BlobWriter<Wire>>,
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

/// The digest of a manifest's `subject`.
fn subject_of(bytes: &[u8]) -> Option<Digest> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    Digest::parse(document.get("subject")?.get("digest")?.as_str()?).ok()
}
