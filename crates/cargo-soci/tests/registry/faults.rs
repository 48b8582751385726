//! Each fault is survived or is the right error; afterwards there is the complete new image or no new tag.

use std::time::Duration;

use soci_tests::registry::{Behaviour, Delivery, Effect, Fault, TestRegistry, TokenRules};

use crate::{convert, expected, failed, good, image, soci, tag, text, with_image};

/// Converts `app:1` to `app:2` and checks what must hold whatever happened.
fn run(registry: &TestRegistry, more: &[&str]) -> std::process::Output {
    let (from, to) = (registry.name("app:1"), registry.name("app:2"));
    let output = convert(&[&[from.as_str(), to.as_str(), "-q"], more].concat());
    assert_eq!(registry.broken_tags(), Vec::<String>::new());
    let tagged = tag(registry, "app", "2");
    assert_eq!(
        output.status.success(),
        tagged.is_some(),
        "{}",
        text(&output.stderr)
    );
    output
}

#[test]
fn what_passes_is_survived_and_gives_the_same_image() {
    let expected = expected();
    let cases: Vec<(&str, Behaviour, Vec<Fault>)> = vec![
        (
            "referrers",
            Behaviour {
                native_referrers: false,
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "cut bodies",
            Behaviour {
                cuts: 15,
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "redirects that expire",
            Behaviour {
                redirects: true,
                cuts: 10,
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "no ranges",
            Behaviour {
                ranges: false,
                cuts: 3,
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "absolute locations",
            Behaviour {
                relative_locations: false,
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "anonymous tokens that end after three requests",
            Behaviour {
                tokens: Some(TokenRules { user: None, uses: 3 }),
                ..Behaviour::default()
            },
            vec![],
        ),
        (
            "429 with Retry-After",
            Behaviour::default(),
            vec![
                Fault::new("", "/", Effect::Refuse(429, Some("1".into())))
                    .after(7)
                    .times(3),
            ],
        ),
        (
            "503",
            Behaviour::default(),
            vec![Fault::new("", "/", Effect::Refuse(503, None)).after(11).times(2)],
        ),
        (
            "closed connections",
            Behaviour::default(),
            vec![
                Fault::new("", "/", Effect::Deliver(Delivery::Nothing))
                    .after(5)
                    .times(3),
            ],
        ),
        (
            "a PUT whose answer is lost, and one that arrives in part",
            Behaviour::default(),
            vec![
                Fault::new("PUT", "/uploads/", Effect::LoseAnswer(502)).times(1),
                Fault::new("PUT", "/uploads/", Effect::TakePart(100)).times(2),
            ],
        ),
    ];
    for (name, behaviour, faults) in cases {
        let registry = with_image(behaviour);
        for fault in faults {
            registry.inject(fault);
        }
        let output = run(&registry, &[]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout).trim(), expected, "{name}");
        let log = registry.take_log();
        assert!(
            log.iter().all(|exchange| exchange.status != 416),
            "{name}: a PUT was repeated"
        );
    }
}

#[test]
fn a_layer_with_other_bytes_ends_the_run_before_anything_is_published() {
    let registry = with_image(Behaviour::default());
    let digest = image().layer_digests()[2].clone();
    registry.inject(Fault::new("GET", &digest, Effect::Corrupt));
    let errors = failed(&run(&registry, &[]));
    assert!(errors.contains(&digest[..19]), "{errors}");
}

#[test]
fn what_cannot_be_is_the_right_error() {
    let denied = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    let unknown =
        r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'app' does not exist"}]}"#;
    let huge = vec![b' '; (4 << 20) + 1];
    let cases: Vec<(Fault, &[&str])> = vec![
        (
            Fault::new("PUT", "/manifests/", Effect::RefuseWith(403, denied.into())),
            &["denied", "may push"],
        ),
        (
            Fault::new("POST", "/uploads/", Effect::RefuseWith(404, unknown.into())),
            &["does not exist", "create"],
        ),
        (
            Fault::new("GET", "/manifests/1", Effect::Replace(huge)),
            &["more than 4194304 bytes"],
        ),
        (
            Fault::new("GET", "/manifests/1", Effect::Deliver(Delivery::Endless)),
            &["more than 4194304 bytes"],
        ),
        (Fault::new("GET", "/manifests/1", Effect::Corrupt), &["digest"]),
        (
            Fault::new("GET", "/manifests/1", Effect::Replace(b"hello".to_vec())),
            &["digest"],
        ),
        (
            Fault::new("", "/blobs/", Effect::Refuse(429, Some("3600".into()))),
            &["429", "limits requests"],
        ),
    ];
    for (fault, words) in cases {
        let registry = with_image(Behaviour::default());
        registry.inject(fault.clone());
        let errors = failed(&run(&registry, &[]));
        for word in words {
            assert!(errors.contains(word), "{fault:?}: {errors}");
        }
    }
}

#[test]
fn a_body_that_stops_coming_is_given_up_in_the_end() {
    let registry = with_image(Behaviour::default());
    let digest = image().layer_digests()[0].clone();
    // Always cut at the same place, without progress.
    registry.inject(Fault::new("GET", &digest, Effect::Deliver(Delivery::Cut(0))));
    let errors = failed(&run(&registry, &[]));
    assert!(
        errors.contains("attempts") && errors.contains(&digest),
        "{errors}"
    );
}

#[test]
fn immutable_tags_lead_to_a_new_tag() {
    let registry = with_image(Behaviour {
        mutable_tags: false,
        ..Behaviour::default()
    });
    let before = tag(&registry, "app", "1");
    let errors = failed(&convert(&[&registry.name("app:1")]));
    assert!(
        errors.contains("cannot be overwritten") && errors.contains("new tag"),
        "{errors}"
    );
    assert_eq!(tag(&registry, "app", "1"), before);
    good(&convert(&[&registry.name("app:1"), &registry.name("app:1-soci")]));
}

#[test]
fn a_tag_that_somebody_moved_meanwhile_is_left_alone() {
    let registry = with_image(Behaviour::default());
    let other = registry.with("app", |content| {
        let digest = soci_tests::images::MadeImage::new(&[(9, 100_000)]).store(content, "other");
        // The tag's first reader sees the image, everybody after it the other one.
        digest
    });
    let document = registry.with("app", |content| {
        let (_, stored) = content.manifest("1").expect("stored above");
        stored.bytes.as_ref().clone()
    });
    registry.with("app", |content| content.tags.insert("1".into(), other.clone()));
    registry.inject(Fault::new("GET", "/manifests/1", Effect::ReplaceManifest(document)).times(1));
    let errors = failed(&convert(&[&registry.name("app:1")]));
    assert!(errors.contains("was moved"), "{errors}");
    assert_eq!(tag(&registry, "app", "1"), Some(other));
}

#[test]
fn registries_without_subjects_are_named_when_v1_is_asked_for() {
    let registry = with_image(Behaviour {
        subjects: false,
        ..Behaviour::default()
    });
    let name = registry.name("app:1");
    let errors = failed(&crate::run(&["create", &name, "--min-layer-size", "50KiB"]));
    assert!(
        errors.contains("subject") && errors.contains("convert"),
        "{errors}"
    );
}

#[test]
fn a_registry_that_falls_silent_does_not_hold_ctrl_c_up() {
    let registry = with_image(Behaviour {
        link: Some((20_000, Duration::ZERO)),
        ..Behaviour::default()
    });
    let mut child = soci(&[
        "convert",
        &registry.name("app:1"),
        &registry.name("app:2"),
        "--min-layer-size",
        "0",
    ])
    .spawn()
    .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let begun = std::time::Instant::now();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(tag(&registry, "app", "2"), None);
}

#[test]
fn no_secret_is_printed_by_the_most_talkative_run() {
    let user = Some(("robot".to_owned(), "hunter2".to_owned()));
    let registry = with_image(Behaviour {
        tokens: Some(TokenRules { user, uses: 4 }),
        redirects: true,
        cuts: 4,
        ..Behaviour::default()
    });
    let name = registry.name("app:1");
    let mut outputs = Vec::new();
    let words = [
        "convert",
        &name,
        "--min-layer-size",
        "50KiB",
        "--progress",
        "plain",
        "-vv",
    ];
    outputs.push(
        soci(&words)
            .env("CARGO_SOCI_USERNAME", "robot")
            .env("CARGO_SOCI_PASSWORD", "hunter2")
            .output(),
    );
    outputs.push(
        soci(&words)
            .env("CARGO_SOCI_USERNAME", "robot")
            .env("CARGO_SOCI_PASSWORD", "hunter2wrong")
            .output(),
    );
    let auth = format!(
        r#"{{"auths": {{"{}": {{"auth": "cm9ib3Q6aHVudGVyMg=="}}}}}}"#,
        registry.host()
    );
    outputs.push(soci(&words).env("DOCKER_AUTH_CONFIG", auth).output());
    let shown: String = outputs
        .into_iter()
        .map(|output| {
            let output = output.expect("our program starts");
            text(&output.stdout) + &text(&output.stderr)
        })
        .collect();
    assert!(
        shown.contains("GET http://") && shown.contains("refuses the login"),
        "{shown}"
    );
    for secret in [
        "hunter2",
        "cm9ib3Q6aHVudGVyMg",
        "token-",
        "Bearer ",
        "X-Signature=",
        "_state=",
    ] {
        assert!(!shown.contains(secret), "{secret} is printed:\n{shown}");
    }
}
