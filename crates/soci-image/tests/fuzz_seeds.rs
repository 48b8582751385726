//! The seeds of the fuzz targets over documents, names and whole images.
#![allow(clippy::disallowed_macros)] // Replaying says which input it runs.

#[path = "../../../tests/fuzz/bodies/image.rs"]
#[allow(unreachable_pub)]
mod bodies;

use soci_tests::seeds::{replay, replay_texts};

#[test]
fn documents() {
    replay("image_documents", bodies::documents);
}

#[test]
fn names() {
    replay_texts("image_names", bodies::names);
}

#[test]
fn whole_images() {
    replay_texts("image_tree", bodies::tree);
}
