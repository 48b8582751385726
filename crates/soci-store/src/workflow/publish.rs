//! The end of a conversion: the new documents, and everything they point at, into the destination.

use std::collections::BTreeMap;

use soci_image::convert::Conversion;
use soci_image::document::{Document, Documents};
use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::EncodedZtoc;

use super::plan::PlannedImage;
use crate::store::{AnyDestination, AnySource, DOCUMENT_LIMIT, Destination, Sink, Source};
use crate::{Error, Result};

/// Stores a zTOC without making one piece of it in memory, where the place allows.
pub(crate) async fn put_ztoc(
    destination: &AnyDestination,
    descriptor: &Descriptor,
    ztoc: &EncodedZtoc,
) -> Result<()> {
    if let Some(mut sink) = destination.begin_blob(descriptor).await? {
        ztoc.write_to(|piece| crate::block_on(sink.write(piece)))?;
        sink.commit().await?;
    }
    // There before, or stored just now; a registry that lost the upload gets it again.
    if destination.contains(descriptor).await? {
        return Ok(());
    }
    destination.put_blob(descriptor, &ztoc.to_bytes()).await
}

/// Brings over everything that the converted image points at and writes its documents, children before parents.
/// `verified` are layers whose bytes were compared with their digests already.
pub(crate) async fn put_image(
    source: &AnySource,
    destination: &AnyDestination,
    planned: &PlannedImage,
    conversion: &Conversion,
    verified: &dyn Fn(&Digest) -> bool,
) -> Result<()> {
    let chosen: Vec<Digest> = conversion
        .platforms
        .iter()
        .map(|platform| platform.manifest.digest.clone())
        .collect();
    let new: BTreeMap<&Digest, &[u8]> = conversion
        .blobs
        .iter()
        .map(|blob| (&blob.descriptor.digest, &blob.bytes[..]))
        .collect();
    let put = Put {
        source,
        destination,
        documents: conversion.documents(&planned.documents),
        new,
        chosen,
        verified,
    };
    put.tree(&conversion.root).await
}

struct Put<'a> {
    source: &'a AnySource,
    destination: &'a AnyDestination,
    documents: Documents,
    new: BTreeMap<&'a Digest, &'a [u8]>,
    /// Manifests whose blobs must all be there.
    chosen: Vec<Digest>,
    verified: &'a dyn Fn(&Digest) -> bool,
}

impl Put<'_> {
    /// One document and what is below it. Not recursive: an index can lie in an index.
    async fn tree(&self, root: &Descriptor) -> Result<()> {
        enum Step {
            Enter(Descriptor),
            Write(Descriptor),
        }
        let mut steps = vec![Step::Enter(root.clone())];
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(descriptor) => {
                    // Missing in the source as well: the layout never had it.
                    let Some(bytes) = self.documents.get(&descriptor.digest) else {
                        continue;
                    };
                    let document =
                        Document::parse(bytes, &descriptor.media_type).map_err(|source| Error::Document {
                            digest: descriptor.digest.clone(),
                            source,
                        })?;
                    steps.push(Step::Write(descriptor.clone()));
                    match document {
                        Document::Index(index) => {
                            steps.extend(index.manifests.into_iter().rev().map(Step::Enter));
                        }
                        Document::Manifest(manifest) => {
                            let required = self.chosen.contains(&descriptor.digest);
                            for blob in manifest.layers.iter().chain([&manifest.config]) {
                                self.blob(blob, required).await?;
                            }
                        }
                        Document::Other { .. } => {}
                    }
                }
                Step::Write(descriptor) => {
                    let bytes = self.documents.require(&descriptor.digest)?;
                    self.destination.put_manifest(&descriptor, bytes).await?;
                }
            }
        }
        Ok(())
    }

    async fn blob(&self, descriptor: &Descriptor, required: bool) -> Result<()> {
        if self.destination.contains(descriptor).await? {
            return Ok(());
        }
        if let Some(bytes) = self.new.get(&descriptor.digest) {
            return self.destination.put_blob(descriptor, bytes).await;
        }
        if !self.source.contains(descriptor).await? {
            let foreign = !descriptor.urls.is_empty()
                || soci_image::media_type::is_foreign_layer(&descriptor.media_type);
            if required && !foreign {
                let place = "the source".into();
                return Err(Error::Missing {
                    place,
                    what: "blob",
                    digest: descriptor.digest.clone(),
                });
            }
            return Ok(());
        }
        if !descriptor.data.is_empty()
            && descriptor.size <= DOCUMENT_LIMIT
            && descriptor.check(&descriptor.data).is_ok()
        {
            return self.destination.put_blob(descriptor, &descriptor.data).await;
        }
        let verified = (self.verified)(&descriptor.digest);
        self.destination
            .copy_blob(descriptor, self.source, verified)
            .await
    }
}
