//! `cargo xtask dist`: what a release uploads, made on one Linux machine.
//!
//! ```text
//! build ──► package (completions, man pages, licences) ──► zips for Lambda ──► image ──► sbom ──► SHA256SUMS ──► check
//! ```
//!
//! The same commit gives the same bytes: compilers come in pinned versions from PyPI, paths of this machine are
//! mapped away, and every time is that of the commit (`SOURCE_DATE_EPOCH`). macOS is built by the release workflow.

mod archive;
mod build;
mod check;
mod function;
mod image;
mod licences;
mod package;
mod sbom;
mod time;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::run::{Outcome, cargo, output, root, stage, target};
use crate::setup;

/// Everything that parts of a release need to know.
pub(crate) struct Release {
    /// Version of the workspace.
    pub(crate) version: String,
    /// Seconds since 1970 of every time that is written.
    pub(crate) time: u64,
    /// Where the files go.
    pub(crate) folder: PathBuf,
}

/// One platform that is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// Rust's name.
    pub(crate) target: &'static str,
    /// Behind the program's name.
    pub(crate) suffix: &'static str,
    /// The architecture in images; none for systems that have no image.
    pub(crate) architecture: Option<&'static str>,
    /// The architecture of AWS Lambda; none for systems that are not Lambda's.
    pub(crate) function: Option<&'static str>,
}

/// Built here; macOS needs a machine of its own.
const PLATFORMS: [Platform; 3] = [
    Platform {
        target: "x86_64-unknown-linux-musl",
        suffix: "",
        architecture: Some("amd64"),
        function: Some("x86_64"),
    },
    Platform {
        target: "aarch64-unknown-linux-musl",
        suffix: "",
        architecture: Some("arm64"),
        function: Some("arm64"),
    },
    Platform {
        target: "x86_64-pc-windows-gnu",
        suffix: ".exe",
        architecture: None,
        function: None,
    },
];

/// What the arguments ask for.
struct Wanted {
    platforms: Vec<Platform>,
    folder: PathBuf,
    sbom: bool,
    twice: bool,
}

/// `cargo xtask dist [--quick] [--twice] [--target NAME]… [FOLDER]`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let wanted = read(arguments)?;
    make(&wanted, &target().join("dist-build"))?;
    if wanted.twice {
        // From nothing in another folder: what the first run left behind cannot help.
        let again = Wanted {
            platforms: wanted.platforms.clone(),
            folder: target().join("dist-again"),
            sbom: wanted.sbom,
            twice: false,
        };
        let build = target().join("dist-build-again");
        let _ = fs::remove_dir_all(&build);
        make(&again, &build)?;
        stage("both runs gave the same bytes", || {
            same(&wanted.folder, &again.folder)
        })?;
    }
    report(&wanted.folder)
}

fn make(wanted: &Wanted, build: &Path) -> Outcome {
    let _ = fs::remove_dir_all(&wanted.folder);
    fs::create_dir_all(&wanted.folder)
        .map_err(|error| format!("cannot make {}: {error}", wanted.folder.display()))?;
    let release = Release {
        version: version()?,
        time: time()?,
        folder: wanted.folder.clone(),
    };
    setup::packages_of(&check::programs(&wanted.platforms))?;
    let tools = tools::Tools::install(wanted.sbom)?;
    stage("binaries", || {
        build::binaries(&release, &wanted.platforms, &tools, build)
    })?;
    stage("archives", || {
        package::archives(&release, &wanted.platforms, build)
    })?;
    stage("function of AWS Lambda", || {
        function::zips(&release, &wanted.platforms, build)
    })?;
    stage("container image", || {
        image::write_archive(&release, &wanted.platforms, build)
    })?;
    if wanted.sbom {
        stage("SBOM", || sbom::write_bom(&release, &tools))?;
    }
    package::sums(&release)?;
    stage("each of them runs", || {
        check::all(&release, &wanted.platforms, &tools, build)
    })
}

/// The function of AWS Lambda for this machine's architecture as a release has it: the program, and its zip in `folder`.
pub(crate) fn lambda_function(folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let platform = PLATFORMS
        .into_iter()
        .find(|platform| platform.target.starts_with(std::env::consts::ARCH) && platform.function.is_some())
        .ok_or("Lambda has no such architecture")?;
    let release = Release {
        version: version()?,
        time: time()?,
        folder: folder.to_owned(),
    };
    let build = target().join("dist-build");
    let tools = tools::Tools::install(false)?;
    build::binaries(&release, &[platform], &tools, &build)?;
    function::zips(&release, &[platform], &build)?;
    let zip = function::path(&release, platform).ok_or("Lambda has the platform")?;
    Ok((build::function(platform, &build), zip))
}

fn read(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        platforms: Vec::new(),
        folder: target().join("dist"),
        sbom: true,
        twice: false,
    };
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--quick" => {
                wanted.platforms.push(PLATFORMS[0]);
                wanted.sbom = false;
                wanted.folder = target().join("dist-quick");
            }
            "--twice" => wanted.twice = true,
            "--target" => {
                let name = rest.next().ok_or("--target needs a name")?;
                let known = PLATFORMS.iter().find(|platform| platform.target == name);
                let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.target).collect();
                let platform =
                    known.ok_or_else(|| format!("{name} is not built here: {}", names.join(", ")))?;
                wanted.platforms.push(*platform);
            }
            folder if !folder.starts_with('-') => wanted.folder = PathBuf::from(folder),
            _ => {
                return Err(format!(
                    "dist takes --quick, --twice, --target NAME and a folder, not {word}"
                ));
            }
        }
    }
    if wanted.platforms.is_empty() {
        wanted.platforms = PLATFORMS.to_vec();
    }
    Ok(wanted)
}

/// The version in Cargo.toml.
pub(crate) fn version() -> Result<String, String> {
    let metadata = output(cargo().args(["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["name"] == "cargo-soci")
        .find_map(|package| package["version"].as_str())
        .map(str::to_owned)
        .ok_or_else(|| "the workspace has no package cargo-soci".to_owned())
}

/// `SOURCE_DATE_EPOCH`, else the time of the commit.
fn time() -> Result<u64, String> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => output(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(root()),
        )?,
    };
    text.trim()
        .parse()
        .map_err(|_| format!("{text:?} is not a number of seconds"))
}

/// The names of the files in a folder, sorted.
fn files(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn same(one: &Path, other: &Path) -> Outcome {
    let names = files(one)?;
    if names != files(other)? {
        return Err(format!(
            "{} and {} hold different files",
            one.display(),
            other.display()
        ));
    }
    for name in names {
        let read = |folder: &Path| {
            fs::read(folder.join(&name)).map_err(|error| format!("cannot read {name}: {error}"))
        };
        if read(one)? != read(other)? {
            return Err(format!("{name} differs between two runs"));
        }
    }
    Ok(())
}

fn report(folder: &Path) -> Outcome {
    println!("\nin {}:", folder.display());
    for name in files(folder)? {
        let size =
            fs::metadata(folder.join(&name)).map_err(|error| format!("cannot read {name}: {error}"))?;
        println!("{:>12}  {name}", size.len());
    }
    Ok(())
}
