//! What servers and helpers do to a run: they get no login, say nothing to a CI system, and hold nobody up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use soci_tests::registry::{Asks, Behaviour, Delivery, Effect, Fault, TestRegistry, TokenRules};

use super::{good, soci, tag, text, with_image};

const SECRETS: &[&str] = &["hunter2", "cm9ib3Q6aHVudGVyMi1pcy1sb25n", "token-"];

fn with_login() -> TestRegistry {
    let user = Some(("robot".to_owned(), "hunter2-is-long".to_owned()));
    with_image(Behaviour {
        tokens: Some(TokenRules { user, uses: 1000 }),
        ..Behaviour::default()
    })
}

fn logged_in(words: &[&str]) -> Command {
    let mut command = soci(
        &[
            words,
            &["--min-layer-size", "50KiB", "--progress", "plain", "-vv"],
        ]
        .concat(),
    );
    command
        .env("CARGO_SOCI_USERNAME", "robot")
        .env("CARGO_SOCI_PASSWORD", "hunter2-is-long");
    command
}

#[test]
fn nobody_else_gets_the_login_and_no_line_shows_it() {
    for asks in [Asks::Basic, Asks::Bearer] {
        for fault in ["download", "upload", "echo"] {
            let registry = with_login();
            registry.behave(|behaviour| {
                behaviour.elsewhere_asks = Some(asks);
                behaviour.redirects = fault == "download";
                behaviour.uploads_elsewhere = fault == "upload";
            });
            if fault == "echo" {
                registry.inject(Fault::new("GET", "/blobs/", Effect::Echo(403)));
            }
            let name = registry.name("app:1");
            let output = logged_in(&["convert", &name]).output().unwrap();
            let shown = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{shown}");
            for secret in SECRETS {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            for one in registry.take_log().iter().filter(|one| one.elsewhere) {
                assert!(
                    SECRETS.iter().all(|secret| !one.said.contains(secret)),
                    "{}",
                    one.said
                );
            }
        }
    }
}

#[test]
fn a_login_for_a_registry_is_not_for_the_one_that_a_file_names() {
    let registry = with_login();
    let folder = tempfile::tempdir().unwrap();
    let digest = tag(&registry, "app", "1").unwrap();
    let file = folder.path().join("metadata.json");
    let json = serde_json::json!({"image.name": registry.name("app:1"), "containerimage.digest": digest});
    fs::write(&file, json.to_string()).unwrap();
    let file = file.display().to_string();
    let words = ["convert", "--from-metadata", &file];
    let refused = logged_in(&words).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("CARGO_SOCI_LOGIN_REGISTRY"));
    assert!(registry.take_log().is_empty(), "somebody was asked");
    let named = logged_in(&words)
        .env("CARGO_SOCI_LOGIN_REGISTRY", registry.host())
        .output()
        .unwrap();
    assert!(named.status.success(), "{}", text(&named.stderr));
}

#[test]
fn words_of_a_registry_are_no_commands() {
    let registry = with_image(Behaviour::default());
    let words =
        "::error::x\n::set-output name=a::b ##[error]y\u{9b}2J\u{202e}\u{2028}##vso[task.setvariable]z";
    let body = serde_json::json!({"errors": [{"code": "", "message": words}]}).to_string();
    registry.inject(Fault::new("GET", "/manifests/", Effect::RefuseWith(400, body)));
    for words in [
        &["inspect"][..],
        &["verify"],
        &["convert"],
        &["inspect", "--format", "json"],
    ] {
        let name = registry.name("app:1");
        let output = soci(&[words, &[&name, "-vv"]].concat()).output().unwrap();
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(shown.contains("set-output"), "the words are quoted: {shown}");
        for line in shown.lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
        }
        for mark in ["##[", "##vso[", "\u{9b}", "\u{202e}", "\u{2028}"] {
            assert!(!shown.contains(mark), "{mark:?} in {shown}");
        }
    }
}

#[test]
fn a_login_page_in_the_place_of_referrers_stops_nobody() {
    for effect in [
        Effect::Redirect("/login".into()),
        Effect::RefuseWith(200, "<!doctype html><title>Sign in</title>".into()),
        Effect::RefuseWith(500, String::new()),
        Effect::AnswerWith(307, "Location", "http://registry.example/".into()),
    ] {
        let registry = with_image(Behaviour::default());
        registry.inject(Fault::new(
            "GET",
            "/login",
            Effect::RefuseWith(200, "<html></html>".into()),
        ));
        registry.inject(Fault::new("GET", "/referrers/", effect));
        let name = registry.name("app:1");
        let output = soci(&["convert", &name, "--min-layer-size", "50KiB", "-v"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains("going on as if there were none"),
            "{}",
            text(&output.stderr)
        );
        good(&soci(&["inspect", &name]).output().unwrap());
    }
}

#[test]
fn junk_at_the_destination_stops_nobody() {
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let index = "application/vnd.oci.image.index.v1+json";
    let missing = format!("sha256:{}", "0".repeat(64));
    let child = serde_json::json!({"mediaType": manifest, "digest": missing, "size": 7});
    for (media_type, bytes) in [
        ("application/json", b"not json at all".to_vec()),
        ("text/html", b"<!doctype html>".to_vec()),
        (manifest, b"{}".to_vec()),
        (
            manifest,
            serde_json::json!({"config": child, "layers": [child]})
                .to_string()
                .into_bytes(),
        ),
        (
            index,
            serde_json::json!({"schemaVersion": 2, "mediaType": index, "manifests": [child]})
                .to_string()
                .into_bytes(),
        ),
        (index, vec![b' '; 5 << 20]),
    ] {
        let registry = with_image(Behaviour::default());
        registry.with("app", |content| {
            let digest = content.add_manifest(media_type, &bytes);
            content.tags.insert("2".into(), digest);
        });
        let (from, to) = (registry.name("app:1"), registry.name("app:2"));
        let output = soci(&["convert", &from, &to, "--min-layer-size", "50KiB", "-v"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{media_type}: {}", text(&output.stderr));
    }
}

/// A credential helper of this name.
fn helper(folder: &Path, name: &str, script: &str) {
    let program = folder.join(format!("docker-credential-{name}"));
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn with_helper(folder: &Path, name: &str, command: &mut Command) {
    fs::write(
        folder.join("config.json"),
        format!("{{\"credsStore\": \"{name}\"}}"),
    )
    .unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("DOCKER_CONFIG", folder)
        .env("PATH", format!("{}:{path}", folder.display()));
}

#[test]
fn a_helper_that_fails_is_as_if_it_were_not_there() {
    let folder = tempfile::tempdir().unwrap();
    helper(
        folder.path(),
        "talks",
        "echo 'my password is hunter2'; echo hunter2 >&2; exit 1",
    );
    let registry = with_image(Behaviour {
        tokens: Some(TokenRules {
            user: None,
            uses: 1000,
        }),
        ..Behaviour::default()
    });
    let name = registry.name("app:1");
    let mut command = soci(&["inspect", &name, "-v"]);
    with_helper(folder.path(), "talks", &mut command);
    let output = command.output().unwrap();
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    assert!(
        shown.contains("docker-credential-talks") && shown.contains("going on without it"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_signal_ends_a_run_wherever_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    helper(folder.path(), "hangs", "exec sleep 600");
    let dribble = Duration::from_millis(20);
    for (place, signal, effect) in [
        (
            "header",
            "-INT",
            Some(Effect::Deliver(Delivery::SlowHeader(dribble))),
        ),
        (
            "body",
            "-TERM",
            Some(Effect::Deliver(Delivery::Silence(Duration::from_secs(60)))),
        ),
        (
            "trailers",
            "-INT",
            Some(Effect::Deliver(Delivery::Trailers(dribble))),
        ),
        ("pause", "-TERM", Some(Effect::Refuse(503, Some("100".into())))),
        ("helper", "-INT", None),
    ] {
        let registry = with_image(Behaviour::default());
        let name = registry.name("app:1");
        let mut command = soci(&["convert", &name, "--min-layer-size", "50KiB"]);
        match effect {
            Some(effect) => registry.inject(Fault::new("GET", "/v2/app/", effect)),
            None => {
                registry.behave(|behaviour| behaviour.basic = Some(("a".into(), "b".into())));
                with_helper(folder.path(), "hangs", &mut command);
            }
        }
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(700));
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success(),
            "{place} had ended"
        );
        let begun = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{place}");
        // Two seconds, and what a busy machine adds.
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{place} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn what_nobody_asked_for_stops_nobody() {
    let expected = super::expected();
    let flags = ["--min-layer-size", "50KiB", "--span-size", "256KiB"];
    let html = || b"<!doctype html><title>Sign in</title>".to_vec();
    for (what, fault) in [
        (
            "referrers refused",
            Fault::new("GET", "/referrers/", Effect::Refuse(403, None)),
        ),
        (
            "referrers are a page",
            Fault::new("GET", "/referrers/", Effect::Replace(html())),
        ),
        (
            "referrers redirected",
            Fault::new("GET", "/referrers/", Effect::Redirect("/login".into())),
        ),
        (
            "a broken list",
            Fault::new("GET", "/manifests/sha256-", Effect::Replace(html())),
        ),
        (
            "a broken SOCI index v1",
            Fault::new("GET", "/manifests/V1", Effect::Replace(html())),
        ),
        (
            "a SOCI index v1 refused",
            Fault::new("GET", "/manifests/V1", Effect::Refuse(403, None)),
        ),
        (
            "its zTOCs refused",
            Fault::new("GET", "/blobs/ZTOC", Effect::Refuse(403, None)),
        ),
        (
            "its zTOCs are others",
            Fault::new("GET", "/blobs/ZTOC", Effect::Corrupt),
        ),
    ] {
        for native_referrers in [true, false] {
            let registry = with_image(Behaviour {
                native_referrers,
                ..Behaviour::default()
            });
            let name = registry.name("app:1");
            let v1 = good(&super::run(
                &[&["create", name.as_str(), "-q"][..], &flags].concat(),
            ));
            let ztoc = registry.with("app", |content| {
                let index: serde_json::Value =
                    serde_json::from_slice(&content.manifests[&v1].bytes).expect("JSON");
                index["layers"][0]["digest"].as_str().expect("a zTOC").to_owned()
            });
            registry.inject(
                fault
                    .clone()
                    .at(|path| path.replace("V1", &v1).replace("ZTOC", &ztoc)),
            );
            let output = super::convert(&[&name, "-q"]);
            assert_eq!(good(&output), expected, "{what}");
            registry.heal();
            let verdict = good(&super::run(&["verify", &name]));
            assert!(verdict.contains("good"), "{what}: {verdict}");
        }
    }
}
