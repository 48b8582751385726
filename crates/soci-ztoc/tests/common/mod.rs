//! What several test files need: building, and a plain walk by other people's crates.
#![allow(dead_code)]

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use soci_ztoc::ztoc::{
    BoxError, BuildOptions, BuildOutcome, Built, Checkpoint, Compression, GzipZinfo, Window, Zinfo, Ztoc,
    ZtocBuilder, ZtocParts, extract,
};

pub(crate) fn options(compression: Compression, span_size: u64) -> BuildOptions {
    BuildOptions::new(compression, "tests").with_span_size(span_size)
}

/// The zTOC with something changed in it.
pub(crate) fn with(ztoc: &Ztoc, change: impl FnOnce(&mut ZtocParts)) -> Ztoc {
    let mut parts = ztoc.clone().into_parts();
    change(&mut parts);
    Ztoc::from_parts(parts).expect("the parts fit together")
}

/// The zTOC with another checkpoint in the place of this one.
pub(crate) fn with_checkpoint(
    ztoc: &Ztoc,
    index: usize,
    change: impl FnOnce(&Checkpoint) -> Checkpoint,
) -> Ztoc {
    let Zinfo::Gzip(zinfo) = ztoc.zinfo() else {
        panic!("the layer is gzip'd")
    };
    let mut checkpoints = zinfo.checkpoints().to_vec();
    checkpoints[index] = change(&checkpoints[index]);
    let zinfo = GzipZinfo::new(zinfo.span_size(), checkpoints).expect("they ascend");
    with(ztoc, |parts| parts.zinfo = Zinfo::Gzip(zinfo))
}

/// The checkpoint with another window.
pub(crate) fn with_window(checkpoint: &Checkpoint, change: impl FnOnce(&mut [u8])) -> Checkpoint {
    let mut window = **checkpoint.window();
    change(&mut window);
    Checkpoint::new(
        checkpoint.compressed_offset(),
        checkpoint.uncompressed_offset(),
        checkpoint.bits(),
        Window::new(&window),
    )
    .expect("the same place")
}

/// The checkpoint in another place: its compressed and uncompressed offsets and its bits.
pub(crate) fn moved(checkpoint: &Checkpoint, to: impl FnOnce(u64, u64, u8) -> (u64, u64, u8)) -> Checkpoint {
    let (compressed, uncompressed, bits) = to(
        checkpoint.compressed_offset(),
        checkpoint.uncompressed_offset(),
        checkpoint.bits(),
    );
    Checkpoint::new(compressed, uncompressed, bits, checkpoint.window().clone()).expect("a possible place")
}

/// Builds in one push; the layer must be good.
pub(crate) fn build(layer: &[u8], compression: Compression, span_size: u64) -> Built {
    let mut builder = ZtocBuilder::new(options(compression, span_size)).expect("the span size is good");
    builder.push(layer).expect("the layer is good");
    match builder.finish().expect("the layer is good") {
        BuildOutcome::Indexed(built) => built,
        BuildOutcome::Skipped(skipped) => panic!("the layer was skipped: {}", skipped.reason),
    }
}

/// A file as `tar` and `flate2` see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlainFile {
    pub(crate) name: Vec<u8>,
    pub(crate) regular: bool,
    pub(crate) contents: Vec<u8>,
}

/// Every entry of a layer with its contents, by `tar` and `flate2`.
pub(crate) fn plain_walk(layer: &[u8], compression: Compression) -> Vec<PlainFile> {
    let mut archive = Vec::new();
    match compression {
        Compression::Gzip => {
            MultiGzDecoder::new(layer)
                .read_to_end(&mut archive)
                .expect("flate2 reads the layer");
        }
        _ => archive.extend_from_slice(layer),
    }
    tar::Archive::new(Cursor::new(archive))
        .entries()
        .expect("tar reads the layer")
        .map(|entry| {
            let mut entry = entry.expect("tar reads the entry");
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).expect("tar reads the data");
            PlainFile {
                name: entry.path_bytes().into_owned(),
                regular: entry.header().entry_type().is_file(),
                contents,
            }
        })
        .collect()
}

/// One entry through its spans.
pub(crate) fn extracted(ztoc: &Ztoc, index: usize, mut layer: &[u8]) -> Result<Vec<u8>, soci_ztoc::Error> {
    let entry = ztoc.toc().get(index).expect("the entry is there");
    let mut contents = Vec::new();
    extract(
        ztoc,
        &entry,
        &mut layer,
        &mut |bytes: &[u8]| -> Result<(), BoxError> {
            contents.extend_from_slice(bytes);
            Ok(())
        },
    )?;
    Ok(contents)
}

/// Compares every entry of a zTOC, and every file read through its spans, with the plain walk.
/// Gives the number of files.
pub(crate) fn assert_files_equal(what: &str, ztoc: &Ztoc, layer: &[u8]) -> usize {
    let walked = plain_walk(layer, ztoc.compression());
    assert_eq!(walked.len(), ztoc.toc().len(), "{what}: number of entries");
    let mut files = 0;
    for (index, (entry, plain)) in ztoc.toc().iter().zip(&walked).enumerate() {
        let name = String::from_utf8_lossy(&plain.name);
        assert_eq!(entry.name, plain.name, "{what}: entry {index}");
        if plain.regular && entry.entry_type == soci_ztoc::ztoc::EntryType::Regular {
            let contents = extracted(ztoc, index, layer)
                .unwrap_or_else(|error| panic!("{what}: {name} cannot be extracted: {error}"));
            assert!(
                contents == plain.contents,
                "{what}: the contents of {name} differ"
            );
            files += 1;
        }
    }
    files
}
