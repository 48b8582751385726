//! Nobody but the registry and its token server gets the login, however somebody else asks for it.

use soci_registry::{RegistryError, block_on};
use soci_tests::registry::{Asks, Behaviour, Effect, Exchange, Fault, TestRegistry, TokenRules};

use super::login::keychain;
use super::{MANIFEST, Setup, digest, noise, read_blob};

/// What must not leave: the password, user and password in base64, tokens.
const SECRETS: &[&str] = &[
    "hunter2-hunter2",
    "dXNlcjpodW50ZXIyLWh1bnRlcjI",
    "Basic ",
    "Bearer ",
    "token-",
];

/// A registry with a login of one kind, behind which somebody else asks for one of another.
fn registry(own: Asks, elsewhere: Asks) -> TestRegistry {
    let user = ("user".to_owned(), "hunter2-hunter2".to_owned());
    TestRegistry::start(Behaviour {
        basic: (own == Asks::Basic).then(|| user.clone()),
        tokens: (own == Asks::Bearer).then(|| TokenRules {
            user: Some(user.clone()),
            uses: 1000,
        }),
        elsewhere_asks: Some(elsewhere),
        ..Behaviour::default()
    })
}

fn each_pair(check: impl Fn(&TestRegistry, Setup)) {
    for own in [Asks::Basic, Asks::Bearer] {
        for elsewhere in [Asks::Basic, Asks::Bearer] {
            let registry = registry(own, elsewhere);
            let keychain = keychain(&registry.host(), "user", "hunter2-hunter2");
            check(
                &registry,
                Setup {
                    keychain,
                    attempts: 2,
                    ..Setup::default()
                },
            );
            let log = registry.take_log();
            assert!(
                log.iter().any(|one| one.elsewhere),
                "nobody was sent to the other host"
            );
            for one in log.iter().filter(|one| one.elsewhere) {
                assert_clean(one);
            }
        }
    }
}

fn assert_clean(exchange: &Exchange) {
    for secret in SECRETS {
        assert!(
            !exchange.said.contains(secret),
            "{secret} went elsewhere: {}",
            exchange.said
        );
    }
    assert_ne!(exchange.path, "/token", "a token was asked for elsewhere");
}

fn assert_foreign(error: &RegistryError, registry: &TestRegistry) {
    assert!(
        matches!(error, RegistryError::ForeignChallenge { other, .. } if other.as_str() == registry.other_host()),
        "{error}"
    );
}

#[test]
fn a_download_that_is_sent_elsewhere_takes_no_login_along() {
    each_pair(|registry, setup| {
        let bytes = noise(10_000, 1);
        registry.with("app", |content| content.add_blob(&bytes));
        registry.behave(|behaviour| behaviour.redirects = true);
        let repository = setup.repository(registry, "app");
        for _ in 0..2 {
            let error = read_blob(&repository, &digest(&bytes), bytes.len()).unwrap_err();
            assert_foreign(&error, registry);
        }
    });
}

#[test]
fn an_upload_that_is_sent_elsewhere_takes_no_login_along() {
    each_pair(|registry, setup| {
        registry.behave(|behaviour| {
            behaviour.uploads_elsewhere = true;
            behaviour.mounts = false;
        });
        let repository = setup.repository(registry, "app");
        let bytes = noise(20_000_000, 2);
        let error = block_on(repository.put_blob(&digest(b"x"), b"x")).unwrap_err();
        assert_foreign(&error, registry);
        let mut writer = block_on(repository.mount(&digest(&bytes), "other"))
            .unwrap()
            .unwrap();
        let error = block_on(writer.write(&bytes)).unwrap_err();
        assert_foreign(&error, registry);
    });
}

#[test]
fn manifests_and_pages_of_a_list_that_lie_elsewhere_take_no_login_along() {
    each_pair(|registry, setup| {
        registry.with("app", |content| {
            let digest = content.add_manifest(MANIFEST, b"{}");
            content.tags.insert("1".into(), digest);
        });
        let other = registry.other_host();
        let link = format!("<http://{other}/v2/app/referrers/next>; rel=\"next\"");
        registry.inject(Fault::new("GET", "/referrers/", Effect::Add("Link", link)));
        registry.inject(Fault::new(
            "GET",
            "/manifests/",
            Effect::Redirect(format!("http://{other}/m")),
        ));
        let repository = setup.repository(registry, "app");
        let error = block_on(repository.referrers(&digest(b"{}"), "a/b")).unwrap_err();
        assert!(error.to_string().contains("another host"), "{error}");
        assert_foreign(&block_on(repository.manifest_by_tag("1")).unwrap_err(), registry);
    });
}

#[test]
fn a_token_server_that_sends_on_is_not_followed() {
    let registry = registry(Asks::Bearer, Asks::Basic);
    let other = registry.other_host();
    registry.inject(Fault::new(
        "GET",
        "/token",
        Effect::Redirect(format!("http://{other}/token")),
    ));
    let keychain = keychain(&registry.host(), "user", "hunter2-hunter2");
    let repository = Setup {
        keychain,
        ..Setup::default()
    }
    .repository(&registry, "app");
    let error = block_on(repository.manifest_by_tag("1")).unwrap_err();
    assert!(error.to_string().contains("a login is not sent on"), "{error}");
    assert!(registry.take_log().iter().all(|one| !one.elsewhere));
}

#[test]
fn whoever_is_sent_back_to_the_registry_comes_without_a_login() {
    let registry = registry(Asks::Basic, Asks::Basic);
    registry.behave(|behaviour| behaviour.elsewhere_asks = None);
    registry.with("secret", |content| content.add_blob(b"of another repository"));
    let (host, other) = (registry.host(), registry.other_host());
    let target = format!(
        "http://{host}/v2/secret/blobs/{}",
        digest(b"of another repository")
    );
    registry.inject(Fault::new("GET", "/away", Effect::Redirect(target)));
    registry.inject(Fault::new(
        "GET",
        "/v2/app/blobs/",
        Effect::Redirect(format!("http://{other}/away")),
    ));
    let keychain = keychain(&host, "user", "hunter2-hunter2");
    let repository = Setup {
        keychain,
        ..Setup::default()
    }
    .repository(&registry, "app");
    let error = read_blob(&repository, &digest(b"x"), 21).unwrap_err();
    assert!(matches!(error, RegistryError::Login { .. }), "{error}");
    let log = registry.take_log();
    assert!(
        log.iter()
            .filter(|one| one.path.contains("/secret/"))
            .all(|one| !one.authorized)
    );
}

#[test]
fn what_a_registry_says_again_is_not_shown() {
    for own in [Asks::Basic, Asks::Bearer] {
        let registry = registry(own, Asks::Basic);
        let keychain = keychain(&registry.host(), "user", "hunter2-hunter2");
        let setup = Setup {
            keychain,
            ..Setup::default()
        };
        let (client, lines) = setup.client();
        let repository = block_on(client.repository_at(&registry.host(), "app")).unwrap();
        let _ = block_on(repository.manifest_by_tag("1"));
        registry.inject(Fault::new("GET", "/manifests/2", Effect::Echo(403)));
        registry.inject(Fault::new("GET", "/manifests/3", Effect::Echo(500)));
        registry.inject(Fault::new(
            "GET",
            "/manifests/4",
            Effect::Redirect("/hunter2-hunter2".into()),
        ));
        registry.inject(Fault::new("HEAD", "/manifests/5", Effect::Echo(400)));
        registry.inject(Fault::new(
            "GET",
            "/manifests/6",
            Effect::Redirect("http://HUNTER2-hunter2.example/".into()),
        ));
        let mut shown = String::new();
        for tag in ["2", "3", "4", "5", "6"] {
            let error = match tag {
                "5" => block_on(repository.tag(tag)).unwrap_err(),
                _ => block_on(repository.manifest_by_tag(tag)).unwrap_err(),
            };
            shown.push_str(&format!("{error} {error:?} {:?}\n", error.help()));
        }
        shown.push_str(&lines.lock().unwrap().join("\n"));
        assert!(shown.contains("[secret] is wrong"), "{shown}");
        assert!(shown.contains("[secret].example would be reached"), "{shown}");
        for secret in ["hunter2", "HUNTER2", "dXNlcjpodW50ZXIy", "token-"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
