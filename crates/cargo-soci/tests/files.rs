//! `cat` and `ztoc extract`: a path leads where it leads in a container.

#[path = "../../../tests/fuzz/bodies/rootfs/layers.rs"]
#[allow(unreachable_pub, missing_docs)]
mod layers;
mod support;

use std::fs;
use std::path::PathBuf;

use layers::{Item, tar};
use soci_tests::images::{MadeImage, noise};
use support::{Place, Run};

fn file(name: &str) -> Item {
    Item::file(name, name)
}

fn big(name: &str, seed: u64) -> Item {
    let data = noise(seed, 100_000);
    Item {
        size: data.len() as u64,
        data,
        ..Item::file(name, "")
    }
}

/// An image of three layers, of which the small one in the middle has no zTOC.
fn converted() -> (Place, MadeImage) {
    let place = Place::new();
    let lowest = [
        big("big", 1),
        Item::symlink("bin", "usr/bin"),
        Item::symlink("opt/to-middle", "/etc/./middle"),
        Item::symlink("loop", "pool"),
        Item::symlink("pool", "/loop"),
        file("usr/bin/tool"),
        Item::hard_link("usr/bin/other", "usr/bin/tool"),
        file("etc/old"),
        file("etc/gone"),
        file("srv/hidden"),
        file("data/lowest"),
    ];
    let middle = [
        file("etc/middle"),
        file("etc/old"),
        file("etc/.wh.gone"),
        file("srv/.wh..wh..opq"),
        file("srv/shown"),
        Item::symlink("up", "../../usr/bin/../bin/added"),
    ];
    let highest = [
        big("usr/bin/added", 2),
        Item::directory("data"),
        file("data/.wh..wh..opq"),
        file("data/highest"),
        Item::symlink("data/down", "../etc/old"),
    ];
    let image = MadeImage::of_tars(&[tar(&lowest), tar(&middle), tar(&highest)]);
    image.write_layout(&place.join("plain"), "latest");
    place
        .run(&["convert", "./plain", "./soci", "--min-layer-size", "50000", "-q"])
        .ended(0);
    (place, image)
}

fn cat(place: &Place, path: &str) -> Run {
    place.run(&["cat", "./soci", path])
}

fn blob(place: &Place, digest: &str) -> PathBuf {
    place.join("soci/blobs").join(digest.replace(':', "/"))
}

/// What each path gives: the text of the file, or code and words.
fn told(place: &Place, image: &MadeImage, paths: &[&str]) -> String {
    let mut lines = Vec::new();
    for path in paths {
        let run = cat(place, path);
        let said = match run.code {
            0 => run
                .stdout
                .chars()
                .take(20)
                .collect::<String>()
                .escape_debug()
                .to_string(),
            code => {
                assert_eq!(run.stdout, "", "{path}: nothing is printed of what failed");
                format!("{code}: {}", run.stderr.trim())
            }
        };
        lines.push(format!("{path}: {said}"));
    }
    let mut told = lines.join("\n");
    for (digest, name) in image.layer_digests().iter().zip(["LOWEST", "MIDDLE", "HIGHEST"]) {
        told = told.replace(digest.as_str(), name);
        let hex = digest.split_once(':').expect("algorithm and hex").1;
        told = told.replace(hex, name);
    }
    told.replace(&place.path().display().to_string(), "FOLDER")
}

#[test]
fn a_path_leads_where_it_leads_in_a_container() {
    let (place, image) = converted();
    insta::assert_snapshot!(told(
        &place,
        &image,
        &[
            "/bin/tool",
            "bin/other",
            "/opt/to-middle",
            "/etc/old",
            "/data/down",
            "./srv/../srv/shown",
            "/data/highest",
            "/etc/gone",
            "/srv/hidden",
            "/data/lowest",
            "/loop",
            "/usr/bin/tool/x",
            "/usr/bin/tool/",
            "/usr/bin",
            "/none",
        ],
    ));
    let added = place
        .command(&["cat", "./soci", "/up"])
        .output()
        .expect("it runs");
    assert!(
        added.stdout == noise(2, 100_000),
        "through links and layers come the bytes"
    );
    place
        .run(&["ztoc", "extract", "./soci", "/up", "-o", "up"])
        .ended(0);
    assert!(fs::read(place.join("up")).expect("written") == noise(2, 100_000));
}

#[test]
fn only_layers_that_decide_are_read() {
    let (place, image) = converted();
    let digests = image.layer_digests();
    fs::remove_file(blob(&place, &digests[1])).expect("the layer in the middle");
    insta::assert_snapshot!(told(
        &place,
        &image,
        &[
            "/data/highest",
            "/data/lowest",
            "/data/down",
            "/etc/old",
            "/bin/tool",
            "/none"
        ],
    ));
}

#[test]
fn a_layer_that_cannot_be_unpacked_is_said() {
    let place = Place::new();
    let lowest = [big("big", 1), file("a")];
    let broken = [big("other", 2), Item::hard_link("b", "a"), file("c")];
    let image = MadeImage::of_tars(&[tar(&lowest), tar(&broken)]);
    image.write_layout(&place.join("plain"), "latest");
    place
        .run(&["convert", "./plain", "./soci", "--min-layer-size", "0", "-q"])
        .ended(0);
    insta::assert_snapshot!(told(&place, &image, &["/a", "/b"]));
    let run = cat(&place, "/a");
    assert!(run.stderr.contains("cannot be unpacked"), "{}", run.stderr);
}

#[test]
fn files_to_prefetch_are_found_through_links_and_layers() {
    let (place, _) = converted();
    let words = [
        "convert",
        "./plain",
        "./lists",
        "--min-layer-size",
        "50000",
        "--span-size",
        "64KiB",
        "--format",
        "json",
        "--prefetch-file",
        "/bin/added",
        "--prefetch-file",
        "/up",
        "--prefetch-file",
        "/bin/other",
        "--prefetch-file",
        "/opt/to-middle",
        "--prefetch-file",
        "/etc/middle",
        "--prefetch-file",
        "/bin/none",
    ];
    let run = place.run(&words).ended(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    // Nothing need be fetched for what lies in a layer without a zTOC.
    assert_eq!(report["missingPrefetchFiles"], serde_json::json!(["/bin/none"]));
    assert_eq!(report["images"][0]["platforms"][0]["prefetchArtifacts"], 2);
    let shown = place.run(&["inspect", "./lists"]).ended(0).stdout;
    insta::assert_snapshot!(
        shown
            .lines()
            .skip_while(|line| !line.contains("LAYER"))
            .collect::<Vec<_>>()
            .join("\n")
    );
}
