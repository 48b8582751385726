//! The binaries: one static file for each platform, and the function of AWS Lambda for those that Lambda has.

use std::path::{Path, PathBuf};

use super::tools::{self, Tools};
use super::{Platform, Release};
use crate::run::{Outcome, must, root};

/// Builds `cargo-soci` for every platform, and the function where Lambda has it. What the two have in common is compiled
/// once: both are asked for in one call.
pub(super) fn binaries(release: &Release, platforms: &[Platform], tools: &Tools, build: &Path) -> Outcome {
    for platform in platforms {
        tools::rust_target(*platform)?;
    }
    let (with, without): (Vec<Platform>, Vec<Platform>) =
        (platforms.iter()).partition(|platform| platform.function.is_some());
    for (platforms, packages) in [
        (with, &["cargo-soci", "soci-lambda"][..]),
        (without, &["cargo-soci"]),
    ] {
        if !platforms.is_empty() {
            packages_for(release, packages, &platforms, tools, build)?;
        }
    }
    Ok(())
}

fn packages_for(
    release: &Release,
    packages: &[&str],
    platforms: &[Platform],
    tools: &Tools,
    build: &Path,
) -> Outcome {
    let mut command = tools.zigbuild();
    command.args(["--release", "--locked", "--target-dir"]).arg(build);
    for package in packages {
        command.args(["--package", package]);
    }
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
    program(platform, build, &format!("cargo-soci{}", platform.suffix))
}

/// The function of a platform that Lambda has.
pub(super) fn function(platform: Platform, build: &Path) -> PathBuf {
    program(platform, build, "bootstrap")
}

fn program(platform: Platform, build: &Path, name: &str) -> PathBuf {
    build.join(platform.target).join("release").join(name)
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
