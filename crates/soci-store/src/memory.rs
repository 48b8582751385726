//! What a conversion makes, kept in memory: zTOCs and documents. Layers and all else that the source has stay there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use soci_image::{Descriptor, Digest};

use crate::blob::{check_digest, kind_of};
use crate::checked::pass;
use crate::store::{AnySource, Destination, Published, Sink, Source};
use crate::{Error, Result};

/// A place that keeps what is new.
#[derive(Debug, Default)]
pub struct MemoryDestination(Made);

/// What came to such a place; its clones are of one place.
#[derive(Debug, Clone, Default)]
pub struct Made(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    blobs: BTreeMap<Digest, Vec<u8>>,
    images: Vec<Published>,
}

impl MemoryDestination {
    /// An empty place.
    pub fn new() -> Self {
        Self::default()
    }

    /// What comes to it, to be asked for once the conversion is over.
    pub fn made(&self) -> Made {
        self.0.clone()
    }
}

impl Made {
    /// zTOCs and documents by digest, and the images that were made of them; nothing of a conversion that failed.
    pub fn take(&self) -> (BTreeMap<Digest, Vec<u8>>, Vec<Published>) {
        let Kept { blobs, images } = std::mem::take(&mut *self.lock());
        (blobs, images)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destination for MemoryDestination {
    type Sink = NoSink;

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(self.0.lock().blobs.contains_key(&descriptor.digest))
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        check_digest("blob", descriptor, bytes)?;
        let mut kept = self.0.lock();
        kept.blobs
            .entry(descriptor.digest.clone())
            .or_insert_with(|| bytes.to_vec());
        Ok(())
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put_blob(descriptor, bytes).await
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        if source.is_remote() {
            return Err(Error::Place {
                place: "memory".into(),
                problem: format!(
                    "{} stays in its registry: nothing here could read it later",
                    descriptor.digest
                ),
            });
        }
        // It stays where it is, and must be right there.
        match verified {
            true => Ok(()),
            false => {
                let passed = pass(source, descriptor, |_| {}).await?;
                passed.map_err(|wrong| wrong.of(kind_of(descriptor), descriptor))
            }
        }
    }

    async fn begin_blob(&self, _descriptor: &Descriptor) -> Result<Option<NoSink>> {
        Ok(None)
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        self.0.lock().images = images.to_vec();
        Ok(())
    }

    async fn abort(self) {
        drop(self.0.take());
    }

    fn is_sequential(&self) -> bool {
        false
    }
}

/// Nothing is written in pieces.
#[derive(Debug)]
pub enum NoSink {}

impl Sink for NoSink {
    async fn write(&mut self, _bytes: &[u8]) -> Result<()> {
        match *self {}
    }

    async fn commit(self) -> Result<()> {
        match self {}
    }
}
