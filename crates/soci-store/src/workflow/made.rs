//! Layers made for the tests of what indexes them.

use std::io::Write;

use flate2::write::GzEncoder;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Built, Compression, ZtocBuilder};

pub(super) fn options(compression: Compression) -> BuildOptions {
    BuildOptions::new(compression, "test").with_span_size(1 << 17)
}

/// They compress to about half.
pub(super) fn random_letters(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 28) as u8
    })
    .take(length)
    .collect()
}

/// A tar of one file.
pub(super) fn tar(content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    builder
        .append_data(&mut header, "file", content)
        .expect("writes to memory");
    builder.into_inner().expect("writes to memory")
}

pub(super) fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(tar).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

pub(super) fn indexed(outcome: BuildOutcome) -> Built {
    match outcome {
        BuildOutcome::Indexed(built) => built,
        BuildOutcome::Skipped(skipped) => panic!("{}", skipped.reason),
    }
}

/// What the builder makes of a layer in one piece.
pub(super) fn built(compression: Compression, layer: &[u8]) -> Built {
    let mut builder = ZtocBuilder::new(options(compression)).expect("a good span size");
    builder.push(layer).expect("a good layer");
    indexed(builder.finish().expect("a good layer"))
}
