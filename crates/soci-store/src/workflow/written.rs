//! A gzip layer that we write ourselves: kept and indexed while it is made, in one pass.

use std::io::{self, Write};

use soci_image::Digest;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, ZtocBuilder};

use super::index_layer::sha256;
use super::options::Options;
use crate::Result;
use crate::blob::FileBlob;
use crate::file::Spool;

/// What takes the compressed bytes.
pub(super) struct LayerWriter {
    spool: Spool,
    builder: ZtocBuilder,
}

/// What was written.
pub(super) struct WrittenLayer {
    /// Digest of the compressed bytes.
    pub(super) digest: Digest,
    /// The bytes.
    pub(super) blob: FileBlob,
    /// What the zTOC builder made of them.
    pub(super) outcome: BuildOutcome,
}

impl LayerWriter {
    /// Nothing is written yet. The inner result is the zTOC builder's.
    pub(super) fn new(options: &Options) -> Result<Result<Self, soci_ztoc::Error>> {
        let build = BuildOptions::new(Compression::Gzip, options.build_tool_identifier.clone())
            .with_span_size(options.span_size);
        let spool = Spool::new()?;
        Ok(ZtocBuilder::new(build).map(|builder| Self { spool, builder }))
    }

    /// The end of the layer.
    pub(super) fn finish(self) -> Result<WrittenLayer, soci_ztoc::Error> {
        let outcome = self.builder.finish()?;
        let digest = sha256(match &outcome {
            BuildOutcome::Indexed(built) => built.layer_digest(),
            BuildOutcome::Skipped(skipped) => skipped.layer_digest,
        });
        Ok(WrittenLayer {
            digest,
            blob: self.spool.into_blob(),
            outcome,
        })
    }
}

impl Write for LayerWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool.write_all(bytes)?;
        // The encoder's own output is sound gzip; what is wrong with the tar inside is told at the end.
        self.builder.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
