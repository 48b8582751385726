//! Manifests, blobs, ranges, windows, lists of referrers.

use std::thread;
use std::time::Duration;

use soci_image::Reference;
use soci_registry::block_on;
use soci_registry::{AdaptiveReader, ManifestName, RegistryError, Traffic, WindowedReader};
use soci_tests::registry::{Behaviour, Delivery, Effect, Fault, TestRegistry};

use super::{MANIFEST, Setup, digest, noise, read_blob, repository};

fn windowed(registry: &TestRegistry, bytes: &[u8], connections: usize) -> Result<Vec<u8>, RegistryError> {
    let repository = repository(registry, "app");
    let mut reader = WindowedReader::new(&repository, &digest(bytes), bytes.len() as u64, connections);
    let mut got = Vec::new();
    let mut buffer = vec![0; 70_000];
    loop {
        match block_on(reader.read(&mut buffer))? {
            0 => break,
            count => got.extend_from_slice(&buffer[..count]),
        }
    }
    assert_eq!(block_on(reader.read(&mut buffer))?, 0, "the end stays the end");
    Ok(got)
}

/// Reads with as many connections as it takes, and rests after each 256 KiB.
fn adaptive(registry: &TestRegistry, bytes: &[u8], rest: Duration) -> (Vec<u8>, Traffic) {
    let (client, _) = Setup::default().client();
    let reference = Reference::parse(&registry.name("app")).unwrap();
    let repository = block_on(client.repository(&reference)).unwrap();
    let size = bytes.len() as u64;
    let mut reader = block_on(AdaptiveReader::open(&repository, &digest(bytes), size)).unwrap();
    let mut got = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            match block_on(reader.read(&mut buffer[filled..])).unwrap() {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return (got, client.traffic());
        }
        got.extend_from_slice(&buffer[..filled]);
        thread::sleep(rest);
    }
}

/// The `Range` of each request for a blob, in order of their arrival.
fn ranges(registry: &TestRegistry) -> Vec<Option<(u64, u64)>> {
    let log = registry.take_log();
    let blobs = log.iter().filter(|exchange| exchange.path.contains("/blobs/"));
    blobs
        .map(|exchange| {
            let range = exchange.range.as_deref()?.strip_prefix("bytes=")?;
            let (first, last) = range.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        })
        .collect()
}

#[test]
fn manifests_come_as_they_are_by_tag_and_digest() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = b"{ \"schemaVersion\": 2 }\n";
    registry.with("team/app", |content| {
        let digest = content.add_manifest(MANIFEST, bytes);
        content.tags.insert("1".into(), digest);
    });
    let repository = repository(&registry, "team/app");
    let by_tag = block_on(repository.manifest_by_tag("1")).unwrap();
    assert_eq!(
        (by_tag.bytes.as_slice(), by_tag.media_type.as_str()),
        (&bytes[..], MANIFEST)
    );
    assert_eq!(by_tag.digest, digest(bytes));
    assert_eq!(block_on(repository.manifest(&by_tag.digest)).unwrap(), by_tag);
    let head = block_on(repository.manifest_head(ManifestName::Tag("1")))
        .unwrap()
        .unwrap();
    assert_eq!(
        (head.digest, head.size),
        (Some(by_tag.digest), Some(bytes.len() as u64))
    );
    assert_eq!(
        block_on(repository.manifest_head(ManifestName::Tag("2"))).unwrap(),
        None
    );
    let error = block_on(repository.manifest_by_tag("2")).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the manifest team/app:2 is not at 127.0.0.1:"),
        "{error}"
    );
}

#[test]
fn blobs_that_are_cut_at_any_byte_are_continued() {
    let registry = TestRegistry::start(Behaviour {
        cuts: 40,
        ..Behaviour::default()
    });
    let bytes = noise(600_000, 1);
    registry.with("app", |content| content.add_blob(&bytes));
    let repository = repository(&registry, "app");
    assert_eq!(
        read_blob(&repository, &digest(&bytes), bytes.len()).unwrap(),
        bytes
    );
    let log = registry.take_log();
    let sent: usize = log.iter().map(|exchange| exchange.sent).sum();
    // What came before a cut does not come again (some of it may be lost in the socket).
    assert!(
        sent < bytes.len() * 2,
        "{sent} bytes for a blob of {}",
        bytes.len()
    );
    assert!(log.iter().any(|exchange| exchange.status == 206));
    assert!(registry.with("app", |content| content.blobs.len()) == 1);
}

#[test]
fn redirects_go_without_credentials_and_a_continuation_starts_at_the_registry() {
    let registry = TestRegistry::start(Behaviour {
        cuts: 12,
        redirects: true,
        basic: Some(("u".into(), "p".into())),
        ..Behaviour::default()
    });
    let bytes = noise(300_000, 2);
    registry.with("app", |content| content.add_blob(&bytes));
    let setup = Setup {
        keychain: super::login::keychain(&registry.host(), "u", "p"),
        ..Setup::default()
    };
    let repository = setup.repository(&registry, "app");
    assert_eq!(
        read_blob(&repository, &digest(&bytes), bytes.len()).unwrap(),
        bytes
    );
    let log = registry.take_log();
    let elsewhere: Vec<_> = log.iter().filter(|exchange| exchange.elsewhere).collect();
    assert!(
        elsewhere.len() > 5,
        "{} requests at the other host",
        elsewhere.len()
    );
    assert!(elsewhere.iter().all(|exchange| !exchange.authorized));
    // Each address was used once: none of the requests was refused as expired.
    assert!(
        elsewhere
            .iter()
            .all(|exchange| matches!(exchange.status, 200 | 206))
    );
}

#[test]
fn without_ranges_a_blob_is_read_from_its_start_again() {
    let registry = TestRegistry::start(Behaviour {
        cuts: 3,
        ranges: false,
        ..Behaviour::default()
    });
    let bytes = noise(200_000, 3);
    registry.with("app", |content| content.add_blob(&bytes));
    let repository = repository(&registry, "app");
    assert_eq!(
        read_blob(&repository, &digest(&bytes), bytes.len()).unwrap(),
        bytes
    );
    assert!(registry.take_log().iter().all(|exchange| exchange.status != 206));
}

#[test]
fn several_connections_give_the_bytes_in_order() {
    let registry = TestRegistry::start(Behaviour {
        cuts: 5,
        redirects: true,
        ..Behaviour::default()
    });
    let bytes = noise(30_000_001, 4);
    registry.with("app", |content| content.add_blob(&bytes));
    assert!(windowed(&registry, &bytes, 3).unwrap() == bytes);
    let parts = registry
        .take_log()
        .iter()
        .filter(|exchange| exchange.elsewhere)
        .count();
    assert!(parts >= 8, "{parts} parts");
}

#[test]
fn several_connections_fall_back_to_one_without_ranges() {
    let registry = TestRegistry::start(Behaviour {
        ranges: false,
        ..Behaviour::default()
    });
    let bytes = noise(20_000_000, 5);
    registry.with("app", |content| content.add_blob(&bytes));
    assert!(windowed(&registry, &bytes, 4).unwrap() == bytes);
}

#[test]
fn several_connections_report_what_is_missing() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(100_000, 6);
    let error = windowed(&registry, &bytes, 3).unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn a_reader_that_is_busy_itself_gets_one_stream() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(40_000_000, 10);
    registry.with("app", |content| content.add_blob(&bytes));
    let (got, traffic) = adaptive(&registry, &bytes, Duration::from_millis(6));
    assert!(got == bytes);
    assert_eq!(traffic.received, bytes.len() as u64);
    assert_eq!(ranges(&registry), [None]);
}

#[test]
fn a_reader_that_waits_gets_several_connections() {
    let registry = TestRegistry::start(Behaviour {
        link: Some((25_000_000, Duration::from_millis(5))),
        ..Behaviour::default()
    });
    let bytes = noise(40_000_000, 11);
    registry.with("app", |content| content.add_blob(&bytes));
    let (got, traffic) = adaptive(&registry, &bytes, Duration::ZERO);
    assert!(got == bytes);
    assert_eq!(traffic.received, bytes.len() as u64, "nothing is read twice");
    let mut asked = ranges(&registry);
    assert_eq!(asked.remove(0), None);
    let mut parts: Vec<(u64, u64)> = asked.into_iter().map(|range| range.unwrap()).collect();
    parts.sort_unstable();
    // The stream is judged after 8 MiB, and brings 4 MiB more while the first parts are under way. A busy machine
    // may hide the wait for a while: later, as long as there is enough left, is fine.
    let begin = parts[0].0;
    let latest = bytes.len() as u64 - (12 << 20);
    assert!(
        (12 << 20..=latest).contains(&begin),
        "several connections from {begin} on"
    );
    for (at, part) in parts.iter().enumerate() {
        let first = begin + ((at as u64) << 22);
        let last = (first + (4 << 20)).min(bytes.len() as u64) - 1;
        assert_eq!(*part, (first, last));
    }
    assert_eq!(parts.last().unwrap().1, bytes.len() as u64 - 1);
}

#[test]
fn what_is_left_must_be_worth_further_connections() {
    let registry = TestRegistry::start(Behaviour {
        link: Some((50_000_000, Duration::ZERO)),
        ..Behaviour::default()
    });
    let bytes = noise(23 << 20, 12);
    registry.with("app", |content| content.add_blob(&bytes));
    let (got, _) = adaptive(&registry, &bytes, Duration::ZERO);
    assert!(got == bytes);
    assert_eq!(ranges(&registry), [None]);
}

#[test]
fn without_ranges_the_stream_goes_on_where_it_is() {
    let registry = TestRegistry::start(Behaviour {
        ranges: false,
        link: Some((40_000_000, Duration::ZERO)),
        ..Behaviour::default()
    });
    let bytes = noise(40_000_000, 13);
    registry.with("app", |content| content.add_blob(&bytes));
    let (got, traffic) = adaptive(&registry, &bytes, Duration::ZERO);
    assert!(got == bytes);
    assert_eq!(traffic.received, bytes.len() as u64, "nothing is read twice");
    let asked = ranges(&registry);
    assert!(asked.iter().flatten().count() > 0, "ranges were asked for");
    assert_eq!(asked.iter().filter(|range| range.is_none()).count(), 1);
}

#[test]
fn streams_and_parts_that_are_cut_are_continued() {
    let registry = TestRegistry::start(Behaviour {
        cuts: 6,
        redirects: true,
        link: Some((50_000_000, Duration::from_millis(5))),
        ..Behaviour::default()
    });
    let bytes = noise(50_000_000, 14);
    registry.with("app", |content| content.add_blob(&bytes));
    let (got, _) = adaptive(&registry, &bytes, Duration::ZERO);
    assert!(got == bytes);
}

#[test]
fn blobs_of_another_size_are_refused() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(1000, 7);
    registry.with("app", |content| content.add_blob(&bytes));
    let repository = repository(&registry, "app");
    for size in [999, 1001] {
        let error = read_blob(&repository, &digest(&bytes), size).unwrap_err();
        assert!(error.to_string().contains("has 1000 bytes instead of"), "{error}");
    }
    // Without a Content-Length the extra bytes show themselves.
    registry.inject(Fault::new("GET", "/blobs/", Effect::Deliver(Delivery::Endless)));
    let error = read_blob(&repository, &digest(&bytes), 1000).unwrap_err();
    assert!(error.to_string().contains("more than its 1000 bytes"), "{error}");
}

#[test]
fn bodies_that_fall_silent_are_asked_for_again() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(5000, 8);
    registry.with("app", |content| content.add_blob(&bytes));
    let silence = Effect::Deliver(Delivery::Silence(Duration::from_secs(20)));
    registry.inject(Fault::new("GET", "/blobs/", silence).times(2));
    let setup = Setup {
        idle: Duration::from_millis(300),
        ..Setup::default()
    };
    let repository = setup.repository(&registry, "app");
    assert_eq!(
        read_blob(&repository, &digest(&bytes), bytes.len()).unwrap(),
        bytes
    );
}

#[test]
fn bodies_that_trickle_are_given_up() {
    let registry = TestRegistry::start(Behaviour::default());
    let bytes = noise(5000, 9);
    registry.with("app", |content| {
        content.add_blob(&bytes);
        let digest = content.add_manifest(MANIFEST, &[b' '; 3000]);
        content.tags.insert("1".into(), digest);
    });
    let trickle = Effect::Deliver(Delivery::Trickle(1, Duration::from_millis(20)));
    registry.inject(Fault::new("GET", "/app/", trickle));
    let mut setup = Setup::default();
    setup.limits.pace_window = Duration::from_millis(500);
    setup.limits.slowest = 1000;
    setup.limits.document_time = Duration::from_millis(500);
    let repository = setup.repository(&registry, "app");
    let error = read_blob(&repository, &digest(&bytes), bytes.len()).unwrap_err();
    assert!(matches!(error, RegistryError::TooSlow { .. }), "{error}");
    let error = block_on(repository.manifest_by_tag("1")).unwrap_err();
    assert!(matches!(error, RegistryError::TooSlow { .. }), "{error}");
}

#[test]
fn oversized_manifests_are_refused_announced_or_not() {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| {
        let digest = content.add_manifest(MANIFEST, &vec![b' '; (4 << 20) + 1]);
        content.tags.insert("big".into(), digest);
        let digest = content.add_manifest(MANIFEST, b"{}");
        content.tags.insert("endless".into(), digest);
    });
    registry.inject(Fault::new(
        "GET",
        "/manifests/endless",
        Effect::Deliver(Delivery::Endless),
    ));
    let repository = repository(&registry, "app");
    for tag in ["big", "endless"] {
        let error = block_on(repository.manifest_by_tag(tag)).unwrap_err();
        assert!(
            matches!(error, RegistryError::TooLarge { limit: 4_194_304, .. }),
            "{error}"
        );
    }
}

#[test]
fn manifests_with_other_bytes_are_refused() {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| {
        let digest = content.add_manifest(MANIFEST, b"{\"schemaVersion\":2}");
        content.tags.insert("1".into(), digest);
    });
    registry.inject(Fault::new("GET", "/manifests/", Effect::Corrupt));
    let repository = repository(&registry, "app");
    let error = block_on(repository.manifest_by_tag("1")).unwrap_err();
    assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
    let wanted = digest(b"{\"schemaVersion\":2}");
    let error = block_on(repository.manifest(&wanted)).unwrap_err();
    assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
}

#[test]
fn referrers_are_listed_over_all_pages() {
    let registry = TestRegistry::start(Behaviour {
        list_page: 2,
        ..Behaviour::default()
    });
    let subject = registry.with("app", |content| {
        let subject = content.add_manifest(MANIFEST, b"{}");
        for number in 0..5 {
            let artifact = if number == 4 { "other/type" } else { "soci/type" };
            let referrer =
                format!(r#"{{"artifactType":"{artifact}","n":{number},"subject":{{"digest":"{subject}"}}}}"#);
            content.add_manifest(MANIFEST, referrer.as_bytes());
        }
        subject
    });
    let repository = repository(&registry, "app");
    let subject = soci_image::Digest::parse(&subject).unwrap();
    assert_eq!(
        block_on(repository.referrers(&subject, "soci/type"))
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        block_on(repository.referrers(&subject, "other/type"))
            .unwrap()
            .len(),
        1
    );
    registry.behave(|behaviour| behaviour.native_referrers = false);
    assert_eq!(block_on(repository.referrers(&subject, "soci/type")).unwrap(), []);
}
