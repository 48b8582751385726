//! The layer itself: a tar in the form that Go's `archive/tar` and GNU tar read alike, as one gzip member. The same
//! entries give the same bytes.
//!
//! Each entry is a ustar header; what that cannot hold stands in PAX records before it, sorted by key: long names, large
//! numbers, fractions of seconds, extended attributes. Nothing tells who wrote it and when.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use soci_image::digest::Hasher;
use soci_image::{Descriptor, Digest};
use soci_rootfs::{FileType, Found, Restated};
use soci_ztoc::ztoc::{BuildOutcome, Toc};
use tar::{Builder, EntryType, Header};

use super::contents::Gathered;
use crate::blob::FileBlob;
use crate::file::spool_error;
use crate::workflow::index_layer::{IndexedLayer, indexed_layer};
use crate::workflow::options::Options;
use crate::workflow::written::LayerWriter;
use crate::{Error, Result};

/// As `docker push` and `gzip` do without being told; part of what decides the bytes.
const LEVEL: u32 = 6;

/// The layer.
pub(super) struct Written {
    /// Its descriptor, without marks.
    pub(super) descriptor: Descriptor,
    pub(super) blob: FileBlob,
    /// Digest of its tar.
    pub(super) diff_id: Digest,
    /// Bytes of its tar.
    pub(super) unpacked_size: u64,
}

/// What the zTOC builder made of it.
pub(super) struct Outcome(BuildOutcome);

impl Outcome {
    /// What is in it, as a client reads it.
    pub(super) fn toc(&self) -> Option<&Toc> {
        match &self.0 {
            BuildOutcome::Indexed(built) => Some(built.ztoc().toc()),
            BuildOutcome::Skipped(_) => None,
        }
    }

    /// The layer with its zTOC.
    pub(super) fn indexed(self, layer: &Digest, options: &Options) -> IndexedLayer {
        indexed_layer(self.0, layer, options)
    }
}

/// Writes the entries, with their contents.
pub(super) fn write(
    restated: &Restated,
    gathered: &Gathered,
    media_type: &str,
    options: &Options,
) -> Result<(Written, Outcome)> {
    let wrong = |source| Error::Place {
        place: "the layer on top".into(),
        problem: format!("it cannot be indexed: {source}"),
    };
    let stored = LayerWriter::new(options)?.map_err(wrong)?;
    let plain = Plain {
        encoder: GzEncoder::new(stored, Compression::new(LEVEL)),
        hasher: Digest::hasher(),
        size: 0,
    };
    let mut tar = Builder::new(plain);
    for (found, offset) in restated.entries.iter().zip(&gathered.offsets) {
        let contents = offset.map(|offset| Contents {
            blob: &gathered.blob,
            position: offset,
            left: found.size,
        });
        put(&mut tar, found, contents).map_err(spool_error)?;
    }
    let plain = tar.into_inner().map_err(spool_error)?;
    let stored = plain.encoder.finish().map_err(spool_error)?;
    let layer = stored.finish().map_err(wrong)?;
    let written = Written {
        descriptor: Descriptor::new(media_type, layer.digest, layer.blob.remaining()),
        blob: layer.blob,
        diff_id: plain.hasher.finish(),
        unpacked_size: plain.size,
    };
    Ok((written, Outcome(layer.outcome)))
}

/// One entry: PAX records if it needs them, header, contents.
fn put<W: Write>(tar: &mut Builder<W>, found: &Found, contents: Option<impl Read>) -> io::Result<()> {
    let is_directory = found.file_type == FileType::Directory;
    let mut name = found.path.get(1..).unwrap_or_default().to_vec();
    if is_directory {
        name.push(b'/');
    }
    let mut header = Header::new_ustar();
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    for (key, value) in &found.xattrs {
        // What is no text was left below.
        let key = String::from_utf8_lossy(key);
        records.push((format!("SCHILY.xattr.{key}"), value.clone()));
    }
    // A number that the header's octal digits do not hold goes into a record, and the header says 0.
    let mut number = |key: &str, value: u64, digits: u32| {
        let fits = value >> (3 * digits) == 0;
        if !fits {
            records.push((key.to_owned(), value.to_string().into_bytes()));
        }
        if fits { value } else { 0 }
    };
    header.set_gid(number("gid", found.gid.into(), 7));
    header.set_uid(number("uid", found.uid.into(), 7));
    header.set_size(number("size", found.size, 11));
    // A directory that nothing lists has the time of its unpacking; here all have one.
    let time = found.modified.unwrap_or_default();
    let seconds = u64::try_from(time.seconds()).unwrap_or(0);
    header.set_mtime(number("mtime", seconds, 11));
    if time.nanoseconds() > 0 {
        records.retain(|(key, _)| key != "mtime");
        let text = format!("{seconds}.{:09}", time.nanoseconds());
        records.push(("mtime".into(), text.trim_end_matches('0').into()));
    }
    if name.len() > NAME {
        records.push(("path".into(), name.clone()));
    }
    header.set_mode(found.mode.into());
    header.set_entry_type(match is_directory {
        true => EntryType::Directory,
        false => EntryType::Regular,
    });
    let ustar = header.as_ustar_mut().expect("it was made as one");
    let length = name.len().min(NAME);
    ustar.name[..length].copy_from_slice(&name[..length]);
    header.set_cksum();
    records.sort();
    let records = records.iter().map(|(key, value)| (key.as_str(), &value[..]));
    tar.append_pax_extensions(records)?;
    match contents {
        Some(contents) => tar.append(&header, contents),
        None => tar.append(&header, io::empty()),
    }
}

/// Bytes of the name field of a ustar header.
const NAME: usize = 100;

/// The contents of one file.
struct Contents<'a> {
    blob: &'a FileBlob,
    position: u64,
    left: u64,
}

impl Read for Contents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.blob
            .read_exact_at(self.position, &mut buffer[..length])
            .map_err(io::Error::other)?;
        self.position += length as u64;
        self.left -= length as u64;
        Ok(length)
    }
}

/// The tar: hashed and counted on its way into the encoder.
struct Plain {
    encoder: GzEncoder<LayerWriter>,
    hasher: Hasher,
    size: u64,
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
