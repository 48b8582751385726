//! What is published: each crate's package has what strangers need, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(soci_tests::repository().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs")
}

/// The crates that are published: `publish = false` gives an empty list of registries.
fn published(metadata: &Metadata) -> Vec<&Package> {
    let packages = metadata.packages.iter();
    let published: Vec<_> = packages.filter(|package| package.publish.is_none()).collect();
    assert!(
        published.len() >= 6,
        "only {} crates are published",
        published.len()
    );
    published
}

/// What `cargo package` would put into the package.
fn files(package: &Package) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline", "-p"])
        .arg(package.name.as_str())
        .current_dir(soci_tests::repository())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}: {}",
        package.name,
        String::from_utf8_lossy(&output.stderr)
    );
    let list = String::from_utf8(output.stdout).expect("names are UTF-8");
    list.lines().map(|line| line.replace('\\', "/")).collect()
}

fn folder(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().expect("a manifest lies in a folder")
}

#[test]
fn packages_hold_what_strangers_need_and_nothing_else() {
    for package in published(&metadata()) {
        let name = package.name.as_str();
        let files = files(package);
        let mut needed = vec!["Cargo.toml", "README.md", "LICENSE", "src/lib.rs"];
        if name == "soci-ztoc" {
            needed.extend(["docs/ztoc.md", "docs/flatbuffers.md", "docs/tar.md"]);
            needed.extend(["examples/index.rs", "examples/read_file.rs"]);
        }
        for file in needed {
            assert!(files.contains(file), "{name} lacks {file}");
        }
        for file in &files {
            let is_source = file.starts_with("src/") && !file.contains("/snapshots/");
            let is_shown = file.starts_with("examples/") || file.starts_with("docs/");
            let is_about = !file.contains('/');
            assert!(is_source || is_shown || is_about, "{name} has {file}");
        }
        for source in files.iter().filter(|file| file.ends_with(".rs")) {
            let text = fs::read_to_string(folder(package).join(source)).expect("a source");
            for included in included(&text) {
                let parent = Path::new(source).parent().expect("a source lies in a folder");
                let file = joined(parent, included);
                assert!(
                    files.contains(&file),
                    "{name}: {source} includes {file}, which is left out"
                );
            }
        }
    }
}

/// The files that a source includes by name.
fn included(text: &str) -> impl Iterator<Item = &str> {
    ["include_str!(\"", "include_bytes!(\""]
        .into_iter()
        .flat_map(|call| text.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

/// A relative path from a folder, with `..` taken out.
fn joined(folder: &Path, path: &str) -> String {
    let mut parts: Vec<&str> = folder.iter().filter_map(|part| part.to_str()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn packages_say_what_they_are() {
    for package in published(&metadata()) {
        let name = package.name.as_str();
        let about = package.description.as_deref().unwrap_or_default();
        assert!(about.len() > 20 && !about.ends_with('.'), "{name}: {about:?}");
        assert!((1..=5).contains(&package.keywords.len()), "{name}: keywords");
        for keyword in &package.keywords {
            let is_good = keyword.len() <= 20
                && keyword
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            assert!(is_good, "{name}: the keyword {keyword:?}");
        }
        assert!(!package.categories.is_empty(), "{name}: categories");
        assert!(package.repository.is_some() && package.license.is_some() && package.rust_version.is_some());
        for dependency in &package.dependencies {
            // Without a version a package cannot be published; of dev-dependencies cargo leaves those out.
            let is_left_out = dependency.kind == DependencyKind::Development && dependency.path.is_some();
            let is_any = dependency.req.to_string() == "*";
            assert!(
                !is_any || is_left_out,
                "{name}: {} has no version",
                dependency.name
            );
        }
    }
}

/// A package is read far from the repository: only links into the package and to the web lead somewhere.
#[test]
fn links_in_packages_lead_somewhere() {
    for package in published(&metadata()) {
        let files = files(package);
        for page in files.iter().filter(|file| file.ends_with(".md")) {
            let text = fs::read_to_string(folder(package).join(page)).expect("a page");
            for link in text
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', '#']).next())
            {
                let parent = Path::new(page).parent().expect("a page lies in a folder");
                assert!(
                    link.starts_with("https://") || files.contains(&joined(parent, link)),
                    "{}: {page} links to {link:?}",
                    package.name
                );
            }
        }
    }
}
