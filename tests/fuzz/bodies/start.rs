//! What the target for traces does with any bytes.

use soci_start::Trace;

/// A trace is read or refused; what was read has whole paths, each once, and merging it with itself adds nothing.
pub fn trace(bytes: &[u8]) {
    let Ok((trace, _)) = Trace::read(bytes) else {
        return;
    };
    assert!(!trace.files.is_empty());
    let mut paths: Vec<&[u8]> = trace.files.iter().map(|file| file.path.as_slice()).collect();
    assert!(paths.iter().all(|path| path.starts_with(b"/")));
    paths.sort_unstable();
    assert!(paths.windows(2).all(|pair| pair[0] != pair[1]));
    let merged = trace.clone().merge(trace.clone());
    let same = |one: &Trace, two: &Trace| {
        let path_of = |trace: &Trace| {
            trace
                .files
                .iter()
                .map(|file| file.path.clone())
                .collect::<Vec<_>>()
        };
        path_of(one) == path_of(two)
    };
    assert!(same(&merged, &trace));
}
