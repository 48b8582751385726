//! Reading a zTOC: every offset checked, strings as bytes, limits before allocations
//! (`docs/ztoc.md`, section 1).

use alloc::vec::Vec;

use super::encode::{ALGORITHM_GZIP, ALGORITHM_UNCOMPRESSED, DIGEST_PREFIX};
use super::flatbuffer::{Table, Vector, root};
use super::limits::Limits;
use super::toc::{EntryType, Toc, TocEntry, Xattrs};
use super::value::{Ztoc, ZtocParts};
use super::zinfo::{GzipZinfo, TarZinfo, Zinfo};
use crate::Error;

impl Ztoc {
    /// Reads a zTOC file under the default limits.
    ///
    /// # Errors
    /// [`Error::InvalidZtoc`], [`Error::InvalidCheckpoints`], [`Error::ZtocTooLarge`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ztoc::from_bytes_within(bytes, &Limits::DEFAULT)
    }

    /// Reads a zTOC file.
    ///
    /// # Errors
    /// [`Error::InvalidZtoc`], [`Error::InvalidCheckpoints`], [`Error::ZtocTooLarge`].
    pub fn from_bytes_within(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let ztoc = root(bytes)?;
        let compressed_size = ztoc.size(2, "the compressed size is negative")?;
        let info = ztoc.table(5, "the compression info is missing")?;
        let zinfo = match info.i8(0)? {
            None | Some(ALGORITHM_GZIP) => Zinfo::Gzip(GzipZinfo::from_blob(info.bytes(3)?, limits)?),
            Some(ALGORITHM_UNCOMPRESSED) => Zinfo::Uncompressed(TarZinfo::from_blob(info.bytes(3)?)?),
            Some(_) => return Err(invalid(&info, "the compression algorithm is unknown")),
        };
        check_span_count(&zinfo, limits)?;
        let toc = ztoc.table(4, "the table of contents is missing")?;
        let parts = ZtocParts {
            version: ztoc.bytes(0)?.into(),
            build_tool_identifier: ztoc.bytes(1)?.into(),
            compressed_size,
            uncompressed_size: ztoc.size(3, "the uncompressed size is negative")?,
            toc: read_toc(&toc, bytes.len(), limits)?,
            max_span_id: info.i32(1)?,
            span_digests: read_digests(info.vector(2)?, bytes.len(), limits)?,
            zinfo,
        };
        match parts.check() {
            Ok(()) => Ok(Ztoc { parts }),
            Err(what) => Err(invalid(&info, what)),
        }
    }
}

fn check_span_count(zinfo: &Zinfo, limits: &Limits) -> Result<(), Error> {
    let Zinfo::Uncompressed(zinfo) = zinfo else {
        return Ok(());
    };
    let spans = zinfo.size().div_ceil(zinfo.span_size().max(1));
    if spans > limits.spans() as u64 {
        return Err(Error::ZtocTooLarge {
            what: "spans",
            found: spans,
            limit: limits.spans() as u64,
        });
    }
    Ok(())
}

fn read_digests(vector: Vector<'_>, file_size: usize, limits: &Limits) -> Result<Vec<[u8; 32]>, Error> {
    let limit = limits.spans().max(limits.checkpoints());
    let limit = limit.min(file_size / LEAST_DIGEST);
    if vector.len() > limit {
        return Err(Error::ZtocTooLarge {
            what: "span digests",
            found: vector.len() as u64,
            limit: limit as u64,
        });
    }
    let mut digests = Vec::with_capacity(vector.len());
    for (span, text) in vector.strings().enumerate() {
        let digest = parse_digest(text?).ok_or(Error::SpanDigestForm { span })?;
        digests.push(digest);
    }
    Ok(digests)
}

fn parse_digest(text: &[u8]) -> Option<[u8; 32]> {
    let hex = text.strip_prefix(DIGEST_PREFIX).filter(|hex| hex.len() == 64)?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(digest)
}

/// Lower case only, as digests are written.
fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn read_toc(table: &Table<'_>, file_size: usize, limits: &Limits) -> Result<Toc, Error> {
    // Many offsets can lead to one table or string. Files that do that far beyond reason would grow
    // out of all proportion when read.
    let limits = Limits::DEFAULT
        .with_entries(limits.entries().min(file_size / LEAST_ENTRY))
        .with_pax_records(limits.pax_records().min(file_size / LEAST_RECORD))
        .with_text_bytes(limits.text_bytes().min(file_size.saturating_mul(2)));
    let entries = table.vector(0)?;
    if entries.len() > limits.entries() {
        return Err(Error::ZtocTooLarge {
            what: "entries",
            found: entries.len() as u64,
            limit: limits.entries() as u64,
        });
    }
    let mut toc = Toc::with_capacity(entries.len());
    for table in entries.tables() {
        let table = table?;
        read_entry(&mut toc, &table, &limits)?;
    }
    Ok(toc)
}

/// Bytes that an entry takes at least, even if a writer stores equal strings once: its place in the
/// vector, a table with seven strings and a place in the layer.
const LEAST_ENTRY: usize = 44;
/// Bytes that a PAX record takes at least: its place in the vector and a table with two strings.
const LEAST_RECORD: usize = 16;
/// Bytes that a span digest takes: its place in the vector, and 71 letters with their length.
const LEAST_DIGEST: usize = 80;

fn read_entry(toc: &mut Toc, table: &Table<'_>, limits: &Limits) -> Result<(), Error> {
    let entry_type =
        EntryType::from_word(table.bytes(1)?).ok_or(invalid(table, "the type of an entry is unknown"))?;
    let entry = TocEntry {
        name: table.bytes(0)?,
        entry_type,
        offset: table.size(2, "the offset of an entry is negative")?,
        size: table.i64(3)?,
        link_name: table.bytes(4)?,
        mode: table.i64(5)?,
        uid: table.u32(6)?,
        gid: table.u32(7)?,
        user_name: table.bytes(8)?,
        group_name: table.bytes(9)?,
        modified: table.bytes(10)?,
        device_major: table.i64(11)?,
        device_minor: table.i64(12)?,
        xattrs: Xattrs::NONE,
    };
    let vector = table.vector(13)?;
    let records = toc.pair_count().saturating_add(vector.len());
    if records > limits.pax_records() {
        return Err(Error::ZtocTooLarge {
            what: "PAX records",
            found: records as u64,
            limit: limits.pax_records() as u64,
        });
    }
    let mut text = toc.text_bytes().saturating_add(entry.text_bytes());
    let mut xattrs = Vec::with_capacity(vector.len());
    for xattr in vector.tables() {
        let xattr = xattr?;
        let pair = (xattr.bytes(0)?, xattr.bytes(1)?);
        text = text.saturating_add(pair.0.len()).saturating_add(pair.1.len());
        xattrs.push(pair);
    }
    if text > limits.text_bytes() {
        return Err(Error::ZtocTooLarge {
            what: "bytes of strings",
            found: text as u64,
            limit: limits.text_bytes() as u64,
        });
    }
    toc.push(&entry, xattrs.into_iter());
    Ok(())
}

fn invalid(table: &Table<'_>, what: &'static str) -> Error {
    Error::InvalidZtoc {
        offset: table.position() as u64,
        what,
    }
}
