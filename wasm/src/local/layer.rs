//! One layer, in a worker of its own.

use std::sync::Arc;

use soci_image::{Descriptor, Digest};
use soci_store::archive::ArchiveSource;
use soci_store::store::AnySource;
use soci_store::workflow::{Event, LayerApart, Options, contents_apart};
use wasm_bindgen::prelude::wasm_bindgen;

use super::host::{self, HostFile};
use crate::Objection;

/// A layer that is indexed while its bytes are pushed: the host waits for a file between the pieces.
#[wasm_bindgen]
pub struct LayerReader(LayerApart);

/// What became of it.
#[wasm_bindgen]
pub struct ReadLayer {
    outcome: String,
    ztoc: Vec<u8>,
}

#[wasm_bindgen]
impl LayerReader {
    /// Starts at the first byte of the layer that has this descriptor.
    #[wasm_bindgen(constructor)]
    pub fn new(media_type: &str, digest: &str, size: f64) -> Result<Self, Objection> {
        let layer = descriptor(media_type, digest, size)?;
        Ok(Self(LayerApart::new(&layer, &Options::default())))
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Objection> {
        Ok(self.0.push(bytes)?)
    }

    /// The end; an error says what is wrong with the layer.
    pub fn finish(self) -> Result<ReadLayer, Objection> {
        let (apart, ztoc) = self.0.finish()?;
        let outcome = serde_json::to_string(&apart).map_err(|error| Objection(error.to_string()))?;
        Ok(ReadLayer { outcome, ztoc })
    }
}

#[wasm_bindgen]
impl ReadLayer {
    /// What came of it, for `Images.keep`.
    pub fn outcome(&self) -> String {
        self.outcome.clone()
    }

    /// Its zTOC; empty if it stays without.
    pub fn ztoc(&self) -> Vec<u8> {
        self.ztoc.clone()
    }
}

/// What is in a layer without a zTOC, the host's file 0 of `length` bytes, as one that only tells that; empty if it cannot
/// be known.
#[wasm_bindgen(js_name = contentsOf)]
pub fn contents_of(media_type: &str, digest: &str, size: f64, length: f64) -> Result<Vec<u8>, Objection> {
    let layer = descriptor(media_type, digest, size)?;
    let source = ArchiveSource::blob("the layer", &layer, Arc::new(HostFile(0)), length as u64)?;
    let observer = |event: Event| {
        if let Event::LayerAdvanced { bytes, .. } = event {
            host::progress(bytes as f64);
        }
    };
    let contents = contents_apart(&AnySource::Archive(source), &layer, &observer)?;
    Ok(contents.unwrap_or_default())
}

fn descriptor(media_type: &str, digest: &str, size: f64) -> Result<Descriptor, Objection> {
    let digest = Digest::parse(digest).map_err(|error| Objection(error.to_string()))?;
    Ok(Descriptor::new(media_type, digest, size as u64))
}
