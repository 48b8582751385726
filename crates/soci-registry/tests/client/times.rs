//! No peer holds a call longer than its bounds, and an interruption ends it wherever it waits.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use soci_registry::credentials::Keychain;
use soci_registry::{Client, ClientOptions, Environment, Limits, NativeOptions, UreqTransport, block_on};
use soci_tests::registry::{Behaviour, Delivery, Effect, Fault, TestRegistry};

use super::{MANIFEST, Setup, digest, noise, read_blob};

/// Short bounds; what ends at all ends within the generous time of [`ends`].
fn short() -> Setup {
    Setup {
        idle: Duration::from_millis(400),
        attempts: 2,
        limits: Limits {
            document_time: Duration::from_millis(600),
            refusal_time: Duration::from_millis(300),
            reopening: Duration::from_millis(800),
            pace_window: Duration::from_millis(500),
            slowest: 10_000,
            ..Limits::default()
        },
        ..Setup::default()
    }
}

fn ends<R>(what: &str, call: impl FnOnce() -> R) -> R {
    let begun = Instant::now();
    let result = call();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(60), "{what} took {took:?}");
    result
}

/// A registry whose manifest, blob and refusals go out like this.
fn slow(delivery: Delivery) -> (TestRegistry, Vec<u8>) {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(30_000, 1);
    registry.with("app", |content| {
        content.add_blob(&bytes);
        let digest = content.add_manifest(MANIFEST, b"{}");
        content.tags.insert("1".into(), digest);
    });
    registry.inject(Fault::new("GET", "/v2/app/", Effect::Deliver(delivery)));
    (registry, bytes)
}

#[test]
fn headers_bodies_and_trailers_that_dribble_have_an_end() {
    let pause = Duration::from_millis(50);
    for delivery in [
        Delivery::SlowHeader(pause),
        Delivery::Trickle(1, pause),
        Delivery::Trailers(pause),
        Delivery::Silence(Duration::from_secs(100)),
    ] {
        let (registry, bytes) = slow(delivery.clone());
        let repository = short().repository(&registry, "app");
        let document = ends("a document", || block_on(repository.manifest_by_tag("1")));
        // Two bytes trickle in soon enough.
        assert_eq!(
            document.is_ok(),
            matches!(delivery, Delivery::Trickle(..)),
            "{delivery:?}"
        );
        let blob = ends("a blob", || read_blob(&repository, &digest(&bytes), bytes.len()));
        // All bytes of a blob are there before its trailers begin.
        assert_eq!(
            blob.is_ok(),
            matches!(delivery, Delivery::Trailers(_)),
            "{delivery:?}"
        );
    }
}

#[test]
fn refusals_that_dribble_are_quoted_as_far_as_they_came() {
    let pause = Duration::from_millis(50);
    for delivery in [
        Delivery::Trickle(1, pause),
        Delivery::Trailers(pause),
        Delivery::Endless,
    ] {
        let (registry, _) = slow(delivery);
        let repository = short().repository(&registry, "app");
        let error = ends("a refusal", || block_on(repository.manifest_by_tag("2"))).unwrap_err();
        assert!(error.is_not_found(), "{error}");
    }
}

#[test]
fn a_blob_that_comes_in_drops_over_many_connections_has_an_end() {
    let (registry, bytes) = slow(Delivery::Cut(1));
    let repository = short().repository(&registry, "app");
    let error = ends("a blob", || read_blob(&repository, &digest(&bytes), bytes.len())).unwrap_err();
    assert!(
        error.to_string().contains("interruptions took more than"),
        "{error}"
    );
    registry.heal();
    registry.behave(|behaviour| behaviour.ranges = false);
    registry.inject(Fault::new(
        "GET",
        "/blobs/",
        Effect::Deliver(Delivery::Cut(20_000)),
    ));
    let error = ends("a blob without ranges", || {
        read_blob(&repository, &digest(&bytes), bytes.len())
    });
    assert!(error.is_err());
}

/// What a run waits for when it is interrupted.
fn interrupted(what: &str, host: &str, call: impl FnOnce(Client<UreqTransport>) -> Option<bool> + Send) {
    let flag = Arc::new(AtomicBool::new(false));
    let native = NativeOptions {
        interrupted: Arc::clone(&flag),
        ..NativeOptions::new(Environment::default())
    };
    let transport = UreqTransport::new(native).expect("no certificates to read");
    let client = Client::new(transport, Keychain::anonymous(), ClientOptions::default());
    let raised = thread::scope(|scope| {
        let raise = scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            flag.store(true, Ordering::Relaxed);
            Instant::now()
        });
        assert_eq!(call(client), Some(true), "{what} at {host} ended otherwise");
        raise.join().unwrap()
    });
    let took = raised.elapsed();
    assert!(took < Duration::from_secs(10), "{what} went on for {took:?}");
}

#[test]
fn an_interruption_ends_every_wait() {
    let read = |client: Client<UreqTransport>, host: &str| {
        let outcome = block_on(async {
            let repository = client.repository_at(host, "app").await?;
            repository.manifest_by_tag("1").await
        });
        Some(outcome.err()?.is_interrupted())
    };
    // Connected by the system, answered by nobody.
    let mute = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let host = mute.local_addr().expect("an address").to_string();
    interrupted("the header", &host, |client| read(client, &host));
    // An address of documentation (RFC 5737), which no host has; where there is no route at all, it fails at once.
    let far = "192.0.2.1:5000";
    let reachable = std::net::TcpStream::connect_timeout(&far.parse().unwrap(), Duration::from_millis(100));
    if matches!(&reachable, Err(error) if error.kind() == std::io::ErrorKind::TimedOut) {
        interrupted("the connection", far, |client| read(client, far));
    }
    for (what, effect) in [
        (
            "the body",
            Effect::Deliver(Delivery::Silence(Duration::from_secs(30))),
        ),
        (
            "a dribble",
            Effect::Deliver(Delivery::Trailers(Duration::from_millis(20))),
        ),
        ("a pause", Effect::Refuse(503, Some("100".into()))),
    ] {
        let (registry, _) = slow(Delivery::Whole);
        registry.heal();
        registry.inject(Fault::new("GET", "/manifests/", effect));
        let host = registry.host();
        interrupted(what, &host, |client| read(client, &host));
    }
}
