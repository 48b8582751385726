//! What a conversion to an archive keeps in memory, as the system counts it. The only test of its program:
//! the peak belongs to the whole process.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flate2::{Compression, GzBuilder};
use soci_image::Digest;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, LayerOutcome, Options};

const MIB: u64 = 1 << 20;

/// More than one layer per thread by far.
const LAYERS: usize = 32;

/// What the zTOC of each layer has at least: a window of 32 KiB for every stored block of 64 KiB.
const ZTOC: u64 = 3 * MIB;

/// The most that this process has had in memory.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number of KiB")
        * 1024
}

/// A gzip'd tar, stored only, with one file of 6 MiB and `number` KiB.
fn layer(number: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64 ^ number as u64;
    let content: Vec<u8> = (0..6 * MIB / 8 + number as u64 * 128)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::none()));
    archive
        .append_data(&mut header, format!("file-{number}"), &content[..])
        .expect("memory takes all");
    let gzip = archive.into_inner().expect("memory takes all");
    gzip.finish().expect("memory takes all")
}

#[test]
fn an_archive_takes_memory_by_threads_and_not_by_layers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = folder.path().join("image");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    let put = |bytes: &[u8], media_type: &str| {
        let digest = Digest::sha256(bytes);
        let mut file = fs::File::create(blobs.join(digest.hex())).expect("a file");
        file.write_all(bytes).expect("room");
        let size = bytes.len();
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    // The largest, which is taken first, is the last that is written.
    let layers: Vec<String> = (0..LAYERS)
        .map(|number| put(&layer(number), "application/vnd.oci.image.layer.v1.tar+gzip"))
        .collect();
    let config = put(
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
        "application/vnd.oci.image.config.v1+json",
    );
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{manifest_type}","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    );
    let manifest = put(manifest.as_bytes(), manifest_type);
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    fs::write(
        layout.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{manifest}]}}"#),
    )
    .expect("a file");

    let options = Options {
        min_layer_size: 0,
        span_size: 32768,
        jobs: NonZeroUsize::new(2).expect("not 0"),
        ..Options::default()
    };
    let before = peak();
    let never = Arc::new(AtomicBool::new(false));
    let place = |name: &str| format!("{}/{name}", folder.path().display());
    let source = place("image").parse().expect("a place");
    let source = AnySource::open(&source, &never).expect("opens");
    let destination = place("converted.tar").parse().expect("a place");
    let destination = AnyDestination::create(&destination, &never).expect("can be made");
    let report = workflow::convert(&source, destination, None, &options, &|_| {}).expect("converts");
    let taken = peak() - before;

    let mut ztocs = 0;
    for layer in &report.images[0].platforms[0].layers {
        match &layer.outcome {
            LayerOutcome::Indexed { ztoc_size, .. } => {
                assert!(*ztoc_size >= ZTOC, "a zTOC of {ztoc_size} bytes");
                ztocs += ztoc_size;
            }
            other => panic!("{other:?}"),
        }
    }
    // 8 MiB that may wait, a result and a layer in flight for each thread, buffers: some 35 MiB, and more
    // when the allocator's pools of the threads are used unevenly. All zTOCs are 96 MiB.
    assert!(ztocs > 96 * MIB);
    assert!(
        taken < 60 * MIB,
        "{} MiB for {} MiB of zTOCs",
        taken / MIB,
        ztocs / MIB
    );
}
