//! The seeds of the fuzz target, on a stable toolchain.

#![allow(
    clippy::disallowed_methods,
    reason = "the pure crate reads no files; its tests do"
)]

use std::fs;
use std::path::Path;

use crate::fuzz_bodies;

#[test]
fn seeds_of_the_fuzz_target_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds/ztoc_inflate");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the seeds are committed") {
        let bytes = fs::read(entry.expect("a readable folder").path()).expect("a readable seed");
        fuzz_bodies::inflate(&bytes);
        count += 1;
    }
    assert!(count > 10, "{count} seeds");
}
