//! What reports say of a run is what it did.

use serde_json::{Value, json};
use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, RepositoryContent, TestRegistry};

use crate::{convert, good, image, run, tag, with_image};

fn parse(output: &std::process::Output) -> Value {
    serde_json::from_str(&good(output)).expect("JSON")
}

/// What the registry has sent and got since the last look, behind the greeting.
fn moved(registry: &TestRegistry) -> (u64, u64) {
    let mut log = registry.take_log();
    log.retain(|one| one.path != "/v2/");
    let sent: usize = log.iter().map(|one| one.sent).sum();
    let received: usize = log.iter().map(|one| one.received).sum();
    (sent as u64, received as u64)
}

#[test]
fn all_bytes_of_a_run_are_counted_those_of_rewritten_layers_too() {
    let registry = TestRegistry::start(Behaviour::default());
    let members = MadeImage::of_two_members(&[(1, 900_000), (2, 400_000)]);
    registry.with("app", |content| members.store(content, "1"));
    for more in [&[][..], &["--recompress", "gzip"]] {
        registry.take_log();
        let (from, to) = (registry.name("app:1"), registry.name("app:new"));
        let words = [from.as_str(), &to, "--reuse", "none", "--format", "json"];
        let words = [&words, more].concat();
        let report = parse(&convert(&words));
        assert_eq!(!more.is_empty(), report["recompressed"].is_array(), "{report}");
        let traffic = &report["traffic"];
        let (sent, received) = moved(&registry);
        assert_eq!(traffic["received"], sent, "{more:?}: {traffic}");
        assert_eq!(traffic["sent"], received, "{more:?}: {traffic}");
        let layers: u64 = members.layers.iter().map(|layer| layer.len() as u64).sum();
        assert!(sent > layers, "each layer came: {traffic}");
        assert_eq!(traffic["notReceived"], 0, "{more:?}: {traffic}");
    }
}

#[test]
fn what_was_lost_and_came_back_is_not_called_unchanged() {
    let registry = with_image(Behaviour::default());
    let name = registry.name("app:1");
    good(&convert(&[&name]));
    let unchanged = good(&convert(&[&name]));
    assert!(unchanged.contains("as it was: nothing changed"), "{unchanged}");
    let index = soci_index(&registry);
    let ztoc = registry.with("app", |content| {
        let manifest: Value = serde_json::from_slice(&content.manifests[&index].bytes).expect("JSON");
        manifest["layers"][0]["digest"]
            .as_str()
            .expect("a digest")
            .to_owned()
    });
    type Lose<'a> = &'a dyn Fn(&mut RepositoryContent);
    let losses: [(Lose<'_>, &[&String]); 2] = [
        (&|content| drop(content.manifests.remove(&index)), &[&index]),
        (&|content| drop(content.blobs.remove(&ztoc)), &[&ztoc]),
    ];
    for (lose, parts) in losses {
        let before = tag(&registry, "app", "1");
        registry.with("app", lose);
        let report = parse(&convert(&[&name, "--format", "json"]));
        assert_eq!(report["images"][0]["changed"], false);
        assert_eq!(report["images"][0]["repaired"], json!(parts));
        assert_eq!(tag(&registry, "app", "1"), before);
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
        registry.with("app", lose);
        let told = good(&convert(&[&name]));
        assert!(
            told.contains("as it was, and whole again: 1 part of its SOCI index had been lost"),
            "{told}"
        );
        let verdict = good(&run(&["verify", &name]));
        assert!(verdict.contains("good"), "{verdict}");
    }
    // The same in a layout.
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = folder.path().join("layout").display().to_string();
    good(&convert(&[&name, &layout]));
    let blob = folder.path().join("layout/blobs").join(index.replace(':', "/"));
    std::fs::remove_file(blob).expect("the SOCI index");
    let report = parse(&convert(&[&layout, "--format", "json"]));
    assert_eq!(report["images"][0]["repaired"], json!([index]));
}

/// The digest of the SOCI index of `app`.
fn soci_index(registry: &TestRegistry) -> String {
    registry.with("app", |content| {
        let mut found = content.manifests.iter().filter(|(_, manifest)| {
            let document: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
            document["config"]["mediaType"] == "application/vnd.amazon.soci.index.v2+json"
        });
        found.next().expect("a SOCI index").0.clone()
    })
}

#[test]
fn the_metadata_file_keeps_all_names_of_a_build() {
    let registry = with_image(Behaviour::default());
    let digest = tag(&registry, "app", "1").expect("a tag");
    registry.with("app", |content| {
        content.tags.insert("2".into(), digest.clone());
        image().store(content, "latest")
    });
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let names = [registry.name("app:1"), registry.name("app:2")].join(",");
    let built = json!({ "containerimage.digest": digest, "image.name": names });
    std::fs::write(path("built.json"), built.to_string()).expect("a temporary folder");
    good(&convert(&[
        "--from-metadata",
        &path("built.json"),
        "--metadata-file",
        &path("meta.json"),
    ]));
    let written = std::fs::read(path("meta.json")).expect("it was written");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(written["image.name"], names.as_str(), "{written}");
}

/// An image with an attestation that names it as its subject; gives the digest of the attestation.
fn attested(content: &mut RepositoryContent, tag: &str) -> String {
    let image = image().store(content, "plain");
    let stored = content.manifests[&image].clone();
    content.add_blob(b"{}");
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let attestation = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2 },
        "layers": [],
        "subject": { "mediaType": stored.media_type, "digest": image, "size": stored.bytes.len() },
    });
    let attestation = attestation.to_string().into_bytes();
    let digest = content.add_manifest("application/vnd.oci.image.manifest.v1+json", &attestation);
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            { "mediaType": stored.media_type, "digest": image, "size": stored.bytes.len(),
              "platform": { "os": "linux", "architecture": "amd64" } },
            { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": attestation.len(),
              "platform": { "os": "unknown", "architecture": "unknown" },
              "annotations": { "vnd.docker.reference.type": "attestation-manifest",
                               "vnd.docker.reference.digest": image } },
        ],
    });
    let index = content.add_manifest(
        "application/vnd.oci.image.index.v1+json",
        index.to_string().as_bytes(),
    );
    content.tags.insert(tag.to_owned(), index);
    digest
}

#[test]
fn attestations_are_put_once_and_leave_no_tags_of_their_own() {
    let registry = TestRegistry::start(Behaviour {
        native_referrers: false,
        ..Behaviour::default()
    });
    let attestation = registry.with("app", |content| attested(content, "1"));
    registry.take_log();
    good(&convert(&[&registry.name("app:1")]));
    good(&convert(&[&registry.name("app:1"), &registry.name("app:2")]));
    let put = |one: &soci_tests::registry::Exchange| one.method == "PUT" && one.path.ends_with(&attestation);
    assert!(!registry.take_log().iter().any(put), "it was there");
    good(&convert(&[&registry.name("app:1"), &registry.name("other:1")]));
    assert!(registry.take_log().iter().any(put), "it was not there");
    for repository in ["app", "other"] {
        let tags: Vec<String> = registry.with(repository, |content| content.tags.keys().cloned().collect());
        assert!(
            !tags.iter().any(|tag| tag.starts_with("sha256-")),
            "{repository}: {tags:?}"
        );
    }
}

#[test]
fn create_takes_prefetch_lists() {
    let registry = with_image(Behaviour::default());
    let name = registry.name("app:1");
    let flags = ["--min-layer-size", "50KiB", "--prefetch-file", "/layer3/file11"];
    let words = [
        &["create", name.as_str(), "--format", "json"][..],
        &flags,
        &["--prefetch-file", "/none"],
    ];
    let output = run(&words.concat());
    let report = parse(&output);
    assert_eq!(
        report["images"][0]["platforms"][0]["prefetchArtifacts"], 1,
        "{report}"
    );
    assert_eq!(report["missingPrefetchFiles"], json!(["/none"]));
    let errors = crate::text(&output.stderr);
    assert!(errors.contains("no layer has the file /none"), "{errors}");
    let shown = crate::in_one_line(&good(&run(&["inspect", &name])));
    assert!(
        shown.contains("SOCI index v1") && shown.contains("spans to fetch at once: 0"),
        "{shown}"
    );
}
