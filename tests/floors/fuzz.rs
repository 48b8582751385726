//! Fuzz targets whose inputs nothing else runs would rot until somebody fuzzes again.

use std::fs;
use std::path::Path;

/// All Rust below a folder, as one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn the_tests_run_what_every_fuzz_target_runs() {
    let root = soci_tests::repository();
    let mut tests = String::new();
    for package in fs::read_dir(root.join("crates")).expect("crates").flatten() {
        let folder = package.path().join("tests");
        if folder.is_dir() {
            sources(&folder, &mut tests);
        }
    }
    let targets = fs::read_dir(root.join("tests/fuzz/fuzz_targets")).expect("fuzz targets");
    let names: Vec<String> = targets
        .flatten()
        .filter_map(|target| Some(target.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let replayed =
            tests.contains(&format!("\"{name}\"")) || tests.contains(&format!("fuzz target `{name}`"));
        assert!(replayed, "no test runs what the fuzz target {name} runs");
    }
}
