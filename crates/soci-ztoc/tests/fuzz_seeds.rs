//! Replays the seeds of the fuzz targets for this crate, and what fuzzing on this machine has kept.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its tests do.

#[path = "../../../tests/fuzz/bodies/ztoc.rs"]
#[allow(unreachable_pub)]
mod bodies;

use std::fs;

/// Runs a body over all inputs of its target.
fn replay(target: &str, body: fn(&[u8])) {
    let fuzz = soci_tests::repository().join("tests/fuzz");
    let seeds = fuzz.join("seeds").join(target);
    let mut count = 0;
    for folder in [
        seeds,
        fuzz.join("corpus").join(target),
        fuzz.join("artifacts").join(target),
    ] {
        // Seeds are part of the repository, the others are there after fuzzing.
        let Ok(inputs) = fs::read_dir(&folder) else {
            continue;
        };
        for input in inputs.flatten().take(2000) {
            let bytes = fs::read(input.path()).expect("a seed is a file");
            // Shown when the body panics.
            println!("{}", input.path().display());
            body(&bytes);
            count += 1;
        }
    }
    assert!(count > 0, "{target} has no seeds");
}

#[test]
fn tar_seeds_do_no_harm() {
    replay("ztoc_tar", bodies::tar);
}

#[test]
fn ztoc_seeds_do_no_harm() {
    replay("ztoc_file", bodies::file);
}

#[test]
fn checkpoint_seeds_do_no_harm() {
    replay("ztoc_checkpoints", bodies::checkpoints);
}

#[test]
fn layer_seeds_do_no_harm() {
    replay("ztoc_layer", bodies::layer);
}
