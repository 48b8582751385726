//! The seeds of the fuzz targets, on every run of the tests.

#[path = "../../../tests/fuzz/bodies/lint.rs"]
mod bodies;

use soci_tests::seeds::replay_texts as replay;

#[test]
fn json() {
    replay("lint_json", bodies::json);
}

#[test]
fn yaml() {
    replay("lint_yaml", bodies::yaml);
}

#[test]
fn cloudformation() {
    replay("lint_cloudformation", bodies::cloudformation);
}

#[test]
fn terraform() {
    replay("lint_terraform", bodies::terraform);
}

#[test]
fn sinks() {
    replay("lint_sinks", bodies::sinks);
}

#[test]
fn fix() {
    replay("lint_fix", bodies::fix);
}
