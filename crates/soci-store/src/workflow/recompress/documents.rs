//! The documents above rewritten layers: manifests and indexes, up to the roots.

use std::collections::BTreeMap;

use soci_image::annotation::{IMAGE_MANIFEST_DIGEST, REFERENCE_DIGEST};
use soci_image::document::{Document, Documents};
use soci_image::image::ImageEntry;
use soci_image::{Descriptor, Digest, Json};

use super::layer::Rewritten;
use super::{Candidate, Plan};
use crate::store::{AnySource, Root, Source};
use crate::workflow::PlannedImage;
use crate::{Error, Result, block_on};

/// The diff_id of each candidate, out of the configs of the images that have it. Two images that disagree
/// about a layer cannot both be right.
pub(super) fn diff_ids(
    source: &AnySource,
    plan: &Plan,
    candidates: &[Candidate],
) -> Result<BTreeMap<Digest, Digest>> {
    let mut known: BTreeMap<Digest, Digest> = BTreeMap::new();
    for image in chosen(plan) {
        let is_candidate = |layer: &Descriptor| {
            candidates
                .iter()
                .any(|candidate| candidate.descriptor.digest == layer.digest)
        };
        if !image.manifest.layers.iter().any(is_candidate) {
            continue;
        }
        let config = &image.manifest.config;
        let listed = of_config(&block_on(source.document(config))?).map_err(|problem| Error::Recompress {
            digest: config.digest.clone(),
            problem,
        })?;
        if listed.len() != image.manifest.layers.len() {
            return Err(Error::Recompress {
                digest: config.digest.clone(),
                problem: format!(
                    "this config has {} diff_ids for {} layers",
                    listed.len(),
                    image.manifest.layers.len()
                ),
            });
        }
        for (layer, diff_id) in image.manifest.layers.iter().zip(listed) {
            match known.get(&layer.digest) {
                Some(other) if *other != diff_id => {
                    return Err(Error::Recompress {
                        digest: layer.digest.clone(),
                        problem: "its images have different diff_ids for it".into(),
                    });
                }
                _ => known.insert(layer.digest.clone(), diff_id),
            };
        }
    }
    Ok(known)
}

/// Documents by their digest.
type NewDocuments = BTreeMap<Digest, Vec<u8>>;

/// New roots and new documents.
pub(super) fn rewrite(
    plan: &Plan,
    layers: &BTreeMap<Digest, Rewritten>,
) -> Result<(Vec<Root>, NewDocuments)> {
    let mut rewriter = Rewriter {
        changed: BTreeMap::new(),
        written: BTreeMap::new(),
    };
    for image in chosen(plan) {
        rewriter.manifest(&image, layers);
    }
    let mut roots = Vec::new();
    for planned in &plan.images {
        let mut root = planned.root.clone();
        if let Some(new) = rewriter.node(&root.descriptor, &planned.documents, 0)? {
            root.descriptor = new;
        }
        roots.push(root);
    }
    Ok((roots, rewriter.written))
}

/// The image manifests of all platforms asked for.
fn chosen(plan: &Plan) -> Vec<ImageEntry> {
    let of_image = |planned: &PlannedImage| -> Vec<ImageEntry> {
        let ids: Vec<usize> = planned
            .platforms
            .iter()
            .map(|platform| platform.choice.id)
            .collect();
        let images = planned.image.images();
        images
            .into_iter()
            .filter(|image| ids.contains(&image.id))
            .cloned()
            .collect()
    };
    plan.images.iter().flat_map(of_image).collect()
}

struct Rewriter {
    /// Old digest of a manifest or index → what replaces it.
    changed: BTreeMap<Digest, Descriptor>,
    written: BTreeMap<Digest, Vec<u8>>,
}

impl Rewriter {
    fn manifest(&mut self, image: &ImageEntry, layers: &BTreeMap<Digest, Rewritten>) {
        let mut manifest = image.manifest.clone();
        let mut is_changed = false;
        for layer in &mut manifest.layers {
            if let Some(new) = layers.get(&layer.digest) {
                // A layer may stand in a manifest with annotations of its own; those of its bytes are gone.
                let mut descriptor = layer.clone();
                descriptor.media_type.clone_from(&new.descriptor.media_type);
                descriptor.digest = new.descriptor.digest.clone();
                descriptor.size = new.descriptor.size;
                descriptor.data.clear();
                descriptor.annotations.clone_from(&new.descriptor.annotations);
                *layer = descriptor;
                is_changed = true;
            }
        }
        if is_changed {
            self.replace(&image.descriptor, manifest.to_vec());
        }
    }

    /// What replaces a manifest or index, if anything below it changed. The depth of the tree was checked
    /// when it was read.
    fn node(
        &mut self,
        descriptor: &Descriptor,
        documents: &Documents,
        depth: usize,
    ) -> Result<Option<Descriptor>> {
        if let Some(new) = self.changed.get(&descriptor.digest) {
            return Ok(Some(placed(descriptor, new)));
        }
        let Some(bytes) = documents.get(&descriptor.digest) else {
            return Ok(None);
        };
        let Document::Index(mut index) = Document::parse(bytes, &descriptor.media_type)? else {
            return Ok(None);
        };
        if depth > soci_image::image::MAX_INDEX_DEPTH {
            return Ok(None);
        }
        let mut is_changed = false;
        for child in &mut index.manifests {
            if let Some(new) = self.node(child, documents, depth + 1)? {
                *child = new;
                is_changed = true;
            }
        }
        if !is_changed {
            return Ok(None);
        }
        // Attestations and SOCI indexes name the image manifest that they are about.
        for child in &mut index.manifests {
            for key in [REFERENCE_DIGEST, IMAGE_MANIFEST_DIGEST] {
                if let Some(value) = child.annotations.get_mut(key)
                    && let Ok(old) = Digest::parse(value)
                    && let Some(new) = self.changed.get(&old)
                {
                    *value = new.digest.to_string();
                }
            }
        }
        self.replace(descriptor, index.to_vec());
        Ok(self
            .changed
            .get(&descriptor.digest)
            .map(|new| placed(descriptor, new)))
    }

    fn replace(&mut self, old: &Descriptor, bytes: Vec<u8>) {
        let new = Descriptor::of(&old.media_type, &bytes);
        self.written.insert(new.digest.clone(), bytes);
        self.changed.insert(old.digest.clone(), new);
    }
}

/// The new digest in the old descriptor, whose platform and annotations stay.
fn placed(old: &Descriptor, new: &Descriptor) -> Descriptor {
    let mut descriptor = old.clone();
    descriptor.digest = new.digest.clone();
    descriptor.size = new.size;
    descriptor.data.clear();
    descriptor
}

fn of_config(config: &[u8]) -> Result<Vec<Digest>, String> {
    let config = Json::parse(config).map_err(|error| error.to_string())?;
    let list = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
    let texts = match list {
        None | Some(Json::Null) => &[],
        Some(list) => list
            .as_array()
            .ok_or("rootfs.diff_ids of this config is not a list")?,
    };
    texts
        .iter()
        .map(|text| {
            let text = text.as_str().ok_or("a diff_id of this config is not text")?;
            Digest::parse(text).map_err(|error| error.to_string())
        })
        .collect()
}
