//! Checkpoint blobs: where the spans of a layer begin (`docs/ztoc.md`, sections 3 and 4).
//!
//! Of a gzip layer, little-endian and without gaps:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | number of checkpoints, i32, at least 1 |
//! | 4 | 8 | span size asked for, i64 |
//! | 12 + 32785 · i | 8 | offset of the first wholly unread compressed byte, i64 |
//! | + 8 | 8 | uncompressed offset, i64 |
//! | + 16 | 1 | bits of the byte before that are unread, 0 to 7 |
//! | + 17 | 32768 | window: the output before, oldest first, zeros in front |
//!
//! The first form of this blob leaves out checkpoint 0, which is (10, 0, 0) with an empty window
//! then; the length tells the forms apart. Only the second form is written, except for a zTOC that
//! was read with the first.
//!
//! Of a plain tar, a FlatBuffer of its own: version (2), span size, size of the layer.

use alloc::vec::Vec;

use super::flatbuffer::{VTables, Writer, root};
use super::limits::Limits;
use super::zinfo::{Checkpoint, GzipZinfo, TarZinfo, Window, Zinfo};
use crate::Error;
use crate::inflate::WINDOW_SIZE;

/// Bytes in front of the checkpoints.
const HEADER: usize = 12;
/// Bytes of a checkpoint.
const RECORD: usize = 17 + WINDOW_SIZE;
/// Where the first form assumes checkpoint 0: after a gzip header without optional fields.
pub(super) const PLAIN_HEADER: u64 = 10;
/// Where in a checkpoint its number of bits is.
pub(super) const RECORD_BITS: usize = 16;

/// Where in the blob a checkpoint is.
pub(super) fn record_at(index: usize) -> usize {
    HEADER + RECORD * index
}

impl GzipZinfo {
    /// Reads either form of a blob.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoints`] and [`Error::ZtocTooLarge`].
    pub fn from_blob(blob: &[u8], limits: &Limits) -> Result<Self, Error> {
        let header = blob
            .first_chunk::<HEADER>()
            .ok_or(invalid(0, "it is shorter than its header"))?;
        let count = i32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let span_size = i64::from_le_bytes(header[4..].try_into().expect("12 bytes less 4 are 8"));
        let count = usize::try_from(count).ok().filter(|&count| count > 0);
        let count = count.ok_or(invalid(0, "the number of checkpoints is not positive"))?;
        if count > limits.checkpoints() {
            return Err(Error::ZtocTooLarge {
                what: "checkpoints",
                found: count as u64,
                limit: limits.checkpoints() as u64,
            });
        }
        // At most 65,501 of them: the product has 31 bits.
        let stored = blob.len() - HEADER;
        let first_form = match stored {
            _ if stored == RECORD * count => false,
            _ if stored == RECORD * (count - 1) => true,
            _ => return Err(invalid(0, "its length does not fit the number of checkpoints")),
        };
        let mut checkpoints = Vec::with_capacity(count);
        if first_form {
            checkpoints.push(Checkpoint::after_a_plain_header());
        }
        for (index, record) in blob[HEADER..].chunks_exact(RECORD).enumerate() {
            checkpoints.push(read_record(record, record_at(index))?);
        }
        let zinfo = GzipZinfo::new(span_size, checkpoints)?;
        if first_form {
            zinfo.into_first_form()
        } else {
            Ok(zinfo)
        }
    }

    /// Bytes of the blob.
    pub(super) fn blob_length(&self) -> usize {
        HEADER + RECORD * self.stored().len()
    }

    /// Hands out the blob piece by piece.
    pub(super) fn write_blob<E>(&self, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&(self.checkpoints.len() as i32).to_le_bytes());
        header[4..].copy_from_slice(&self.span_size.to_le_bytes());
        out(&header)?;
        for checkpoint in self.stored() {
            let mut fields = [0; RECORD - WINDOW_SIZE];
            fields[..8].copy_from_slice(&checkpoint.compressed_offset.to_le_bytes());
            fields[8..16].copy_from_slice(&checkpoint.uncompressed_offset.to_le_bytes());
            fields[16] = checkpoint.bits;
            out(&fields)?;
            out(&checkpoint.window[..])?;
        }
        Ok(())
    }

    /// The blob of a zTOC that is not built but given.
    pub fn to_blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.blob_length());
        let written: Result<(), core::convert::Infallible> = self.write_blob(&mut |bytes| {
            blob.extend_from_slice(bytes);
            Ok(())
        });
        let Ok(()) = written;
        blob
    }

    fn stored(&self) -> &[Checkpoint] {
        &self.checkpoints[usize::from(self.first_form)..]
    }
}

impl TarZinfo {
    /// Reads the blob of a plain tar.
    ///
    /// # Errors
    /// [`Error::InvalidZtoc`], with an offset inside the blob.
    pub fn from_blob(blob: &[u8]) -> Result<Self, Error> {
        let table = root(blob)?;
        let zinfo = TarZinfo {
            version: table.i32(0)?,
            span_size: table.size(1, "the span size is negative")?,
            size: table.size(2, "the size of the layer is negative")?,
        };
        zinfo.checked(table.position())
    }

    /// Writes the blob.
    pub fn to_blob(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut table = writer.table::<3>();
        table.i32(0, self.version);
        table.i64(1, self.span_size as i64);
        table.i64(2, self.size as i64);
        let table = table.end(&mut VTables::default());
        writer.finish(table);
        let mut blob = Vec::with_capacity(writer.len());
        writer.copy_to(&mut blob);
        blob
    }
}

impl Zinfo {
    /// Bytes of the blob.
    pub(super) fn blob_length(&self) -> usize {
        match self {
            Zinfo::Gzip(zinfo) => zinfo.blob_length(),
            Zinfo::Uncompressed(zinfo) => zinfo.to_blob().len(),
        }
    }

    /// Hands out the blob piece by piece.
    pub(super) fn write_blob<E>(&self, out: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Zinfo::Gzip(zinfo) => zinfo.write_blob(out),
            Zinfo::Uncompressed(zinfo) => out(&zinfo.to_blob()),
        }
    }
}

fn read_record(record: &[u8], at: usize) -> Result<Checkpoint, Error> {
    let number = |offset: usize| {
        let bytes = record[offset..offset + 8]
            .try_into()
            .expect("the range has 8 bytes");
        u64::try_from(i64::from_le_bytes(bytes)).map_err(|_| invalid(at + offset, "an offset is negative"))
    };
    let (compressed_offset, uncompressed_offset) = (number(0)?, number(8)?);
    let window = record[17..].try_into().expect("a record ends with a window");
    Checkpoint::new(
        compressed_offset,
        uncompressed_offset,
        record[RECORD_BITS],
        Window::new(window),
    )
    .map_err(|error| match error {
        Error::InvalidCheckpoints { offset, what } => invalid(at + offset as usize, what),
        other => other,
    })
}

pub(super) fn invalid(offset: usize, what: &'static str) -> Error {
    Error::InvalidCheckpoints {
        offset: offset as u64,
        what,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn checkpoint(compressed_offset: u64, uncompressed_offset: u64, bits: u8) -> Checkpoint {
        let mut window = [0; WINDOW_SIZE];
        window[WINDOW_SIZE - 1] = bits;
        Checkpoint::new(compressed_offset, uncompressed_offset, bits, Window::new(&window))
            .expect("a possible place")
    }

    #[test]
    fn both_forms_are_read_and_kept() {
        for first_form in [false, true] {
            let checkpoints = vec![checkpoint(10, 0, 0), checkpoint(77, 5000, 3)];
            let mut zinfo = GzipZinfo::new(4096, checkpoints).expect("they ascend");
            if first_form {
                zinfo = zinfo.into_first_form().expect("the first is the plain one");
            }
            let blob = zinfo.to_blob();
            assert_eq!(blob.len(), zinfo.blob_length());
            assert_eq!(blob.len(), 12 + 32785 * if first_form { 1 } else { 2 });
            assert_eq!(
                GzipZinfo::from_blob(&blob, &Limits::DEFAULT).expect("a good blob"),
                zinfo
            );
        }
    }

    #[test]
    fn wrong_blobs_are_refused() {
        let good = GzipZinfo::new(1, vec![checkpoint(10, 0, 0), checkpoint(20, 100, 7)])
            .expect("they ascend")
            .to_blob();
        type Change<'c> = &'c dyn Fn(&mut Vec<u8>);
        let refused = |change: Change<'_>| {
            let mut blob = good.clone();
            change(&mut blob);
            GzipZinfo::from_blob(&blob, &Limits::DEFAULT)
                .expect_err("a wrong blob")
                .to_string()
        };
        let cases: [(&str, Change<'_>); 8] = [
            ("header", &|blob| blob.truncate(11)),
            ("length", &|blob| blob.truncate(100)),
            ("length", &|blob| blob.push(0)),
            ("not positive", &|blob| blob[..4].fill(0)),
            ("at most 65501", &|blob| {
                blob[..4].copy_from_slice(&65_502_i32.to_le_bytes())
            }),
            ("bits", &|blob| blob[12 + 16] = 8),
            ("negative", &|blob| blob[12 + 7] = 0x80),
            ("ascend", &|blob| blob[12] = 21),
        ];
        for (expected, change) in cases {
            let message = refused(change);
            assert!(message.contains(expected), "{message} does not tell {expected}");
        }
    }

    #[test]
    fn the_blob_of_a_plain_tar_has_48_bytes() {
        let zinfo = TarZinfo::new(4 << 20, 73_728).expect("a good span size");
        let blob = zinfo.to_blob();
        assert_eq!(blob.len(), 48);
        assert_eq!(blob[..4], [0x14, 0, 0, 0]);
        assert_eq!(TarZinfo::from_blob(&blob).expect("a good blob"), zinfo);
        let empty = TarZinfo { size: 0, ..zinfo };
        assert_eq!(empty.to_blob().len(), 32);
        assert_eq!(TarZinfo::from_blob(&empty.to_blob()).expect("a good blob"), empty);
    }

    use alloc::string::ToString;
}
