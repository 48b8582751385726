//! Paths as tars write them.

/// The components of a name from the root: no `.`, no empty ones, `..` takes one back and stops at the root.
pub(crate) fn components(name: &[u8]) -> Vec<&[u8]> {
    let mut components = Vec::new();
    for part in parts(name) {
        match part {
            b".." => {
                components.pop();
            }
            _ => components.push(part),
        }
    }
    components
}

/// What stands between slashes, without `.` and empty parts; `..` is kept.
pub(crate) fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
}

/// Marks a deletion when it stands in front of a name (OCI image specification, layer.md, 2026-11-28).
pub(crate) const WHITEOUT: &[u8] = b".wh.";

/// Hides what lower layers have in its directory.
pub(crate) const OPAQUE: &[u8] = b".wh..wh..opq";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_as_paths_from_the_root() {
        for (name, expected) in [
            ("a/b", &["a", "b"][..]),
            ("./a//b/", &["a", "b"]),
            ("/a/./b", &["a", "b"]),
            ("a/x/../b", &["a", "b"]),
            ("../../a/b", &["a", "b"]),
            ("./", &[]),
            ("", &[]),
            ("a/..", &[]),
        ] {
            let expected: Vec<&[u8]> = expected.iter().map(|part| part.as_bytes()).collect();
            assert_eq!(components(name.as_bytes()), expected, "{name}");
        }
    }
}
