//! Any zTOC: written by us and by the `flatbuffers` crate to the same bytes, and read back as it was.

use alloc::vec::Vec;

use flatbuffers::{FlatBufferBuilder, WIPOffset};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::EncodedZtoc;
use crate::inflate::WINDOW_SIZE;
use crate::ztoc::limits::Limits;
use crate::ztoc::toc::{EntryType, Toc, TocEntry, Xattrs};
use crate::ztoc::value::{Ztoc, ZtocParts};
use crate::ztoc::zinfo::{Checkpoint, GzipZinfo, TarZinfo, Window, Zinfo};

/// The slot number as the crate wants it: the offset in the vtable.
const fn slot(id: u16) -> u16 {
    4 + 2 * id
}

/// Builds the file with the `flatbuffers` crate, calling it in the order of Go's code.
fn written_by_the_crate(ztoc: &Ztoc) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let version = builder.create_byte_string(&ztoc.parts.version);
    let tool = builder.create_byte_string(&ztoc.parts.build_tool_identifier);
    let entries: Vec<TocEntry<'_>> = ztoc.parts.toc.iter().collect();
    let mut tables: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| entry_by_the_crate(&mut builder, entry))
        .collect();
    tables.reverse();
    let metadata = builder.create_vector(&tables);
    let table = builder.start_table();
    builder.push_slot_always(slot(0), metadata);
    let toc = builder.end_table(table);
    let mut blob = Vec::new();
    let Ok(()) = ztoc.parts.zinfo.write_blob(&mut |bytes: &[u8]| {
        blob.extend_from_slice(bytes);
        Ok::<(), core::convert::Infallible>(())
    });
    let checkpoints = builder.create_vector(&blob);
    let digests: Vec<_> = ztoc
        .span_digests()
        .iter()
        .map(|digest| {
            let mut text = alloc::string::String::from("sha256:");
            digest
                .iter()
                .for_each(|byte| text.push_str(&alloc::format!("{byte:02x}")));
            builder.create_string(&text)
        })
        .collect();
    let digests = builder.create_vector(&digests);
    let table = builder.start_table();
    builder.push_slot(slot(1), ztoc.parts.max_span_id, 0);
    builder.push_slot_always(slot(2), digests);
    builder.push_slot_always(slot(3), checkpoints);
    let algorithm = if matches!(ztoc.parts.zinfo, Zinfo::Gzip(_)) {
        1
    } else {
        2
    };
    builder.push_slot::<i8>(slot(0), algorithm, 1);
    let info = builder.end_table(table);
    let table = builder.start_table();
    builder.push_slot_always(slot(0), version);
    builder.push_slot_always(slot(1), tool);
    builder.push_slot_always(slot(4), toc);
    builder.push_slot(slot(2), ztoc.parts.compressed_size as i64, 0);
    builder.push_slot(slot(3), ztoc.parts.uncompressed_size as i64, 0);
    builder.push_slot_always(slot(5), info);
    let root = builder.end_table(table);
    builder.finish_minimal(root);
    builder.finished_data().to_vec()
}

fn entry_by_the_crate<'b>(
    builder: &mut FlatBufferBuilder<'b>,
    entry: &TocEntry<'_>,
) -> WIPOffset<flatbuffers::TableFinishedWIPOffset> {
    let name = builder.create_byte_string(entry.name);
    let entry_type = builder.create_byte_string(entry.entry_type.as_str().as_bytes());
    let link_name = builder.create_byte_string(entry.link_name);
    let user_name = builder.create_byte_string(entry.user_name);
    let group_name = builder.create_byte_string(entry.group_name);
    let modified = builder.create_byte_string(entry.modified);
    let xattrs: Vec<_> = entry
        .xattrs
        .iter()
        .map(|(key, value)| {
            let key = builder.create_byte_string(key);
            let value = builder.create_byte_string(value);
            let table = builder.start_table();
            builder.push_slot_always(slot(0), key);
            builder.push_slot_always(slot(1), value);
            builder.end_table(table)
        })
        .collect();
    let xattrs = builder.create_vector(&xattrs);
    let table = builder.start_table();
    builder.push_slot_always(slot(0), name);
    builder.push_slot_always(slot(1), entry_type);
    builder.push_slot(slot(2), entry.offset as i64, 0);
    builder.push_slot(slot(3), entry.size, 0);
    builder.push_slot_always(slot(4), link_name);
    builder.push_slot(slot(5), entry.mode, 0);
    builder.push_slot(slot(6), entry.uid, 0);
    builder.push_slot(slot(7), entry.gid, 0);
    builder.push_slot_always(slot(8), user_name);
    builder.push_slot_always(slot(9), group_name);
    builder.push_slot_always(slot(10), modified);
    builder.push_slot(slot(11), entry.device_major, 0);
    builder.push_slot(slot(12), entry.device_minor, 0);
    builder.push_slot_always(slot(13), xattrs);
    let table = builder.end_table(table);
    WIPOffset::new(table.value())
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), vec(any::<u8>(), 0..9), vec(b'a'..=b'z', 1..40)]
}

/// Small numbers, zero and anything.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..5_i64, any::<i64>()]
}

fn entries() -> impl Strategy<Value = Toc> {
    let entry = (
        (text(), 0..7_usize, 0..1_u64 << 62, number(), text(), number()),
        (
            prop_oneof![Just(0), any::<u32>()],
            prop_oneof![Just(0), any::<u32>()],
        ),
        (text(), text(), text(), number(), number()),
        btree_map(text(), text(), 0..4),
    );
    vec(entry, 0..20).prop_map(|entries| {
        let mut toc = Toc::new();
        for (first, ids, second, records) in &entries {
            let types = [
                EntryType::Regular,
                EntryType::HardLink,
                EntryType::Symlink,
                EntryType::CharacterDevice,
                EntryType::BlockDevice,
                EntryType::Directory,
                EntryType::Fifo,
            ];
            let entry = TocEntry {
                name: &first.0,
                entry_type: types[first.1],
                // Absent when 0, so 0 has to come up.
                offset: if first.2 % 3 == 0 { 0 } else { first.2 },
                size: first.3,
                link_name: &first.4,
                mode: first.5,
                uid: ids.0,
                gid: ids.1,
                user_name: &second.0,
                group_name: &second.1,
                modified: &second.2,
                device_major: second.3,
                device_minor: second.4,
                xattrs: Xattrs::NONE,
            };
            toc.push(&entry, records.iter().map(|(key, value)| (&key[..], &value[..])));
        }
        toc
    })
}

fn zinfo() -> impl Strategy<Value = (Zinfo, u64)> {
    let gzip = (
        vec((1..1000_u64, 0..100_000_u64, 0..8_u8, any::<u8>()), 1..4),
        0..1_i64 << 40,
        any::<bool>(),
    )
        .prop_map(|(steps, span_size, first_form)| {
            let (mut compressed_offset, mut uncompressed_offset) = (9, 0);
            let mut checkpoints = Vec::new();
            for (index, (compressed, uncompressed, bits, fill)) in steps.into_iter().enumerate() {
                let first = index == 0;
                compressed_offset += if first { 1 } else { compressed };
                uncompressed_offset += if first { 0 } else { uncompressed };
                let window = Window::new(&[if first { 0 } else { fill }; WINDOW_SIZE]);
                let bits = if first { 0 } else { bits };
                checkpoints.push(
                    Checkpoint::new(compressed_offset, uncompressed_offset, bits, window)
                        .expect("a possible place"),
                );
            }
            let mut zinfo = GzipZinfo::new(span_size, checkpoints).expect("they ascend");
            if first_form {
                zinfo = zinfo.into_first_form().expect("the first is the plain one");
            }
            (Zinfo::Gzip(zinfo), compressed_offset + 100)
        });
    let plain = (1..1_u64 << 40, 0..1000_u64).prop_map(|(span_size, spans)| {
        let size = span_size / 2 * spans;
        let zinfo = TarZinfo::new(span_size, size).expect("a good span size");
        (Zinfo::Uncompressed(zinfo), size)
    });
    prop_oneof![gzip, plain]
}

fn ztocs() -> impl Strategy<Value = Ztoc> {
    let rest = (
        text(),
        text(),
        any::<i32>(),
        vec(any::<[u8; 32]>(), 0..5),
        0..1_u64 << 62,
    );
    (rest, entries(), zinfo()).prop_map(|(rest, toc, (zinfo, compressed_size))| {
        let (version, tool, max_span_id, span_digests, uncompressed_size) = rest;
        let parts = ZtocParts {
            version: version.into(),
            build_tool_identifier: tool.into(),
            compressed_size,
            // Absent when 0, so 0 has to come up.
            uncompressed_size: if uncompressed_size % 3 == 0 {
                0
            } else {
                uncompressed_size
            },
            toc,
            max_span_id: if max_span_id % 3 == 0 { 0 } else { max_span_id },
            span_digests,
            zinfo,
        };
        Ztoc::from_parts(parts).expect("the parts fit together")
    })
}

proptest! {
    #[test]
    fn the_flatbuffers_crate_writes_the_same_bytes(ztoc in ztocs()) {
        let encoded = EncodedZtoc::new(ztoc.clone()).expect("the zTOC is small");
        let ours = encoded.to_bytes();
        prop_assert_eq!(encoded.size(), ours.len() as u64);
        prop_assert!(ours == written_by_the_crate(&ztoc));
    }

    #[test]
    fn what_is_written_is_read_back(ztoc in ztocs()) {
        let file = ztoc.to_bytes().expect("the zTOC is small");
        let read = Ztoc::from_bytes(&file).expect("our own zTOC is readable");
        prop_assert!(read == ztoc);
        prop_assert!(read.to_bytes().expect("the zTOC is small") == file);
    }

    /// Damage never panics, and what is still a zTOC can be written and asked.
    #[test]
    fn damaged_files_are_refused_or_read(
        ztoc in ztocs(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = ztoc.to_bytes().expect("the zTOC is small");
        // The last bytes are the NUL and the padding of the last string, which nobody needs.
        prop_assert!(Ztoc::from_bytes(&file[..cut.index(file.len() - 4)]).is_err());
        // Most bytes are windows: aim at the structure in front and behind.
        let structure = file.len().min(600);
        for (index, value) in changes {
            let at = index.index(2 * structure);
            let at = if at < structure { at } else { file.len() - 1 - (at - structure) };
            file[at] = value;
        }
        if let Ok(read) = Ztoc::from_bytes_within(&file, &Limits::DEFAULT) {
            let _ = read.refusal();
            let _ = read.multi_span_files();
            let again = read.to_bytes().expect("what was read is small");
            prop_assert!(Ztoc::from_bytes(&again).expect("our own zTOC is readable") == read);
        }
    }
}
