//! Passing troubles, lasting ones, and connections to nowhere.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use soci_image::Reference;
use soci_registry::RegistryError;
use soci_registry::block_on;
use soci_registry::transport::TransportFault;
use soci_tests::registry::{Behaviour, Delivery, Effect, Fault, TestRegistry};

use super::{MANIFEST, Setup, repository};

fn one_manifest() -> TestRegistry {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| {
        let digest = content.add_manifest(MANIFEST, b"{}");
        content.tags.insert("1".into(), digest);
    });
    registry
}

#[test]
fn reading_survives_what_passes() {
    for effect in [
        Effect::Refuse(429, Some("1".into())),
        Effect::Refuse(503, Some("0".into())),
        Effect::Refuse(500, None),
        Effect::Deliver(Delivery::Nothing),
        Effect::Deliver(Delivery::Cut(1)),
        Effect::Deliver(Delivery::WrongLength(5)),
    ] {
        let registry = one_manifest();
        registry.inject(Fault::new("GET", "/manifests/1", effect.clone()).times(3));
        let manifest = block_on(repository(&registry, "app").manifest_by_tag("1"));
        assert_eq!(
            manifest
                .unwrap_or_else(|error| panic!("{effect:?}: {error}"))
                .bytes,
            b"{}"
        );
    }
}

#[test]
fn retry_after_is_waited_for_unless_it_is_long() {
    let registry = one_manifest();
    registry.inject(Fault::new("GET", "/manifests/1", Effect::Refuse(429, Some("1".into()))).times(1));
    let begun = Instant::now();
    block_on(repository(&registry, "app").manifest_by_tag("1")).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));

    registry.inject(Fault::new(
        "GET",
        "/manifests/1",
        Effect::Refuse(429, Some("600".into())),
    ));
    let error = block_on(repository(&registry, "app").manifest_by_tag("1")).unwrap_err();
    assert!(
        matches!(error, RegistryError::Refused { status: 429, .. }),
        "{error}"
    );
    assert!(error.help().unwrap().contains("limits requests"));
}

#[test]
fn what_lasts_is_given_up_with_the_number_of_attempts() {
    let registry = one_manifest();
    registry.inject(Fault::new(
        "GET",
        "/manifests/1",
        Effect::Deliver(Delivery::Nothing),
    ));
    let error = block_on(repository(&registry, "app").manifest_by_tag("1")).unwrap_err();
    assert!(error.to_string().contains("(6 attempts)"), "{error}");
    let asked = registry
        .take_log()
        .iter()
        .filter(|exchange| exchange.path.ends_with("/manifests/1"))
        .count();
    assert_eq!(asked, 6);
}

#[test]
fn redirects_do_not_go_on_forever_or_to_plain_http_outside() {
    let registry = one_manifest();
    registry.inject(Fault::new(
        "GET",
        "/manifests/loop",
        Effect::Redirect("/v2/app/manifests/loop".into()),
    ));
    registry.inject(Fault::new(
        "GET",
        "/manifests/out",
        Effect::Redirect("http://registry.example/".into()),
    ));
    registry.inject(Fault::new(
        "GET",
        "/manifests/odd",
        Effect::Redirect("ftp://registry.example/".into()),
    ));
    let repository = repository(&registry, "app");
    let error = block_on(repository.manifest_by_tag("loop")).unwrap_err();
    assert!(error.to_string().contains("more than 5 redirects"), "{error}");
    let error = block_on(repository.manifest_by_tag("out")).unwrap_err();
    assert!(
        matches!(&error, RegistryError::Insecure { host, .. } if host.as_str() == "registry.example"),
        "{error}"
    );
    let error = block_on(repository.manifest_by_tag("odd")).unwrap_err();
    assert!(matches!(error, RegistryError::Address { .. }), "{error}");
}

#[test]
fn nobody_at_home_is_a_clear_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (client, _) = Setup {
        attempts: 2,
        ..Setup::default()
    }
    .client();
    let reference = Reference::parse(&format!("{free}/app")).unwrap();
    let error = block_on(client.repository(&reference))
        .err()
        .expect("nobody listens");
    let RegistryError::Transport {
        source, attempts: 2, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(source.fault, TransportFault::Connect);
    assert!(error.help().unwrap().contains("HTTPS_PROXY"));
}

#[test]
fn a_server_that_speaks_no_http_is_a_clear_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(8) {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1000]);
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let (client, _) = Setup {
        attempts: 2,
        ..Setup::default()
    }
    .client();
    let reference = Reference::parse(&format!("{address}/app")).unwrap();
    let error = block_on(client.repository(&reference))
        .err()
        .expect("no registry");
    assert!(matches!(error, RegistryError::Transport { .. }), "{error}");
}
