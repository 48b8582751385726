//! What users read about layers that get no zTOC: one line per vector.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use std::fs;

use common::{build, moved, options, with, with_checkpoint, with_window};
use soci_ztoc::ztoc::{BuildOutcome, Compression, ZtocBuilder, verify};

/// A message with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[test]
fn layers_without_a_ztoc_say_why() {
    let folder = soci_tests::ztoc_vectors().join("layers");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("the vectors are unpacked")
        .map(|entry| {
            entry
                .expect("the folder is readable")
                .file_name()
                .into_string()
                .expect("ASCII names")
        })
        .collect();
    names.sort();
    let mut lines = String::new();
    for name in names {
        let layer = fs::read(folder.join(&name)).expect("the layer is there");
        let compression = if name.ends_with("gz") {
            Compression::Gzip
        } else {
            Compression::Uncompressed
        };
        let mut builder = ZtocBuilder::new(options(compression, 4 << 20)).expect("a good span size");
        let outcome = match builder.push(&layer) {
            Ok(()) => builder.finish(),
            Err(error) => Err(error),
        };
        let line = match outcome {
            Err(error) => format!("error    {}", told(&error)),
            Ok(BuildOutcome::Skipped(skipped)) => format!("skipped  {}", skipped.reason),
            Ok(BuildOutcome::Indexed(built)) => match built.refusal() {
                Some(refusal) => format!("refused  {refusal}"),
                None => continue,
            },
        };
        lines.push_str(&format!("{name:<26} {line}\n"));
    }
    insta::assert_snapshot!("layers", lines);
}

#[test]
fn faults_of_a_ztoc_say_where() {
    let layer = fs::read(soci_tests::ztoc_vectors().join("layers/mix-partialflush.tar.gz")).unwrap();
    let built = build(&layer, Compression::Gzip, 1 << 20);
    let ztoc = with(built.ztoc(), |parts| {
        parts.span_digests[1][0] ^= 1;
        parts.span_digests.pop();
        parts.uncompressed_size -= 1024;
        parts.compressed_size += 1;
    });
    let ztoc = with_checkpoint(&ztoc, 3, |good| with_window(good, |window| window.fill(0xaa)));
    let ztoc = with_checkpoint(&ztoc, 5, |good| {
        moved(good, |compressed, uncompressed, bits| {
            (compressed, uncompressed, bits ^ 1)
        })
    });
    let ztoc = with_checkpoint(&ztoc, 8, |good| {
        moved(good, |compressed, uncompressed, bits| {
            (compressed + 100, uncompressed, bits)
        })
    });
    let verification = verify(&ztoc, &mut &layer[..]).expect("the layer is good");
    let lines: Vec<String> = verification.faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("faults", lines.join("\n"));
}
