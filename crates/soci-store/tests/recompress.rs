//! Recorded buildx images whose layers are zstd, eStargz or mixed, rewritten as gzip while they are indexed.

mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

use soci_image::document::Document;
use soci_image::{Descriptor, Digest};
use soci_store::store::{AnyDestination, AnySource, Blob, Source};
use soci_store::workflow::{Event, LayerOutcome, Options, Recompress, convert, recompress};
use soci_store::{Location, block_on};
use soci_ztoc::ztoc::{Verifier, Ztoc};
use support::never;

const ALL: Recompress = Recompress {
    unsuitable: true,
    uncompressed: false,
    level: Recompress::LEVEL,
};

fn open(path: &Path) -> AnySource {
    let location: Location = format!("oci-archive:{}", path.display())
        .parse()
        .expect("a location");
    AnySource::open(&location, &never()).expect("opens")
}

fn read_all(source: &AnySource, descriptor: &Descriptor) -> Vec<u8> {
    let mut blob = block_on(source.open(descriptor)).expect("opens");
    let mut bytes = vec![0; usize::try_from(descriptor.size).expect("small")];
    let mut filled = 0;
    while filled < bytes.len() {
        match block_on(blob.read(&mut bytes[filled..])).expect("reads") {
            0 => break,
            count => filled += count,
        }
    }
    assert!(
        descriptor.digest.matches(&bytes),
        "{} is damaged",
        descriptor.digest
    );
    bytes
}

/// An image manifest: its config and its layers.
struct Image {
    config: Digest,
    layers: Vec<Descriptor>,
}

/// Every image below the roots, by platform; attestations and SOCI indexes left out.
fn images(source: &AnySource) -> BTreeMap<String, Image> {
    let mut open: Vec<Descriptor> = block_on(source.roots())
        .expect("roots")
        .into_iter()
        .map(|root| root.descriptor)
        .collect();
    let mut found = BTreeMap::new();
    while let Some(descriptor) = open.pop() {
        let bytes = block_on(source.document(&descriptor)).expect("a document");
        match Document::parse(&bytes, &descriptor.media_type).expect("a good document") {
            Document::Index(index) => open.extend(index.manifests),
            Document::Manifest(manifest) if manifest.is_image() => {
                let config = block_on(source.document(&manifest.config)).expect("a config");
                let config: serde_json::Value = serde_json::from_slice(&config).expect("JSON");
                let platform = format!("{}/{}", config["os"], config["architecture"]);
                if platform.contains("unknown") {
                    continue;
                }
                found.insert(
                    platform,
                    Image {
                        config: manifest.config.digest,
                        layers: manifest.layers,
                    },
                );
            }
            _ => {}
        }
    }
    found
}

/// The uncompressed tar, by other code than ours.
fn uncompress(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match bytes {
        [0x28, 0xb5, ..] => {
            ruzstd::decoding::StreamingDecoder::new(bytes)
                .expect("a frame")
                .read_to_end(&mut plain)
                .expect("good zstd");
        }
        [0x1f, 0x8b, ..] => {
            flate2::read::MultiGzDecoder::new(bytes)
                .read_to_end(&mut plain)
                .expect("good gzip");
        }
        _ => plain.extend_from_slice(bytes),
    }
    plain
}

/// Every entry as the `tar` crate walks it: name, type, contents.
fn files(plain: &[u8]) -> Vec<(Vec<u8>, u8, Vec<u8>)> {
    let mut archive = tar::Archive::new(plain);
    let entries = archive.entries().expect("a tar");
    entries
        .map(|entry| {
            let mut entry = entry.expect("an entry");
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).expect("contents");
            (
                entry.path_bytes().into_owned(),
                entry.header().entry_type().as_byte(),
                contents,
            )
        })
        .collect()
}

fn options(jobs: usize) -> Options {
    Options {
        min_layer_size: 0,
        jobs: NonZeroUsize::new(jobs).expect("not 0"),
        ..Options::default()
    }
}

/// Rewrites and converts a recorded image; gives the archive and how many layers were rewritten.
fn run(case: &str, what: Recompress, jobs: usize, target: &Path) -> usize {
    let source = open(&soci_tests::buildx_vectors().join(case).join("image.tar"));
    let (source, rewritten) = recompress(source, &options(jobs), what, &|_| {}).expect("rewrites");
    let location: Location = format!("oci-archive:{}", target.display())
        .parse()
        .expect("a location");
    let destination = AnyDestination::create(&location, &never()).expect("creates");
    convert(&source, destination, None, &options(jobs), &|_: Event| {}).expect("converts");
    rewritten.len()
}

#[test]
fn every_file_stays_and_every_ztoc_is_good() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (case, expected) in [("oci-zstd", 3), ("oci-estargz", 1), ("oci-mixed-zstd-base", 1)] {
        let target = folder.path().join(format!("{case}.tar"));
        let rewritten = run(case, ALL, 2, &target);
        assert!(rewritten >= expected, "{case}: {rewritten} layers were rewritten");
        let before_source = open(&soci_tests::buildx_vectors().join(case).join("image.tar"));
        let after_source = open(&target);
        let (before, after) = (images(&before_source), images(&after_source));
        assert!(
            !before.is_empty() && before.keys().eq(after.keys()),
            "{case}: the platforms differ"
        );
        for (platform, old) in &before {
            let new = &after[platform];
            assert_eq!(
                old.config, new.config,
                "{case} {platform}: the config, and so the diff_ids, stay"
            );
            assert_eq!(old.layers.len(), new.layers.len());
            for (old, new) in old.layers.iter().zip(&new.layers) {
                let (old_plain, new_bytes) = (
                    uncompress(&read_all(&before_source, old)),
                    read_all(&after_source, new),
                );
                let mut one_member = Vec::new();
                flate2::read::GzDecoder::new(&new_bytes[..])
                    .read_to_end(&mut one_member)
                    .expect("one member");
                assert_eq!(files(&old_plain), files(&one_member), "{case}: {}", new.digest);
                assert_eq!(old_plain, one_member);
                assert!(new.media_type.ends_with("tar+gzip"), "{}", new.media_type);
                assert!(!new.annotations.keys().any(|key| key.contains("stargz")));
            }
        }
        verify_ztocs(&after_source, case);
    }
}

/// Every zTOC of every SOCI index against its layer.
fn verify_ztocs(source: &AnySource, case: &str) {
    let mut open: Vec<Descriptor> = block_on(source.roots())
        .expect("roots")
        .into_iter()
        .map(|root| root.descriptor)
        .collect();
    let mut seen = 0;
    while let Some(descriptor) = open.pop() {
        let bytes = block_on(source.document(&descriptor)).expect("a document");
        match Document::parse(&bytes, &descriptor.media_type).expect("a good document") {
            Document::Index(index) => open.extend(index.manifests),
            Document::Manifest(manifest) if manifest.config.media_type.contains("soci.index") => {
                for blob in &manifest.layers {
                    let layer = blob
                        .annotation("com.amazon.soci.image-layer-digest")
                        .expect("a zTOC names its layer");
                    let layer = Digest::parse(layer).expect("a digest");
                    let images = images(source);
                    let layer = images
                        .values()
                        .flat_map(|image| &image.layers)
                        .find(|candidate| candidate.digest == layer)
                        .expect("the layer of a zTOC is in the image");
                    let ztoc = Ztoc::from_bytes(&read_all(source, blob)).expect("a good zTOC");
                    let mut verifier = Verifier::new(&ztoc);
                    verifier.push(&read_all(source, layer)).expect("a good layer");
                    let verification = verifier.finish().expect("a good layer");
                    assert_eq!(verification.fault_count, 0, "{case}: {:?}", verification.faults);
                    seen += 1;
                }
            }
            _ => {}
        }
    }
    assert!(seen > 0, "{case} has no zTOC");
}

#[test]
fn the_same_bytes_with_any_number_of_jobs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (one, four) = (folder.path().join("one.tar"), folder.path().join("four.tar"));
    run("oci-zstd", ALL, 1, &one);
    run("oci-zstd", ALL, 4, &four);
    assert!(std::fs::read(one).expect("written") == std::fs::read(four).expect("written"));
}

#[test]
fn suitable_layers_stay_and_their_ztocs_are_not_built_twice() {
    let source = open(&soci_tests::buildx_vectors().join("oci-multi").join("image.tar"));
    let read_before = std::sync::atomic::AtomicUsize::new(0);
    let count = |event: Event| {
        if matches!(event, Event::LayerStarted { .. }) {
            read_before.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let (source, rewritten) = recompress(source, &options(2), ALL, &count).expect("nothing to do");
    assert_eq!(rewritten, []);
    let first = read_before.load(std::sync::atomic::Ordering::Relaxed);
    assert!(first > 0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let location: Location = format!("oci-archive:{}/x.tar", folder.path().display())
        .parse()
        .expect("a location");
    let destination = AnyDestination::create(&location, &never()).expect("creates");
    let report = convert(&source, destination, None, &options(2), &count).expect("converts");
    assert_eq!(
        read_before.load(std::sync::atomic::Ordering::Relaxed),
        first,
        "no layer is read again"
    );
    assert!(
        report
            .layers()
            .iter()
            .all(|layer| matches!(layer.outcome, LayerOutcome::Indexed { .. }))
    );
}

#[test]
fn uncompressed_layers_only_where_asked_for() {
    let case = soci_tests::buildx_vectors()
        .join("oci-uncompressed")
        .join("image.tar");
    let (_, rewritten) = recompress(open(&case), &options(1), ALL, &|_| {}).expect("nothing to do");
    assert_eq!(rewritten, [], "a plain tar can be loaded lazily");
    let what = Recompress {
        uncompressed: true,
        ..ALL
    };
    let (source, rewritten) = recompress(open(&case), &options(1), what, &|_| {}).expect("rewrites");
    assert!(!rewritten.is_empty() && rewritten.iter().all(|layer| layer.reason == "uncompressed"));
    for image in images(&source).values() {
        assert!(
            image
                .layers
                .iter()
                .all(|layer| layer.media_type.ends_with("tar+gzip"))
        );
    }
}

#[test]
fn a_stopped_run_says_so() {
    let source = open(&soci_tests::buildx_vectors().join("oci-zstd").join("image.tar"));
    let options = options(2);
    options.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = recompress(source, &options, ALL, &|_| {})
        .map(|_| ())
        .expect_err("it was stopped");
    assert!(matches!(error, soci_store::Error::Interrupted), "{error}");
}
