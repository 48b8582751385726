//! Real archives that nobody here wrote: packages of three registries are gzip'd tars made by many
//! tools. Each is pinned by name, version and hash, and fetched by its registry's own client.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its tests do.

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{assert_files_equal, build};
use sha2::{Digest, Sha256};
use soci_ztoc::ztoc::{Compression, Ztoc, verify};

#[test]
fn npm_tarballs_are_indexed_and_every_file_is_right() {
    for package in [
        (
            "express",
            "4.19.2",
            "1b18c90e7e9fc4cb3e4dfe6b5f11c21b85509162e88ca5c6b63b9c6b5ca085bf",
        ),
        (
            "lodash",
            "4.17.21",
            "6a087ac9e5702a0c9d60fbcd48696012646ec8df1491dea472b150e79fcaf804",
        ),
        (
            "moment",
            "2.30.1",
            "52219a9fee5e1faade4c72536c173c54cedd5e2619272dd0c251a30aeafcde8c",
        ),
        (
            "react-dom",
            "18.3.1",
            "031d4427a99f2f3f6cac18bbbf308594a67e4f47d10f4896fdec446505b040e0",
        ),
        (
            "typescript",
            "5.4.5",
            "154fae77169f04155ac52d521ac59abb07c9be29ea3744732adbf9f14abb2440",
        ),
    ] {
        check(&fetched(&package, npm));
    }
}

#[test]
fn crates_are_indexed_and_every_file_is_right() {
    for package in [
        (
            "encoding_rs",
            "0.8.34",
            "b45de904aa0b010bce2ab45264d0631681847fa7b6f2eaa7dab7619943bc4f59",
        ),
        (
            "libc",
            "0.2.155",
            "97b3888a4aecf77e811145cadf6eef5901f4782c53886191b2f693f24761847c",
        ),
        (
            "regex-syntax",
            "0.8.4",
            "7a66a03ae7c801facd77a29370b4faec201768915ac14a721ba36f20bc9c209b",
        ),
        (
            "ryu",
            "1.0.18",
            "f3cb5ba0dc43242ce17de99c180e96db90b235b8a9fdc9543c96d2209116bd9f",
        ),
    ] {
        check(&fetched(&package, cargo));
    }
}

#[test]
fn python_sdists_are_indexed_and_every_file_is_right() {
    for package in [
        (
            "Django",
            "4.2.11",
            "6e6ff3db2d8dd0c986b4eec8554c8e4f919b5c1ff62a5b4390c17aff2ed6e5c4",
        ),
        (
            "requests",
            "2.31.0",
            "942c5a758f98d790eaed1a29cb6eefc7ffb0d1cf7af05c3d2791656dbd6ad1e1",
        ),
        (
            "six",
            "1.16.0",
            "1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926",
        ),
        (
            "typing_extensions",
            "4.12.2",
            "1a7ead55c7e559dd4dee8856e3a88b41225abfe1ce8df57b7c13915fe121ffb8",
        ),
    ] {
        check(&fetched(&package, pip));
    }
}

/// Name, version, SHA-256 of the archive.
type Package<'a> = (&'a str, &'a str, &'a str);

struct Layer {
    name: String,
    bytes: Vec<u8>,
}

fn check(layer: &Layer) {
    for span_size in [4 << 20, 128 << 10] {
        let what = format!("{} at span size {span_size}", layer.name);
        let built = build(&layer.bytes, Compression::Gzip, span_size);
        assert_eq!(built.refusal(), None, "{what}");
        let verification =
            verify(built.ztoc(), &mut &layer.bytes[..]).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(verification.faults, [], "{what}");
        let file = built.encoded().to_bytes();
        let read = Ztoc::from_bytes(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(&read == built.ztoc(), "{what}: reading gives another zTOC");
        assert!(
            read.to_bytes().expect("the zTOC is small") == file,
            "{what}: written again it differs"
        );
        // Small spans make many seams and cheap reads.
        if span_size == 128 << 10 {
            let files = assert_files_equal(&what, &read, &layer.bytes);
            assert_eq!(verification.files, files, "{what}");
            assert!(files > 0, "{what}: no file");
            println!(
                "{what}: {} spans, {} entries, {files} files",
                read.span_count(),
                read.toc().len()
            );
        }
    }
}

/// The archive, fetched once per build folder.
fn fetched(package: &Package<'_>, fetch: fn(&Package<'_>, &Path) -> PathBuf) -> Layer {
    let (name, version, hash) = package;
    let folder = soci_tests::target_folder().join("real-layers");
    fs::create_dir_all(&folder).expect("the build folder is writable");
    let kept = folder.join(format!("{name}-{version}-{}", &hash[..8]));
    if !kept.exists() {
        let scratch = tempfile::tempdir_in(&folder).expect("the build folder is writable");
        let archive = fetch(package, scratch.path());
        let bytes = fs::read(&archive).unwrap_or_else(|error| panic!("{}: {error}", archive.display()));
        assert_eq!(
            hex(&Sha256::digest(&bytes)),
            *hash,
            "{name} {version} is another archive"
        );
        // Beside the target first, so that a half-written file never has its name.
        let fresh = scratch.path().join("fetched");
        fs::write(&fresh, bytes).expect("the build folder is writable");
        fs::rename(&fresh, &kept).expect("both are in one folder");
    }
    let bytes = fs::read(&kept).expect("it was just there");
    assert_eq!(
        hex(&Sha256::digest(&bytes)),
        *hash,
        "{} was changed",
        kept.display()
    );
    Layer {
        name: format!("{name} {version}"),
        bytes,
    }
}

fn npm((name, version, _): &Package<'_>, folder: &Path) -> PathBuf {
    let package = format!("{name}@{version}");
    run(Command::new("npm")
        .args(["pack", "--silent", &package])
        .current_dir(folder));
    folder.join(format!("{name}-{version}.tgz"))
}

fn pip((name, version, _): &Package<'_>, folder: &Path) -> PathBuf {
    let package = format!("{name}=={version}");
    run(Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-binary",
            name,
            "--no-deps",
            &package,
        ])
        .current_dir(folder));
    folder.join(format!("{name}-{version}.tar.gz"))
}

/// cargo keeps the archives of what it fetches in its home.
fn cargo((name, version, _): &Package<'_>, folder: &Path) -> PathBuf {
    let manifest = format!(
        "[package]\nname = \"pinned\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [workspace]\n[dependencies]\n{name} = \"={version}\"\n"
    );
    fs::create_dir(folder.join("src")).expect("the folder is new");
    fs::write(folder.join("src/lib.rs"), "").expect("the folder is new");
    fs::write(folder.join("Cargo.toml"), manifest).expect("the folder is new");
    run(Command::new(env!("CARGO"))
        .args(["fetch", "--quiet"])
        .current_dir(folder));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
        Some(Path::new(&home).join(".cargo"))
    });
    let cache = home.expect("cargo has a home").join("registry/cache");
    let archive = format!("{name}-{version}.crate");
    fs::read_dir(&cache)
        .expect("cargo has fetched something")
        .map(|registry| registry.expect("the folder is readable").path().join(&archive))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{archive} is not in {}", cache.display()))
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed, is the registry reachable?\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
