//! The floors of `docs/architecture.md`: which crate may depend on which.

mod deny;
mod fuzz;
mod packages;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Every edge that the house allows between its own crates; tests may use more.
const ALLOWED: &[(&str, &[&str])] = &[
    ("soci-ztoc", &[]),
    ("soci-image", &[]),
    ("soci-rootfs", &["soci-ztoc"]),
    ("soci-start", &["soci-rootfs", "soci-ztoc"]),
    ("soci-lint", &["soci-image"]),
    ("soci-registry", &["soci-image"]),
    ("soci-aws", &["soci-image", "soci-registry"]),
    (
        "soci-store",
        &["soci-image", "soci-registry", "soci-rootfs", "soci-ztoc"],
    ),
    (
        "soci-mount",
        &[
            "soci-image",
            "soci-rootfs",
            "soci-start",
            "soci-store",
            "soci-ztoc",
        ],
    ),
    (
        "cargo-soci",
        &[
            "soci-aws",
            "soci-image",
            "soci-lint",
            "soci-mount",
            "soci-registry",
            "soci-rootfs",
            "soci-start",
            "soci-store",
            "soci-ztoc",
        ],
    ),
    (
        "soci-lambda",
        &["soci-aws", "soci-image", "soci-registry", "soci-store"],
    ),
    (
        "soci-wasm",
        &[
            "soci-image",
            "soci-lint",
            "soci-registry",
            "soci-rootfs",
            "soci-store",
            "soci-ztoc",
        ],
    ),
];

/// Crates that forbid unsafe code and do no I/O.
const PURE: &[&str] = &[
    "soci-ztoc",
    "soci-image",
    "soci-rootfs",
    "soci-start",
    "soci-lint",
];

#[test]
fn dependencies_point_down_only() {
    let metadata = MetadataCommand::new()
        .manifest_path(soci_tests::repository().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    let ours: BTreeSet<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut seen = 0;
    for package in &metadata.packages {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            continue;
        };
        seen += 1;
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Development || !ours.contains(dependency.name.as_str()) {
                continue;
            }
            assert!(
                allowed.contains(&dependency.name.as_str()),
                "{} must not depend on {}",
                package.name,
                dependency.name
            );
        }
    }
    assert_eq!(
        seen,
        ALLOWED.len(),
        "a crate of the house is missing from the workspace"
    );
}

#[test]
fn the_linter_links_no_inflater() {
    let metadata = MetadataCommand::new()
        .manifest_path(soci_tests::repository().join("Cargo.toml"))
        .exec()
        .expect("cargo metadata runs");
    let resolve = metadata
        .resolve
        .as_ref()
        .expect("the full metadata holds the graph");
    let name_of: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|p| (&p.id, p.name.as_str()))
        .collect();
    let root = metadata
        .packages
        .iter()
        .find(|p| p.name.as_str() == "soci-lint")
        .expect("soci-lint is a member");
    let mut queue = vec![&root.id];
    let mut reached = BTreeSet::new();
    while let Some(id) = queue.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = resolve
            .nodes
            .iter()
            .find(|node| &node.id == id)
            .expect("every id has a node");
        for dependency in &node.deps {
            if dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal)
            {
                queue.push(&dependency.pkg);
            }
        }
    }
    for id in reached {
        let name = name_of[id];
        assert!(
            !["soci-ztoc", "flate2", "miniz_oxide", "zlib-rs"].contains(&name),
            "soci-lint links {name}"
        );
    }
}

#[test]
fn pure_crates_forbid_unsafe_code_and_io() {
    for name in PURE {
        let folder = soci_tests::repository().join("crates").join(name);
        let source = std::fs::read_to_string(folder.join("src/lib.rs")).expect("lib.rs is readable");
        assert!(
            source.contains("#![forbid(unsafe_code)]"),
            "{name} does not forbid unsafe code"
        );
        assert!(
            folder.join("clippy.toml").exists(),
            "{name} has no clippy.toml with disallowed I/O"
        );
    }
}
