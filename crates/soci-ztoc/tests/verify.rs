//! Verifying and extracting: good zTOCs have no fault, every kind of damage is found and named.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use std::fs;

use common::{assert_files_equal, build, extracted, moved, with, with_checkpoint, with_window};
use soci_ztoc::Error;
use soci_ztoc::ztoc::{Compression, Fault, Toc, Verification, Verifier, Ztoc, verify};

fn layer(name: &str) -> Vec<u8> {
    fs::read(soci_tests::ztoc_vectors().join("layers").join(name)).expect("the vector is there")
}

fn checked(ztoc: &Ztoc, layer: &[u8]) -> Verification {
    verify(ztoc, &mut &layer[..]).expect("the layer is good")
}

/// A layer with files of all sizes and some fifty spans of 64 KiB, and its zTOC.
fn mix() -> (Vec<u8>, Ztoc) {
    let layer = layer("med-pigz11s.tar.gz");
    let ztoc = build(&layer, Compression::Gzip, 64 << 10)
        .into_encoded()
        .into_ztoc();
    (layer, ztoc)
}

/// The same table with one entry changed, by way of the file format.
fn with_bytes_replaced(ztoc: &Ztoc, from: &[u8], to: &[u8]) -> Ztoc {
    assert_eq!(from.len(), to.len());
    let mut file = ztoc.to_bytes().expect("the zTOC is small");
    let at = file
        .windows(from.len())
        .rposition(|window| window == from)
        .expect("the bytes are there");
    file[at..at + to.len()].copy_from_slice(to);
    Ztoc::from_bytes(&file).expect("still a zTOC")
}

#[test]
fn good_ztocs_have_no_fault_and_every_file_comes_out_of_its_spans() {
    for (name, compression) in [
        ("mix-multi-1m.tar.gz", Compression::Gzip),
        ("mix-partialflush.tar.gz", Compression::Gzip),
        ("med-pigz11s.tar.gz", Compression::Gzip),
        ("estargz-like.tar.gz", Compression::Gzip),
        ("zeros64m.tar.gz", Compression::Gzip),
        ("tar-eof-pad-1m.tar.gz", Compression::Gzip),
        ("tar-no-eof.tar.gz", Compression::Gzip),
        ("links-devices.tar.gz", Compression::Gzip),
        ("empty-stream.gz", Compression::Gzip),
        ("pax-xattr.tar", Compression::Uncompressed),
        ("sizes.tar", Compression::Uncompressed),
        ("empty-tar.tar", Compression::Uncompressed),
    ] {
        let layer = layer(name);
        for span_size in [64 << 10, 1 << 20, 4 << 20] {
            let what = format!("{name} at span size {span_size}");
            let built = build(&layer, compression, span_size);
            let verification = checked(built.ztoc(), &layer);
            assert_eq!(verification.faults, [], "{what}");
            assert_eq!(verification.layer_digest, built.layer_digest(), "{what}");
            // Small spans make many seams and cheap reads.
            if span_size == 64 << 10 {
                let files = assert_files_equal(&what, built.ztoc(), &layer);
                assert_eq!(verification.files, files, "{what}");
            }
        }
    }
}

#[test]
fn a_stream_that_begins_with_an_empty_block_is_refused_and_right_otherwise() {
    let layer = layer("mix-emptyfirst.tar.gz");
    let ztoc = build(&layer, Compression::Gzip, 64 << 10)
        .into_encoded()
        .into_ztoc();
    let faults = checked(&ztoc, &layer).faults;
    let [Fault::Refused(refusal)] = &faults[..] else {
        panic!("{faults:?}");
    };
    assert!(matches!(
        refusal,
        soci_ztoc::ztoc::Refusal::EmptySpan { span: 1, offset: 0 }
    ));
    assert_files_equal("mix-emptyfirst.tar.gz", &ztoc, &layer);
}

#[test]
fn the_uncompressed_digest_is_that_of_everything_that_comes_out() {
    for (name, compression) in [
        // Its padding goes on for a megabyte behind the archive.
        ("tar-eof-pad-1m.tar.gz", Compression::Gzip),
        ("mix-multi-1m.tar.gz", Compression::Gzip),
        ("pax-xattr.tar", Compression::Uncompressed),
    ] {
        let layer = layer(name);
        let ztoc = build(&layer, compression, 64 << 10).into_encoded().into_ztoc();
        let mut all = Vec::new();
        match compression {
            Compression::Gzip => {
                let mut reader = flate2::read::MultiGzDecoder::new(&layer[..]);
                std::io::Read::read_to_end(&mut reader, &mut all).expect("the layer is good");
            }
            _ => all.clone_from(&layer),
        }
        let expected: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &all)).into();
        assert_eq!(checked(&ztoc, &layer).uncompressed_digest, expected, "{name}");
    }
}

#[test]
fn verifying_does_not_depend_on_pieces() {
    let (layer, ztoc) = mix();
    let ztoc = with_checkpoint(&ztoc, 20, |good| with_window(good, |window| window[32_000] ^= 1));
    let whole = checked(&ztoc, &layer);
    assert!(!whole.faults.is_empty());
    for size in [1, 7, 4096, 100_000] {
        let mut verifier = Verifier::new(&ztoc);
        for piece in layer.chunks(size) {
            verifier.push(piece).expect("the layer is good");
        }
        assert_eq!(
            verifier.finish().expect("the layer is good"),
            whole,
            "pieces of {size}"
        );
    }
}

#[test]
fn a_wrong_window_is_found_and_its_files_are_named() {
    let (layer, good) = mix();
    let mut found = 0;
    for index in [1, 10, 20, 30, 40] {
        // A window matters as far as matches reach into it: all its bytes are wrong here.
        let ztoc = with_checkpoint(&good, index, |good| {
            with_window(good, |window| window.iter_mut().for_each(|byte| *byte ^= 0x55))
        });
        let verification = checked(&ztoc, &layer);
        match &verification.faults[..] {
            [Fault::SpanContents { span, files, .. }] => {
                assert_eq!(*span, index);
                assert!(*files > 0);
                found += 1;
            }
            // pigz -i: blocks that reach into no window.
            [] => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(found > 0, "no span uses its window");
}

#[test]
fn a_wrong_digest_or_place_is_found() {
    let (layer, good) = mix();
    let ztoc = with(&good, |parts| parts.span_digests[7][0] ^= 1);
    let verification = checked(&ztoc, &layer);
    assert!(
        matches!(verification.faults[..], [Fault::SpanDigest { span: 7, .. }]),
        "{:?}",
        verification.faults
    );
    let victim = (0..ztoc.toc().len())
        .find(|&index| {
            let entry = ztoc.toc().get(index).unwrap();
            let (first, last) = ztoc.span_range(&entry);
            entry.data_size() > 0 && (first..last).contains(&7)
        })
        .expect("a file has bytes in span 7");
    assert!(matches!(
        extracted(&ztoc, victim, &layer),
        Err(Error::SpanDigest { span: 7, .. })
    ));

    let ztoc = with_checkpoint(&good, 7, |good| {
        moved(good, |compressed, uncompressed, bits| {
            (compressed, uncompressed, if bits == 7 { 6 } else { bits + 1 })
        })
    });
    assert!(!checked(&ztoc, &layer).faults.is_empty());

    let ztoc = with_checkpoint(&good, 7, |good| {
        moved(good, |compressed, uncompressed, bits| {
            (compressed, uncompressed + 1, bits)
        })
    });
    assert!(!checked(&ztoc, &layer).faults.is_empty());

    let ztoc = with(&good, |parts| parts.span_digests.truncate(1));
    assert!(matches!(
        checked(&ztoc, &layer).faults[..],
        [Fault::Refused(_), ..]
    ));

    let ztoc = with(&good, |parts| parts.uncompressed_size -= 512);
    assert!(matches!(
        checked(&ztoc, &layer).faults[0],
        Fault::ArchiveSize { .. }
    ));
}

#[test]
fn a_changed_entry_is_found() {
    let layer = layer("tiny.tar.gz");
    let good = build(&layer, Compression::Gzip, 4 << 20)
        .into_encoded()
        .into_ztoc();
    let entry = good.toc().get(good.toc().len() - 1).unwrap();
    let (name, time) = (entry.name.to_vec(), entry.modified.to_vec());

    let mut other_name = name.clone();
    other_name[0] ^= 1;
    let faults = checked(&with_bytes_replaced(&good, &name, &other_name), &layer).faults;
    assert!(
        matches!(faults[..], [Fault::Entry { field: "name", .. }]),
        "{faults:?}"
    );

    let mut other_time = time.clone();
    other_time[3] ^= 1;
    let faults = checked(&with_bytes_replaced(&good, &time, &other_time), &layer).faults;
    assert!(
        matches!(
            faults[..],
            [Fault::Entry {
                field: "modification time",
                ..
            }]
        ),
        "{faults:?}"
    );

    let ztoc = with(&good, |parts| parts.toc = Toc::new());
    let faults = checked(&ztoc, &layer).faults;
    assert!(
        matches!(faults[..], [Fault::MissingEntries { count: 4, .. }]),
        "{faults:?}"
    );

    let empty = fs::read(soci_tests::ztoc_vectors().join("layers/empty-tar.tar.gz")).unwrap();
    let built = build(&empty, Compression::Gzip, 4 << 20);
    let ztoc = with(built.ztoc(), |parts| parts.toc = good.toc().clone());
    let faults = checked(&ztoc, &empty).faults;
    assert!(
        matches!(faults[..], [Fault::ExtraEntries { count: 4, .. }]),
        "{faults:?}"
    );
}

#[test]
fn another_layer_is_told_and_a_damaged_one_is_an_error() {
    let (layer, ztoc) = mix();
    let other = fs::read(soci_tests::ztoc_vectors().join("layers/estargz-like.tar.gz")).unwrap();
    let verification = checked(&ztoc, &other);
    assert!(
        verification
            .faults
            .iter()
            .any(|fault| matches!(fault, Fault::LayerSize { .. }))
    );
    assert_eq!(verification.files, 0);
    let cut = &layer[..layer.len() - 9];
    assert!(matches!(verify(&ztoc, &mut &cut[..]), Err(Error::Gzip(_))));
}

#[test]
fn what_is_no_file_cannot_be_extracted() {
    let layer = layer("links-devices.tar.gz");
    let ztoc = build(&layer, Compression::Gzip, 4 << 20)
        .into_encoded()
        .into_ztoc();
    let link = ztoc
        .toc()
        .iter()
        .position(|entry| !entry.link_name.is_empty())
        .expect("a link");
    let error = extracted(&ztoc, link, &layer).expect_err("a link has no contents");
    assert!(matches!(error, Error::NotAFile { .. }), "{error}");
}

#[test]
fn a_layer_that_ends_early_is_a_read_error() {
    let (layer, ztoc) = mix();
    let last = (0..ztoc.toc().len())
        .rfind(|&index| ztoc.toc().get(index).unwrap().data_size() > 0)
        .unwrap();
    let error = extracted(&ztoc, last, &layer[..layer.len() - 1]).expect_err("a byte is missing");
    assert!(matches!(error, Error::Read { .. }), "{error}");
}
