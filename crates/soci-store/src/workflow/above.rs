//! The documents above image manifests that were changed before a conversion: indexes, up to the roots.

use std::collections::BTreeMap;

use soci_image::annotation::{IMAGE_MANIFEST_DIGEST, REFERENCE_DIGEST};
use soci_image::document::{Document, Documents};
use soci_image::image::ImageEntry;
use soci_image::{Descriptor, Digest, Manifest};

use super::plan::{Plan, PlannedImage};
use crate::Result;
use crate::store::Root;

/// Documents by their digest.
pub(super) type NewDocuments = BTreeMap<Digest, Vec<u8>>;

/// Manifests that take the place of others, and what follows from that.
#[derive(Default)]
pub(super) struct Above {
    /// Old digest of a manifest or index → what replaces it.
    changed: BTreeMap<Digest, Descriptor>,
    written: NewDocuments,
}

/// The image manifests of all platforms asked for.
pub(super) fn chosen(plan: &Plan) -> Vec<ImageEntry> {
    plan.images.iter().flat_map(chosen_of).collect()
}

/// The same of one image.
pub(super) fn chosen_of(planned: &PlannedImage) -> Vec<ImageEntry> {
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
}

impl Above {
    /// Puts a manifest in the place of an image's; one that says the same keeps its bytes.
    pub(super) fn replace_manifest(&mut self, image: &ImageEntry, manifest: &Manifest) {
        if *manifest != image.manifest {
            self.replace(&image.descriptor, manifest.to_vec());
        }
    }

    /// New roots for those of the plan, and the new documents.
    pub(super) fn finish(mut self, plan: &Plan) -> Result<(Vec<Root>, NewDocuments)> {
        let mut roots = Vec::new();
        for planned in &plan.images {
            let mut root = planned.root.clone();
            if let Some(new) = self.node(&root.descriptor, &planned.documents, 0)? {
                root.descriptor = new;
            }
            roots.push(root);
        }
        Ok((roots, self.written))
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

/// The images in the order of the source: those that were planned with their new roots, others as they are.
pub(super) fn with_others(all: Vec<Root>, plan: &Plan, planned: Vec<Root>) -> Vec<Root> {
    let mut planned: Vec<Option<Root>> = planned.into_iter().map(Some).collect();
    all.into_iter()
        .map(|root| {
            let position = plan
                .images
                .iter()
                .position(|image| image.root.descriptor.digest == root.descriptor.digest);
            position
                .and_then(|position| planned[position].take())
                .unwrap_or(root)
        })
        .collect()
}

/// The new digest in the old descriptor, whose platform and annotations stay.
fn placed(old: &Descriptor, new: &Descriptor) -> Descriptor {
    let mut descriptor = old.clone();
    descriptor.digest = new.digest.clone();
    descriptor.size = new.size;
    descriptor.data.clear();
    descriptor
}
