//! A layer that is read apart from its image, by another worker, from which only bytes come back.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};
use soci_ztoc::inflate::InputBuffer;
use soci_ztoc::ztoc::Ztoc;

use super::index_layer::{IndexedLayer, LayerPass, indexed_of};
use super::indexed::Indexed;
use super::options::{Observer, Options};
use super::uncompress::uncompress;
use super::views::Reading;
use crate::store::AnySource;
use crate::{Error, Result};

/// What became of a layer. Both values go together: the bytes are a zTOC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Apart {
    /// It has a zTOC.
    Indexed {
        /// gzip members, 0 for a plain tar.
        members: u64,
        /// Entries whose owners the zTOC does not hold.
        cut_owners: Vec<usize>,
    },
    /// It stays without.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
}

/// A layer that is indexed as [`convert`](super::convert) does it, by whoever has its bytes.
pub struct LayerApart {
    pass: LayerPass,
    buffer: InputBuffer,
    /// Bytes in the buffer.
    filled: usize,
    digest: Digest,
}

impl LayerApart {
    /// Starts at the first byte.
    pub fn new(layer: &Descriptor, options: &Options) -> Self {
        Self {
            pass: LayerPass::new(layer.clone(), options.clone()),
            buffer: InputBuffer::new(),
            filled: 0,
            digest: layer.digest.clone(),
        }
    }

    /// Takes the next bytes; the pieces do not change the result.
    ///
    /// # Errors
    /// If the layer is damaged, or has more bytes than its descriptor says.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let space = &mut self.buffer.space()[self.filled..];
            let (fits, rest) = bytes.split_at(bytes.len().min(space.len()));
            space[..fits.len()].copy_from_slice(fits);
            let is_full = fits.len() == space.len();
            self.filled += fits.len();
            bytes = rest;
            if is_full {
                self.pass_on()?;
            }
        }
        Ok(())
    }

    /// The end. The bytes are the layer's zTOC, none if it stays without.
    ///
    /// # Errors
    /// If the layer is damaged or is not what its descriptor says.
    pub fn finish(mut self) -> Result<(Apart, Vec<u8>)> {
        if self.filled > 0 {
            self.pass_on()?;
        }
        self.pass.look(&[])?;
        let digest = self.digest;
        let indexed = self
            .pass
            .finish()?
            .map_err(|source| Error::Layer { digest, source })?;
        Ok(match indexed {
            IndexedLayer::Skipped(reason) => (Apart::Skipped { reason }, Vec::new()),
            IndexedLayer::Indexed { ztoc, facts } => {
                let toc = ztoc.ztoc().toc();
                let apart = Apart::Indexed {
                    members: facts.members,
                    cut_owners: (0..toc.len()).filter(|entry| toc.owner_was_cut(*entry)).collect(),
                };
                (apart, ztoc.to_bytes())
            }
        })
    }

    fn pass_on(&mut self) -> Result<()> {
        let mut buffer = std::mem::replace(&mut self.buffer, InputBuffer::new());
        buffer.set_filled(std::mem::take(&mut self.filled));
        self.pass.look(buffer.filled())?;
        self.buffer = self.pass.push(buffer).map_err(|source| Error::Layer {
            digest: self.digest.clone(),
            source,
        })?;
        Ok(())
    }
}

/// What is in a layer that has no zTOC, whatever its compression, as a zTOC of one span. `None`: the layer is damaged,
/// or no table of contents can hold what is in it.
///
/// # Errors
/// If the place cannot be read.
pub fn contents_apart(
    source: &AnySource,
    layer: &Descriptor,
    observer: Observer<'_>,
) -> Result<Option<Vec<u8>>> {
    let mut reading = Reading::new();
    let outcome = uncompress(source, layer, &AtomicBool::new(false), observer, &mut |bytes| {
        reading.push(bytes);
        Ok(())
    })?;
    let read = outcome.ok().and_then(|_| reading.finish_encoded().ok()?.ok());
    Ok(read.map(|encoded| encoded.to_bytes()))
}

impl Indexed {
    /// Keeps what a [`LayerApart`] gave, so that a conversion does not read the layer.
    ///
    /// # Errors
    /// If the bytes are no zTOC.
    pub fn keep_apart(&self, layer: &Digest, apart: Apart, bytes: &[u8], options: &Options) -> Result<()> {
        let failed = |source| Error::Layer {
            digest: layer.clone(),
            source,
        };
        let indexed = match apart {
            Apart::Skipped { reason } => IndexedLayer::Skipped(reason),
            Apart::Indexed { members, cut_owners } => {
                let mut parts = Ztoc::from_bytes(bytes).map_err(failed)?.into_parts();
                parts.toc = parts.toc.with_cut_owners(&cut_owners);
                let ztoc = Ztoc::from_parts(parts).map_err(failed)?;
                indexed_of(ztoc, members, options).map_err(failed)?
            }
        };
        self.keep(layer.clone(), indexed);
        Ok(())
    }
}
