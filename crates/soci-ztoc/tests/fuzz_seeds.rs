//! Replays the seeds of the fuzz targets for this crate, and what fuzzing on this machine has kept.

#[path = "../../../tests/fuzz/bodies/ztoc.rs"]
#[allow(unreachable_pub)]
mod bodies;

use soci_tests::seeds::replay;

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
