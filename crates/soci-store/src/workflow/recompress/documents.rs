//! The documents of rewritten layers: configs, which tell their diff_ids, and manifests.

use std::collections::BTreeMap;

use soci_image::{Descriptor, Digest, Json};

use super::layer::Rewritten;
use super::{Candidate, Plan};
use crate::store::{AnySource, Root, Source};
use crate::workflow::above::{Above, NewDocuments, chosen};
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

/// Points the image manifests of all platforms asked for at the new layers.
pub(super) fn rewrite(
    plan: &Plan,
    layers: &BTreeMap<Digest, Rewritten>,
) -> Result<(Vec<Root>, NewDocuments)> {
    let mut above = Above::default();
    for image in chosen(plan) {
        let mut manifest = image.manifest.clone();
        for layer in &mut manifest.layers {
            if let Some(new) = layers.get(&layer.digest) {
                // A layer may stand in a manifest with annotations of its own; those of its bytes are gone.
                layer.media_type.clone_from(&new.descriptor.media_type);
                layer.digest = new.descriptor.digest.clone();
                layer.size = new.descriptor.size;
                layer.data.clear();
                layer.annotations.clone_from(&new.descriptor.annotations);
            }
        }
        above.replace_manifest(&image, &manifest);
    }
    above.finish(plan)
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
