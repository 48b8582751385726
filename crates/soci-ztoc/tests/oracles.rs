//! Arbitrary layers: the walk agrees with the `tar` crate, and pieces never matter.

mod common;

use std::io::Write;

use common::{build, options};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use soci_ztoc::tar::{Entry, Visitor, Walker};
use soci_ztoc::ztoc::{BuildOutcome, Compression, ZtocBuilder, verify};

/// An entry as both sides see it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    name: Vec<u8>,
    link_name: Vec<u8>,
    type_flag: u8,
    mode: i64,
    uid: i64,
    gid: i64,
    modified: i64,
    user_name: Vec<u8>,
    data: Vec<u8>,
    records: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Default)]
struct Collected(Vec<Seen>);

impl Visitor for Collected {
    fn entry(&mut self, entry: &Entry<'_>) {
        self.0.push(Seen {
            name: entry.name.to_vec(),
            link_name: entry.link_name.to_vec(),
            type_flag: entry.type_flag,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            modified: entry.modified.seconds(),
            user_name: entry.user_name.to_vec(),
            data: Vec::new(),
            records: entry
                .pax_records()
                .iter()
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
                .collect(),
        });
    }

    fn data(&mut self, bytes: &[u8]) {
        self.0
            .last_mut()
            .expect("data follows its entry")
            .data
            .extend_from_slice(bytes);
    }
}

/// The same archive by the `tar` crate.
fn by_tar_crate(archive: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for entry in tar::Archive::new(archive)
        .entries()
        .expect("tar reads its own archive")
    {
        let mut entry = entry.expect("tar reads its own entry");
        let mut records: Vec<_> = entry
            .pax_extensions()
            .expect("tar reads its own records")
            .into_iter()
            .flatten()
            .map(|record| {
                let record = record.expect("a good record");
                (record.key_bytes().to_vec(), record.value_bytes().to_vec())
            })
            .collect();
        records.sort();
        let mut data = Vec::new();
        std::io::copy(&mut entry, &mut data).expect("tar reads its own data");
        let header = entry.header();
        seen.push(Seen {
            name: entry.path_bytes().into_owned(),
            link_name: entry
                .link_name_bytes()
                .map(|name| name.into_owned())
                .unwrap_or_default(),
            type_flag: header.entry_type().as_byte(),
            mode: i64::from(header.mode().unwrap()),
            uid: header.uid().unwrap() as i64,
            gid: header.gid().unwrap() as i64,
            modified: header.mtime().unwrap() as i64,
            user_name: header.username_bytes().unwrap_or_default().to_vec(),
            data,
            records,
        });
    }
    seen
}

#[derive(Debug, Clone)]
struct Planned {
    name: String,
    link_name: String,
    kind: u8,
    numbers: (u32, u64, u64, u64),
    user_name: String,
    data: Vec<u8>,
    records: Vec<(String, Vec<u8>)>,
    gnu: bool,
}

fn planned() -> impl Strategy<Value = Planned> {
    let name = prop_oneof!["[a-z]{1,12}(/[a-zé]{1,12}){0,3}", "[a-z]{80,140}/[a-z]{80,140}"];
    let data = prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..2000),
        (any::<u8>(), 0..200_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    // The tar crate splits records at newlines, also at those inside of values.
    let value = vec(any::<u8>().prop_filter("newline", |byte| *byte != b'\n'), 0..30);
    // The large ids need base-256 numbers.
    let id = || prop_oneof![0..1000_u64, 0..1_u64 << 40];
    (
        (
            name.clone(),
            name,
            prop_oneof![Just(b'0'), Just(b'5'), Just(b'1'), Just(b'2')],
        ),
        (0..0o10000_u32, id(), id(), 0..1_u64 << 34),
        (
            "[a-z]{0,20}",
            data,
            vec(("[A-Z]{1,5}\\.[a-z]{1,9}", value), 0..3),
            any::<bool>(),
        ),
    )
        .prop_map(
            |((name, link_name, kind), numbers, (user_name, data, mut records, gnu))| {
                records.sort();
                records.dedup_by(|next, kept| next.0 == kept.0);
                Planned {
                    name,
                    link_name,
                    kind,
                    numbers,
                    user_name,
                    data,
                    records,
                    gnu,
                }
            },
        )
}

fn archive(entries: &[Planned]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = if entry.gnu {
            tar::Header::new_gnu()
        } else {
            tar::Header::new_ustar()
        };
        header.set_entry_type(tar::EntryType::new(entry.kind));
        header.set_mode(entry.numbers.0);
        header.set_uid(entry.numbers.1);
        header.set_gid(entry.numbers.2);
        header.set_mtime(entry.numbers.3);
        header.set_username(&entry.user_name).expect("a short name");
        if !entry.records.is_empty() {
            let records = entry.records.iter().map(|(key, value)| (&key[..], &value[..]));
            builder.append_pax_extensions(records).expect("memory takes it");
        }
        let data: &[u8] = if entry.kind == b'0' { &entry.data } else { &[] };
        header.set_size(data.len() as u64);
        // ustar headers have no way to write long names: the crate writes GNU records for both.
        let written = match entry.kind {
            b'1' | b'2' => builder.append_link(&mut header, &entry.name, &entry.link_name),
            _ => builder.append_data(&mut header, &entry.name, data),
        };
        written.expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn gzip(archive: &[u8], level: u32, members: usize) -> Vec<u8> {
    let mut layer = Vec::new();
    let size = archive.len().div_ceil(members);
    for part in archive.chunks(size.max(1)) {
        let mut encoder = GzEncoder::new(layer, Level::new(level));
        encoder.write_all(part).expect("memory takes it");
        layer = encoder.finish().expect("memory takes it");
    }
    layer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_walk_agrees_with_the_tar_crate(
        entries in vec(planned(), 0..8),
        sizes in vec(1_usize..3000, 1..10),
    ) {
        let archive = archive(&entries);
        let mut walker = Walker::new();
        let mut collected = Collected::default();
        let mut rest = &archive[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            walker.push(piece, &mut collected).expect("the tar crate writes good archives");
            rest = behind;
        }
        prop_assert!(walker.ended());
        prop_assert_eq!(walker.finish().expect("a whole archive"), archive.len() as u64);
        prop_assert_eq!(collected.0, by_tar_crate(&archive));
    }

    #[test]
    fn pieces_never_matter(
        entries in vec(planned(), 0..12),
        level in 0..10_u32,
        members in 1..4_usize,
        span_size in prop_oneof![Just(0_u64), 1..100_000_u64, Just(4 << 20)],
        sizes in vec(1_usize..70_000, 1..10),
    ) {
        let archive = archive(&entries);
        for (layer, compression) in [
            (gzip(&archive, level, members), Compression::Gzip),
            (archive.clone(), Compression::Uncompressed),
        ] {
            // A plain tar cannot be cut into spans of nothing, and small ones make many.
            let span_size = if compression == Compression::Gzip { span_size } else { span_size.max(100) };
            let whole = build(&layer, compression, span_size);
            let mut builder = ZtocBuilder::new(options(compression, span_size)).unwrap();
            let mut rest = &layer[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at((*size).min(rest.len()));
                builder.push(piece).expect("a good layer");
                rest = behind;
            }
            let Ok(BuildOutcome::Indexed(pieces)) = builder.finish() else { panic!("a good layer") };
            prop_assert_eq!(whole.layer_digest(), pieces.layer_digest());
            prop_assert!(whole.encoded().to_bytes() == pieces.encoded().to_bytes());
            let verification = verify(whole.ztoc(), &mut &layer[..]).expect("a good layer");
            prop_assert_eq!(verification.faults, []);
        }
    }
}
