//! The reference's own conversions: every input with the named options gives the same documents and digests, byte for
//! byte, or is in the list of exceptions with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What ours does where the reference is wrong, or promises something else.
enum Ours {
    /// Converts what the reference refuses.
    Converts,
    /// Refuses (with this exit code) what the reference converts.
    Refuses(i32),
    /// All blobs are equal; the descriptor in index.json says more.
    Top,
    /// The new image index and the manifests have other bytes.
    Index,
    /// The SOCI index and all above it have other bytes.
    SociIndex,
}

/// Case, what ours does, and why.
const EXCEPTIONS: &[(&str, Ours, &str)] = &[
    ("artifact-fields", Ours::Index, "descriptor annotations survive"),
    (
        "attested-all",
        Ours::Index,
        "attestations keep their bytes; their descriptors name the new image",
    ),
    (
        "attested-default",
        Ours::Index,
        "attestations keep their bytes; their descriptors name the new image",
    ),
    (
        "attested-one",
        Ours::Index,
        "attestations keep their bytes; their descriptors name the new image",
    ),
    (
        "attested-one-min0",
        Ours::Index,
        "attestations keep their bytes; their descriptors name the new image",
    ),
    ("buildah", Ours::Top, "the tag survives"),
    ("ctr-export", Ours::Top, "the names survive"),
    ("single-desc", Ours::Top, "tag and annotations survive"),
    ("skopeo", Ours::Top, "the tag survives"),
    ("umoci", Ours::Top, "the tag survives"),
    ("desc-annotations", Ours::Index, "descriptor annotations survive"),
    (
        "docker-archive",
        Ours::Converts,
        "archives of docker save are read",
    ),
    (
        "docker-in-oci-arm64",
        Ours::Index,
        "a platform that was not asked for keeps its bytes",
    ),
    (
        "docker-list-amd64",
        Ours::Index,
        "a platform that was not asked for keeps its bytes",
    ),
    (
        "has-index-digest",
        Ours::Index,
        "a platform that was not asked for keeps its descriptor",
    ),
    (
        "no-media-type",
        Ours::Index,
        "a platform that was not asked for keeps its bytes",
    ),
    (
        "docker-plain-gz",
        Ours::Converts,
        "the plain docker type may hold gzip: the bytes decide",
    ),
    (
        "foreign-absent",
        Ours::Converts,
        "a foreign layer that is only at its URL is skipped",
    ),
    ("gzip-archive", Ours::Converts, "a gzip'd archive is read"),
    (
        "index-of-index-all",
        Ours::Index,
        "an index inside the index stays one",
    ),
    (
        "index-of-index-amd64",
        Ours::Index,
        "an index inside the index stays one",
    ),
    (
        "missing-layers-amd64",
        Ours::Converts,
        "layers of a platform that was not asked for may be missing",
    ),
    (
        "missing-platform-all",
        Ours::Index,
        "a platform whose manifest is elsewhere stays listed",
    ),
    (
        "missing-platform-amd64",
        Ours::Index,
        "a platform whose manifest is elsewhere stays listed",
    ),
    (
        "no-platform-in-index-all",
        Ours::Converts,
        "the platform is in the config",
    ),
    (
        "odd-layer-type",
        Ours::Converts,
        "a layer of an unknown type is skipped",
    ),
    (
        "prefetch-comma",
        Ours::SociIndex,
        "a comma is part of a path; repeat the flag for several files",
    ),
    ("prefetch-dir", Ours::SociIndex, "a directory is found"),
    (
        "prefetch-dot",
        Ours::SociIndex,
        "a file is found whatever the layer writes in front of its name",
    ),
    (
        "re-two-arm64-after-amd64",
        Ours::Converts,
        "SOCI indexes of other platforms are left alone",
    ),
    (
        "re-two-both-then-amd64",
        Ours::Converts,
        "SOCI indexes of other platforms are left alone",
    ),
    (
        "two-images",
        Ours::Index,
        "two images with two tags stay two images",
    ),
    (
        "two-images-noplat",
        Ours::Converts,
        "two images with two tags stay two images",
    ),
    (
        "unindexable",
        Ours::Converts,
        "a layer that the format cannot hold is skipped",
    ),
    ("unknown-fields", Ours::Index, "unknown fields survive"),
    (
        "wrong-digest-dir",
        Ours::Refuses(3),
        "a layer that does not match its digest is an error",
    ),
    ("spans-word", Ours::Converts, "sizes may have units"),
];

/// Plain tars whose last file ends the layer exactly where a span ends: the snapshotter cannot read it, so that only
/// who asks gets the zTOC that the reference makes.
const READ_WITH_AN_ERROR: &[&str] = &["prefetch-boundary-end", "prefetch-boundary-inner"];

/// Options of the reference that are spelled otherwise or not at all here.
const ARGUMENTS_ELSEWHERE: &[&str] = &["arguments-format", "arguments-noout"];

#[test]
fn every_input_gives_the_documents_of_the_reference() {
    let vectors = soci_tests::image_vectors();
    let cases: Value =
        serde_json::from_slice(&fs::read(vectors.join("cases.json")).expect("cases.json")).expect("JSON");
    let tool = cases["build_tool_identifier"].as_str().expect("text");
    let mut failures = Vec::new();
    let mut exact = 0;
    let mut seen = BTreeSet::new();
    for case in cases["cases"].as_array().expect("list") {
        let name = case["name"].as_str().expect("text");
        let argv: Vec<&str> = texts(&case["argv"]);
        // v1 indexes are made by another command; arguments are the business of the command line's own tests.
        if argv[0] != "convert" || ARGUMENTS_ELSEWHERE.contains(&name) {
            continue;
        }
        let exception = EXCEPTIONS.iter().find(|(case, ..)| *case == name);
        if exception.is_some() {
            seen.insert(name);
        } else if case["expected"]["exit"] == 0 {
            exact += 1;
        }
        if let Err(problem) = check(vectors, case, tool, exception.map(|(_, ours, _)| ours)) {
            failures.push(format!("{name}: {problem}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(seen.len(), EXCEPTIONS.len(), "an exception names no case");
    assert_eq!(exact, 70, "cases that are byte for byte those of the reference");
}

fn check(vectors: &Path, case: &Value, tool: &str, exception: Option<&Ours>) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let argv: Vec<&str> = texts(&case["argv"]);
    let input = input(vectors, case, folder.path());
    let is_folder = argv.windows(2).any(|pair| pair == ["--format", "oci-dir"]);
    let output = folder.path().join(if is_folder { "out" } else { "out.tar" });
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-soci"));
    command
        .arg("convert")
        .args(["--build-tool-identifier", tool, "--progress", "none"]);
    command.current_dir(folder.path());
    let mut minimum = false;
    let mut words = argv[1..].iter();
    while let Some(word) = words.next() {
        minimum |= word.starts_with("--min-layer-size");
        match *word {
            "--standalone" | "--force" | "--all-platforms" => {}
            "--format" => drop(words.next()),
            "IN" => drop(command.arg(&input)),
            "OUT" => drop(command.arg(&output)),
            "LIST" => {
                let list = folder.path().join("list.json");
                if let Some(text) = case["files"]["LIST"].as_str() {
                    fs::write(&list, text).expect("temporary folder");
                }
                command.arg(list);
            }
            other => drop(command.arg(other)),
        }
    }
    if READ_WITH_AN_ERROR.contains(&case["name"].as_str().expect("text")) {
        command.arg("--allow-differences");
    }
    if !minimum {
        command.args(["--min-layer-size", "10485760"]);
    }
    if let Some(platform) = case["host_platform"].as_str() {
        command.args(["--platform", platform]);
    }
    let run = command.output().expect("runs");
    let stderr = String::from_utf8_lossy(&run.stderr);
    let exit = run.status.code().ok_or("killed by a signal")?;
    if stderr.contains("panicked") {
        return Err(format!("panic: {stderr}"));
    }
    let expected = &case["expected"];
    let succeeds = match exception {
        Some(Ours::Converts) => true,
        Some(Ours::Refuses(code)) if exit != *code => {
            return Err(format!("exit {exit}, not {code}: {stderr}"));
        }
        Some(Ours::Refuses(_)) => false,
        _ => expected["exit"] == 0,
    };
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("temporary folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".cargo-soci"))
        .collect();
    if !left.is_empty() {
        return Err(format!("left behind: {left:?}"));
    }
    if !succeeds {
        if exit == 0 {
            return Err("converted, but should be refused".into());
        }
        if output.exists() {
            return Err("refused, but the output is there".into());
        }
        let nothing = expected["stderr"]
            .as_str()
            .is_some_and(|text| text.contains("no ztocs created"));
        // A damaged layer below the minimum is not read before the minimum has decided.
        if nothing != (exit == 4) {
            return Err(format!("exit {exit}: {stderr}"));
        }
        return Ok(());
    }
    if exit != 0 {
        return Err(format!("exit {exit}: {stderr}"));
    }
    let ours = Output::read(&output);
    ours.is_complete_and_right()?;
    if matches!(exception, Some(Ours::Converts)) {
        return Ok(());
    }
    compare(&ours, vectors, case, exception)
}

/// Documents and blobs against those of the reference.
fn compare(ours: &Output, vectors: &Path, case: &Value, exception: Option<&Ours>) -> Result<(), String> {
    let expected = &case["expected"];
    let name = case["name"].as_str().expect("text");
    let mut theirs: BTreeSet<&str> = BTreeSet::new();
    let mut documents: BTreeMap<&str, (&str, Vec<u8>)> = BTreeMap::new();
    for blob in expected["blobs"].as_array().expect("list") {
        // Folder output of the reference keeps every blob of the input.
        if blob["unreferenced"] == true {
            continue;
        }
        let digest = blob["digest"].as_str().expect("text");
        theirs.insert(digest);
        if let Some(file) = blob["document"].as_str() {
            let bytes = fs::read(vectors.join("outputs").join(name).join(file)).expect("a document");
            documents.insert(digest, (file, bytes));
        }
    }
    let differs = |file: &str| match exception {
        Some(Ours::Index) => file.starts_with("index") || file.starts_with("manifest"),
        Some(Ours::SociIndex) => true,
        _ => false,
    };
    for (digest, (file, bytes)) in &documents {
        if differs(file) {
            continue;
        }
        match ours.blobs.get(*digest) {
            None => {
                return Err(format!(
                    "{file} ({digest}) is not there; ours: {}",
                    ours.documents()
                ));
            }
            Some(mine) if mine != bytes => return Err(format!("{file} has other bytes")),
            Some(_) => {}
        }
    }
    match exception {
        Some(Ours::Index | Ours::SociIndex) => {
            if expected["top"] == ours.index["manifests"] {
                return Err("is an exception, but gives the same index".into());
            }
            Ok(())
        }
        _ => {
            let mine: BTreeSet<&str> = ours.blobs.keys().map(String::as_str).collect();
            if mine != theirs {
                let more: Vec<_> = mine.difference(&theirs).collect();
                let less: Vec<_> = theirs.difference(&mine).collect();
                return Err(format!("too many blobs {more:?}, missing {less:?}"));
            }
            let same_top = expected["top"] == ours.index["manifests"];
            match exception {
                Some(Ours::Top) if same_top => Err("is an exception, but index.json is the same".into()),
                Some(Ours::Top) => Ok(()),
                _ if !same_top => Err(format!("index.json lists {}", ours.index["manifests"])),
                _ => Ok(()),
            }
        }
    }
}

/// A layout or archive, read without our own code.
struct Output {
    index: Value,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Output {
    fn read(path: &Path) -> Self {
        let mut files = BTreeMap::new();
        if path.is_dir() {
            for algorithm in ["sha256", "sha512"] {
                let Ok(entries) = fs::read_dir(path.join("blobs").join(algorithm)) else {
                    continue;
                };
                for entry in entries {
                    let entry = entry.expect("entry");
                    let name = format!("blobs/{algorithm}/{}", entry.file_name().to_string_lossy());
                    files.insert(name, fs::read(entry.path()).expect("a blob"));
                }
            }
            for name in ["index.json", "oci-layout"] {
                files.insert(name.into(), fs::read(path.join(name)).expect(name));
            }
        } else {
            let mut archive = tar::Archive::new(fs::File::open(path).expect("the archive"));
            for entry in archive.entries().expect("a tar") {
                let mut entry = entry.expect("a tar");
                let name = entry.path().expect("a name").display().to_string();
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut bytes).expect("a tar");
                files.insert(name, bytes);
            }
        }
        assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
        let index = serde_json::from_slice(&files["index.json"]).expect("index.json");
        let blobs = files.into_iter().filter_map(|(name, bytes)| {
            let digest = name.strip_prefix("blobs/")?.replace('/', ":");
            Some((digest, bytes))
        });
        Self {
            index,
            blobs: blobs.collect(),
        }
    }

    /// Every blob has its digest, and everything that the index points at is there.
    fn is_complete_and_right(&self) -> Result<(), String> {
        for (digest, bytes) in &self.blobs {
            if digest.starts_with("sha256:") && *digest != sha256(bytes) {
                return Err(format!("{digest} has other content"));
            }
        }
        for entry in self.index["manifests"].as_array().expect("list") {
            let digest = entry["digest"].as_str().expect("text");
            let Some(bytes) = self.blobs.get(digest) else {
                return Err(format!("{digest} is missing"));
            };
            if entry["size"] != bytes.len() {
                return Err(format!("{digest} has another size"));
            }
        }
        Ok(())
    }

    fn documents(&self) -> String {
        let text = |bytes: &Vec<u8>| {
            bytes
                .starts_with(b"{")
                .then(|| String::from_utf8_lossy(bytes).into_owned())
        };
        self.blobs
            .values()
            .filter_map(text)
            .collect::<Vec<_>>()
            .join("\n  ")
    }
}

/// The input as an archive or unpacked as a folder.
fn input(vectors: &Path, case: &Value, folder: &Path) -> std::path::PathBuf {
    let archive = vectors.join(case["input"]["tar"].as_str().expect("text"));
    if case["input"]["form"] == "archive" {
        return archive;
    }
    let unpacked = folder.join("in");
    fs::create_dir(&unpacked).expect("temporary folder");
    tar::Archive::new(fs::File::open(archive).expect("an input"))
        .unpack(&unpacked)
        .expect("an input");
    unpacked
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .expect("list")
        .iter()
        .map(|word| word.as_str().expect("text"))
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    let hash: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hash}")
}
