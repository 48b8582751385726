//! The files of starts, in the order of their first use: what a start layer repeats.

use std::collections::BTreeSet;

use crate::trace::Trace;

/// What containerd reads itself before the program runs, to find its user and groups
/// (<https://github.com/containerd/containerd/blob/v1.6.20/oci/spec_opts.go>, `WithUser`, 2026-11-28).
const OF_CONTAINERD: [&str; 2] = ["/etc/passwd", "/etc/group"];

/// The paths that starts open, each once: those that containerd reads itself, then those of the traces, one trace behind
/// the other. Links in them are not followed; what is not in the image is among them.
pub fn hot<'t>(traces: impl IntoIterator<Item = &'t Trace>) -> Vec<Vec<u8>> {
    let own = OF_CONTAINERD.into_iter().map(|path| path.as_bytes().to_vec());
    let opened = traces
        .into_iter()
        .flat_map(|trace| &trace.files)
        .map(|file| file.path.clone());
    let mut seen = BTreeSet::new();
    own.chain(opened)
        .filter(|path| seen.insert(path.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_once_in_the_order_of_their_first_use() {
        let trace = |text: &str| Trace::read(text.as_bytes()).expect("a trace").0;
        let (one, other) = (trace("/b\n/a\n/etc/group\n/b\n"), trace("/c\n/a\n"));
        let paths = hot([&one, &other]);
        let paths: Vec<_> = paths.iter().map(|path| String::from_utf8_lossy(path)).collect();
        assert_eq!(paths, ["/etc/passwd", "/etc/group", "/b", "/a", "/c"]);
    }
}
