//! The seeds of the fuzz target.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

#[path = "../../../tests/fuzz/bodies/start.rs"]
#[allow(unreachable_pub)]
mod bodies;

use std::fs;

#[test]
fn seeds_of_the_fuzz_target() {
    let fuzz = soci_tests::repository().join("tests/fuzz");
    let mut count = 0;
    for folder in ["seeds", "corpus", "artifacts"] {
        // Seeds are part of the repository, the others are there after fuzzing.
        let Ok(inputs) = fs::read_dir(fuzz.join(folder).join("start_trace")) else {
            continue;
        };
        for input in inputs {
            let path = input.expect("a directory entry").path();
            bodies::trace(&fs::read(&path).expect("a readable seed"));
            count += 1;
        }
    }
    assert!(count >= 5, "{count} seeds");
}
