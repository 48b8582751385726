//! Random stacks of layers and the seeds of the fuzz target: the crate and a simple model find the same.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its tests do.

#[path = "../../../tests/fuzz/bodies/rootfs.rs"]
#[allow(unreachable_pub, missing_docs)]
mod bodies;

use std::fs;

use proptest::prelude::*;

#[test]
fn rootfs_seeds_do_no_harm() {
    let fuzz = soci_tests::repository().join("tests/fuzz");
    let mut count = 0;
    for folder in ["seeds", "corpus", "artifacts"] {
        // Seeds are part of the repository, the others are there after fuzzing.
        let Ok(inputs) = fs::read_dir(fuzz.join(folder).join("rootfs")) else {
            continue;
        };
        for input in inputs.flatten().take(2000) {
            let bytes = fs::read(input.path()).expect("a seed is a file");
            // Shown when the body panics.
            println!("{}", input.path().display());
            bodies::rootfs(&bytes);
            count += 1;
        }
    }
    assert!(count > 0, "the target has no seeds");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_stacks_are_as_a_simple_model_has_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        bodies::rootfs(&bytes);
    }
}
