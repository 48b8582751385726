//! The binaries: one static file for each platform.

use std::path::{Path, PathBuf};

use super::tools::{self, Tools};
use super::{Platform, Release};
use crate::run::{Outcome, must, root};

/// Builds `cargo-soci` for every platform.
pub(super) fn binaries(release: &Release, platforms: &[Platform], tools: &Tools, build: &Path) -> Outcome {
    for platform in platforms {
        tools::rust_target(*platform)?;
    }
    let mut command = tools.zigbuild();
    command
        .args(["--release", "--locked", "--package", "cargo-soci", "--target-dir"])
        .arg(build);
    for platform in platforms {
        command.args(["--target", platform.target]);
    }
    must(
        command
            .env("CARGO_ENCODED_RUSTFLAGS", flags().join("\x1f"))
            // C of dependencies: no debug information, which would hold paths.
            .env("CFLAGS", "-g0")
            .env("SOURCE_DATE_EPOCH", release.time.to_string()),
    )
}

/// The program of a platform.
pub(super) fn binary(platform: Platform, build: &Path) -> PathBuf {
    build
        .join(platform.target)
        .join("release")
        .join(format!("cargo-soci{}", platform.suffix))
}

/// Panics and backtraces name source files: without the folders of this machine.
fn flags() -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cargo"))
    });
    let mut flags = Vec::new();
    if let Some(home) = home {
        flags.push(format!(
            "--remap-path-prefix={}/registry/src=/crates",
            home.display()
        ));
    }
    flags.push(format!("--remap-path-prefix={}=/cargo-soci", root().display()));
    flags
}
