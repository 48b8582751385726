//! One layer given in pieces, and its zTOC.

use soci_store::workflow::{Options, Pipeline};
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Objection;

/// Builds the zTOC of a layer while it is pushed. The pieces do not change the result.
#[wasm_bindgen]
pub struct LayerIndexer {
    pipeline: Pipeline,
}

/// What became of a layer.
#[wasm_bindgen]
pub struct IndexedLayer {
    digest: String,
    outcome: Result<Vec<u8>, String>,
}

#[wasm_bindgen]
impl LayerIndexer {
    /// Starts at the first byte of a layer. `compression` is `gzip` or `uncompressed`; a span has at least so many
    /// uncompressed bytes. `tool` becomes part of the zTOC; without one it is that of the command line.
    #[wasm_bindgen(constructor)]
    pub fn new(compression: &str, span_size: f64, tool: Option<String>) -> Result<Self, Objection> {
        let compression = match compression {
            "gzip" => Compression::Gzip,
            "uncompressed" => Compression::Uncompressed,
            other => {
                let problem = format!("a layer is gzip or uncompressed, not {other:?}");
                return Err(Objection(problem));
            }
        };
        let options = BuildOptions::new(
            compression,
            tool.unwrap_or_else(|| Options::BUILD_TOOL.to_owned()),
        )
        .with_span_size(span_size as u64);
        Ok(Self {
            pipeline: Pipeline::new(options)?,
        })
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Objection> {
        while !bytes.is_empty() {
            let mut buffer = self.pipeline.buffer()?;
            let space = buffer.space();
            let (fits, rest) = bytes.split_at(bytes.len().min(space.len()));
            space[..fits.len()].copy_from_slice(fits);
            buffer.set_filled(fits.len());
            self.pipeline.push(buffer)?;
            bytes = rest;
        }
        Ok(())
    }

    /// Ends the layer; an error says how it is damaged.
    pub fn finish(self) -> Result<IndexedLayer, Objection> {
        let (hash, outcome) = match self.pipeline.finish()? {
            BuildOutcome::Skipped(skipped) => (skipped.layer_digest, Err(skipped.reason.to_string())),
            BuildOutcome::Indexed(built) => {
                let hash = built.layer_digest();
                let outcome = match built.refusal() {
                    Some(refusal) => Err(refusal.to_string()),
                    None => Ok(built.into_encoded().to_bytes()),
                };
                (hash, outcome)
            }
        };
        let digest = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(IndexedLayer { digest, outcome })
    }
}

#[wasm_bindgen]
impl IndexedLayer {
    /// The SHA-256 of the layer as it was pushed, in hexadecimal.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// The zTOC; nothing if the layer cannot be loaded lazily.
    pub fn ztoc(&self) -> Option<Vec<u8>> {
        self.outcome.as_ref().ok().cloned()
    }

    /// Why there is no zTOC.
    pub fn reason(&self) -> Option<String> {
        self.outcome.as_ref().err().cloned()
    }
}

impl From<soci_ztoc::Error> for Objection {
    fn from(error: soci_ztoc::Error) -> Self {
        Self(error.to_string())
    }
}
