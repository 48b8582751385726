//! Manifests and configs: of the image as it was without a layer on top, and with the new one.

use std::collections::BTreeMap;
use std::io::Write as _;

use soci_image::image::ImageEntry;
use soci_image::{Digest, Manifest, TopLayer};

use super::refused;
use super::write::Written;
use crate::blob::FileBlob;
use crate::file::{Spool, spool_error};
use crate::store::{AnySource, Root, Source};
use crate::workflow::above::{Above, NewDocuments};
use crate::workflow::plan::{Plan, PlannedLayer};
use crate::{Error, Result, block_on};

/// The image of one platform without a layer on top.
pub(super) struct Below {
    pub(super) platform: String,
    /// As it is in the source.
    entry: ImageEntry,
    /// Its manifest without a layer of an earlier run.
    manifest: Manifest,
    /// Its config, likewise.
    config: Vec<u8>,
    pub(super) layers: Vec<PlannedLayer>,
    /// Whether there was such a layer.
    pub(super) replaced: bool,
}

impl Below {
    /// Why nothing is put on top of it.
    pub(super) fn refused(&self, problem: String) -> Error {
        refused(&self.entry, problem)
    }

    /// The media type of a layer of its kind, gzip.
    pub(super) fn media_type(&self) -> &'static str {
        let is_docker = |layer: &PlannedLayer| layer.descriptor.media_type.contains("vnd.docker.");
        match self.layers.iter().any(is_docker) {
            true => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            false => "application/vnd.oci.image.layer.v1.tar+gzip",
        }
    }
}

/// The images of a plan, each platform by itself.
pub(super) fn below(source: &AnySource, plan: &Plan) -> Result<Vec<Below>> {
    let mut all = Vec::new();
    for planned in &plan.images {
        let images = planned.image.images();
        for platform in &planned.platforms {
            let Some(entry) = images.iter().find(|image| image.id == platform.choice.id) else {
                continue;
            };
            let mut documents = planned.documents.clone();
            let config = &entry.manifest.config;
            if documents.get(&config.digest).is_none() {
                documents.insert(config, block_on(source.document(config))?)?;
            }
            let mut layers = platform.layers.clone();
            let replaced = entry.top_layer(&documents).is_some();
            let (manifest, config) = match replaced {
                true => {
                    layers.pop();
                    entry.without_top_layer(&documents)?
                }
                false => (
                    entry.manifest.clone(),
                    documents.require(&config.digest)?.to_vec(),
                ),
            };
            all.push(Below {
                platform: platform.choice.platform.to_string(),
                entry: (*entry).clone(),
                manifest,
                config,
                layers,
                replaced,
            });
        }
    }
    Ok(all)
}

/// The new documents of all images.
#[derive(Default)]
pub(super) struct Documents {
    above: Above,
    configs: NewDocuments,
    blobs: BTreeMap<Digest, FileBlob>,
}

impl Documents {
    /// An image with its new layer, or without one.
    pub(super) fn add(&mut self, below: &Below, top: Option<(Written, TopLayer)>) -> Result<()> {
        let mut manifest = below.manifest.clone();
        let mut config = below.config.clone();
        if let Some((written, mark)) = top {
            let before = Digest::sha256(&config);
            config = mark
                .add_to_config(&config, below.layers.len(), &written.diff_id)
                .map_err(|error| below.refused(format!("its config: {error}")))?;
            let mut layer = written.descriptor;
            self.blobs.insert(layer.digest.clone(), written.blob);
            mark.annotate(&mut layer, &before);
            manifest.layers.push(layer);
            manifest.set_config(&config);
        }
        if manifest.config.digest != below.entry.manifest.config.digest {
            let digest = manifest.config.digest.clone();
            self.blobs.insert(digest.clone(), in_file(&config)?);
            self.configs.insert(digest, config);
        }
        self.above.replace_manifest(&below.entry, &manifest);
        Ok(())
    }

    /// The roots, the documents, and the blobs that the source does not have.
    pub(super) fn finish(self, plan: &Plan) -> Result<(Vec<Root>, NewDocuments, BTreeMap<Digest, FileBlob>)> {
        let (roots, mut documents) = self.above.finish(plan)?;
        documents.extend(self.configs);
        Ok((roots, documents, self.blobs))
    }
}

/// A config is a blob for those who copy it.
fn in_file(bytes: &[u8]) -> Result<FileBlob> {
    let mut spool = Spool::new()?;
    spool.write_all(bytes).map_err(spool_error)?;
    Ok(spool.into_blob())
}
