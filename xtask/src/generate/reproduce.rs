//! The modules of `cargo xtask gen --reproduce`: built in another checkout, with another Cargo home and another build
//! folder, and without a path in them. The caller compares them with the committed ones. One build without mapped
//! prefixes must fail both checks; otherwise they would prove nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::wasm::{self, Door, Module, Place};
use crate::run::{Outcome, output, root};

/// The modules, made elsewhere, in the order of [`Door::ALL`].
pub(crate) fn modules() -> Result<[Module; 4], String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let elsewhere = Place {
        checkout: scratch.path().join("a checkout of another name"),
        cargo_home: scratch.path().join("home"),
        target: scratch.path().join("build"),
        remapped: true,
    };
    copy_checkout(&elsewhere.checkout)?;
    make_cargo_home(&elsewhere.cargo_home)?;
    let modules = wasm::all(&elsewhere)?;
    let paths = [
        &root(),
        &wasm::cargo_home()?,
        &elsewhere.checkout,
        &elsewhere.cargo_home,
    ]
    .map(PathBuf::clone);
    for (door, module) in Door::ALL.into_iter().zip(&modules) {
        if let Some(path) = paths.iter().find(|path| holds(&module.wasm, path)) {
            return Err(format!("{} holds the path {}", door.committed(), path.display()));
        }
    }
    see_a_path(&modules[0], elsewhere)?;
    eprintln!("the modules made elsewhere hold no path; one without mapped prefixes does");
    Ok(modules)
}

/// That a path is seen where there is one, and that it makes other bytes.
fn see_a_path(lint: &Module, elsewhere: Place) -> Outcome {
    let unmapped = Place {
        remapped: false,
        ..elsewhere
    };
    let there = wasm::build(&unmapped, Door::Lint)?.wasm;
    if there == lint.wasm || !holds(&there, &unmapped.cargo_home) {
        return Err(
            "a module without mapped prefixes carries no path: this proof compares nothing".to_owned(),
        );
    }
    Ok(())
}

fn holds(bytes: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    bytes.windows(path.len()).any(|window| window == path)
}

/// Copies what a build of the workspace reads, as it is on disk.
fn copy_checkout(to: &Path) -> Outcome {
    let files = output(
        Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
                "--",
            ])
            .args(["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo"])
            .args([
                "crates",
                "wasm/Cargo.toml",
                "wasm/src",
                "wasm/examples",
                "xtask",
                "docs",
            ])
            .args(["tests/Cargo.toml", "tests/**/*.rs"])
            .current_dir(root()),
    )?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (root().join(file), to.join(file));
        if !from.is_file() {
            continue;
        }
        let folder = to.parent().expect("a file below a folder has a parent");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::copy(&from, &to))
            .map_err(|error| format!("cannot copy {file}: {error}"))?;
    }
    Ok(())
}

/// A Cargo home that shares the downloads of the real one and unpacks them at its own path.
fn make_cargo_home(home: &Path) -> Outcome {
    let real = wasm::cargo_home()?;
    let link = |name: &str| -> std::io::Result<()> {
        let (from, to) = (real.join(name), home.join(name));
        if !from.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(to.parent().expect("a name below a folder has a parent"))?;
        link_to(&from, &to)
    };
    for name in ["registry/index", "registry/cache", "config.toml"] {
        link(name).map_err(|error| format!("cannot make a Cargo home at {}: {error}", home.display()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link_to(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link_to(_from: &Path, _to: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("this proof runs on Unix only"))
}
