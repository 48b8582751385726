//! Which image each SOCI index belongs to.

use std::collections::BTreeMap;

use super::{Entry, Image, IndexTree, SociEntry, Tree};
use crate::annotation;
use crate::platform::Platform;

impl Image {
    /// Finds the image of each SOCI index: the one its descriptor names, else one that names it,
    /// else one of its platform.
    pub(super) fn find_owners(&mut self) {
        let images = self.images();
        let mut by_digest: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_index: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_platform: BTreeMap<String, usize> = BTreeMap::new();
        for image in &images {
            by_digest
                .entry(image.descriptor.digest.as_str())
                .or_default()
                .push(image.id);
            if let Some(named) = image.manifest.soci_index_annotation() {
                by_index.entry(named).or_default().push(image.id);
            }
            if let Some(platform) = &image.platform {
                by_platform.entry(platform.key()).or_insert(image.id);
            }
        }
        let owner = |soci: &&SociEntry| {
            let key = soci.descriptor.platform.as_ref().map(Platform::key);
            // Of several entries of one image, the one of the SOCI index's platform.
            let best = |ids: &Vec<usize>| {
                let fits = |id: &&usize| images[**id].platform.as_ref().map(Platform::key) == key;
                ids.iter().find(fits).or(ids.first()).copied()
            };
            let named = soci.descriptor.annotation(annotation::IMAGE_MANIFEST_DIGEST);
            named
                .and_then(|named| by_digest.get(named))
                .and_then(best)
                .or_else(|| by_index.get(soci.descriptor.digest.as_str()).and_then(best))
                .or_else(|| by_platform.get(key.as_ref()?).copied())
        };
        let owners: Vec<Option<usize>> = self.soci_indexes().iter().map(owner).collect();
        if let Tree::Index(tree) = &mut self.tree {
            tree.set_owners(&owners);
        }
    }
}

impl IndexTree {
    fn set_owners(&mut self, owners: &[Option<usize>]) {
        for entry in &mut self.entries {
            match entry {
                Entry::Soci(soci) => soci.owner = owners[soci.id],
                Entry::Index(tree) => tree.set_owners(owners),
                _ => {}
            }
        }
    }
}
