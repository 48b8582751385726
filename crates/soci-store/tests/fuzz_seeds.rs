//! The seeds of the fuzz targets over places, replayed.

use std::fs;

#[path = "../../../tests/fuzz/bodies/store.rs"]
mod bodies;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = soci_tests::repository().join("tests/fuzz/seeds").join(target);
    let entries = fs::read_dir(folder).expect("seeds");
    let seeds: Vec<_> = entries
        .map(|entry| fs::read(entry.expect("an entry").path()).expect("a seed"))
        .collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

fn texts(target: &str) -> Vec<String> {
    seeds(target)
        .into_iter()
        .map(|seed| String::from_utf8(seed).expect("text"))
        .collect()
}

#[test]
fn archives() {
    seeds("store_archive")
        .iter()
        .for_each(|seed| bodies::archive(seed));
}

#[test]
fn layouts() {
    texts("store_layout").iter().for_each(|seed| bodies::layout(seed));
}

#[test]
fn locations() {
    texts("store_location")
        .iter()
        .for_each(|seed| bodies::location(seed));
}
