//! Uploads in one piece and in parts, mounts, manifests, lists of referrers that several write.

use std::thread;

use soci_image::{Descriptor, Digest};
use soci_registry::block_on;
use soci_registry::{RegistryError, referrers_tag};
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};

use super::{MANIFEST, digest, noise, repository};

fn upload_in_parts(registry: &TestRegistry, bytes: &[u8]) -> Result<(), RegistryError> {
    let repository = repository(registry, "app");
    let mut writer = block_on(repository.begin_blob(&digest(bytes)))?;
    for piece in bytes.chunks(1_000_000) {
        block_on(writer.write(piece))?;
    }
    block_on(writer.commit())
}

fn has(registry: &TestRegistry, repository: &str, bytes: &[u8]) -> bool {
    registry.with(repository, |content| {
        content
            .blobs
            .get(digest(bytes).as_str())
            .is_some_and(|stored| stored.as_slice() == bytes)
    })
}

#[test]
fn small_blobs_go_in_one_put_and_large_ones_in_parts() {
    for relative in [true, false] {
        let registry = TestRegistry::start(Behaviour {
            relative_locations: relative,
            ..Behaviour::default()
        });
        let small = noise(10_000, 1);
        block_on(repository(&registry, "app").put_blob(&digest(&small), &small)).unwrap();
        assert!(has(&registry, "app", &small));
        let methods: Vec<_> = registry
            .take_log()
            .into_iter()
            .map(|exchange| exchange.method)
            .collect();
        assert_eq!(methods, ["GET", "POST", "PUT"]);

        let large = noise(20_000_000, 2);
        upload_in_parts(&registry, &large).unwrap();
        assert!(has(&registry, "app", &large));
        let methods: Vec<_> = registry
            .take_log()
            .into_iter()
            .map(|exchange| exchange.method)
            .collect();
        assert_eq!(methods, ["GET", "POST", "PATCH", "PATCH", "PATCH", "PUT"]);
    }
}

#[test]
fn a_failed_put_is_never_repeated_on_its_session() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(10_000, 3);
    let repository = repository(&registry, "app");
    // Not stored: a new session. Stored, the answer lost: nothing more.
    registry.inject(Fault::new("PUT", "/blobs/uploads/", Effect::TakePart(5000)).times(2));
    block_on(repository.put_blob(&digest(&bytes), &bytes)).unwrap();
    assert!(has(&registry, "app", &bytes));
    let log = registry.take_log();
    assert!(log.iter().all(|exchange| exchange.status != 416));
    assert_eq!(log.iter().filter(|exchange| exchange.method == "POST").count(), 3);

    let other = noise(10_000, 4);
    registry.inject(Fault::new("PUT", "/blobs/uploads/", Effect::LoseAnswer(503)).times(1));
    block_on(repository.put_blob(&digest(&other), &other)).unwrap();
    let log = registry.take_log();
    assert_eq!(log.iter().filter(|exchange| exchange.method == "PUT").count(), 1);
    assert!(has(&registry, "app", &other));
}

#[test]
fn parts_that_arrived_in_part_are_continued_where_they_stopped() {
    for effect in [
        Effect::TakePart(3_000_000),
        Effect::LoseAnswer(502),
        Effect::Refuse(503, Some("0".into())),
        Effect::Refuse(429, Some("1".into())),
    ] {
        let registry = TestRegistry::start(Behaviour::default());
        let bytes = noise(20_000_000, 5);
        registry.inject(
            Fault::new("PATCH", "/blobs/uploads/", effect.clone())
                .after(1)
                .times(1),
        );
        upload_in_parts(&registry, &bytes).unwrap_or_else(|error| panic!("{effect:?}: {error}"));
        assert!(has(&registry, "app", &bytes), "{effect:?}");
        assert!(
            registry.take_log().iter().all(|exchange| exchange.status != 416),
            "{effect:?}"
        );
    }
}

#[test]
fn a_session_that_is_gone_is_reported_as_lost() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(20_000_000, 6);
    registry.inject(Fault::new("PATCH", "/blobs/uploads/", Effect::Refuse(500, None)).after(1));
    registry.inject(Fault::new("GET", "/blobs/uploads/", Effect::Refuse(404, None)));
    let error = upload_in_parts(&registry, &bytes).unwrap_err();
    assert!(matches!(error, RegistryError::UploadLost { .. }), "{error}");
    assert!(!has(&registry, "app", &bytes));
}

#[test]
fn blobs_are_mounted_or_an_upload_is_open() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(1000, 7);
    registry.with("from", |content| content.add_blob(&bytes));
    let repository = repository(&registry, "app");
    assert!(
        block_on(repository.mount(&digest(&bytes), "from"))
            .unwrap()
            .is_none()
    );
    assert!(has(&registry, "app", &bytes));

    registry.behave(|behaviour| behaviour.mounts = false);
    let other = noise(1000, 8);
    registry.with("from", |content| content.add_blob(&other));
    let mut writer = block_on(repository.mount(&digest(&other), "from"))
        .unwrap()
        .expect("a 202 is no mount");
    assert!(!has(&registry, "app", &other));
    block_on(writer.write(&other)).unwrap();
    block_on(writer.commit()).unwrap();
    assert!(has(&registry, "app", &other));
}

#[test]
fn blobs_with_another_digest_are_refused_by_the_registry() {
    let registry = TestRegistry::start(Behaviour::default());
    let repository = repository(&registry, "app");
    let error = block_on(repository.put_blob(&digest(b"one"), b"two")).unwrap_err();
    assert!(error.to_string().contains("DIGEST_INVALID"), "{error}");
}

#[test]
fn manifests_are_stored_and_refusals_name_the_next_step() {
    let registry = TestRegistry::start(Behaviour {
        mutable_tags: false,
        ..Behaviour::default()
    });
    let repository = repository(&registry, "app");
    let put = |tag, bytes| block_on(repository.put_tag(tag, MANIFEST, bytes, None));
    put("1", b"{}").unwrap();
    put("1", b"{}").unwrap();
    let error = put("1", b"{\"schemaVersion\":2}").unwrap_err();
    assert!(
        matches!(&error, RegistryError::ImmutableTag { tag, .. } if tag == "1"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("new tag"));

    let error = put("2", br#"{"layers":[{"digest":"sha256:00"}]}"#).unwrap_err();
    assert!(error.to_string().contains("MANIFEST_BLOB_UNKNOWN"), "{error}");

    registry.inject(Fault::new("PUT", "/manifests/", Effect::Refuse(503, Some("0".into()))).times(3));
    put("3", b"{}").unwrap();
    let denied = r#"{"errors":[{"code":"DENIED","message":"no push for you"}]}"#;
    registry.inject(Fault::new(
        "PUT",
        "/manifests/",
        Effect::RefuseWith(403, denied.into()),
    ));
    let error = put("4", b"{}").unwrap_err();
    assert!(error.to_string().contains("no push for you"), "{error}");
    assert!(error.help().unwrap().contains("may push"));
}

fn referrer(subject: &Digest, number: usize) -> (Descriptor, Vec<u8>) {
    let bytes = format!(r#"{{"artifactType":"soci/type","n":{number},"subject":{{"digest":"{subject}"}}}}"#)
        .into_bytes();
    let mut descriptor = Descriptor::of(MANIFEST, &bytes);
    descriptor.artifact_type = "soci/type".into();
    (descriptor, bytes)
}

#[test]
fn referrers_reach_the_list_natively_and_by_tag() {
    for native in [true, false] {
        let registry = TestRegistry::start(Behaviour {
            native_referrers: native,
            ..Behaviour::default()
        });
        let repository = repository(&registry, "app");
        let subject = digest(b"{}");
        for number in [0, 1, 0] {
            let (descriptor, bytes) = referrer(&subject, number);
            block_on(repository.put_referrer(&subject, &descriptor, &bytes)).unwrap();
        }
        let listed = block_on(repository.referrers(&subject, "soci/type")).unwrap();
        assert_eq!(listed.len(), 2, "native: {native}");
        let tagged = registry.with("app", |content| {
            content.tags.contains_key(&referrers_tag(&subject))
        });
        assert_eq!(tagged, !native);
    }
}

#[test]
fn writers_of_one_list_do_not_lose_each_others_entries() {
    for conditions in [true, false] {
        let behaviour = Behaviour {
            native_referrers: false,
            conditions,
            ..Behaviour::default()
        };
        let registry = TestRegistry::start(behaviour);
        let subject = digest(b"{}");
        thread::scope(|scope| {
            for number in 0..6 {
                let (registry, subject) = (&registry, &subject);
                scope.spawn(move || {
                    let (descriptor, bytes) = referrer(subject, number);
                    let repository = repository(registry, "app");
                    block_on(repository.put_referrer(subject, &descriptor, &bytes)).unwrap();
                });
            }
        });
        let listed = block_on(repository(&registry, "app").referrers(&subject, "soci/type")).unwrap();
        assert_eq!(listed.len(), 6, "conditions: {conditions}");
    }
}

#[test]
fn a_tag_that_is_no_list_is_not_touched() {
    let registry = TestRegistry::start(Behaviour {
        native_referrers: false,
        ..Behaviour::default()
    });
    let subject = digest(b"{}");
    let tag = referrers_tag(&subject);
    registry.with("app", |content| {
        let digest = content.add_manifest(MANIFEST, b"{\"config\":{}}");
        content.tags.insert(tag.clone(), digest);
    });
    let (descriptor, bytes) = referrer(&subject, 0);
    let error =
        block_on(repository(&registry, "app").put_referrer(&subject, &descriptor, &bytes)).unwrap_err();
    assert!(error.to_string().contains("it was not touched"), "{error}");
}

#[test]
fn registries_that_take_no_subjects_say_so_clearly() {
    let registry = TestRegistry::start(Behaviour {
        subjects: false,
        ..Behaviour::default()
    });
    let subject = digest(b"{}");
    let (descriptor, bytes) = referrer(&subject, 0);
    let error =
        block_on(repository(&registry, "app").put_referrer(&subject, &descriptor, &bytes)).unwrap_err();
    assert!(matches!(error, RegistryError::NoSubjects { .. }), "{error}");
    assert!(error.help().unwrap().contains("convert"));
}
