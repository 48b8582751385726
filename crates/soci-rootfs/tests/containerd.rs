//! The unpacked view beside what a real containerd unpacks with overlayfs. Needs root, as containerd does.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its tests do.

mod common;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use common::build_plain;
use common::layers::{Item, stack, tar};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};
use sha2::{Digest, Sha256};
use soci_rootfs::{FileType, Rootfs};
use soci_tests::servers::Containerd;

/// A path and everything about it, in words.
type View = BTreeMap<Vec<u8>, String>;

fn predicted(layers: &[Vec<Item>]) -> Result<View, String> {
    let tars: Vec<Vec<u8>> = layers.iter().map(|layer| tar(layer)).collect();
    let ztocs: Vec<_> = tars.iter().map(|tar| build_plain(tar)).collect();
    let tocs: Vec<_> = ztocs.iter().map(|ztoc| Some(ztoc.toc())).collect();
    let rootfs = Rootfs::new(&tocs);
    for layer in 0..layers.len() {
        if let Some(fault) = rootfs.fault(layer) {
            return Err(fault.to_string());
        }
    }
    let mut view = View::new();
    rootfs.each(|found| {
        let kind = match found.file_type {
            FileType::Directory => "directory",
            FileType::Regular => "file",
            FileType::Symlink => "symlink",
            FileType::CharacterDevice => "character",
            FileType::BlockDevice => "block",
            FileType::Fifo => "fifo",
        };
        let mut text = format!("{kind} {:04o} {}:{}", found.mode, found.uid, found.gid);
        if found.file_type != FileType::Directory {
            write!(text, " links {}", found.links).expect("a string");
        }
        if let Some(target) = &found.link_target {
            write!(text, " -> {}", target.escape_ascii()).expect("a string");
        }
        if found.file_type == FileType::Regular {
            let entry = found.entry.expect("a file has an entry");
            let entry = ztocs[found.layer].toc().get(entry).expect("its own entry");
            let start = entry.offset as usize;
            let data = &tars[found.layer][start..start + found.size as usize];
            write!(text, " {data:?}").expect("a string");
        }
        if let Some(time) = found.modified {
            write!(text, " at {}.{}", time.seconds(), time.nanoseconds()).expect("a string");
        }
        for (key, value) in &found.xattrs {
            write!(text, " {}={}", key.escape_ascii(), value.escape_ascii()).expect("a string");
        }
        view.insert(found.path, text);
    });
    Ok(view)
}

/// The same of a folder; times only where the prediction has them.
fn on_disk(root: &Path, expected: &View) -> View {
    let mut view = View::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            // What overlayfs lists and does not find is a deletion of nothing.
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            let inside = path.strip_prefix(root).expect("below the root");
            let name = [b"/", inside.as_os_str().as_bytes()].concat();
            let kind = metadata.file_type();
            if kind.is_char_device() && metadata.rdev() == 0 {
                continue;
            }
            let word = match () {
                () if kind.is_dir() => "directory",
                () if kind.is_file() => "file",
                () if kind.is_symlink() => "symlink",
                () if kind.is_char_device() => "character",
                () if kind.is_block_device() => "block",
                () => "fifo",
            };
            let mode = metadata.mode() & 0o7777;
            let mut text = format!("{word} {mode:04o} {}:{}", metadata.uid(), metadata.gid());
            if !kind.is_dir() {
                write!(text, " links {}", metadata.nlink()).expect("a string");
            }
            if kind.is_symlink() {
                let target = fs::read_link(&path).expect("a link").into_os_string().into_vec();
                write!(text, " -> {}", target.escape_ascii()).expect("a string");
            }
            if kind.is_file() {
                write!(text, " {:?}", fs::read(&path).expect("a file")).expect("a string");
            }
            if expected.get(&name).is_some_and(|text| text.contains(" at ")) {
                write!(text, " at {}.{}", metadata.mtime(), metadata.mtime_nsec()).expect("a string");
            }
            for (key, value) in xattrs(&path) {
                write!(text, " {}={}", key.escape_ascii(), value.escape_ascii()).expect("a string");
            }
            view.insert(name, text);
            if kind.is_dir() {
                open.push(path);
            }
        }
    }
    view
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut list = vec![0; 1 << 16];
    let length = rustix::fs::llistxattr(path, &mut list).expect("attributes can be listed");
    let keys = list[..length]
        .split(|byte| *byte == 0)
        .filter(|key| !key.is_empty());
    keys.map(|key| {
        let mut value = vec![0; 1 << 16];
        let length = rustix::fs::lgetxattr(path, key, &mut value).expect("it was listed");
        (key.to_vec(), value[..length].to_vec())
    })
    .collect()
}

/// An OCI archive of an image with these layers.
fn archive(layers: &[Vec<u8>], name: &str) -> Vec<u8> {
    let hex = |bytes: &[u8]| -> String {
        Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let digests: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", hex(layer)))
        .collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
    })
    .to_string()
    .into_bytes();
    let descriptor = |media_type: &str, bytes: &[u8]| serde_json::json!({"mediaType": media_type, "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len()});
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": layers.iter().map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar", layer)).collect::<Vec<_>>(),
    })
    .to_string()
    .into_bytes();
    let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    listed["annotations"] = serde_json::json!({"io.containerd.image.name": name});
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [listed]}).to_string();
    let mut items = Vec::new();
    let mut put = |name: &str, data: &[u8]| {
        items.push(Item {
            data: data.to_vec(),
            size: data.len() as u64,
            ..Item::new(b'0', name)
        });
    };
    put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    put("index.json", index.as_bytes());
    for blob in layers.iter().chain([&config, &manifest]) {
        put(&format!("blobs/sha256/{}", hex(blob)), blob);
    }
    tar(&items)
}

/// What containerd makes of these layers, or what it says.
fn unpacked(containerd: &Containerd, layers: &[Vec<Item>], expected: &View) -> Result<View, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tars: Vec<Vec<u8>> = layers.iter().map(|layer| tar(layer)).collect();
    let file = folder.path().join("image.tar");
    let name = "example.com/rootfs:test";
    fs::write(&file, archive(&tars, name)).expect("the folder is writable");
    let target = folder.path().join("mounted");
    fs::create_dir(&target).expect("the folder is writable");
    let (file, target_text) = (file.display().to_string(), target.display().to_string());
    let import = [
        "images",
        "import",
        "--snapshotter",
        "overlayfs",
        "--platform",
        "linux/amd64",
        &file,
    ];
    let view = containerd.try_ctr(&import).map(|_| {
        containerd.ctr(&[
            "images",
            "mount",
            "--snapshotter",
            "overlayfs",
            "--platform",
            "linux/amd64",
            name,
            &target_text,
        ]);
        let view = on_disk(&target, expected);
        containerd.ctr(&["images", "unmount", "--rm", &target_text]);
        view
    });
    let _ = containerd.try_ctr(&["images", "rm", "--sync", name]);
    view
}

/// How the two differ; empty if they do not.
fn differences(containerd: &Containerd, layers: &[Vec<Item>]) -> Vec<String> {
    let predicted = predicted(layers);
    let empty = View::new();
    let real = unpacked(containerd, layers, predicted.as_ref().unwrap_or(&empty));
    match (predicted, real) {
        (Err(_), Err(_)) => Vec::new(),
        (Err(fault), Ok(_)) => vec![format!("containerd unpacks it, although {fault}")],
        (Ok(_), Err(error)) => vec![format!("containerd does not unpack it: {error}")],
        (Ok(predicted), Ok(real)) => {
            let paths = predicted.keys().chain(real.keys());
            let mut told: Vec<String> = paths
                .filter(|path| predicted.get(*path) != real.get(*path))
                .map(|path| {
                    let (a, b) = (predicted.get(path), real.get(path));
                    format!("{}: predicted {a:?}, unpacked {b:?}", path.escape_ascii())
                })
                .collect();
            told.dedup();
            told
        }
    }
}

#[test]
fn random_stacks_are_unpacked_as_predicted() {
    let cases = std::env::var("ROOTFS_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(60),
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let seed: u8 = std::env::var("ROOTFS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(7);
    // The same stacks each time, so that the test says of a change what it changed.
    let rng = TestRng::from_seed(config.rng_algorithm, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let containerd = Containerd::start();
    let (unpacked, refused) = (Cell::new(0), Cell::new(0));
    let bytes = proptest::collection::vec(any::<u8>(), 0..150);
    let outcome = runner.run(&bytes, |bytes| {
        let layers = stack(&bytes);
        let count = if predicted(&layers).is_ok() {
            &unpacked
        } else {
            &refused
        };
        count.set(count.get() + 1);
        let told = differences(&containerd, &layers);
        prop_assert!(told.is_empty(), "{layers:#?}\n{}", told.join("\n"));
        Ok(())
    });
    if let Err(TestError::Fail(reason, bytes)) = outcome {
        panic!("{reason}\nof {bytes:?}");
    }
    let (unpacked, refused) = (unpacked.get(), refused.get());
    println!("{unpacked} stacks unpacked, {refused} refused by both");
    assert!(
        unpacked > refused / 4 && refused > 0,
        "{unpacked} unpacked, {refused} refused: nothing was tried"
    );
}
