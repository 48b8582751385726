//! What a run that may be stopped before its image is done leaves to the next one.
//!
//! Every zTOC goes to the registry as soon as it is made. A registry gives out no blob that no manifest names (Amazon ECR:
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html>, 2026-11-29), so a run that
//! stops leaves a SOCI index of what it has, under its digest and named by no image. The next run is told the digest, and
//! takes from it what it takes from any SOCI index: nothing on its word.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use soci_image::soci_index::{EMPTY_CONFIG, SociVersion, ZtocEntry};
use soci_image::{Descriptor, Digest, Reference, SociIndex};
use soci_registry::Client;

use super::index_layer::ZtocSummary;
use super::options::Options;
use crate::registry::{RegistryDestination, Wire};
use crate::store::Destination;
use crate::{Result, block_on};

/// zTOCs that are in the repository, made by this run or taken from where an earlier one left them.
#[derive(Debug, Default)]
pub struct Progress(Mutex<BTreeMap<Digest, ZtocEntry>>);

impl Progress {
    /// How many layers are done.
    pub fn layers(&self) -> usize {
        self.lock().len()
    }

    /// Leaves what is done in the repository of an image; `None` if nothing is.
    ///
    /// # Errors
    /// Those of the registry.
    pub fn leave(
        &self,
        client: &Client<Wire>,
        image: &Reference,
        build_tool: &str,
    ) -> Result<Option<Digest>> {
        let ztocs: Vec<ZtocEntry> = self.lock().values().cloned().collect();
        if ztocs.is_empty() {
            return Ok(None);
        }
        let index = SociIndex {
            version: SociVersion::V2,
            ztocs,
            prefetch: Vec::new(),
            subject: None,
            build_tool: build_tool.to_owned(),
        };
        let config = Descriptor::of(index.version.artifact_type(), EMPTY_CONFIG);
        let descriptor = index.descriptor();
        block_on(async {
            let repository = RegistryDestination::open(client, image).await?;
            repository.put_blob(&config, EMPTY_CONFIG).await?;
            repository.put_manifest(&descriptor, &index.to_vec()).await
        })?;
        Ok(Some(descriptor.digest))
    }

    /// A layer has a zTOC in the repository.
    pub(super) fn add(&self, layer: &Descriptor, facts: &ZtocSummary, options: &Options) {
        let entry = ZtocEntry {
            digest: facts.digest.clone(),
            size: facts.size,
            layer: layer.digest.clone(),
            layer_media_type: layer.media_type.clone(),
            span_size: Some(options.span_size),
            disable_xattrs: facts.disable_xattrs,
            shaped: facts.shaped.clone(),
        };
        self.lock().insert(layer.digest.clone(), entry);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, ZtocEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
