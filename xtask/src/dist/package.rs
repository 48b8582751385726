//! An archive for each platform: the program, completions, manual pages, licences.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use super::archive::{Tar, gzip};
use super::{Platform, Release, build, files, licences};
use crate::npm;
use crate::run::{Outcome, cargo, must, output, root, target};

/// Shells, and where their completion lies in an archive.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "completions/cargo-soci.bash"),
    ("elvish", "completions/cargo-soci.elv"),
    ("fish", "completions/cargo-soci.fish"),
    ("powershell", "completions/_cargo-soci.ps1"),
    ("zsh", "completions/_cargo-soci"),
];

/// Writes `cargo-soci-VERSION-TARGET.tar.gz` for every platform.
pub(super) fn archives(release: &Release, platforms: &[Platform], build: &Path) -> Outcome {
    let mut common = common(platforms)?;
    common.sort();
    for platform in platforms {
        let name = format!("cargo-soci-{}-{}", release.version, platform.target);
        let binary = read(&build::binary(*platform, build))?;
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let mut tar = Tar::new(Vec::new(), release.time);
        tar.file(&format!("{name}/cargo-soci{}", platform.suffix), 0o755, &binary)
            .map_err(failed)?;
        for (path, bytes) in &common {
            tar.file(&format!("{name}/{path}"), 0o644, bytes)
                .map_err(failed)?;
        }
        let bytes = gzip(&tar.finish().map_err(failed)?).map_err(failed)?;
        write(&release.folder.join(format!("{name}.tar.gz")), &bytes)?;
    }
    Ok(())
}

/// Writes SHA256SUMS over all other files, as `sha256sum --check` reads it.
pub(super) fn sums(release: &Release) -> Outcome {
    let mut text = String::new();
    for name in files(&release.folder)? {
        let digest = Sha256::digest(read(&release.folder.join(&name))?);
        text.push_str(&format!("{}  {name}\n", npm::hex(&digest)));
    }
    write(&release.folder.join("SHA256SUMS"), text.as_bytes())
}

/// What is the same on every platform.
fn common(platforms: &[Platform]) -> Result<Vec<(String, Vec<u8>)>, String> {
    must(cargo().args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "cargo-soci",
        "--bins",
        "--examples",
    ]))?;
    let debug = target().join("debug");
    let mut parts = Vec::new();
    for (shell, path) in COMPLETIONS {
        let script = output(Command::new(debug.join("cargo-soci")).args(["completions", shell]))?;
        parts.push((path.to_owned(), script.into_bytes()));
    }
    let pages = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    must(Command::new(debug.join("examples/man_pages")).arg(pages.path()))?;
    for name in files(pages.path())? {
        parts.push((format!("man/{name}"), read(&pages.path().join(name))?));
    }
    for name in ["README.md", "CHANGELOG.md", "LICENSE"] {
        parts.push((name.to_owned(), read(&root().join(name))?));
    }
    parts.push((
        "THIRD-PARTY-LICENSES.txt".to_owned(),
        licences::of_program(platforms)?.into_bytes(),
    ));
    Ok(parts)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
