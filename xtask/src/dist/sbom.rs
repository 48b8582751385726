//! What the programs are made of, for machines: CycloneDX by cargo-cyclonedx.

use std::process::Command;

use super::Release;
use super::package::{read, write};
use super::tools::Tools;
use crate::run::{Outcome, must, output, root};

/// Writes `cargo-soci-VERSION.cdx.json`, and the same for the function of AWS Lambda.
pub(super) fn write_bom(release: &Release, tools: &Tools) -> Outcome {
    // The tool writes beside each manifest: into a copy, so that nothing of it comes into the repository.
    let copy = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let list = output(Command::new("git").args(["ls-files", "-z"]).current_dir(root()))?;
    for name in list.split('\0').filter(|name| is_of_a_crate(name)) {
        let to = copy.path().join(name);
        let folder = to.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::copy(root().join(name), &to).map(|_| ()))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    must(
        tools
            .cyclonedx()
            .args(["--format", "json", "--spec-version", "1.5", "--all"])
            .args(["--target", "all", "--override-filename", "bom", "--manifest-path"])
            .arg(copy.path().join("crates/cargo-soci/Cargo.toml"))
            .current_dir(copy.path())
            .env("SOURCE_DATE_EPOCH", release.time.to_string()),
    )?;
    for (package, name) in [("cargo-soci", "cargo-soci"), ("soci-lambda", "cargo-soci-lambda")] {
        let bom = copy.path().join("crates").join(package).join("bom.json");
        let text =
            String::from_utf8(read(&bom)?).map_err(|_| format!("the SBOM of {package} is not UTF-8"))?;
        let text = text.replace(&copy.path().display().to_string(), "/cargo-soci");
        let name = format!("{name}-{}.cdx.json", release.version);
        write(&release.folder.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// Manifests, and sources enough for cargo to find its targets.
fn is_of_a_crate(name: &str) -> bool {
    name.ends_with("Cargo.toml")
        || name == "Cargo.lock"
        || name == "rust-toolchain.toml"
        || name.ends_with(".rs")
}
