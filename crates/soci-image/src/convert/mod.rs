//! Conversion: an image and its zTOCs in, the documents of the SOCI-enabled image out.
//!
//! ```text
//!   index ─┬─ image amd64            index' ─┬─ image' amd64   + annotation: SOCI index
//!          ├─ image arm64       ──►          ├─ image' arm64   + annotation: SOCI index
//!          └─ attestation                    ├─ attestation    (same bytes; descriptor names image')
//!                                            ├─ SOCI index amd64
//!                                            └─ SOCI index arm64
//! ```
//!
//! Layers never change. What is not converted keeps its bytes; what is written again has the form of
//! Go's `encoding/json` (see `docs/what-is-written.md` for the byte promises).

mod remove;
mod rewrite;

use std::collections::BTreeMap;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::error::{Error, Result};
use crate::image::{Choice, Image, ImageEntry};
use crate::manifest::Manifest;
use crate::media_type::{OCI_CONFIG, OCI_MANIFEST, PREFETCH};
use crate::skip::SkipReason;
use crate::soci_index::{EMPTY_CONFIG, PrefetchEntry, Shaped, SociIndex, SociVersion, ZtocEntry};

pub use remove::{configs, remove, witnesses};
use rewrite::{NewManifest, Rewrite, Spelling};

/// What was made of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerIndex {
    /// A zTOC.
    Ztoc {
        /// Its digest.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The span size it was built with, in bytes.
        span_size: u64,
        /// Whether to tell the client that no file has extended attributes.
        disable_xattrs: bool,
        /// The start that its spans are cut for.
        shaped: Option<Shaped>,
    },
    /// Nothing, for a reason.
    Skipped(SkipReason),
}

/// What was made of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformIndex {
    /// Which image, and the platform of its SOCI index.
    pub choice: Choice,
    /// One item per layer of the manifest, in its order.
    pub layers: Vec<LayerIndex>,
    /// Prefetch artifacts by position of their layer.
    pub prefetch: BTreeMap<usize, Vec<u8>>,
}

/// A document to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlob {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// The content.
    pub bytes: Vec<u8>,
    /// What it is.
    pub role: BlobRole,
}

/// What a new document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobRole {
    /// A config: that of SOCI indexes, `{}`, or that of an image.
    Config,
    /// A prefetch artifact.
    Prefetch,
    /// A SOCI index manifest.
    SociIndex,
    /// An image manifest.
    Manifest,
    /// An image index.
    Index,
}

impl BlobRole {
    /// Whether registries store it as a manifest rather than as a blob.
    pub fn is_manifest(self) -> bool {
        matches!(self, Self::SociIndex | Self::Manifest | Self::Index)
    }
}

/// The outcome of a conversion or removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// Descriptor of the new root, with the names and annotations that the old one had.
    pub root: Descriptor,
    /// Documents that the source does not have, children before parents, the root last.
    pub blobs: Vec<NewBlob>,
    /// What became of each image that was worked on.
    pub platforms: Vec<ConvertedPlatform>,
    /// Whether the root has another digest than before; `false` when the image was converted the same
    /// way already.
    pub changed: bool,
}

/// What became of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertedPlatform {
    /// Which image, and the platform of its SOCI index.
    pub choice: Choice,
    /// Digest of its manifest before.
    pub old_manifest: Digest,
    /// Its manifest now: media type, digest and size.
    pub manifest: Descriptor,
    /// Its SOCI index manifest; `None` where nothing could be indexed and the image was left alone.
    pub soci_index: Option<Descriptor>,
}

impl Conversion {
    /// An entry for the old root, in a layout's `index.json`, made one for the new root: names and
    /// other annotations stay, what described the old content goes.
    pub fn entry(&self, old: &Descriptor) -> Descriptor {
        if !self.changed {
            return old.clone();
        }
        Descriptor {
            annotations: old.annotations.clone(),
            unknown: old.unknown.clone(),
            platform: old.platform.clone().filter(|_| self.root.platform.is_some()),
            ..self.root.clone()
        }
    }

    /// The documents that the new root needs: those of the source and the new ones.
    pub fn documents(&self, source: &Documents) -> Documents {
        let mut documents = source.clone();
        for blob in &self.blobs {
            documents.add(blob.bytes.clone());
        }
        documents
    }
}

/// Converts an image to SOCI index manifests v2. An image of whose layers none has a zTOC is left as
/// it is; if that is so for all of them, it is an error.
pub fn convert(
    image: &Image,
    documents: &Documents,
    platforms: &[PlatformIndex],
    build_tool: &str,
) -> Result<Conversion> {
    let mut rewrite = Rewrite::new(image, documents);
    let images = image.images();
    let mut report = Vec::new();
    for platform in platforms {
        let entry = images
            .get(platform.choice.id)
            .ok_or_else(|| unfit(&image.root.digest, "it has no such image"))?;
        let mut converted = ConvertedPlatform {
            choice: platform.choice.clone(),
            old_manifest: entry.descriptor.digest.clone(),
            manifest: Descriptor::new(
                &entry.descriptor.media_type,
                entry.descriptor.digest.clone(),
                entry.descriptor.size,
            ),
            soci_index: None,
        };
        if let Some((soci, artifacts)) = soci_index(entry, platform, SociVersion::V2, build_tool)? {
            for blob in artifacts {
                rewrite.add(blob);
            }
            let soci_bytes = soci.to_vec();
            let soci_descriptor = soci.descriptor();
            rewrite.add(NewBlob::of(BlobRole::SociIndex, OCI_MANIFEST, soci_bytes));
            let manifest = annotated(&entry.manifest, &soci_descriptor.digest);
            converted.manifest = rewrite.replace(
                entry,
                NewManifest {
                    manifest,
                    soci: Some((soci_descriptor.clone(), platform.choice.platform.clone())),
                    spelling: Spelling::Compact,
                },
            );
            converted.soci_index = Some(soci_descriptor);
        }
        report.push(converted);
    }
    if report.iter().all(|platform| platform.soci_index.is_none()) {
        return Err(Error::NothingToIndex);
    }
    Ok(rewrite.finish(report))
}

/// A SOCI index manifest v1 for one image: the referrer to push beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Its descriptor with artifact type and annotations, as referrers lists have it.
    pub descriptor: Descriptor,
    /// Documents to write: config, prefetch artifacts, the SOCI index last.
    pub blobs: Vec<NewBlob>,
    /// The image manifest that it is about.
    pub subject: Descriptor,
}

/// Makes the SOCI index manifest v1 of one image; the image itself does not change.
pub fn create_v1(entry: &ImageEntry, platform: &PlatformIndex, build_tool: &str) -> Result<Referrer> {
    let Some((mut soci, mut blobs)) = soci_index(entry, platform, SociVersion::V1, build_tool)? else {
        return Err(Error::NothingToIndex);
    };
    let media_type = if entry.manifest.media_type.is_empty() {
        &entry.descriptor.media_type
    } else {
        &entry.manifest.media_type
    };
    let subject = Descriptor::new(media_type, entry.descriptor.digest.clone(), entry.descriptor.size);
    soci.subject = Some(subject.clone());
    blobs.push(NewBlob::of(BlobRole::SociIndex, OCI_MANIFEST, soci.to_vec()));
    Ok(Referrer {
        descriptor: Descriptor {
            annotations: BTreeMap::from([(annotation::BUILD_TOOL.to_owned(), build_tool.to_owned())]),
            ..soci.descriptor()
        },
        blobs,
        subject,
    })
}

impl NewBlob {
    pub(crate) fn of(role: BlobRole, media_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            descriptor: Descriptor::of(media_type, &bytes),
            bytes,
            role,
        }
    }
}

/// The SOCI index of an image and the blobs that it names and that are not zTOCs; `None` if no layer
/// has a zTOC.
fn soci_index(
    entry: &ImageEntry,
    platform: &PlatformIndex,
    version: SociVersion,
    build_tool: &str,
) -> Result<Option<(SociIndex, Vec<NewBlob>)>> {
    let layers = &entry.manifest.layers;
    if platform.layers.len() != layers.len() {
        let reason = format!(
            "{} layers were given for its {}",
            platform.layers.len(),
            layers.len()
        );
        return Err(unfit(&entry.descriptor.digest, &reason));
    }
    if let Some(position) = platform
        .prefetch
        .keys()
        .find(|position| **position >= layers.len())
    {
        let reason = format!("a prefetch artifact was given for layer {position}");
        return Err(unfit(&entry.descriptor.digest, &reason));
    }
    let mut index = SociIndex {
        version,
        ztocs: Vec::new(),
        prefetch: Vec::new(),
        subject: None,
        build_tool: build_tool.to_owned(),
    };
    for (layer, outcome) in layers.iter().zip(&platform.layers) {
        if let LayerIndex::Ztoc {
            digest,
            size,
            span_size,
            disable_xattrs,
            shaped,
        } = outcome
        {
            index.ztocs.push(ZtocEntry {
                digest: digest.clone(),
                size: *size,
                layer: layer.digest.clone(),
                layer_media_type: layer.media_type.clone(),
                span_size: Some(*span_size),
                disable_xattrs: *disable_xattrs,
                shaped: shaped.clone(),
            });
        }
    }
    if index.ztocs.is_empty() {
        return Ok(None);
    }
    let mut blobs = vec![NewBlob::of(
        BlobRole::Config,
        version.artifact_type(),
        EMPTY_CONFIG.to_vec(),
    )];
    // A layer that occurs more than once has its artifact listed each time.
    let by_layer: BTreeMap<&Digest, &Vec<u8>> = platform
        .prefetch
        .iter()
        .map(|(position, bytes)| (&layers[*position].digest, bytes))
        .collect();
    for layer in layers {
        if let Some(bytes) = by_layer.get(&layer.digest) {
            let blob = NewBlob::of(BlobRole::Prefetch, PREFETCH, bytes.to_vec());
            index.prefetch.push(PrefetchEntry {
                digest: blob.descriptor.digest.clone(),
                size: blob.descriptor.size,
                layer: layer.digest.clone(),
            });
            blobs.push(blob);
        }
    }
    Ok(Some((index, blobs)))
}

/// The manifest in OCI form with the annotation that names its SOCI index. Layers keep their types.
fn annotated(manifest: &Manifest, soci: &Digest) -> Manifest {
    let mut manifest = manifest.clone();
    OCI_MANIFEST.clone_into(&mut manifest.media_type);
    OCI_CONFIG.clone_into(&mut manifest.config.media_type);
    manifest
        .annotations
        .insert(annotation::INDEX_DIGEST.to_owned(), soci.to_string());
    manifest
}

fn unfit(manifest: &Digest, reason: &str) -> Error {
    Error::Unfit {
        manifest: manifest.clone(),
        reason: reason.to_owned(),
    }
}
