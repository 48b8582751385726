//! Bytes on the wire, as the registry counts them.

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, Exchange, TestRegistry};

use crate::{convert, good, image, tag, with_image};

fn layer_bytes(log: &[Exchange], image: &MadeImage) -> Vec<usize> {
    let digests = image.layer_digests();
    let of = |digest: &String| {
        log.iter()
            .filter(|exchange| exchange.method == "GET" && exchange.path.ends_with(digest.as_str()))
            .map(|exchange| exchange.sent)
            .sum()
    };
    digests.iter().map(of).collect()
}

fn sent(log: &[Exchange]) -> usize {
    log.iter().map(|exchange| exchange.sent).sum()
}

fn received(log: &[Exchange]) -> usize {
    log.iter().map(|exchange| exchange.received).sum()
}

/// Bytes of the blobs that the image did not have.
fn new_blobs(registry: &TestRegistry, repository: &str, image: &MadeImage) -> usize {
    let known = image.layer_digests();
    registry.with(repository, |content| {
        content
            .blobs
            .iter()
            .filter(|(digest, _)| !known.contains(digest))
            .map(|(_, blob)| blob.len())
            .sum()
    })
}

#[test]
fn layers_come_once_and_never_go_up() {
    let registry = with_image(Behaviour::default());
    let image = image();
    let report = good(&convert(&[
        &registry.name("app:1"),
        &registry.name("app:1-soci"),
        "--format",
        "json",
    ]));
    let log = registry.take_log();
    // The layer that is too small is not even read.
    let sizes: Vec<usize> = image.layers.iter().map(Vec::len).collect();
    assert_eq!(layer_bytes(&log, &image), [sizes[0], 0, sizes[2], sizes[3]]);
    let documents = sent(&log) - sizes[0] - sizes[2] - sizes[3];
    assert!(
        documents < 10_000,
        "{documents} bytes besides the layers came down"
    );
    let ztocs = new_blobs(&registry, "app", &image);
    assert!(
        received(&log) < ztocs + 10_000,
        "{} bytes went up, zTOCs are {ztocs}",
        received(&log)
    );
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let traffic = &report["traffic"];
    assert!(traffic["received"].as_u64().unwrap() <= sent(&log) as u64);
    assert_eq!(
        traffic["notSent"].as_u64().unwrap(),
        sizes.iter().sum::<usize>() as u64 - traffic["sent"].as_u64().unwrap()
    );
}

#[test]
fn a_second_run_reads_a_span_of_each_layer_and_changes_nothing() {
    let registry = with_image(Behaviour::default());
    let first = good(&convert(&[&registry.name("app:1"), "-q"]));
    registry.take_log();
    let second = good(&convert(&[&registry.name("app:1")]));
    assert!(
        second.contains(&first) && second.contains("nothing changed"),
        "{second}"
    );
    let log = registry.take_log();
    let bytes = layer_bytes(&log, &image());
    reads_spans_back(&bytes, &image(), &[0, 2, 3]);
    assert_eq!(bytes[1], 0);
    assert_eq!(received(&log), 0);
    assert!(
        log.iter()
            .all(|exchange| matches!(exchange.method.as_str(), "GET" | "HEAD"))
    );
    let ztocs = new_blobs(&registry, "app", &image());
    let rest = sent(&log) - bytes.iter().sum::<usize>();
    assert!(
        rest < ztocs + 10_000,
        "{rest} bytes besides the layers came down, zTOCs are {ztocs}"
    );
}

/// A zTOC that serves again is read, and one span of its layer with it.
fn reads_spans_back(bytes: &[usize], image: &MadeImage, reused: &[usize]) {
    for index in reused {
        let size = image.layers[*index].len();
        assert!(
            (1..=size).contains(&bytes[*index]),
            "{} bytes of layer {index}, which has {size}",
            bytes[*index]
        );
    }
}

#[test]
fn of_a_rebuilt_image_only_the_changed_layer_comes_down() {
    let registry = with_image(Behaviour::default());
    good(&convert(&[
        &registry.name("app:1"),
        &registry.name("app:latest-soci"),
    ]));
    let rebuilt = MadeImage::new(&[(1, 900_000), (2, 3000), (3, 2_000_000), (5, 500_000)]);
    registry.with("app", |content| rebuilt.store(content, "2"));
    registry.take_log();
    let report = good(&convert(&[
        &registry.name("app:2"),
        &registry.name("app:latest-soci"),
    ]));
    let log = registry.take_log();
    let bytes = layer_bytes(&log, &rebuilt);
    reads_spans_back(&bytes, &rebuilt, &[0, 2]);
    assert_eq!((bytes[1], bytes[3]), (0, rebuilt.layers[3].len()));
    assert!(
        report.contains("reused from the destination, made by cargo-soci"),
        "{report}"
    );
    // The result does not depend on what was reused.
    let fresh = good(&convert(&[
        &registry.name("app:2"),
        &registry.name("app:fresh"),
        "-q",
        "--reuse",
        "none",
    ]));
    assert_eq!(tag(&registry, "app", "latest-soci"), Some(fresh));
}

#[test]
fn another_repository_gets_its_layers_mounted_or_streamed_through_once() {
    for mounts in [true, false] {
        let registry = with_image(Behaviour {
            mounts,
            ..Behaviour::default()
        });
        let image = image();
        registry.take_log();
        good(&convert(&[
            &registry.name("app:1"),
            &registry.name("other/app:1"),
        ]));
        let log = registry.take_log();
        let sizes: Vec<usize> = image.layers.iter().map(Vec::len).collect();
        let small = if mounts { 0 } else { sizes[1] };
        assert_eq!(
            layer_bytes(&log, &image),
            [sizes[0], small, sizes[2], sizes[3]],
            "mounts: {mounts}"
        );
        let layers: usize = if mounts { 0 } else { sizes.iter().sum() };
        let up = received(&log);
        let most = layers + new_blobs(&registry, "other/app", &image) + 10_000;
        assert!(
            up >= layers && up < most,
            "mounts: {mounts}: {up} bytes went up, at most {most} are needed"
        );
        assert_eq!(registry.broken_tags(), Vec::<String>::new());
    }
}
