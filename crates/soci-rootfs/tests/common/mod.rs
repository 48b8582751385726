//! Layers for tests.
#![allow(dead_code)]

#[path = "../../../../tests/fuzz/bodies/rootfs/layers.rs"]
#[allow(unreachable_pub, missing_docs)]
pub(crate) mod layers;

use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Unindexable, Ztoc, ZtocBuilder};

/// Builds a zTOC in one push.
pub(crate) fn build(layer: &[u8], compression: Compression, span_size: u64) -> Result<Ztoc, Unindexable> {
    let mut builder = ZtocBuilder::new(BuildOptions::new(compression, "tests").with_span_size(span_size))
        .expect("the span size is good");
    builder.push(layer).expect("the layer is good");
    match builder.finish().expect("the layer is good") {
        BuildOutcome::Indexed(built) => Ok(built.into_encoded().into_ztoc()),
        BuildOutcome::Skipped(skipped) => Err(skipped.reason),
    }
}

/// Builds the zTOC of a plain tar.
pub(crate) fn build_plain(layer: &[u8]) -> Ztoc {
    build(layer, Compression::Uncompressed, 1 << 20).expect("nothing odd is in it")
}
