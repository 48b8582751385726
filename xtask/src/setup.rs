//! What the tests need and a fresh machine lacks: other targets, Debian packages.

use std::process::{Command, Stdio};

use crate::run::{Outcome, must, output, root};

/// Programs that tests run, and the Debian package that holds each.
const PROGRAMS: &[(&str, &str)] = &[
    ("buildah", "buildah"),
    ("chromium", "chromium"),
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("docker-credential-ecr-login", "amazon-ecr-credential-helper"),
    ("docker-registry", "docker-registry"),
    ("fatrace", "fatrace"),
    ("fish", "fish"),
    ("groff", "groff-base"),
    ("gzip", "gzip"),
    ("igzip", "isal"),
    ("libdeflate-gunzip", "libdeflate-tools"),
    ("man", "man-db"),
    ("musl-gcc", "musl-tools"),
    ("openssl", "openssl"),
    ("pigz", "pigz"),
    ("podman", "podman"),
    ("python3", "python3"),
    ("runc", "runc"),
    ("skopeo", "skopeo"),
    ("strace", "strace"),
    ("time", "time"),
    ("tinyproxy", "tinyproxy"),
    ("umoci", "umoci"),
    ("zsh", "zsh"),
    ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64-posix"),
];

/// Where the workspace must compile as well; C compilers for the one C part (ring) are among [`PROGRAMS`].
const OTHER_TARGETS: &[&str] = &["x86_64-pc-windows-gnu", "x86_64-unknown-linux-musl"];

/// `cargo xtask setup [--quick]`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [] => all(false),
        [flag] if flag == "--quick" => all(true),
        _ => Err(format!("setup takes --quick or nothing, not {arguments:?}")),
    }
}

/// Installs what is missing; with `quick` only what tests without servers need.
pub(crate) fn all(quick: bool) -> Outcome {
    wasm_target()?;
    if quick {
        return Ok(());
    }
    for name in OTHER_TARGETS {
        target(name)?;
    }
    debian_packages()
}

pub(crate) fn wasm_target() -> Outcome {
    target("wasm32-unknown-unknown")
}

/// Adds a target to the pinned toolchain where it is missing.
fn target(name: &str) -> Outcome {
    let installed = output(
        Command::new("rustup")
            .args(["target", "list", "--installed"])
            .current_dir(root()),
    )?;
    if installed.lines().any(|line| line == name) {
        return Ok(());
    }
    must(
        Command::new("rustup")
            .args(["target", "add", name])
            .current_dir(root()),
    )
}

/// Installs the Debian packages of [`PROGRAMS`] that are missing; needs root.
fn debian_packages() -> Outcome {
    packages_of(PROGRAMS)
}

/// Installs the Debian packages of programs that are missing; needs root.
pub(crate) fn packages_of(programs: &[(&str, &str)]) -> Outcome {
    let missing: Vec<_> = programs.iter().filter(|(program, _)| !on_path(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let names = packages.join(" ");
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || !on_path("apt-get") {
        return Err(format!(
            "what runs now needs these Debian packages: {names}\n\
             install them and run again; `cargo xtask test --quick` leaves out all that needs packages"
        ));
    }
    must(Command::new("apt-get").args(["update", "-qq"]))?;
    must(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Whether a program of that name can be started.
pub(crate) fn on_path(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        || Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok()
}
