//! Layers that were read and indexed before their turn came.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use soci_image::Digest;

use super::index_layer::IndexedLayer;

/// What became of layers that were read already; each is asked for once.
#[derive(Default)]
pub struct Indexed(Mutex<BTreeMap<Digest, IndexedLayer>>);

impl Indexed {
    #[cfg_attr(
        not(feature = "files"),
        allow(dead_code, reason = "layers of a registry are read when their turn comes")
    )]
    pub(crate) fn keep(&self, layer: Digest, indexed: IndexedLayer) {
        self.lock().insert(layer, indexed);
    }

    pub(crate) fn take(&self, layer: &Digest) -> Option<IndexedLayer> {
        self.lock().remove(layer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, IndexedLayer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Indexed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.lock().keys()).finish()
    }
}
