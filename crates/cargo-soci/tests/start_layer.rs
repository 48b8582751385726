//! Layers on top that repeat: files of a start, and directories whose attributes a lazy client would lose.

mod support;

use serde_json::Value;
use soci_tests::images::{MadeImage, noise};
use support::{Place, Run};

/// Seeds and sizes of the layers: files of 100 KB under `layerSEED/`.
const LAYERS: &[(u64, usize)] = &[(1, 3_000_000), (2, 2_000_000), (3, 1_500_000)];

const SMALL: [&str; 6] = [
    "--span-size",
    "512KiB",
    "--min-layer-size",
    "1000",
    "--progress",
    "none",
];

const TRACE: &str =
    "/layer1/file3\n/layer3/../layer2/file7\n/layer1/file22\n/proc/self/maps\n/layer1/file3\n";

const START: [&str; 3] = ["--start-trace", "app.trace", "--start-layer"];

fn place() -> Place {
    let place = Place::new();
    MadeImage::new(LAYERS).write_layout(&place.join("image"), "app");
    place.write("app.trace", TRACE);
    place
}

fn convert(place: &Place, from: &str, to: &str, more: &[&str]) -> Run {
    place.run(&[&["convert", from, to], &SMALL[..], more].concat())
}

fn facts(place: &Place, at: &str) -> Value {
    place.run(&["inspect", at, "--format", "json"]).ended(0).json()
}

fn digest(place: &Place, at: &str) -> Value {
    facts(place, at)["root"]["digest"].clone()
}

fn layers(facts: &Value) -> Vec<Value> {
    facts["platforms"][0]["layers"]
        .as_array()
        .expect("layers")
        .clone()
}

#[test]
fn the_files_of_a_start_come_in_a_layer_on_top() {
    let place = place();
    let run = convert(&place, "./image", "./soci", &START).ended(0);
    insta::assert_snapshot!(format!("{}{}", run.stdout, run.stderr));
    let inspected = place.run(&["inspect", "./soci"]).ended(0);
    insta::assert_snapshot!(inspected.stdout);
    let verified = place.run(&["verify", "./soci"]).ended(0);
    assert!(verified.stdout.contains("good"), "{}", verified.stdout);
    // The layers below are the same blobs, and every file is what it was.
    let (before, after) = (
        layers(&facts(&place, "./image")),
        layers(&facts(&place, "./soci")),
    );
    assert_eq!(after.len(), before.len() + 1);
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old["digest"], new["digest"]);
    }
    assert_eq!(after[3]["repeats"]["start"], true);
    assert_eq!(after[3]["noZtoc"], "repeats");
    for (seed, size) in LAYERS {
        for (number, content) in noise(*seed, *size).chunks(100_000).enumerate() {
            let path = format!("/layer{seed}/file{number}");
            let output = place
                .command(&["cat", "./soci", &path])
                .output()
                .expect("it runs");
            assert!(output.status.success() && output.stdout == content, "{path}");
        }
    }
}

#[test]
fn the_same_image_and_trace_give_the_same_bytes_everywhere() {
    let place = place();
    convert(&place, "./image", "./soci", &START).ended(0);
    convert(
        &place,
        "./image",
        "./one",
        &[&START[..], &["--jobs", "1"]].concat(),
    )
    .ended(0);
    convert(&place, "./image", "soci.tar", &START).ended(0);
    // With zTOCs at hand no layer is read to know what is in it.
    convert(&place, "./image", "./plain", &[]).ended(0);
    convert(&place, "./plain", "./again", &START).ended(0);
    place.write(
        "soci.toml",
        "start-trace = \"app.trace\"\nstart-layer = \"true\"\n",
    );
    convert(&place, "./image", "./file", &[]).ended(0);
    let soci = digest(&place, "./soci");
    for at in ["./one", "soci.tar", "./again", "./file"] {
        assert_eq!(digest(&place, at), soci, "{at}");
    }
}

#[test]
fn a_second_run_replaces_it_and_removal_takes_it_off() {
    let place = place();
    convert(&place, "./image", "./soci", &START).ended(0);
    let first = digest(&place, "./soci");
    let again = convert(&place, "./soci", "./soci", &START).ended(0);
    assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    place.write("other.trace", "/layer2/file1\n");
    let other = ["--start-trace", "other.trace", "--start-layer"];
    let run = convert(&place, "./soci", "./other", &other).ended(0);
    assert!(
        run.stderr.contains("in the place of an earlier one"),
        "{}",
        run.stderr
    );
    assert_eq!(layers(&facts(&place, "./other")).len(), 4);
    // Without the flag the image is converted as it is.
    convert(&place, "./soci", "./kept", &["--start-trace", "app.trace"]).ended(0);
    assert_eq!(digest(&place, "./kept"), first);
    for at in ["./soci", "./other"] {
        place.run(&["remove", at]).ended(0);
        assert_eq!(digest(&place, at), digest(&place, "./image"), "{at}");
    }
    // Beside an image that stays in its place there can be no such layer; the index v1 is that of a new image.
    let v1 = [&["create", "./image", "./v1"], &SMALL[..], &START].concat();
    place.run(&v1).ended(0);
    assert_eq!(layers(&facts(&place, "./v1")).len(), 4);
    place.run(&["remove", "./v1"]).ended(0);
    assert_eq!(layers(&facts(&place, "./v1")).len(), 3);
}

#[test]
fn a_large_start_layer_has_a_ztoc() {
    let place = Place::new();
    MadeImage::new(&[(1, 30_000_000)]).write_layout(&place.join("image"), "app");
    let all: String = (0..250).map(|number| format!("/layer1/file{number}\n")).collect();
    place.write("app.trace", &all);
    // A minimum above its size does not keep the layer out: without a zTOC all of it would be waited for.
    let words = [
        &[
            "convert",
            "./image",
            "./soci",
            "--min-layer-size",
            "20MiB",
            "--format",
            "json",
        ],
        &START[..],
    ]
    .concat();
    let report = place.run(&words).ended(0);
    assert!(
        report.stderr.contains("the layer on top repeats"),
        "more than half of the image: {}",
        report.stderr
    );
    let report = report.json();
    let layers = report["images"][0]["platforms"][0]["layers"]
        .as_array()
        .expect("layers")
        .clone();
    assert_eq!(layers[1]["outcome"], "indexed", "{layers:#?}");
    assert_eq!(layers[1]["repeats"]["comesWhole"], false);
    assert!(layers[1]["size"].as_u64() > Some(10 << 20), "{layers:#?}");
    assert_eq!(layers[1]["start"]["shaped"], true);
    place.run(&["verify", "./soci"]).ended(0);
}

#[test]
fn mistakes_say_what_and_what_to_do() {
    let place = place();
    place.write("nowhere.trace", "/opt/other/app\n");
    let mut said = Vec::new();
    for flags in [
        &["--start-layer"][..],
        &["--start-layer", "--start-trace", "nowhere.trace"],
        &["--restate-directories"],
    ] {
        let run = convert(&place, "./image", "./out", flags);
        said.push(format!(
            "{}: exit code {}\n{}",
            flags.join(" "),
            run.code,
            run.stderr
        ));
    }
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(layers(&facts(&place, "./out")).len(), 3);
}

#[test]
fn implied_directories_are_listed_again_so_that_their_layers_are_lazy() {
    let place = Place::new();
    let mut low = tar::Builder::new(Vec::new());
    let mut high = tar::Builder::new(Vec::new());
    entry(&mut low, tar::EntryType::Directory, "tmp/", 0o1777, 0, b"");
    entry(&mut low, tar::EntryType::Directory, "home/me/", 0o700, 1000, b"");
    entry(
        &mut low,
        tar::EntryType::Regular,
        "srv/data",
        0o644,
        0,
        &noise(1, 90_000),
    );
    // As builders append files that omit the directories around them.
    for (name, seed) in [("tmp/a", 2), ("home/me/b", 3)] {
        entry(
            &mut high,
            tar::EntryType::Regular,
            name,
            0o644,
            1000,
            &noise(seed, 90_000),
        );
    }
    let tars = [low, high].map(|layer| layer.into_inner().expect("in memory"));
    MadeImage::of_tars(&tars).write_layout(&place.join("image"), "app");
    let plain = convert(&place, "./image", "./plain", &[]).ended(0);
    assert!(plain.stdout.contains("1 of 2 layers lazy"), "{}", plain.stdout);
    let run = convert(&place, "./image", "./restated", &["--restate-directories"]).ended(0);
    insta::assert_snapshot!(format!("{}{}", run.stdout, run.stderr));
    let verified = place.run(&["verify", "./restated"]).ended(0);
    assert!(verified.stdout.contains("good"), "{}", verified.stdout);
    let top = layers(&facts(&place, "./restated"))[2].clone();
    assert_eq!(
        (&top["repeats"]["start"], &top["repeats"]["directories"]),
        (&false.into(), &true.into())
    );
    let again = convert(&place, "./restated", "./restated", &["--restate-directories"]).ended(0);
    assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    // One layer for both.
    place.write("app.trace", "/tmp/a\n");
    let both = [&START[..], &["--restate-directories"]].concat();
    convert(&place, "./restated", "./both", &both).ended(0);
    let top = layers(&facts(&place, "./both"))[2].clone();
    assert_eq!(
        (&top["repeats"]["start"], &top["repeats"]["directories"]),
        (&true.into(), &true.into())
    );
    for at in ["./restated", "./both"] {
        place.run(&["remove", at]).ended(0);
        assert_eq!(digest(&place, at), digest(&place, "./image"), "{at}");
    }
}

fn entry(
    layer: &mut tar::Builder<Vec<u8>>,
    kind: tar::EntryType,
    name: &str,
    mode: u32,
    owner: u64,
    data: &[u8],
) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner);
    header.set_gid(owner);
    header.set_mtime(1_700_000_000);
    header.set_size(data.len() as u64);
    layer.append_data(&mut header, name, data).expect("in memory");
}

/// What tools that put layers onto another base make: the layer on top hides what is new below it.
#[test]
fn a_layer_on_top_of_another_base_is_found() {
    let place = place();
    convert(&place, "./image", "./soci", &START).ended(0);
    let blob = |digest: &Value| {
        let digest = digest.as_str().and_then(|text| text.strip_prefix("sha256:"));
        let path = place.join("soci/blobs/sha256").join(digest.expect("a SHA-256"));
        std::fs::read(path).expect("a blob")
    };
    let json = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    let manifest = json(&blob(
        &facts(&place, "./soci")["platforms"][0]["manifest"]["digest"],
    ));
    let top = manifest["layers"][3].clone();
    let config = json(&blob(&manifest["config"]["digest"]));
    let base = MadeImage::new(&[(1, 250_000), (2, 2_000_000)]);
    base.write_layout(&place.join("rebased"), "app");
    let mut new_config = json(&base.config);
    let ids = new_config["rootfs"]["diff_ids"].as_array_mut().expect("a list");
    ids.push(config["rootfs"]["diff_ids"][3].clone());
    let new_config = new_config.to_string().into_bytes();
    let mut new_manifest = json(&base.manifest);
    new_manifest["layers"]
        .as_array_mut()
        .expect("a list")
        .push(top.clone());
    let put = |bytes: &[u8]| {
        let digest = soci_image::Digest::sha256(bytes);
        std::fs::write(place.join("rebased/blobs/sha256").join(digest.hex()), bytes).expect("a layout");
        (digest.to_string(), bytes.len())
    };
    put(&blob(&top["digest"]));
    let (digest, size) = put(&new_config);
    new_manifest["config"]["digest"] = digest.into();
    new_manifest["config"]["size"] = size.into();
    let (digest, size) = put(new_manifest.to_string().as_bytes());
    let mut index = json(place.read("rebased/index.json").as_bytes());
    index["manifests"][0]["digest"] = digest.into();
    index["manifests"][0]["size"] = size.into();
    place.write("rebased/index.json", &index.to_string());
    convert(&place, "./rebased", "./lazy", &[]).ended(0);
    let verified = place
        .run(&["verify", "./lazy", "--format", "json"])
        .ended(1)
        .json();
    let finding = &verified["images"][0]["findings"][0];
    assert_eq!(finding["cause"], "stale-layer-on-top", "{verified:#}");
    let message = finding["message"].as_str().expect("words");
    assert!(
        message.ends_with("and '/layer1/file22' is new") || message.ends_with("and '/layer1/file3' is new"),
        "{message}"
    );
    // Made again, it repeats what there is.
    convert(&place, "./rebased", "./good", &START).ended(0);
    place.run(&["verify", "./good"]).ended(0);
}
