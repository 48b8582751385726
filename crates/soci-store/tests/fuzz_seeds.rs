//! The seeds of the fuzz targets over places, replayed.

#[path = "../../../tests/fuzz/bodies/store.rs"]
mod bodies;

use soci_tests::seeds::{replay, replay_texts};

#[test]
fn archives() {
    replay("store_archive", bodies::archive);
}

#[test]
fn layouts() {
    replay_texts("store_layout", bodies::layout);
}

#[test]
fn locations() {
    replay_texts("store_location", bodies::location);
}
