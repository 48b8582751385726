//! Hostile and huge layers: limits hold before memory is taken, and memory follows the zTOC.
#![allow(unsafe_code)] // A counting allocator cannot be written without.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use common::options;
use soci_ztoc::Error;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Limits, Unindexable, Ztoc, ZtocBuilder};

struct Counting;

static CURRENT: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's; this one only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = CURRENT.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CURRENT.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, or they count each other's memory.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poison| poison.into_inner())
}

const MIB: usize = 1 << 20;

/// The most memory taken at once, beyond what was there before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = CURRENT.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    (PEAK.load(Ordering::Relaxed) - before, result)
}

fn outcome(layer: &[&[u8]], options: BuildOptions) -> Result<BuildOutcome, Error> {
    let mut builder = ZtocBuilder::new(options)?;
    for piece in layer {
        builder.push(piece)?;
    }
    builder.finish()
}

fn skip_reason(layer: &[u8], options: BuildOptions) -> Unindexable {
    match outcome(&[layer], options) {
        Ok(BuildOutcome::Skipped(skipped)) => skipped.reason,
        other => panic!("{other:?}"),
    }
}

/// A gzip member without data, with so many empty blocks in it.
fn empty_blocks(count: usize) -> Vec<u8> {
    let mut layer = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for index in 0..count {
        layer.push(u8::from(index + 1 == count));
        layer.extend([0, 0, 0xff, 0xff]);
    }
    layer.extend([0; 8]);
    layer
}

/// A header of an entry without data.
fn header(name: &str) -> [u8; 512] {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("a short name");
    header.set_size(0);
    header.set_mode(0o644);
    header.set_mtime(1_700_000_000);
    header.set_cksum();
    *header.as_bytes()
}

#[test]
fn a_megabyte_of_empty_blocks_asks_for_no_gigabytes() {
    let _alone = alone();
    let layer = empty_blocks(200_000);
    let (peak, reason) = peak(|| skip_reason(&layer, options(Compression::Gzip, 4 << 20)));
    assert_eq!(reason, Unindexable::TooManyCheckpoints { limit: 65_501 });
    assert!(peak < 16 * MIB, "{peak} bytes");
}

#[test]
fn memory_of_many_entries_is_bounded_by_their_ztoc() {
    let _alone = alone();
    let (peak, size) = peak(|| {
        let mut builder = ZtocBuilder::new(options(Compression::Uncompressed, 4 << 20)).unwrap();
        for index in 0..150_000 {
            let name = format!(
                "usr/lib/python3/dist-packages/package_{}/module_{index}.py",
                index / 100
            );
            builder.push(&header(&name)).unwrap();
        }
        builder.push(&[0; 1024]).unwrap();
        let Ok(BuildOutcome::Indexed(built)) = builder.finish() else {
            panic!("a good layer")
        };
        let mut written = 0;
        let Ok(()) = built.encoded().write_to(|bytes| {
            written += bytes.len();
            Ok::<(), std::convert::Infallible>(())
        });
        assert_eq!(written as u64, built.encoded().size());
        written
    });
    assert!(size > 20 * MIB);
    assert!(
        peak < 16 * MIB + size + size / 2,
        "{peak} bytes for a zTOC of {size}"
    );
}

#[test]
fn every_limit_gives_a_reason() {
    let _alone = alone();
    let within =
        |limits: Limits, span_size| options(Compression::Uncompressed, span_size).with_limits(limits);
    let mut layer = Vec::new();
    for name in ["first", "second", "third"] {
        layer.extend(header(name));
    }
    layer.extend([0; 1024]);
    let cases = [
        (
            Limits::DEFAULT.with_entries(2),
            4096,
            Unindexable::TooManyEntries { limit: 2 },
        ),
        (
            Limits::DEFAULT.with_text_bytes(50),
            4096,
            Unindexable::TooMuchText {
                limit: 50,
                unit: "bytes",
            },
        ),
        (
            Limits::DEFAULT.with_spans(4),
            512,
            Unindexable::TooManySpans { limit: 4 },
        ),
    ];
    for (limits, span_size, reason) in cases {
        assert_eq!(skip_reason(&layer, within(limits, span_size)), reason);
    }
    let gzip = options(Compression::Gzip, 4 << 20).with_limits(Limits::DEFAULT.with_checkpoints(9));
    assert_eq!(
        skip_reason(&empty_blocks(10), gzip),
        Unindexable::TooManyCheckpoints { limit: 9 }
    );
}

#[test]
fn limits_of_the_reader_hold() {
    let _alone = alone();
    let mut layer = Vec::new();
    for name in ["first", "second", "third"] {
        layer.extend(header(name));
    }
    let Ok(BuildOutcome::Indexed(built)) = outcome(&[&layer], options(Compression::Uncompressed, 512)) else {
        panic!("a good layer")
    };
    let file = built.encoded().to_bytes();
    assert!(Ztoc::from_bytes(&file).is_ok());
    for limits in [
        Limits::DEFAULT.with_entries(2),
        Limits::DEFAULT.with_text_bytes(40),
        Limits::DEFAULT.with_spans(2),
    ] {
        let error = Ztoc::from_bytes_within(&file, &limits).expect_err("beyond the limits");
        assert!(matches!(error, Error::ZtocTooLarge { .. }), "{error}");
    }
}

/// A zTOC of about `size` bytes as nobody writes it: `entries` offsets lead to one entry, which has
/// an owner of so many letters, and `records` offsets to one record.
fn shared(size: usize, entries: usize, records: usize) -> Vec<u8> {
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let slot = |id: u16| 4 + 2 * id;
    let used = 4 * (entries + records) + 1000;
    let owner = builder.create_string(&"o".repeat(size.saturating_sub(used)));
    let kind = builder.create_string("reg");
    let key = builder.create_string("SCHILY.xattr.user.k");
    let record = builder.start_table();
    builder.push_slot_always(slot(0), key);
    builder.push_slot_always(slot(1), key);
    let record = builder.end_table(record);
    let pairs = builder.create_vector(&vec![record; records]);
    let entry = builder.start_table();
    builder.push_slot_always(slot(0), kind);
    builder.push_slot_always(slot(1), kind);
    builder.push_slot_always(slot(8), owner);
    builder.push_slot_always(slot(13), pairs);
    let entry = builder.end_table(entry);
    let metadata = builder.create_vector(&vec![entry; entries]);
    let toc = builder.start_table();
    builder.push_slot_always(slot(0), metadata);
    let toc = builder.end_table(toc);
    let mut blob = [0; 12 + 17 + 32_768];
    blob[0] = 1;
    let checkpoints = builder.create_vector(&blob);
    let info = builder.start_table();
    builder.push_slot_always(slot(3), checkpoints);
    let info = builder.end_table(info);
    let root = builder.start_table();
    builder.push_slot_always(slot(4), toc);
    builder.push_slot_always(slot(5), info);
    let root = builder.end_table(root);
    builder.finish_minimal(root);
    builder.finished_data().to_vec()
}

#[test]
fn what_is_shared_beyond_reason_takes_no_memory_and_no_time() {
    let _alone = alone();
    // As many entries as there may be, with one owner: compared with itself it would take hours.
    // Then as many offsets as fit, to one entry, or to one record.
    for (entries, records) in [(1 << 16, 0), (12 << 20, 0), (1, 12 << 20), (1000, 1000)] {
        let file = shared(64 * MIB, entries, records);
        let (peak, read) = peak(|| Ztoc::from_bytes(&file));
        let error = read.expect_err("nobody writes this");
        assert!(matches!(error, Error::ZtocTooLarge { .. }), "{error}");
        assert!(
            peak < 6 * file.len(),
            "{peak} bytes for {entries} entries of {records} records"
        );
    }
    // The same in moderation is a zTOC.
    let file = shared(0, 100, 3);
    assert_eq!(Ztoc::from_bytes(&file).expect("small").toc().len(), 100);
}

#[test]
fn memory_of_a_ztoc_is_bounded_by_its_file() {
    let _alone = alone();
    let mut builder = ZtocBuilder::new(options(Compression::Uncompressed, 4 << 20)).unwrap();
    for index in 0..120_000 {
        builder.push(&header(&format!("{index}"))).unwrap();
    }
    let Ok(BuildOutcome::Indexed(built)) = builder.finish() else {
        panic!("a good layer")
    };
    let file = built.encoded().to_bytes();
    let (peak, read) = peak(|| Ztoc::from_bytes(&file).expect("our own"));
    assert_eq!(read.toc().len(), 120_000);
    assert!(peak < 3 * file.len(), "{peak} bytes for {}", file.len());
}

#[test]
fn span_sizes_that_cut_nothing_are_refused() {
    let _alone = alone();
    for (compression, span_size) in [
        (Compression::Uncompressed, 0),
        (Compression::Gzip, u64::MAX),
        (Compression::Uncompressed, 1 << 63),
    ] {
        let error = ZtocBuilder::new(options(compression, span_size)).expect_err("a wrong span size");
        assert!(matches!(error, Error::SpanSize { .. }), "{error}");
    }
}

#[test]
fn an_empty_plain_layer_has_no_spans_and_164_bytes() {
    let _alone = alone();
    let Ok(BuildOutcome::Indexed(built)) = outcome(
        &[],
        BuildOptions::new(Compression::Uncompressed, "AWS SOCI CLI v0.2"),
    ) else {
        panic!("an empty archive is a good layer")
    };
    assert_eq!((built.ztoc().max_span_id(), built.ztoc().span_count()), (-1, 0));
    assert_eq!(built.encoded().size(), 164);
    assert_eq!(built.refusal(), None);
}
