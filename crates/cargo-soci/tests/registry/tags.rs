//! A tag moves only from what was read, and what becomes of it is told as it is.

use std::process::Output;
use std::thread;

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};

use super::{convert, failed, good, run, soci, tag, text, with_image};

#[test]
fn a_registry_that_states_no_digest_with_head_is_asked_for_the_manifest() {
    let registry = with_image(Behaviour {
        head_digest: false,
        ..Behaviour::default()
    });
    let before = tag(&registry, "app", "1");
    good(&convert(&[&registry.name("app:1")]));
    assert_ne!(tag(&registry, "app", "1"), before);

    // Somebody pushes while we convert.
    registry.with("app", |content| {
        content.tags.insert("1".into(), before.clone().unwrap())
    });
    let newer = registry.with("app", |content| {
        MadeImage::new(&[(9, 100_000)]).store(content, "newer")
    });
    let document = registry.with("app", |content| content.manifest("1").unwrap().1.bytes.to_vec());
    registry.with("app", |content| content.tags.insert("1".into(), newer.clone()));
    registry.inject(Fault::new("GET", "/manifests/1", Effect::ReplaceManifest(document)).times(1));
    let errors = failed(&convert(&[&registry.name("app:1")]));
    assert!(errors.contains("was moved"), "{errors}");
    assert_eq!(tag(&registry, "app", "1"), Some(newer));
}

#[test]
fn the_lost_answer_of_an_immutable_tag_is_looked_up() {
    let registry = with_image(Behaviour {
        mutable_tags: false,
        ..Behaviour::default()
    });
    for (number, effect) in [
        Effect::LoseAnswer(503),
        Effect::Deliver(soci_tests::registry::Delivery::Nothing),
    ]
    .into_iter()
    .enumerate()
    {
        let new = format!("new{number}");
        registry.inject(Fault::new("PUT", &format!("/manifests/{new}"), effect).times(1));
        let digest = good(&convert(&[
            &registry.name("app:1"),
            &registry.name(&format!("app:{new}")),
            "-q",
        ]));
        assert_eq!(tag(&registry, "app", &new).as_deref(), Some(digest.trim()));
    }
}

#[test]
fn a_tag_that_is_deleted_meanwhile_stays_so() {
    let registry = with_image(Behaviour::default());
    let document = registry.with("app", |content| content.manifest("1").unwrap().1.bytes.to_vec());
    registry.with("app", |content| content.tags.remove("1"));
    registry.inject(Fault::new("GET", "/manifests/1", Effect::ReplaceManifest(document)).times(1));
    let errors = failed(&convert(&[&registry.name("app:1")]));
    assert!(errors.contains("was deleted"), "{errors}");
    assert_eq!(tag(&registry, "app", "1"), None);
}

#[test]
fn a_refused_attestation_with_inline_data_is_blamed_on_itself() {
    let registry = with_image(Behaviour {
        inline_data: false,
        ..Behaviour::default()
    });
    let manifest = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},"layers":[]}"#;
    let from = TestRegistry::start(Behaviour::default());
    let index = from.with("app", |content| {
        let image = super::image().store(content, "1");
        let (_, stored) = content.manifest(&image).expect("stored above");
        let (size, media_type) = (stored.bytes.len(), stored.media_type.clone());
        content.add_blob(b"{}");
        let attestation = content.add_manifest("application/vnd.oci.image.manifest.v1+json", manifest);
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {"mediaType": media_type, "digest": image, "size": size, "platform": {"os": "linux", "architecture": "amd64"}},
                {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": attestation, "size": manifest.len(),
                 "platform": {"os": "unknown", "architecture": "unknown"},
                 "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image}},
            ],
        });
        let digest = content.add_manifest("application/vnd.oci.image.index.v1+json", index.to_string().as_bytes());
        content.tags.insert("all".into(), digest.clone());
        digest
    });
    let errors = failed(&convert(&[&from.name("app:all"), &registry.name("app:all")]));
    assert!(
        errors.contains("inline (data)")
            && errors.contains("--provenance=false")
            && !errors.contains("subject"),
        "{errors}"
    );
    assert_eq!(tag(&registry, "app", "all"), None);
    assert_eq!(tag(&from, "app", "all"), Some(index));
}

/// A metadata file as buildx writes it.
fn metadata(folder: &std::path::Path, name: &str, digest: &str) -> String {
    let path = folder.join("metadata.json");
    let text = serde_json::json!({"image.name": name, "containerimage.digest": digest}).to_string();
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn nothing_to_index_touches_nothing_whoever_names_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let registry = TestRegistry::start(Behaviour::default());
    let small = registry.with("app", |content| MadeImage::new(&[(1, 3000)]).store(content, "1"));
    let newer = registry.with("app", |content| MadeImage::new(&[(2, 3000)]).store(content, "2"));
    // Somebody pushed again under the tag.
    registry.with("app", |content| content.tags.insert("1".into(), newer.clone()));
    let before = registry.with("app", |content| {
        (content.tags.clone(), content.manifests.len(), content.blobs.len())
    });
    let file = metadata(folder.path(), &registry.name("app:1"), &small);
    let image = registry.name("app:2");
    let target = registry.name("app:3");
    for words in [
        &["convert", "--from-metadata", &file][..],
        &["convert", "--from-metadata", &file, "--name", &target],
        &["convert", &image],
        &["convert", &image, &target],
        &["create", &image],
    ] {
        let output = run(words);
        assert_eq!(
            output.status.code(),
            Some(4),
            "{words:?}: {}",
            text(&output.stderr)
        );
        let after = registry.with("app", |content| {
            (content.tags.clone(), content.manifests.len(), content.blobs.len())
        });
        assert_eq!(after, before, "{words:?}");
    }
    let writes = registry
        .take_log()
        .into_iter()
        .filter(|one| one.method != "GET" && one.method != "HEAD");
    assert_eq!(writes.count(), 0);
}

#[test]
fn a_metadata_file_moves_no_tag_that_names_something_newer() {
    let folder = tempfile::tempdir().unwrap();
    let registry = with_image(Behaviour::default());
    let built = tag(&registry, "app", "1").unwrap();
    let file = metadata(folder.path(), &registry.name("app:1"), &built);
    let newer = registry.with("app", |content| {
        MadeImage::new(&[(9, 100_000)]).store(content, "newer")
    });
    registry.with("app", |content| content.tags.insert("1".into(), newer.clone()));
    let words = ["convert", "--from-metadata", &file, "--min-layer-size", "50KiB"];
    let errors = failed(&run(&words));
    assert!(errors.contains("was moved"), "{errors}");
    assert_eq!(tag(&registry, "app", "1"), Some(newer));
    registry.with("app", |content| content.tags.insert("1".into(), built.clone()));
    good(&run(&words));
    assert_ne!(tag(&registry, "app", "1"), Some(built));
}

#[test]
fn two_hundred_pairs_of_runs_on_one_tag_lose_nothing() {
    let image = || MadeImage::new(&[(1, 60_000)]);
    let mut refused = 0;
    for pair in 0..200 {
        // One registry for a while: its manifests add up.
        let registry = TestRegistry::start(Behaviour {
            conditions: pair % 2 == 0,
            ..Behaviour::default()
        });
        let first = registry.with("app", |content| image().store(content, "1"));
        let name = registry.name("app:1");
        let one = |span: &'static str| {
            let words = [
                "convert",
                &name,
                "-q",
                "--min-layer-size",
                "50KiB",
                "--span-size",
                span,
            ];
            let mut command = soci(&words);
            thread::spawn(move || -> Output { command.output().expect("our program starts") })
        };
        let runs = [one("16KiB"), one("32KiB")].map(|run| run.join().expect("the thread ends"));
        let mut made = Vec::new();
        for output in &runs {
            match output.status.code() {
                Some(0) => made.push(text(&output.stdout).trim().to_owned()),
                Some(3) => {
                    refused += 1;
                    assert!(
                        text(&output.stderr).contains("was moved"),
                        "{}",
                        text(&output.stderr)
                    );
                }
                other => panic!("{other:?}: {}", text(&output.stderr)),
            }
        }
        let named = tag(&registry, "app", "1").expect("the tag is there");
        assert!(
            made.contains(&named),
            "pair {pair}: the tag names {named}, and the runs made {made:?}"
        );
        assert_ne!(named, first);
        registry.with("app", |content| {
            assert!(
                made.iter().all(|digest| content.manifest(digest).is_some()),
                "a result is gone"
            );
        });
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
    }
    println!("{refused} of 400 runs were told that the tag had moved");
}
