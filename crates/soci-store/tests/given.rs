//! Images in files that somebody else has: read in place, layer by layer apart, converted into memory.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use soci_image::{Descriptor, Digest};
use soci_store::archive::{ArchiveSource, GivenFile, Holds};
use soci_store::memory::MemoryDestination;
use soci_store::store::{AnyBlob, AnyDestination, AnySource, Source};
use soci_store::workflow::{
    Apart, Decision, Examined, LayerApart, LayerOutcome, Options, Report, contents_apart, convert, examine,
    plan,
};
use soci_store::{Location, block_on};
use support::made::{LAYER, Layer, image, letters, tar};
use support::never;

fn options() -> Options {
    Options {
        min_layer_size: 2000,
        ..Options::default()
    }
}

fn opened(bytes: Vec<u8>) -> (ArchiveSource, Holds) {
    let size = bytes.len() as u64;
    ArchiveSource::image_or_layer("given", Arc::new(bytes), size, &|_| {}).expect("a good file")
}

fn into_memory(source: &AnySource, options: &Options) -> (Report, BTreeMap<Digest, Vec<u8>>, AnySource) {
    let destination = MemoryDestination::new();
    let made = destination.made();
    let report = convert(
        source,
        AnyDestination::Memory(destination),
        None,
        options,
        &|_| {},
    )
    .expect("converts");
    let (blobs, images) = made.take();
    let AnySource::Archive(archive) = source else {
        panic!("an archive")
    };
    let converted = archive.with(&images, blobs.clone()).expect("good documents");
    (report, blobs, AnySource::Archive(converted))
}

fn facts(source: &AnySource) -> Vec<String> {
    let images: Vec<Examined> = block_on(examine(source, None)).expect("can be looked at");
    images.iter().map(|image| image.facts.to_json()).collect()
}

/// What the command line makes of the same archive.
fn natively(archive: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (folder.path().join("a.tar"), folder.path().join("b.tar"));
    fs::write(&from, archive).expect("temporary folder");
    let location = |path: &std::path::Path| {
        path.to_str()
            .expect("UTF-8")
            .parse::<Location>()
            .expect("a location")
    };
    let source = AnySource::open(&location(&from), &never()).expect("opens");
    let destination = AnyDestination::create(&location(&to), &never()).expect("a new file");
    convert(&source, destination, None, &options(), &|_| {}).expect("converts");
    facts(&AnySource::open(&location(&to), &never()).expect("opens"))
}

#[test]
fn layers_that_were_read_apart_make_the_same_image_and_are_not_read_again() {
    let archive = image().archive();
    let (source, holds) = opened(archive.clone());
    assert_eq!(holds, Holds::Images);
    let source = AnySource::Archive(source);
    let options = options();
    let planned = block_on(plan(&source, &options)).expect("a plan");
    for layer in planned.layers() {
        let layer = &layer.descriptor;
        let AnyBlob::File(blob) = block_on(source.open(layer)).expect("it is there") else {
            panic!("a file")
        };
        let (file, offset) = blob.place();
        let mut bytes = vec![0; usize::try_from(layer.size).expect("small")];
        file.read_at(&mut bytes, offset).expect("memory");
        let mut alone = LayerApart::new(layer, &options);
        for piece in bytes.chunks(70_001) {
            alone.push(piece).expect("a good layer");
        }
        let (apart, ztoc) = alone.finish().expect("a good layer");
        let text = serde_json::to_string(&apart).expect("a value");
        let apart: Apart = serde_json::from_str(&text).expect("the same value");
        options
            .indexed
            .keep_apart(&layer.digest, apart, &ztoc, &options)
            .expect("a zTOC");
    }
    let read = AtomicU64::new(0);
    let destination = AnyDestination::Memory(MemoryDestination::new());
    let count = |_| {
        read.fetch_add(1, Ordering::Relaxed);
    };
    let report = convert(&source, destination, None, &options, &count).expect("converts");
    assert_eq!(read.into_inner(), 0, "no layer was read");
    let indexed = |outcome: &LayerOutcome| matches!(outcome, LayerOutcome::Indexed { members: 1, .. });
    assert_eq!(
        report
            .layers()
            .iter()
            .filter(|layer| indexed(&layer.outcome))
            .count(),
        2
    );

    let (again, blobs, converted) = into_memory(&source, &self::options());
    assert_eq!(again.images, report.images, "read or not, it is the same image");
    assert_eq!(facts(&converted), natively(&archive));
    // Layers are not copied.
    let layers = planned
        .layers()
        .filter(|layer| blobs.contains_key(&layer.descriptor.digest));
    assert_eq!(layers.count(), 0);
    assert!(blobs.len() > 5, "{}", blobs.len());
}

#[test]
fn the_files_of_a_folder_are_a_layout() {
    let files = image();
    let given = files.0.iter().map(|(path, bytes)| GivenFile {
        path: path.clone(),
        size: bytes.len() as u64,
        bytes: Arc::new(bytes.clone()),
    });
    let source = AnySource::Archive(ArchiveSource::folder("folder", given.collect()).expect("a layout"));
    let (_, _, converted) = into_memory(&source, &options());
    assert_eq!(facts(&converted), natively(&files.archive()));
}

#[test]
fn a_layer_by_itself_is_an_image_of_one_layer_whatever_its_compression() {
    let plain = tar(&[("a", &letters(50_000, 3)), ("b", b"b")]);
    let packed = Layer::gzip(&plain).bytes;
    for bytes in [plain, packed] {
        let digest = Digest::sha256(&bytes);
        let (source, holds) = opened(bytes);
        assert_eq!(holds, Holds::Layer);
        let source = AnySource::Archive(source);
        let planned = block_on(plan(&source, &options())).expect("a plan");
        let [layer] = &planned.layers().collect::<Vec<_>>()[..] else {
            panic!("one layer")
        };
        assert_eq!(layer.descriptor.digest, digest);
        assert!(matches!(layer.decision, Decision::Index));
        let contents = contents_apart(&source, &layer.descriptor, &|_| {})
            .expect("reads")
            .expect("a tar");
        let table = soci_ztoc::ztoc::Ztoc::from_bytes(&contents).expect("a zTOC");
        assert_eq!(table.toc().len(), 2);
        let (report, ..) = into_memory(&source, &options());
        assert!(matches!(report.layers()[0].outcome, LayerOutcome::Indexed { .. }));
    }
}

#[test]
fn what_is_neither_is_told_when_it_is_read() {
    for bytes in [
        b"not a tar at all".repeat(300),
        image().archive()[..5000].to_vec(),
    ] {
        let (source, holds) = opened(bytes);
        assert_eq!(holds, Holds::Layer);
        let source = AnySource::Archive(source);
        let destination = AnyDestination::Memory(MemoryDestination::new());
        let error = convert(&source, destination, None, &options(), &|_| {}).expect_err("no tar");
        assert!(error.to_string().len() > 20, "{error}");
    }
}

#[test]
fn layers_that_are_not_indexed_must_be_right_as_well() {
    let mut files = image();
    let small = |(_, bytes): &&mut (String, Vec<u8>)| bytes.len() < 500 && bytes.starts_with(&[0x1f, 0x8b]);
    let (_, layer) = files.0.iter_mut().find(small).expect("a small layer");
    let last = layer.len() - 1;
    layer[last] ^= 1;
    let (source, _) = opened(files.archive());
    let destination = AnyDestination::Memory(MemoryDestination::new());
    let error = convert(
        &AnySource::Archive(source),
        destination,
        None,
        &options(),
        &|_| {},
    )
    .expect_err("damaged");
    assert!(error.to_string().contains("digest"), "{error}");
}

#[test]
fn wrong_bytes_are_found_apart_as_well() {
    let layer = Layer::gzip(&tar(&[("a", &letters(50_000, 3))])).bytes;
    let descriptor = Descriptor::of(LAYER, &layer);
    let mut wrong = layer.clone();
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    for wrong in [&wrong[..], &layer[..last], &[&layer[..], b"more"].concat()] {
        let mut alone = LayerApart::new(&descriptor, &options());
        let error = alone
            .push(wrong)
            .and_then(|()| alone.finish())
            .expect_err("damaged");
        assert!(error.to_string().contains(descriptor.digest.as_str()), "{error}");
    }
    let source =
        ArchiveSource::blob("the layer", &descriptor, Arc::new(wrong), descriptor.size).expect("a blob");
    let contents = contents_apart(&AnySource::Archive(source), &descriptor, &|_| {}).expect("is there");
    assert_eq!(contents, None);
    let options = options();
    let apart = Apart::Indexed {
        members: 1,
        cut_owners: Vec::new(),
    };
    options
        .indexed
        .keep_apart(&descriptor.digest, apart, b"no zTOC", &options)
        .expect_err("no zTOC");
}
