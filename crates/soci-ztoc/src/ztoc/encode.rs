//! Writing a zTOC in the reference's byte order (`docs/ztoc.md`, section 2).
//!
//! A FlatBuffer is made from its end to its start and read from its start, so writing one usually
//! means holding it. Here the file is made in pieces: small ones are kept, the entries are made a
//! second time when their turn comes, and the checkpoints are handed out as they lie. In file order:
//!
//! | piece | content | kept |
//! |---|---|---|
//! | head | root offset, `Ztoc`, `CompressionInfo`, span digests, length of the checkpoint blob | yes |
//! | blob | checkpoints, padding | the value itself |
//! | toc | `TOC`, vector of entries | yes |
//! | entries | first to last: table, xattrs, strings | where each ends |
//! | tail | tool and version strings | yes |

use alloc::vec::Vec;
use core::convert::Infallible;

use sha2::{Digest, Sha256};

use super::flatbuffer::{VTables, Writer};
use super::toc::TocEntry;
use super::value::{Compression, Ztoc};
use crate::Error;

/// A zTOC together with the layout of its bytes: size and digest are known, and it can be written
/// any number of times without being held in memory a second time.
#[derive(Debug)]
pub struct EncodedZtoc {
    ztoc: Ztoc,
    head: Vec<u8>,
    blob_padding: usize,
    toc: Vec<u8>,
    tail: Vec<u8>,
    /// The position in front of each entry.
    ends: Vec<u32>,
    vtables: VTables,
    size: usize,
    digest: [u8; 32],
}

impl EncodedZtoc {
    /// Lays a zTOC out.
    ///
    /// # Errors
    /// [`Error::ZtocTooLarge`] beyond 2 GiB, which FlatBuffers cannot address.
    pub fn new(ztoc: Ztoc) -> Result<Self, Error> {
        let mut writer = Writer::default();
        let mut vtables = VTables::default();
        let version = writer.string(&ztoc.parts.version);
        let tool = writer.string(&ztoc.parts.build_tool_identifier);
        let tail = piece(&writer);

        let mut scratch = Vec::new();
        let mut ends = Vec::with_capacity(ztoc.parts.toc.len());
        let mut tables = Vec::with_capacity(ztoc.parts.toc.len());
        for entry in ztoc.parts.toc.iter().rev() {
            let base = writer.position();
            check_size(base)?;
            writer.restart(base);
            tables.push(write_entry(&mut writer, &mut vtables, &mut scratch, &entry));
            ends.push(writer.position() as u32);
        }
        ends.reverse();
        tables.reverse();

        writer.restart(writer.position());
        let metadata = writer.offset_vector(tables.into_iter());
        let mut table = writer.table::<1>();
        table.offset(0, metadata);
        let toc_table = table.end(&mut vtables);
        let toc = piece(&writer);

        let before_blob = writer.position();
        let blob_length = ztoc.parts.zinfo.blob_length();
        check_size(before_blob.saturating_add(blob_length))?;
        writer.restart(before_blob);
        writer.align(4, blob_length);
        let blob_padding = writer.len();
        writer.restart(writer.position() + blob_length);
        writer.u32(blob_length as u32);
        let checkpoints = writer.position();
        let digests: Vec<usize> = ztoc
            .span_digests()
            .iter()
            .map(|digest| writer.string(&digest_text(digest)))
            .collect();
        let digests = writer.offset_vector(digests.into_iter());

        let mut table = writer.table::<4>();
        table.i32(1, ztoc.parts.max_span_id);
        table.offset(2, digests);
        table.offset(3, checkpoints);
        if ztoc.compression() == Compression::Uncompressed {
            table.i8(0, ALGORITHM_UNCOMPRESSED);
        }
        let compression = table.end(&mut vtables);
        let mut table = writer.table::<6>();
        table.offset(0, version);
        table.offset(1, tool);
        table.offset(4, toc_table);
        table.i64(2, ztoc.parts.compressed_size as i64);
        table.i64(3, ztoc.parts.uncompressed_size as i64);
        table.offset(5, compression);
        let root = table.end(&mut vtables);
        writer.finish(root);
        let size = writer.position();
        check_size(size)?;
        let head = piece(&writer);

        let mut encoded = EncodedZtoc {
            ztoc,
            head,
            blob_padding,
            toc,
            tail,
            ends,
            vtables,
            size,
            digest: [0; 32],
        };
        let mut hasher = Sha256::new();
        let Ok(()) = encoded.write_to(|bytes| {
            hasher.update(bytes);
            Ok::<(), Infallible>(())
        });
        encoded.digest = hasher.finalize().into();
        Ok(encoded)
    }

    /// The zTOC.
    pub fn ztoc(&self) -> &Ztoc {
        &self.ztoc
    }

    /// Gives the zTOC back.
    pub fn into_ztoc(self) -> Ztoc {
        self.ztoc
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size as u64
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Hands out the file from its first byte to its last, in pieces.
    ///
    /// # Errors
    /// Those of `out`, which end the writing.
    pub fn write_to<E>(&self, mut out: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        out(&self.head)?;
        self.ztoc.parts.zinfo.write_blob(&mut out)?;
        out(&[0; 4][..self.blob_padding])?;
        out(&self.toc)?;
        let mut writer = Writer::default();
        let mut vtables = self.vtables.clone();
        let mut scratch = Vec::new();
        let mut batch = Vec::with_capacity(BATCH);
        for (index, entry) in self.ztoc.parts.toc.iter().enumerate() {
            let behind = self
                .ends
                .get(index + 1)
                .map_or(self.tail.len(), |&end| end as usize);
            writer.restart(behind);
            write_entry(&mut writer, &mut vtables, &mut scratch, &entry);
            writer.copy_to(&mut batch);
            if batch.len() >= BATCH {
                out(&batch)?;
                batch.clear();
            }
        }
        out(&batch)?;
        out(&self.tail)
    }

    /// The whole file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.size);
        let Ok(()) = self.write_to(|bytes| {
            file.extend_from_slice(bytes);
            Ok::<(), Infallible>(())
        });
        file
    }
}

impl Ztoc {
    /// The zTOC as a file.
    ///
    /// # Errors
    /// [`Error::ZtocTooLarge`] beyond 2 GiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(EncodedZtoc::new(self.clone())?.to_bytes())
    }
}

/// The value of the enum for plain tars; gzip is the default and never stored.
pub(super) const ALGORITHM_UNCOMPRESSED: i8 = 2;

/// The value of the enum for gzip.
pub(super) const ALGORITHM_GZIP: i8 = 1;

/// What a span digest begins with.
pub(super) const DIGEST_PREFIX: &[u8] = b"sha256:";

/// Entries are handed out in pieces of about this many bytes.
const BATCH: usize = 64 << 10;

/// Positions are signed 32-bit numbers.
const SIZE_LIMIT: usize = i32::MAX as usize;

fn check_size(size: usize) -> Result<(), Error> {
    if size > SIZE_LIMIT {
        return Err(Error::ZtocTooLarge {
            what: "bytes",
            found: size as u64,
            limit: SIZE_LIMIT as u64,
        });
    }
    Ok(())
}

fn piece(writer: &Writer) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(writer.len());
    writer.copy_to(&mut bytes);
    bytes
}

/// Writes one entry: all its strings, also empty ones, then its table with the slots in order.
fn write_entry(
    writer: &mut Writer,
    vtables: &mut VTables,
    scratch: &mut Vec<usize>,
    entry: &TocEntry<'_>,
) -> usize {
    let name = writer.string(entry.name);
    let entry_type = writer.string(entry.entry_type.as_str().as_bytes());
    let link_name = writer.string(entry.link_name);
    let user_name = writer.string(entry.user_name);
    let group_name = writer.string(entry.group_name);
    let modified = writer.string(entry.modified);
    scratch.clear();
    for (key, value) in entry.xattrs.iter() {
        let key = writer.string(key);
        let value = writer.string(value);
        let mut table = writer.table::<2>();
        table.offset(0, key);
        table.offset(1, value);
        scratch.push(table.end(vtables));
    }
    let xattrs = writer.offset_vector(scratch.iter().copied());
    let mut table = writer.table::<14>();
    table.offset(0, name);
    table.offset(1, entry_type);
    table.i64(2, entry.offset as i64);
    table.i64(3, entry.size);
    table.offset(4, link_name);
    table.i64(5, entry.mode);
    table.u32(6, entry.uid);
    table.u32(7, entry.gid);
    table.offset(8, user_name);
    table.offset(9, group_name);
    table.offset(10, modified);
    table.i64(11, entry.device_major);
    table.i64(12, entry.device_minor);
    table.offset(13, xattrs);
    table.end(vtables)
}

fn digest_text(digest: &[u8; 32]) -> [u8; 71] {
    let mut text = [0; 71];
    text[..7].copy_from_slice(DIGEST_PREFIX);
    for (pair, byte) in text[7..].chunks_exact_mut(2).zip(digest) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    text
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod oracle;
