//! Images that other people's tools made, and our results in the hands of those tools: buildah, umoci, containerd's
//! ctr and skopeo, each started here in a temporary folder. The test command installs them; without one of them these
//! tests fail.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use soci_tests::servers::Containerd;
use support::Place;

fn buildah(place: &Place, words: &[&str]) {
    let root = place.join("storage").display().to_string();
    let run = place.join("run").display().to_string();
    let fixed = [
        "buildah",
        "--storage-driver",
        "vfs",
        "--root",
        &root,
        "--runroot",
        &run,
    ];
    place.tool(&[&fixed, words].concat());
}

/// A place with a build context of a few MB: our own binary's first bytes and numbers.
fn with_context() -> Place {
    let place = Place::new();
    let numbers: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    place.write("context/numbers", &numbers);
    place.write(
        "context/Dockerfile",
        "FROM scratch\nCOPY program /app/program\nCOPY numbers /app/numbers\n",
    );
    let binary = fs::read(env!("CARGO_BIN_EXE_cargo-soci")).expect("our binary");
    let binary = &binary[..binary.len().min(3 << 20)];
    fs::write(place.join("context/program"), binary).expect("temporary folder");
    place
}

/// The same, built by buildah under a name and pushed to the destinations, which it spells in its own way.
fn built_by_buildah(name: &str, destinations: &[&str]) -> Place {
    let place = with_context();
    buildah(
        &place,
        &[
            "bud",
            "--isolation",
            "chroot",
            "--layers=false",
            "-q",
            "-t",
            name,
            "context",
        ],
    );
    for destination in destinations {
        buildah(&place, &["push", "-q", name, destination]);
    }
    place
}

/// Imports an archive and gives the digest that the name points at.
fn import(containerd: &Containerd, archive: &Path, name: &str) -> String {
    let archive = archive.to_str().expect("UTF-8");
    containerd.ctr(&["image", "import", "--no-unpack", "--all-platforms", archive]);
    let list = containerd.ctr(&["image", "ls"]);
    let line = list.lines().find(|line| line.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("{name} was not imported: {list}"));
    line.split_whitespace()
        .find(|word| word.starts_with("sha256:"))
        .expect("a digest")
        .to_owned()
}

/// Every blob of an archive, as the tar crate reads it.
fn blobs(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(fs::File::open(archive).expect("an archive"));
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("a tar");
        let name = entry.path().expect("a name").display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("a tar");
        (name, bytes)
    });
    entries
        .filter(|(name, bytes)| name.starts_with("blobs/") && !bytes.is_empty())
        .collect()
}

/// Converts, verifies, and lets skopeo read the result: the bytes that skopeo sees are ours.
fn convert_and_read(place: &Place, from: &str, to: &str) -> Value {
    let report = place
        .run(&["convert", from, to, "--min-layer-size", "0", "--format", "json"])
        .ended(0)
        .json();
    place.run(&["verify", to]).ended(0);
    let location = if to.ends_with(".tar") {
        format!("oci-archive:{to}")
    } else {
        format!("oci:{to}")
    };
    let image = &report["images"][0];
    // Of two names skopeo wants to be told one.
    let location = match &image["names"].as_array().expect("a list")[..] {
        [Value::String(tag), _, ..] => format!("{location}:{tag}"),
        _ => location,
    };
    let raw = place.tool(&["skopeo", "inspect", "--raw", &location]);
    assert_eq!(
        soci_image::Digest::sha256(&raw).as_str(),
        image["digest"],
        "skopeo reads other bytes"
    );
    let index: Value = serde_json::from_slice(&raw).expect("JSON");
    assert_eq!(
        index["manifests"][1]["artifactType"],
        "application/vnd.amazon.soci.index.v2+json"
    );
    let verdict = image["platforms"][0].clone();
    assert_eq!(verdict["layers"][0]["outcome"], "indexed");
    report
}

#[test]
fn an_image_from_buildah_goes_into_containerd_and_comes_out_the_same() {
    let name = "example.com/app:1";
    let place = built_by_buildah(
        name,
        &["oci-archive:image.tar:example.com/app:1", "oci:layout:v1"],
    );
    let report = convert_and_read(&place, "image.tar", "soci.tar");
    let of_layout = convert_and_read(&place, "./layout", "./soci-layout");
    assert_eq!(report["images"][0]["digest"], of_layout["images"][0]["digest"]);
    assert_eq!(of_layout["images"][0]["names"][0], "v1");

    let containerd = Containerd::start();
    let digest = import(&containerd, &place.join("soci.tar"), name);
    assert_eq!(report["images"][0]["digest"], digest.as_str());
    // containerd holds every blob of ours, byte for byte: zTOCs and SOCI index too.
    for (name, bytes) in blobs(&place.join("soci.tar")) {
        let digest = name.trim_start_matches("blobs/").replace('/', ":");
        assert_eq!(
            containerd.ctr_bytes(&["content", "get", &digest]),
            bytes,
            "{digest}"
        );
    }
    let export = place.join("export.tar").display().to_string();
    containerd.ctr(&["image", "export", "--all-platforms", &export, name]);
    place.run(&["verify", "export.tar"]).ended(0);
    let facts = place
        .run(&["inspect", "export.tar", "--format", "json"])
        .ended(0)
        .json();
    assert_eq!(facts["root"]["digest"], digest.as_str());
}

#[test]
fn an_export_of_ctr_is_converted_and_imported_back() {
    let name = "example.com/app:2";
    let place = built_by_buildah(name, &["oci-archive:image.tar:example.com/app:2"]);
    let containerd = Containerd::start();
    let plain = import(&containerd, &place.join("image.tar"), name);
    let export = place.join("export.tar").display().to_string();
    containerd.ctr(&["image", "export", "--all-platforms", &export, name]);
    let report = convert_and_read(&place, "export.tar", "soci.tar");
    let image = &report["images"][0];
    assert_eq!(image["names"][0], name);
    assert_eq!(image["platforms"][0]["sourceManifest"], plain.as_str());
    let digest = import(&containerd, &place.join("soci.tar"), name);
    assert_eq!(image["digest"], digest.as_str());
}

#[test]
fn layers_from_umoci_are_converted_and_keep_their_tags() {
    let place = with_context();
    let umoci = |words: &[&str]| place.tool(&[&["umoci"], words].concat());
    umoci(&["init", "--layout", "layout"]);
    umoci(&["new", "--image", "layout:v1"]);
    umoci(&["insert", "--rootless", "--image", "layout:v1", "context", "/app"]);
    umoci(&["tag", "--image", "layout:v1", "stable"]);
    let report = convert_and_read(&place, "./layout", "soci.tar");
    assert_eq!(report["images"][0]["names"], json!(["v1", "stable"]));
    // In place: umoci still lists both tags.
    place
        .run(&["convert", "./layout", "--min-layer-size", "0"])
        .ended(0);
    place.run(&["verify", "./layout"]).ended(0);
    let tags = String::from_utf8(umoci(&["ls", "--layout", "layout"])).expect("UTF-8");
    let mut tags: Vec<&str> = tags.split_whitespace().collect();
    tags.sort_unstable();
    assert_eq!(tags, ["stable", "v1"]);
    let containerd = Containerd::start();
    let archive = place.join("soci.tar").display().to_string();
    containerd.ctr(&[
        "image",
        "import",
        "--no-unpack",
        "--all-platforms",
        "--base-name",
        "example.com/app",
        &archive,
    ]);
    let list = containerd.ctr(&["image", "ls", "-q"]);
    assert!(
        list.contains("example.com/app:v1") && list.contains("example.com/app:stable"),
        "{list}"
    );
}

#[test]
fn a_file_read_through_its_spans_has_the_bytes_that_went_into_the_image() {
    let place = built_by_buildah("example.com/app:3", &["oci:layout:v3"]);
    let words = [
        "convert",
        "./layout",
        "./soci",
        "--min-layer-size",
        "0",
        "--span-size",
        "65536",
        "--format",
        "json",
    ];
    let report = place.run(&words).ended(0).json();
    let layer = &report["images"][0]["platforms"][0]["layers"][0];
    let blob = |digest: &Value| format!("soci/blobs/{}", digest.as_str().expect("text").replace(':', "/"));
    assert!(layer["spans"].as_u64() > Some(10), "{layer}");
    for name in ["program", "numbers"] {
        let (layer, ztoc) = (blob(&layer["digest"]), blob(&layer["ztoc"]));
        let file = format!("app/{name}");
        let read = place.command(&["ztoc", "extract", &layer, &ztoc, &file]).output();
        let context = fs::read(place.join("context").join(name)).expect("the context");
        assert_eq!(read.expect("the program runs").stdout, context, "{name}");
    }
}
