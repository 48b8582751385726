//! What a run knows of a repository already and need not ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use soci_image::media_type::{is_index, is_manifest};
use soci_image::{Descriptor, Digest};
use soci_registry::{Manifest, ManifestName, Repository};

use super::Wire;
use crate::Result;

/// Manifests that were read or written are kept up to this many bytes: they are asked for again.
const KEPT: usize = 32 << 20;

/// Manifests by digest, each read once per run.
#[derive(Default)]
pub(super) struct Kept(Mutex<BTreeMap<Digest, Arc<Manifest>>>);

impl Kept {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Manifest>> {
        lock(&self.0).get(digest).cloned()
    }

    pub(super) fn keep(&self, manifest: &Arc<Manifest>) {
        let mut kept = lock(&self.0);
        let bytes: usize = kept.values().map(|manifest| manifest.bytes.len()).sum();
        if bytes + manifest.bytes.len() <= KEPT {
            kept.insert(manifest.digest.clone(), Arc::clone(manifest));
        }
    }
}

/// Blobs and manifests that are known to be in a repository.
#[derive(Default)]
pub(super) struct Present(Mutex<BTreeSet<Digest>>);

impl Present {
    pub(super) fn knows(&self, digest: &Digest) -> bool {
        lock(&self.0).contains(digest)
    }

    pub(super) fn add(&self, digest: &Digest) {
        lock(&self.0).insert(digest.clone());
    }

    /// Asks the registry unless it said so before.
    pub(super) async fn contains(
        &self,
        repository: &Repository<Wire>,
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

/// A lock that a panic elsewhere does not poison: the maps behind are whole between calls.
fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
