//! Answers that no registry gives: the fuzz target's seeds, and changes to them.

use proptest::prelude::*;

#[path = "../../../../tests/fuzz/bodies/registry.rs"]
mod body;

fn seeds() -> Vec<Vec<u8>> {
    let folder = soci_tests::repository().join("tests/fuzz/seeds/registry_answers");
    let files = std::fs::read_dir(folder).expect("the seeds are part of the repository");
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    paths.sort();
    assert!(paths.len() >= 5);
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("readable"))
        .collect()
}

#[test]
fn seeds_of_fields_are_survived() {
    let folder = soci_tests::repository().join("tests/fuzz/seeds/registry_fields");
    let files = std::fs::read_dir(folder).expect("the seeds are part of the repository");
    let texts: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.expect("readable").path()).expect("text"))
        .collect();
    assert!(texts.len() >= 3);
    texts.iter().for_each(|text| body::fields(text));
}

#[test]
fn seeds_are_survived() {
    seeds().iter().for_each(|seed| body::answers(seed));
}

proptest! {
    #[test]
    fn changed_seeds_are_survived(
        first in 0usize..5,
        second in 0usize..5,
        cut in 0usize..400,
        at in 0usize..400,
        byte in any::<u8>(),
    ) {
        let seeds = seeds();
        let mut bytes = seeds[first].clone();
        bytes.truncate(cut.max(1));
        bytes.push(0);
        bytes.extend_from_slice(&seeds[second]);
        let place = at % bytes.len();
        bytes[place] = byte;
        body::answers(&bytes);
    }
}
