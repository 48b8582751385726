//! The seeds of the fuzz target over events, replayed.

use std::fs;

#[path = "../../../tests/fuzz/bodies/lambda.rs"]
mod bodies;

#[test]
fn events() {
    let folder = soci_tests::repository().join("tests/fuzz/seeds/lambda_event");
    let mut seeds = 0;
    for entry in fs::read_dir(folder).expect("seeds") {
        let seed = fs::read(entry.expect("an entry").path()).expect("a seed");
        bodies::event(&seed);
        seeds += 1;
    }
    assert!(seeds > 0);
}
