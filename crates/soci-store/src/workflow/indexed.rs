//! Layers that were read and indexed before their turn came.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use soci_image::Digest;
#[cfg(feature = "native")]
use soci_ztoc::ztoc::Ztoc;

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

    /// Lends the zTOC of a layer that has one, and keeps it. Nobody else asks for the layer meanwhile.
    #[cfg(feature = "native")]
    pub(crate) fn lend_ztoc<T>(&self, layer: &Digest, to: impl FnOnce(&Ztoc) -> T) -> Option<T> {
        let indexed = self.take(layer)?;
        let lent = match &indexed {
            IndexedLayer::Indexed { ztoc, .. } => Some(to(ztoc.ztoc())),
            IndexedLayer::Skipped(_) => None,
        };
        self.keep(layer.clone(), indexed);
        lent
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
