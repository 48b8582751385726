//! The seeds of the fuzz targets, on every run of the tests.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read their files; the crate does not"
)]

#[path = "../../../tests/fuzz/bodies/lint.rs"]
mod bodies;

/// Runs a body over the seeds of its target.
fn replay(target: &str, body: fn(&str)) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/seeds")
        .join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        body(std::str::from_utf8(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        seeds += 1;
    }
    assert!(seeds > 2, "{seeds} seeds in {}", folder.display());
}

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
