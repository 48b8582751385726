//! Many images, large documents: what is refused, and that work grows with the number of images and not with its
//! square.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use soci_image::{Descriptor, Digest};
use soci_store::store::AnySource;
use soci_store::{Error, Location, block_on, workflow};
use support::{Files, MANIFEST, never};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &[u8] = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;

fn open(path: &Path) -> AnySource {
    let location: Location = path.to_str().expect("UTF-8").parse().expect("a location");
    AnySource::open(&location, &never()).expect("opens")
}

fn descriptor(media_type: &str, bytes: &[u8], more: &str) -> String {
    let Descriptor { digest, size, .. } = Descriptor::of(media_type, bytes);
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{more}}}"#)
}

/// A manifest without layers that no other number gives, with so many values that nobody needs.
fn manifest(number: usize, values: usize) -> Vec<u8> {
    let config = descriptor("application/vnd.oci.image.config.v1+json", CONFIG, "");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[],"annotations":{{"number":"{number}"}},"x":[0{}]}}"#,
        ",0".repeat(values)
    )
    .into_bytes()
}

/// How long a look at a layout of so many images takes.
fn look_at(count: usize) -> Duration {
    let folder = tempfile::tempdir().expect("temporary folder");
    let manifests: Vec<Vec<u8>> = (0..count).map(|number| manifest(number, 0)).collect();
    let name =
        |number: usize| format!(r#","annotations":{{"org.opencontainers.image.ref.name":"v{number}"}}"#);
    let entries: Vec<String> = manifests
        .iter()
        .enumerate()
        .map(|(number, bytes)| descriptor(MANIFEST, bytes, &name(number)))
        .collect();
    let mut blobs: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
    blobs.push(CONFIG);
    let files = Files::layout(&blobs, &entries);
    let path = folder.path().join("image.tar");
    fs::write(&path, files.archive()).expect("temporary folder");
    let started = Instant::now();
    let images = block_on(workflow::examine(&open(&path), None)).expect("good images");
    assert_eq!(images.len(), count);
    started.elapsed()
}

#[test]
fn a_look_at_ten_times_as_many_images_takes_about_ten_times_as_long() {
    look_at(50);
    let few = look_at(500);
    let many = look_at(5000);
    // With each image reading all others it would be a hundred times.
    assert!(many < few * 40 + Duration::from_secs(1), "{few:?}, then {many:?}");
}

/// An image index that is one image, of so many manifests.
fn archive(count: usize, values: usize) -> Vec<u8> {
    let manifests: Vec<Vec<u8>> = (0..count).map(|number| manifest(number, values)).collect();
    let list = |entries: Vec<String>| {
        let entries = entries.join(",");
        format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entries}]}}"#).into_bytes()
    };
    let index = list(
        manifests
            .iter()
            .map(|bytes| descriptor(MANIFEST, bytes, ""))
            .collect(),
    );
    let mut files = Files::layout(&[&index, CONFIG], &[descriptor(INDEX, &index, "")]);
    for bytes in &manifests {
        files
            .0
            .push((support::blob_name(&Digest::sha256(bytes)), bytes.clone()));
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut gzip, &files.archive()).expect("memory");
    gzip.finish().expect("memory")
}

#[test]
fn a_small_archive_of_large_documents_is_refused_before_it_fills_the_memory() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("image.tar");
    // Each of them is allowed.
    let bytes = archive(25, 400_000);
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    fs::write(&path, bytes).expect("temporary folder");
    let error = block_on(workflow::examine(&open(&path), None)).expect_err("ten million values");
    assert!(matches!(error, Error::DocumentBudget { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("512 MiB") && message.contains("--tag"),
        "{message}"
    );
}
