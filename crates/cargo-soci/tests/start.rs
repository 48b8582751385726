//! Spans that are cut for a start, from the trace to the files of the image.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use soci_tests::images::{MadeImage, noise};
use support::Place;

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

const TRACE: &str = "{\"op\":\"trace\",\"version\":1}\n\
    {\"op\":\"open\",\"t\":0.1,\"path\":\"/layer1/file3\"}\n\
    {\"op\":\"open\",\"t\":0.2,\"path\":\"/layer1/file22\",\"ranges\":[[0,4096]]}\n\
    {\"op\":\"open\",\"t\":0.3,\"path\":\"/layer3/../layer2/file7\"}\n\
    {\"op\":\"open\",\"t\":0.4,\"path\":\"/proc/self/maps\"}\n";

fn place() -> Place {
    let place = Place::new();
    MadeImage::new(LAYERS).write_layout(&place.join("image"), "app");
    place.write("app.trace", TRACE);
    place
}

fn convert(place: &Place, from: &str, to: &str, more: &[&str]) -> support::Run {
    place.run(&[&["convert", from, to], &SMALL[..], more].concat())
}

fn digest(place: &Place, at: &str) -> Value {
    place.run(&["inspect", at, "--format", "json"]).ended(0).json()["root"]["digest"].clone()
}

#[test]
fn from_the_trace_to_every_file() {
    let place = place();
    let run = convert(&place, "./image", "./shaped", &["--start-trace", "app.trace"]).ended(0);
    insta::assert_snapshot!(format!("{}{}", run.stdout, run.stderr));
    let inspected = place.run(&["inspect", "./shaped"]).ended(0);
    insta::assert_snapshot!(inspected.stdout);
    let verified = place.run(&["verify", "./shaped"]).ended(0);
    assert!(verified.stdout.contains("good"), "{}", verified.stdout);
    for (seed, size) in LAYERS {
        for (number, content) in noise(*seed, *size).chunks(100_000).enumerate() {
            let path = format!("/layer{seed}/file{number}");
            let output = place
                .command(&["cat", "./shaped", &path])
                .output()
                .expect("the program runs");
            assert!(output.status.success() && output.stdout == content, "{path}");
        }
    }
    // What is estimated of the image is what the conversion said.
    let estimate = place
        .run(&["estimate", "app.trace", "./shaped", "--link", "200Mbit/2ms"])
        .ended(0);
    assert!(
        estimate.stdout.contains("shaped, prefetched"),
        "{}",
        estimate.stdout
    );
}

#[test]
fn a_start_fetches_less_and_other_layers_stay_plain() {
    let place = place();
    convert(&place, "./image", "./plain", &[]).ended(0);
    let run = convert(
        &place,
        "./image",
        "./shaped",
        &["--start-trace", "app.trace", "--format", "json"],
    )
    .ended(0);
    let report = run.json();
    assert_eq!(report["start"]["platforms"][0]["files"], 3);
    assert_eq!(report["start"]["platforms"][0]["missing"][0], "/proc/self/maps");
    let layers = report["images"][0]["platforms"][0]["layers"]
        .as_array()
        .expect("layers");
    for layer in &layers[..2] {
        let start = &layer["start"];
        assert_eq!(start["shaped"], true);
        let bytes = |which: &str| start[which]["bytes"].as_u64().expect("bytes");
        assert!(bytes("needed") * 2 < bytes("unshaped"), "{start}");
    }
    // The layer that the start does not touch has the zTOC that it has without a trace.
    assert_eq!(layers[2].get("start"), None);
    let facts = |at: &str| place.run(&["inspect", at, "--format", "json"]).ended(0).json();
    let (plain, shaped) = (facts("./plain"), facts("./shaped"));
    let ztoc = |facts: &Value, layer: usize| facts["platforms"][0]["layers"][layer]["ztoc"].clone();
    assert_eq!(ztoc(&plain, 2), ztoc(&shaped, 2));
    assert_ne!(ztoc(&plain, 0)["digest"], ztoc(&shaped, 0)["digest"]);
    assert_eq!(ztoc(&shaped, 0)["startTrace"], report["start"]["trace"]);
}

#[test]
fn what_is_at_hand_and_how_many_threads_change_nothing() {
    let place = place();
    let trace = ["--start-trace", "app.trace"];
    convert(&place, "./image", "./shaped", &trace).ended(0);
    convert(
        &place,
        "./image",
        "./one",
        &["--start-trace", "app.trace", "--jobs", "1"],
    )
    .ended(0);
    // The tables are at hand: each layer is read once.
    convert(&place, "./image", "./plain", &[]).ended(0);
    convert(&place, "./plain", "./again", &trace).ended(0);
    // Cut for a start before, and cut otherwise.
    place.write("other.trace", "/layer2/file1\n/layer3/file2\n");
    convert(&place, "./image", "./other", &["--start-trace", "other.trace"]).ended(0);
    convert(&place, "./other", "./back", &trace).ended(0);
    convert(&place, "./shaped", "./unshaped", &[]).ended(0);
    convert(
        &place,
        "./image",
        "./reused",
        &["--start-trace", "app.trace", "--reuse-from", "./shaped"],
    )
    .ended(0);
    convert(
        &place,
        "./image",
        "./mixed",
        &["--start-trace", "app.trace", "--reuse-from", "./other"],
    )
    .ended(0);
    let shaped = digest(&place, "./shaped");
    for at in ["./one", "./again", "./back", "./reused", "./mixed"] {
        assert_eq!(digest(&place, at), shaped, "{at}");
    }
    assert_eq!(digest(&place, "./unshaped"), digest(&place, "./plain"));
    let all: BTreeSet<String> = ["./plain", "./shaped", "./other"]
        .map(|at| digest(&place, at).to_string())
        .into();
    assert_eq!(all.len(), 3);
    // A second time nothing changes, and what conversion added can be taken out.
    let again = convert(&place, "./shaped", "./shaped", &trace).ended(0);
    assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    place.run(&["remove", "./shaped"]).ended(0);
    assert_eq!(digest(&place, "./shaped"), digest(&place, "./image"));
}

#[test]
fn flags_and_settings_say_the_same() {
    let place = place();
    convert(
        &place,
        "./image",
        "./flag",
        &["--start-trace", "app.trace", "--no-prefetch"],
    )
    .ended(0);
    place.write(
        "soci.toml",
        "start-trace = \"app.trace\"\nstart-prefetch = \"false\"\n",
    );
    convert(&place, "./image", "./file", &[]).ended(0);
    assert_eq!(digest(&place, "./flag"), digest(&place, "./file"));
    let inspected = place.run(&["inspect", "./flag"]).ended(0);
    assert!(
        !inspected.stdout.contains("fetch at once"),
        "{}",
        inspected.stdout
    );
    // An archive, an index v1, and two starts.
    convert(&place, "./image", "soci.tar", &[]).ended(0);
    place.run(&["verify", "soci.tar"]).ended(0);
    let v1 = [&["create", "./image", "./v1"], &SMALL[..]].concat();
    place.run(&v1).ended(0);
    place.write("job.trace", "/layer2/file18\n");
    let two = ["--start-trace", "app.trace=3", "--start-trace", "job.trace"];
    convert(&place, "./image", "./two", &two).ended(0);
    place.run(&["verify", "./two"]).ended(0);
    assert_ne!(digest(&place, "./two"), digest(&place, "./file"));
}

#[test]
fn mistakes_say_what_and_what_to_do() {
    let place = place();
    place.write("nowhere.trace", "/opt/other/app\n");
    place.write("words.trace", "hello\n");
    let mut said = Vec::new();
    for trace in ["none.trace", "words.trace", "app.trace=0", "nowhere.trace"] {
        let run = convert(&place, "./image", "./out", &["--start-trace", trace]);
        said.push(format!("{trace}: exit code {}\n{}", run.code, run.stderr));
    }
    insta::assert_snapshot!(said.join("\n"));
}
