//! What the targets for soci-ztoc do with any bytes. A file of its own, so that the tests replay the
//! seeds on a stable toolchain.

use soci_ztoc::Error;
use soci_ztoc::tar::{Entry, Visitor, Walker};
use soci_ztoc::ztoc::{
    BuildOptions, BuildOutcome, Compression, Extractor, GzipZinfo, Limits, TarZinfo, Ztoc, ZtocBuilder,
    verify,
};

/// Small enough that a hostile input is stopped before it takes memory.
const LIMITS: Limits = Limits::DEFAULT
    .with_checkpoints(300)
    .with_spans(5000)
    .with_entries(5000)
    .with_pax_records(50_000)
    .with_text_bytes(1 << 22);

/// Any archive: the walk tells the same in one piece and in small ones.
pub fn tar(bytes: &[u8]) {
    let Some((size, archive)) = bytes.split_first() else {
        return;
    };
    let whole = walked(archive, archive.len().max(1));
    let pieces = walked(archive, usize::from(*size).max(1));
    assert_eq!(whole.0, pieces.0);
    assert_eq!(format!("{:?}", whole.1), format!("{:?}", pieces.1));
}

/// Any file as a zTOC: what is read can be asked, and written and read again as it was.
pub fn file(bytes: &[u8]) {
    let Ok(ztoc) = Ztoc::from_bytes_within(bytes, &LIMITS) else {
        return;
    };
    let written = ztoc.to_bytes().expect("what was read is small");
    assert!(Ztoc::from_bytes(&written).expect("our own zTOC") == ztoc);
    let _ = ztoc.refusal();
    let _ = ztoc.multi_span_files();
    let _ = ztoc.needs_xattrs();
    let paths = ztoc.toc().paths();
    for entry in ztoc.toc().iter().take(20) {
        assert!(paths.find(entry.name).is_some());
        let _ = paths.resolve(entry.name);
        let Ok(mut extractor) = Extractor::new(&ztoc, &entry) else {
            continue;
        };
        // The file itself is as good as any other layer of the wrong bytes.
        let mut budget = 1 << 20;
        while let Some(wanted) = extractor.wanted().filter(|_| budget > 0) {
            let length = ((wanted.end - wanted.start).min(bytes.len() as u64) as usize).max(1);
            budget -= length.min(budget);
            let piece = &bytes[..length.min(bytes.len())];
            if extractor
                .push(piece, &mut |_: &[u8]| Ok::<(), Error>(()))
                .is_err()
            {
                break;
            }
        }
    }
    let _ = verify(&ztoc, &mut &bytes[..]);
}

/// Any checkpoint blob, and any header and records with windows of one byte repeated.
pub fn checkpoints(bytes: &[u8]) {
    blob(bytes);
    let Some((header, records)) = bytes.split_at_checked(12) else {
        return;
    };
    let mut expanded = header.to_vec();
    for record in records.chunks_exact(17).take(20) {
        expanded.extend_from_slice(record);
        expanded.resize(expanded.len() + 32_768, record[0]);
    }
    blob(&expanded);
}

/// Any layer: a zTOC that can be built has no fault, and what it says is written and read again.
pub fn layer(bytes: &[u8]) {
    let Some((&[span, size], layer)) = bytes.split_first_chunk() else {
        return;
    };
    for compression in [Compression::Gzip, Compression::Uncompressed] {
        let options = BuildOptions::new(compression, "fuzz")
            .with_span_size(64 << (span % 20))
            .with_limits(LIMITS);
        let whole = built(&options, layer, layer.len().max(1));
        let pieces = built(&options, layer, usize::from(size).max(1));
        match (whole, pieces) {
            (Ok(BuildOutcome::Indexed(whole)), Ok(BuildOutcome::Indexed(pieces))) => {
                assert!(whole.encoded().digest() == pieces.encoded().digest());
                let read = Ztoc::from_bytes(&whole.encoded().to_bytes()).expect("our own zTOC");
                assert!(&read == whole.ztoc());
                let verification = verify(&read, &mut &layer[..]).expect("the layer was good");
                let toc = whole.ztoc().toc();
                let cut = (0..toc.len()).filter(|index| toc.owner_was_cut(*index));
                assert!(verification.cut_owners.iter().copied().eq(cut));
                if whole.refusal().is_none() {
                    assert_eq!(verification.faults, []);
                }
            }
            (whole, pieces) => assert_eq!(format!("{whole:?}"), format!("{pieces:?}")),
        }
    }
}

fn built(options: &BuildOptions, layer: &[u8], size: usize) -> Result<BuildOutcome, Error> {
    let mut builder = ZtocBuilder::new(options.clone())?;
    for piece in layer.chunks(size) {
        builder.push(piece)?;
    }
    builder.finish()
}

fn blob(bytes: &[u8]) {
    if let Ok(zinfo) = GzipZinfo::from_blob(bytes, &LIMITS) {
        assert!(zinfo.to_blob() == bytes);
    }
    if let Ok(zinfo) = TarZinfo::from_blob(bytes) {
        assert_eq!(
            TarZinfo::from_blob(&zinfo.to_blob()).expect("our own blob"),
            zinfo
        );
    }
}

/// Everything told about an archive, and how it ended.
fn walked(archive: &[u8], size: usize) -> (Vec<u8>, Result<u64, Error>) {
    let mut walker = Walker::new();
    let mut told = Told(Vec::new());
    for piece in archive.chunks(size) {
        if let Err(error) = walker.push(piece, &mut told) {
            return (told.0, Err(error));
        }
    }
    (told.0, walker.finish())
}

struct Told(Vec<u8>);

impl Visitor for Told {
    fn entry(&mut self, entry: &Entry<'_>) {
        self.0
            .extend_from_slice(format!("{entry:?}{:?}", entry.modified.rfc_3339().as_bytes()).as_bytes());
    }

    fn data(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
