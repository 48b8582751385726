//! Whose code is in what we distribute, and under which terms: most licences ask for their text to come along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{cargo, output};

/// One package: its licence expression, and the texts it brings along.
pub(crate) struct Package {
    pub(crate) terms: String,
    pub(crate) texts: Vec<String>,
}

/// A file of all of them: many packages bring the same text, which is written once, above all who share it.
pub(crate) fn text(introduction: &str, packages: &BTreeMap<String, Package>) -> String {
    let mut by_text: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut text = format!("{introduction}\n\n");
    for (name, package) in packages {
        let _ = writeln!(text, "{name}: {}", package.terms);
        for licence in &package.texts {
            by_text.entry(licence).or_default().insert(name);
        }
    }
    for (licence, names) in by_text {
        let names: Vec<&str> = names.into_iter().collect();
        let line = "-".repeat(80);
        let _ = write!(text, "\n{line}\n{}\n{line}\n\n{licence}\n", names.join(", "));
    }
    text
}

/// The crates that a package is made of on a target, with the features that Cargo is told: normal dependencies, not those of build scripts or macros.
pub(crate) fn crates(
    package: &str,
    target: &str,
    features: &[&str],
) -> Result<BTreeMap<String, Package>, String> {
    let tree = output(cargo().arg("tree").args(features).args([
        "--locked",
        "--package",
        package,
        "--target",
        target,
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let metadata = output(cargo().args(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let word = |name: &str| package[name].as_str().unwrap_or_default();
        let (name, version) = (word("name"), word("version"));
        let is_ours = package["source"].is_null();
        let is_linked = tree.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next() == Some(&format!("v{version}"))
        });
        if is_ours || !is_linked {
            continue;
        }
        let folder = Path::new(word("manifest_path"))
            .parent()
            .ok_or("a manifest without a folder")?;
        packages.insert(
            format!("{name} {version} (crate)"),
            Package {
                terms: word("license").to_owned(),
                texts: texts(folder)?,
            },
        );
    }
    Ok(packages)
}

/// The texts of the licences in a package's folder; of several to choose from, the shorter kind.
pub(crate) fn texts(folder: &Path) -> Result<Vec<String>, String> {
    let mut files = files_in(folder)?;
    files.retain(|path| {
        let name = upper_name(path);
        ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
            .iter()
            .any(|word| name.starts_with(word))
    });
    // saphyr-parser's own LICENSE only points there.
    let further = folder.join(".licenses");
    if further.is_dir() {
        files = files_in(&further)?;
    }
    let mit: Vec<PathBuf> = files
        .iter()
        .filter(|path| upper_name(path).ends_with("MIT"))
        .cloned()
        .collect();
    let chosen = if mit.is_empty() { files } else { mit };
    chosen
        .iter()
        .map(|path| Ok(read(path)?.replace("\r\n", "\n").trim().to_owned()))
        .collect()
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

fn upper_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_uppercase()
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
