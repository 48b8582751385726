//! Layers of several gzip members, and what their headers may hold.

mod common;

use std::io::Write;

use common::{assert_files_equal, build, options, with};
use flate2::{Compression as Level, GzBuilder};
use sha2::{Digest, Sha256};
use soci_ztoc::Error;
use soci_ztoc::inflate::InflateError;
use soci_ztoc::ztoc::{BuildOutcome, Compression, Refusal, Unindexable, Zinfo, Ztoc, ZtocBuilder, verify};

fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for index in 0..40_u32 {
        let contents: Vec<u8> = (0..5000 + index)
            .flat_map(|word| (word * index).to_le_bytes())
            .collect();
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, format!("file-{index}"), &contents[..])
            .expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().filename(name).write(Vec::new(), Level::new(6));
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn outcome(layer: &[u8]) -> Result<BuildOutcome, Error> {
    let mut builder = ZtocBuilder::new(options(Compression::Gzip, 64 << 10))?;
    builder.push(layer)?;
    builder.finish()
}

#[test]
fn spans_go_over_the_ends_of_members() {
    let archive = archive();
    // Pieces that are not a multiple of anything: spans, files and headers lie across them.
    let layer: Vec<u8> = archive
        .chunks(100_003)
        .flat_map(|piece| member("m", piece))
        .collect();
    let built = build(&layer, Compression::Gzip, 64 << 10);
    assert_eq!(built.members(), archive.len().div_ceil(100_003) as u64);
    let verification = verify(built.ztoc(), &mut &layer[..]).expect("a good layer");
    assert_eq!(verification.faults, []);
    assert_eq!(assert_files_equal("members", built.ztoc(), &layer), 40);
}

#[test]
fn one_member_and_none_are_counted() {
    assert_eq!(
        build(&member("m", &archive()), Compression::Gzip, 1 << 20).members(),
        1
    );
    assert_eq!(build(&archive(), Compression::Uncompressed, 1 << 20).members(), 0);
}

#[test]
fn a_name_that_go_does_not_read_is_a_reason_to_skip() {
    let archive = archive();
    let (first, second) = archive.split_at(50_000);
    for (length, read) in [(511, true), (512, false)] {
        let name = "n".repeat(length);
        for layer in [
            member(&name, &archive),
            [member("m", first), member(&name, second)].concat(),
        ] {
            match outcome(&layer).expect("zlib reads it") {
                BuildOutcome::Indexed(_) => assert!(read, "a name of {length} bytes"),
                BuildOutcome::Skipped(skipped) => {
                    assert!(!read, "a name of {length} bytes");
                    assert_eq!(skipped.reason, Unindexable::LongGzipHeader);
                }
            }
        }
    }
    // Go stops reading where the archive ends.
    let layer = [member("m", &archive), member(&"n".repeat(512), b"more")].concat();
    assert!(matches!(outcome(&layer), Ok(BuildOutcome::Indexed(_))));
}

#[test]
fn damage_in_a_later_member_is_found_even_behind_the_archive() {
    let mut layer = [member("m", &archive()), member("m", b"behind the archive")].concat();
    let crc = layer.len() - 8;
    layer[crc] ^= 1;
    assert!(matches!(
        outcome(&layer),
        Err(Error::Gzip(InflateError::Crc { .. }))
    ));
}

#[test]
fn damaged_gzip_is_told_before_what_it_does_to_the_tar() {
    let mut archive = archive();
    archive[0] ^= 1;
    let mut layer = member("m", &archive);
    assert!(matches!(outcome(&layer), Err(Error::TarHeader { .. })));
    let crc = layer.len() - 8;
    layer[crc] ^= 1;
    assert!(matches!(
        outcome(&layer),
        Err(Error::Gzip(InflateError::Crc { .. }))
    ));
}

#[test]
fn a_layer_that_is_skipped_has_its_digest_all_the_same() {
    let mut archive = archive();
    // A volume label, with its checksum.
    archive[156] = b'V';
    let sum: u32 = archive[..148]
        .iter()
        .chain(&archive[156..512])
        .map(|&byte| u32::from(byte))
        .sum();
    archive[148..156].copy_from_slice(format!("{:06o}\0 ", sum + 8 * 32).as_bytes());
    let layer = member("m", &archive);
    let Ok(BuildOutcome::Skipped(skipped)) = outcome(&layer) else {
        panic!("a volume label has no word")
    };
    assert!(matches!(
        skipped.reason,
        Unindexable::UnsupportedEntry { type_flag: b'V', .. }
    ));
    assert_eq!(skipped.layer_digest, <[u8; 32]>::from(Sha256::digest(&layer)));
    assert_eq!(skipped.compressed_size, layer.len() as u64);
}

#[test]
fn a_ztoc_of_the_first_form_works() {
    // The first form only fits a layer whose header has 10 bytes.
    let mut encoder = GzBuilder::new().write(Vec::new(), Level::new(6));
    encoder.write_all(&archive()).expect("memory takes it");
    let layer = encoder.finish().expect("memory takes it");
    let built = build(&layer, Compression::Gzip, 64 << 10);
    let second_form = built.encoded().to_bytes().len();
    let Zinfo::Gzip(zinfo) = built.ztoc().zinfo() else {
        panic!("the layer is gzip'd")
    };
    let first_form = zinfo.clone().into_first_form().expect("a plain header");
    let ztoc = with(built.ztoc(), |parts| parts.zinfo = Zinfo::Gzip(first_form));
    let file = ztoc.to_bytes().expect("a small zTOC");
    // A checkpoint less; alignment can move by a few bytes.
    assert!((32_785 - 7..=32_785 + 7).contains(&(second_form - file.len())));
    let read = Ztoc::from_bytes(&file).expect("our own zTOC");
    assert!(read == ztoc);
    assert_eq!(verify(&read, &mut &layer[..]).expect("a good layer").faults, []);
    assert_eq!(assert_files_equal("first form", &read, &layer), 40);
}

#[test]
fn a_sparse_file_at_the_end_would_be_read_wrong() {
    let record = |key: &str, value: &str| {
        let body = format!(" {key}={value}\n");
        let length = (body.len()..)
            .find(|length| length.to_string().len() + body.len() == *length)
            .unwrap();
        format!("{length}{body}")
    };
    let records = [
        record("GNU.sparse.numblocks", "1"),
        record("GNU.sparse.map", "0,5"),
        record("GNU.sparse.size", "2000"),
    ]
    .concat();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XHeader);
    header.set_size(records.len() as u64);
    builder
        .append_data(&mut header, "x", records.as_bytes())
        .expect("memory takes it");
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    builder
        .append_data(&mut header, "sparse", &b"hello"[..])
        .expect("memory takes it");
    let layer = builder.into_inner().expect("memory takes it");
    let built = build(&layer, Compression::Uncompressed, 1 << 20);
    assert_eq!(
        built.refusal(),
        Some(&Refusal::SparseFile {
            name: b"sparse"[..].into()
        })
    );
}
