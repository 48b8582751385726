//! Start layers in the hands of other people's tools: containerd and umoci unpack the image with and without one to the
//! same files, a registry keeps it, and a container starts from it.
#![cfg(all(target_os = "linux", feature = "real-tools"))]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use serde_json::{Value, json};
use soci_tests::images::{MadeImage, noise};
use soci_tests::servers::{Containerd, Server};
use support::Place;
use support::machine::{Layer, layers};

const SMALL: [&str; 5] = ["--min-layer-size", "0", "--span-size", "64KiB", "-q"];

const START: [&str; 3] = ["--start-trace", "app.trace", "--start-layer"];

/// Files with everything that a file can have, one behind a link, one with two names, one that was replaced.
const TRACE: &str = "/usr/capable\n/data/replaced\n/data/noted\n/bin/set-user\n/bin/link\n/data/opaque/above\n\
                     /data/deleted\n/data/small-17\n";

/// An image with what file systems have, in `plain`, and a trace of its start. The lowest layer but one implies a
/// directory that has other attributes below.
fn place() -> Place {
    let place = Place::new();
    let mut tars = layers();
    let mut appended = Layer::bare();
    appended
        .file("data/appended", 0o600, b"by a builder that omits directories")
        .file("tmp/appended", 0o644, b"likewise");
    tars.insert(1, appended.tar());
    let long = format!("/data/{}\n", "long-".repeat(40));
    place.write("app.trace", &format!("{TRACE}{long}"));
    MadeImage::of_tars(&tars).write_layout(&place.join("plain"), "app");
    place
}

/// Every path of a folder and everything about it.
fn tree(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let metadata = path.symlink_metadata().expect("it was listed");
            let kind = metadata.file_type();
            let mut text = format!("{:o} {}:{}", metadata.mode(), metadata.uid(), metadata.gid());
            let mut add = |more: std::fmt::Arguments<'_>| text.write_fmt(more).expect("a String");
            // Another layer implies it, so that it has the time of its unpacking.
            if !path.ends_with("tmp") {
                add(format_args!(
                    " at {}.{:09}",
                    metadata.mtime(),
                    metadata.mtime_nsec()
                ));
            }
            if kind.is_file() {
                let bytes = fs::read(&path).expect("a file");
                add(format_args!(" {}", soci_image::Digest::sha256(&bytes)));
            }
            if kind.is_symlink() {
                add(format_args!(
                    " -> {}",
                    fs::read_link(&path).expect("a link").display()
                ));
            } else if !kind.is_dir() {
                add(format_args!(" links {}", metadata.nlink()));
            }
            if kind.is_char_device() || kind.is_block_device() {
                add(format_args!(" device {}", metadata.rdev()));
            }
            for (key, value) in xattrs(&path) {
                add(format_args!(" {key}={}", value.escape_ascii()));
            }
            if kind.is_dir() {
                open.push(path.clone());
            }
            let inside = path.strip_prefix(root).expect("below the root");
            all.insert(inside.as_os_str().as_bytes().to_vec(), text);
        }
    }
    all
}

fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..]).expect("a path");
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value[..]).expect("it was listed");
            (
                String::from_utf8_lossy(name).into_owned(),
                value[..length].to_vec(),
            )
        })
        .collect()
}

fn assert_same_trees(one: &BTreeMap<Vec<u8>, String>, other: &BTreeMap<Vec<u8>, String>) {
    let differ: Vec<String> = one
        .keys()
        .chain(other.keys())
        .filter(|path| one.get(*path) != other.get(*path))
        .map(|path| {
            format!(
                "{}: {:?} {:?}",
                path.escape_ascii(),
                one.get(path),
                other.get(path)
            )
        })
        .collect();
    assert!(
        differ.is_empty() && one.len() > 80,
        "{} paths: {}",
        one.len(),
        differ.join("\n")
    );
}

#[test]
fn containerd_unpacks_the_same_files() {
    let place = place();
    place
        .run(&[&["convert", "oci:plain:app", "plain.tar"], &SMALL[..]].concat())
        .ended(0);
    let both = [&START[..], &["--restate-directories"]].concat();
    place
        .run(&[&["convert", "oci:plain:app", "start.tar"], &SMALL[..], &both].concat())
        .ended(0);
    let containerd = Containerd::start();
    let unpacked = |archive: &str| {
        let name = format!("example.com/{archive}:app");
        let (file, target) = (place.join(archive), place.join(&format!("{archive}.files")));
        fs::create_dir(&target).expect("a new folder");
        let (file, target_text) = (file.display().to_string(), target.display().to_string());
        let base = name.trim_end_matches(":app");
        let how = ["--snapshotter", "overlayfs", "--platform", "linux/amd64"];
        containerd.ctr(&[&["images", "import", "--base-name", base], &how[..], &[&file]].concat());
        containerd.ctr(&[&["images", "mount"], &how[..], &[&name, &target_text]].concat());
        let tree = tree(&target);
        containerd.ctr(&["images", "unmount", "--rm", &target_text]);
        tree
    };
    let (plain, start) = (unpacked("plain.tar"), unpacked("start.tar"));
    assert_same_trees(&plain, &start);
    let text = |path: &[u8]| start.get(path).cloned().unwrap_or_default();
    assert!(
        text(b"bin/capable").contains("security.capability="),
        "{}",
        text(b"bin/capable")
    );
    assert!(
        text(b"bin/set-user").contains("links 2"),
        "{}",
        text(b"bin/set-user")
    );
    assert!(text(b"tmp").starts_with("41777 "), "{}", text(b"tmp"));
}

#[test]
fn umoci_unpacks_the_same_files() {
    let place = place();
    // umoci takes manifests; the conversion's index names one, which is listed by itself here.
    let manifest_of = |layout: &str| {
        let facts = place
            .run(&["inspect", &format!("oci:{layout}"), "--format", "json"])
            .ended(0)
            .json();
        let manifest = &facts["platforms"][0]["manifest"];
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": manifest["mediaType"], "digest": manifest["digest"], "size": manifest["size"],
            "annotations": {"org.opencontainers.image.ref.name": "app"},
        }]});
        fs::write(place.join(layout).join("index.json"), index.to_string()).expect("a layout");
    };
    place
        .run(&[&["convert", "oci:plain:app", "oci:start"], &SMALL[..], &START].concat())
        .ended(0);
    manifest_of("start");
    for layout in ["plain", "start"] {
        let image = format!("{layout}:app");
        let bundle = format!("{layout}.bundle");
        place.tool(&["umoci", "unpack", "--image", &image, &bundle]);
    }
    let files = |layout: &str| tree(&place.join(&format!("{layout}.bundle")).join("rootfs"));
    assert_same_trees(&files("plain"), &files("start"));
}

#[test]
fn a_registry_keeps_it_and_a_container_starts_from_every_place() {
    let mut place = Place::new();
    fs::create_dir(place.join("tmp")).expect("a new folder");
    place.set("TMPDIR", &place.join("tmp").display().to_string());
    let registry = Server::docker_registry(None, None);
    let plain = format!("{}/team/app:plain", registry.host());
    let soci = format!("{}/team/app:soci", registry.host());
    // A shell that reads small files, each of which lies in a span of its own.
    let mut tools = Layer::new();
    let told = String::from_utf8(place.tool(&["ldd", "/usr/bin/dash"])).expect("UTF-8");
    let libraries = told.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries.chain(["/usr/bin/dash"]) {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        tools.file(file.trim_start_matches('/'), 0o755, &bytes);
    }
    let mut data = Layer::new();
    for number in 0..40_u64 {
        data.file(&format!("data/cold-{number}"), 0o644, &noise(number, 200_000))
            .file(
                &format!("data/hot-{number}"),
                0o644,
                format!("line {number}\n").as_bytes(),
            );
    }
    MadeImage::with_config(&[tools.tar(), data.tar()], &json!({})).write_layout(&place.join("image"), "app");
    let small = &SMALL[..4];
    place
        .run(&[&["convert", "oci:image:app", &plain], small].concat())
        .ended(0);
    let script = "n=0; while [ $n -lt 40 ]; do read line < /data/hot-$n; n=$((n+1)); done; echo $line";
    let fetched = |image: &str| {
        let words = [
            "trace",
            image,
            "--ready-exit",
            "--user",
            "0",
            "--format",
            "json",
            "--entrypoint",
            "/usr/bin/dash",
            "--",
            "-c",
            script,
        ];
        let run = place.run(&words).ended(0);
        assert!(run.stderr.contains("line 39\n"), "{image}: {}", run.stderr);
        let report: Value = run.json();
        report["fetched"]["spans"].as_u64().expect("a number")
    };
    // Its trace is that of the start without the layer.
    let without = fetched(&plain);
    let start = [&START[..], small, &["--format", "json"]].concat();
    let report = place
        .run(&[&["convert", &plain, &soci], &start[..]].concat())
        .ended(0)
        .json();
    // The layers were there, and their zTOCs at hand: the start layer alone went up.
    let layers = report["images"][0]["platforms"][0]["layers"]
        .as_array()
        .expect("layers");
    let outcomes: Vec<&Value> = layers.iter().map(|layer| &layer["outcome"]).collect();
    assert_eq!(outcomes, ["reused", "reused", "skipped"], "{report:#}");
    assert!(
        report["traffic"]["notSent"].as_u64() > Some(8_000_000),
        "{report:#}"
    );
    assert_eq!(report["images"][0]["changed"], true);
    place.run(&["verify", &soci]).ended(0);
    place
        .run(&[&["convert", "oci:image:app", "start.tar"], &start[..]].concat())
        .ended(0);
    for image in [&soci[..], "start.tar"] {
        let with = fetched(image);
        assert!(with * 4 < without, "{image}: {with} spans, {without} without it");
    }
}
