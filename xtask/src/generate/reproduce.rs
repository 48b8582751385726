//! `cargo xtask gen --reproduce`: the committed modules come out again in another checkout, with another
//! Cargo home and another build folder, and hold no path. The same builds of one of them without mapped
//! prefixes must fail both checks; otherwise the checks would prove nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::wasm::{self, Door, Place};
use crate::run::{Outcome, output, root, target};

/// Runs the proof: a build of each module elsewhere, and two of the first that must differ.
pub(crate) fn run() -> Outcome {
    let scratch = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let elsewhere = Place {
        checkout: scratch.path().join("a checkout of another name"),
        cargo_home: scratch.path().join("home"),
        target: scratch.path().join("build"),
        remapped: true,
    };
    copy_checkout(&elsewhere.checkout)?;
    make_cargo_home(&elsewhere.cargo_home)?;
    for door in Door::ALL {
        prove(door, &elsewhere)?;
    }
    prove_the_proof(Door::ALL[0], &elsewhere)?;
    eprintln!("the modules are the same elsewhere and hold no path; unmapped builds differ and do");
    Ok(())
}

/// The proof for one module.
fn prove(door: Door, elsewhere: &Place) -> Outcome {
    let name = door.committed();
    let committed = std::fs::read(root().join(name))
        .map_err(|error| format!("cannot read {name}: {error}; run `cargo xtask gen`"))?;
    let mapped = wasm::bind(&wasm::compile(elsewhere, door)?)?.wasm;
    if mapped != committed {
        return Err(format!(
            "another checkout and CARGO_HOME give another {name}: {} bytes, {} committed",
            mapped.len(),
            committed.len()
        ));
    }
    let paths = [
        &root(),
        &wasm::cargo_home()?,
        &elsewhere.checkout,
        &elsewhere.cargo_home,
    ]
    .map(PathBuf::clone);
    if let Some(path) = paths.iter().find(|path| holds(&mapped, path)) {
        return Err(format!("{name} holds the path {}", path.display()));
    }
    Ok(())
}

/// That it sees a difference where there is one.
fn prove_the_proof(door: Door, elsewhere: &Place) -> Outcome {
    let unmapped_here = Place {
        target: target().join("gen-unmapped"),
        remapped: false,
        ..Place::here()?
    };
    let unmapped_elsewhere = Place {
        remapped: false,
        ..elsewhere.clone()
    };
    let here = wasm::bind(&wasm::compile(&unmapped_here, door)?)?.wasm;
    let there = wasm::bind(&wasm::compile(&unmapped_elsewhere, door)?)?.wasm;
    if here == there || !holds(&there, &unmapped_elsewhere.cargo_home) {
        return Err(format!(
            "an unmapped {} carries no path: this proof compares nothing",
            door.committed()
        ));
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
