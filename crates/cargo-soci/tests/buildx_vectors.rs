//! What docker buildx and BuildKit really write: convert, inspect and verify work on each recording that can work, and
//! the facts that the recordings state about themselves hold in the result.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Recordings that cannot be converted, and the exit code.
const REFUSED: &[(&str, i32, &str)] = &[
    ("oci-zstd/image.tar", 4, "zstd"),
    ("oci-nolayers/image.tar", 4, "no layers"),
    ("bake-groups-matrix/batch.tar", 4, "no layers"),
    ("stream-sigint/stdout.tar", 3, "cut off"),
];

fn soci(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-soci"));
    command
        .current_dir(folder)
        .args(arguments)
        .args(["--progress", "none"])
        .output()
        .expect("runs")
}

fn json(output: &Output, what: &str) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{what}: {error}"))
}

#[test]
fn every_recording_is_converted_inspected_and_verified() {
    let vectors = soci_tests::buildx_vectors();
    let cases: Value =
        serde_json::from_slice(&fs::read(vectors.join("cases.json")).expect("cases.json")).expect("JSON");
    let mut converted = 0;
    let mut refused = 0;
    for case in cases["cases"].as_array().expect("a list") {
        let name = case["name"].as_str().expect("text");
        let Some(contents) = case["contents"].as_object() else {
            continue;
        };
        for (file, stated) in contents {
            let input = vectors.join(name).join(file);
            let is_image =
                input.join("index.json").exists() || input.extension().is_some_and(|end| end == "tar");
            if !is_image {
                continue;
            }
            let what = format!("{name}/{file}");
            let folder = tempfile::tempdir().expect("temporary folder");
            let input = input.to_str().expect("UTF-8").to_owned();
            let run = soci(
                folder.path(),
                &[
                    "convert",
                    &input,
                    "out.tar",
                    "--min-layer-size",
                    "0",
                    "--format",
                    "json",
                ],
            );
            if let Some((_, exit, word)) = REFUSED.iter().find(|(refused, ..)| *refused == what) {
                let errors = String::from_utf8_lossy(&run.stderr);
                assert_eq!(run.status.code(), Some(*exit), "{what}: {errors}");
                assert!(errors.contains(word), "{what}: {errors}");
                assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "{what}");
                refused += 1;
                continue;
            }
            check(&what, stated, &json(&run, &what), folder.path());
            converted += 1;
        }
    }
    assert_eq!(refused, REFUSED.len());
    assert!(converted >= 35, "only {converted} recordings were converted");
}

#[test]
fn a_stream_of_buildx_gives_the_same_archive_as_the_file_of_it() {
    for name in ["stream-plain", "stream-rawjson", "stream-quiet", "stream-docker"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let recorded = soci_tests::buildx_vectors().join(name).join("stdout.tar");
        let input = recorded.to_str().expect("UTF-8");
        let of_file = soci(
            folder.path(),
            &["convert", input, "file.tar", "--min-layer-size", "0"],
        );
        assert!(of_file.status.success(), "{name}");
        let of_stream = Command::new(env!("CARGO_BIN_EXE_cargo-soci"))
            .current_dir(folder.path())
            .args([
                "convert",
                "-",
                "stream.tar",
                "--min-layer-size",
                "0",
                "--progress",
                "none",
            ])
            .stdin(fs::File::open(&recorded).expect("a recording"))
            .output()
            .expect("runs");
        assert!(
            of_stream.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&of_stream.stderr)
        );
        let [file, stream] =
            ["file.tar", "stream.tar"].map(|name| fs::read(folder.path().join(name)).expect("a file"));
        assert!(file == stream, "{name}: the archives differ");
    }
}

fn check(what: &str, stated: &Value, report: &Value, folder: &Path) {
    let images = report["images"].as_array().expect("a list");
    let platforms: Vec<&Value> = images
        .iter()
        .flat_map(|image| image["platforms"].as_array().expect("a list"))
        .collect();
    // Layers and gzip members as they were recorded.
    for stated_image in stated["images"].as_array().into_iter().flatten() {
        let digest = &stated_image["digest"];
        let Some(platform) = platforms
            .iter()
            .find(|platform| platform["sourceManifest"] == *digest)
        else {
            panic!("{what}: image {digest} is not in the report: {report:#}");
        };
        let layers = platform["layers"].as_array().expect("a list");
        let stated_layers = stated_image["layers"].as_array().expect("a list");
        assert_eq!(layers.len(), stated_layers.len(), "{what}");
        for (layer, stated) in layers.iter().zip(stated_layers) {
            assert_eq!(layer["digest"], stated["digest"], "{what}");
            assert_eq!(layer["size"], stated["size"], "{what}");
            match stated["compression"].as_str() {
                Some("gzip") => {
                    assert_eq!(layer["outcome"], "indexed", "{what}: {layer}");
                    assert_eq!(layer["members"], stated["gzip"]["members"], "{what}: {layer}");
                }
                Some("zstd") => assert_eq!(layer["reason"], "zstd", "{what}: {layer}"),
                _ => assert_eq!(layer["members"], 0, "{what}: {layer}"),
            }
        }
    }
    // The names survive.
    for name in stated["tags"].as_array().into_iter().flatten() {
        let names = images
            .iter()
            .flat_map(|image| image["names"].as_array().expect("a list"));
        assert!(names.clone().any(|have| have == name), "{what}: {name} is lost");
    }
    let inspected = json(&soci(folder, &["inspect", "out.tar", "--format", "json"]), what);
    let inspected: Vec<&Value> = match &inspected {
        Value::Array(several) => several.iter().collect(),
        one => vec![one],
    };
    let attestations: Vec<&Value> = inspected
        .iter()
        .flat_map(|image| image["attestations"].as_array().expect("a list"))
        .collect();
    for attestation in &attestations {
        assert_eq!(attestation["refersToPresent"], true, "{what}: {attestation}");
        assert_ne!(
            attestation["statements"],
            Value::Array(vec![]),
            "{what}: {attestation}"
        );
    }
    for image in &inspected {
        for oddity in image["oddities"].as_array().expect("a list") {
            // Their layers are small, and indexed all the same.
            let harmless = ["docker-layers-in-oci-manifest", "large-ztoc"];
            assert!(
                harmless.iter().any(|kind| oddity["kind"] == *kind),
                "{what}: {oddity}"
            );
        }
        for platform in image["platforms"].as_array().expect("a list") {
            assert_eq!(platform["soci"]["version"], "v2", "{what}: {platform}");
        }
    }
    let verdict = json(&soci(folder, &["verify", "out.tar", "--format", "json"]), what);
    for image in verdict["images"].as_array().expect("a list") {
        for finding in image["findings"].as_array().expect("a list") {
            assert_eq!(finding["consequence"], "none", "{what}: {finding}");
        }
        assert!(image["layers"].as_u64() > Some(0), "{what}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect()
}
