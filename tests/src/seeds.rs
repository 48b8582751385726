//! The inputs of a fuzz target, run again on a stable toolchain.

use std::fs;
use std::path::PathBuf;

/// The seeds of a fuzz target, which are part of the repository, by name.
///
/// # Panics
/// When it has none.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let seeds: Vec<_> = inputs("seeds", target).map(|(_, bytes)| bytes).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// Runs a fuzz target's body over its seeds, and over what fuzzing on this machine has kept and found. Says which input
/// it was when the body panics.
///
/// # Panics
/// When the target has no seeds.
pub fn replay(target: &str, mut body: impl FnMut(&[u8])) {
    seeds(target);
    let found = inputs("seeds", target).chain(inputs("artifacts", target));
    for (path, bytes) in found.chain(inputs("corpus", target).take(2000)) {
        println!("{}", path.display());
        body(&bytes);
    }
}

/// The same for a target that takes text; what is no text is passed over, as the fuzzer does.
///
/// # Panics
/// When the target has no seeds.
pub fn replay_texts(target: &str, mut body: impl FnMut(&str)) {
    replay(target, |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            body(text);
        }
    });
}

fn inputs(folder: &str, target: &str) -> impl Iterator<Item = (PathBuf, Vec<u8>)> {
    let folder = crate::repository().join("tests/fuzz").join(folder).join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|input| input.path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let bytes = fs::read(&path).expect("an input of a fuzz target is a file");
        (path, bytes)
    })
}
