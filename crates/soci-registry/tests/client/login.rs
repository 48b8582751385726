//! Basic and bearer logins, expiry, refusals, and that no secret is shown.

use soci_image::Reference;
use soci_registry::block_on;
use soci_registry::credentials::{Credential, Keychain};
use soci_registry::{RegistryError, Secret};
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry, TokenRules};

use super::{MANIFEST, Setup, digest, noise, read_blob};

pub(super) fn keychain(host: &str, username: &str, password: &str) -> Keychain {
    let credential = Credential::Basic {
        username: username.into(),
        password: Secret::new(password),
    };
    Keychain::anonymous().with_explicit(host, credential, "the test")
}

fn with_tokens(uses: usize) -> TestRegistry {
    let user = Some(("user".into(), "hunter2".into()));
    TestRegistry::start(Behaviour {
        tokens: Some(TokenRules { user, uses }),
        ..Behaviour::default()
    })
}

#[test]
fn tokens_that_end_mid_run_are_fetched_again() {
    let registry = with_tokens(3);
    let bytes = noise(400_000, 1);
    registry.with("app", |content| content.add_blob(&bytes));
    registry.behave(|behaviour| behaviour.cuts = 10);
    let keychain = keychain(&registry.host(), "user", "hunter2");
    let repository = Setup {
        keychain,
        ..Setup::default()
    }
    .repository(&registry, "app");
    assert_eq!(
        read_blob(&repository, &digest(&bytes), bytes.len()).unwrap(),
        bytes
    );
    for number in 0..10 {
        let small = noise(1000, 10 + number);
        block_on(repository.put_blob(&digest(&small), &small)).unwrap();
    }
    let large = noise(20_000_000, 2);
    let mut writer = block_on(repository.begin_blob(&digest(&large))).unwrap();
    for piece in large.chunks(5_000_000) {
        registry.expire_tokens();
        block_on(writer.write(piece)).unwrap();
    }
    block_on(writer.commit()).unwrap();
    assert_eq!(registry.with("app", |content| content.blobs.len()), 12);
    let tokens = registry
        .take_log()
        .iter()
        .filter(|exchange| exchange.path == "/token")
        .count();
    assert!(tokens > 8, "{tokens} tokens");
}

#[test]
fn a_token_is_used_for_all_requests_of_its_scope() {
    let registry = with_tokens(1000);
    registry.with("app", |content| {
        let digest = content.add_manifest(MANIFEST, b"{}");
        content.tags.insert("1".into(), digest);
    });
    let keychain = keychain(&registry.host(), "user", "hunter2");
    let repository = Setup {
        keychain,
        ..Setup::default()
    }
    .repository(&registry, "app");
    for _ in 0..5 {
        block_on(repository.manifest_by_tag("1")).unwrap();
    }
    let log = registry.take_log();
    assert_eq!(log.iter().filter(|exchange| exchange.path == "/token").count(), 1);
    assert_eq!(log.iter().filter(|exchange| exchange.status == 401).count(), 1);
}

#[test]
fn refused_logins_say_what_was_tried_and_what_to_do() {
    for registry in [
        with_tokens(3),
        TestRegistry::start(Behaviour {
            basic: Some(("user".into(), "hunter2".into())),
            ..Behaviour::default()
        }),
    ] {
        let wrong = Setup {
            keychain: keychain(&registry.host(), "user", "wrong-secret"),
            ..Setup::default()
        };
        let error = block_on(wrong.repository(&registry, "app").manifest_by_tag("1")).unwrap_err();
        let RegistryError::Login { tried, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            tried.last().map(String::as_str),
            Some("the test: refused by the registry")
        );
        assert!(error.help().unwrap().contains("docker login"));
        assert!(!format!("{error} {error:?}").contains("wrong-secret"));

        let nobody = Setup::default().repository(&registry, "app");
        let error = block_on(nobody.manifest_by_tag("1")).unwrap_err();
        assert!(error.to_string().contains("without a login"), "{error}");
    }
}

#[test]
fn no_secret_is_shown_in_any_line_of_the_trace_or_any_error() {
    let registry = with_tokens(2);
    registry.behave(|behaviour| {
        behaviour.redirects = true;
        behaviour.cuts = 5;
    });
    let bytes = noise(100_000, 3);
    registry.with("app", |content| content.add_blob(&bytes));
    let setup = Setup {
        keychain: keychain(&registry.host(), "user", "hunter2"),
        ..Setup::default()
    };
    let (client, lines) = setup.client();
    let reference = Reference::parse(&registry.name("app")).unwrap();
    let repository = block_on(client.repository(&reference)).unwrap();
    read_blob(&repository, &digest(&bytes), bytes.len()).unwrap();
    block_on(repository.put_blob(&digest(b"x"), b"x")).unwrap();
    registry.inject(Fault::new("", "/data", Effect::Refuse(403, None)));
    let error = read_blob(&repository, &digest(&bytes), bytes.len()).unwrap_err();
    registry.inject(Fault::new(
        "",
        "/token",
        Effect::RefuseWith(200, "{\"token\": \"bad hunter2\"".into()),
    ));
    registry.expire_tokens();
    let other = read_blob(&repository, &digest(&bytes), bytes.len()).unwrap_err();
    let shown = format!(
        "{}\n{error} {error:?}\n{other} {other:?}",
        lines.lock().unwrap().join("\n")
    );
    assert!(
        shown.contains("/blobs/uploads/?…") || shown.contains("?…"),
        "{shown}"
    );
    // The password alone and in its header; tokens; signatures of addresses; upload states.
    for secret in [
        "hunter2",
        "dXNlcjpodW50ZXIy",
        "token-",
        "X-Signature",
        "_state",
        "Basic ",
        "Bearer ",
    ] {
        assert!(!shown.contains(secret), "{secret} is shown:\n{shown}");
    }
}

#[test]
fn a_realm_over_plain_http_elsewhere_gets_no_credentials() {
    let registry = TestRegistry::start(Behaviour::default());
    let keychain = keychain(&registry.host(), "user", "hunter2");
    let (client, lines) = Setup {
        keychain,
        ..Setup::default()
    }
    .client();
    let challenge = "Bearer realm=\"http://auth.example/token\",service=\"s\"";
    registry.behave(|behaviour| behaviour.challenge = Some(challenge.into()));
    let reference = Reference::parse(&registry.name("app")).unwrap();
    let repository = block_on(client.repository(&reference)).unwrap();
    let error = block_on(repository.manifest_by_tag("1")).unwrap_err();
    assert!(
        matches!(&error, RegistryError::Insecure { host, .. } if host.as_str() == "auth.example"),
        "{error}"
    );
    assert!(
        lines
            .lock()
            .unwrap()
            .iter()
            .all(|line| !line.contains("auth.example"))
    );
}
