//! A source with some of its documents and blobs replaced, before the workflow reads it.

use std::collections::BTreeMap;

use soci_image::{Descriptor, Digest};
use soci_registry::Traffic;

use crate::blob::FileBlob;
use crate::store::{AnyBlob, AnySource, Root, Source};
use crate::workflow::{Indexed, IndexedLayer, RepeatedLayer};
use crate::{Error, Result};

/// A source under a layer of new documents and blobs.
#[derive(Debug)]
pub struct Overlay {
    pub(crate) base: AnySource,
    /// The images, with the digests that they have now.
    pub(crate) roots: Vec<Root>,
    /// What the source lists in the place of each new image.
    pub(crate) originals: BTreeMap<Digest, Descriptor>,
    /// New manifests, indexes and configs.
    pub(crate) documents: BTreeMap<Digest, Vec<u8>>,
    /// New layers and configs, in unnamed temporary files.
    pub(crate) blobs: BTreeMap<Digest, FileBlob>,
    /// Layers that were indexed already, new ones and others.
    pub(crate) indexed: Indexed,
    /// Bytes of the layers that the new ones were made of, by the digest of the new one.
    pub(crate) made_of: BTreeMap<Digest, u64>,
    /// Layers that were put on top.
    pub(crate) repeated: Vec<RepeatedLayer>,
    /// What the registry client had moved before the layers were rewritten.
    pub(crate) traffic_before: Option<Traffic>,
}

impl Overlay {
    /// The place without this layer of new documents and blobs.
    pub fn base(&self) -> &AnySource {
        &self.base
    }

    /// A layer that was indexed already, of this overlay or of one below it; each is asked for once.
    pub(crate) fn take_indexed(&self, layer: &Digest) -> Option<IndexedLayer> {
        self.indexed.take(layer).or_else(|| match &self.base {
            AnySource::Overlay(below) => below.take_indexed(layer),
            _ => None,
        })
    }

    /// Where a blob really lies, for destinations that link or mount: `None` if it is new.
    pub(crate) fn base_of(&self, digest: &Digest) -> Option<&AnySource> {
        (!self.blobs.contains_key(digest)).then_some(&self.base)
    }
}

// Boxed futures: an overlay may lie over any source, an overlay included.
impl Source for Overlay {
    type Blob = AnyBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        Ok(self.roots.clone())
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        match self.documents.get(&descriptor.digest) {
            Some(bytes) => Ok(bytes.clone()),
            None => Box::pin(self.base.document(descriptor)).await,
        }
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        match self.documents.get(digest) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => Box::pin(self.base.manifest(digest)).await,
        }
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        let digest = &descriptor.digest;
        if self.documents.contains_key(digest) || self.blobs.contains_key(digest) {
            return Ok(true);
        }
        Box::pin(self.base.contains(descriptor)).await
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<AnyBlob> {
        match self.blobs.get(&descriptor.digest) {
            Some(blob) => Ok(AnyBlob::File(blob.clone())),
            None => Box::pin(self.base.open(descriptor)).await,
        }
    }

    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()> {
        match self.blobs.get(&descriptor.digest) {
            Some(blob) => blob.read_exact_at(offset, buffer),
            None => Box::pin(self.base.read_at(descriptor, offset, buffer)).await,
        }
    }

    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>> {
        if self.documents.contains_key(&subject.digest) {
            // A document that was made a moment ago: nothing refers to it.
            return Ok(Vec::new());
        }
        Box::pin(self.base.referrers(subject, artifact_type)).await
    }

    fn is_remote(&self) -> bool {
        self.base.is_remote()
    }
}

/// Keeps the error type in one place for what only an overlay can meet.
pub(crate) fn damaged(digest: &Digest, problem: impl std::fmt::Display) -> Error {
    Error::Recompress {
        digest: digest.clone(),
        problem: problem.to_string(),
    }
}
