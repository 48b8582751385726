//! Checking a zTOC against its layer, in one pass over the layer.
//!
//! ```text
//!             ┌─► inflate from the start ─┬─► tar walk: every entry against the table of contents
//!   push ─────┤                           └─► digest of the output of every span
//!             └─► span by span: digest of its bytes, inflate from its checkpoint, digest of its output
//! ```
//!
//! A client checks the bytes of a span, but never what comes out of it: a wrong window gives wrong
//! file contents and no error. So every span is opened from its checkpoint and its output compared
//! with that of inflating from the start. Where all spans agree and every entry lies where the walk
//! finds it, every file read through its spans has the bytes of the walk.

mod fault;
mod plain;
mod spans;

use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use self::fault::Faults;
use self::plain::Plain;
use self::spans::{Spans, overlaps};
use super::source::ReadAt;
use super::toc::{EntryType, TocEntry};
use super::value::Ztoc;
use super::zinfo::Zinfo;
use crate::Error;
use crate::inflate::{Consumer, GzipInflater};

pub use self::fault::Fault;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// What is wrong; empty for a good zTOC. At most [`Verification::FAULTS`] are kept.
    pub faults: Vec<Fault>,
    /// How many faults there are, kept or not.
    pub fault_count: usize,
    /// SHA-256 of the layer as it is stored, to be compared with its descriptor.
    pub layer_digest: [u8; 32],
    /// SHA-256 of all that the layer inflates to: what an image's config calls its diff_id.
    pub uncompressed_digest: [u8; 32],
    /// Spans checked.
    pub spans: usize,
    /// Entries whose owner or group the zTOC's 32 bits do not hold: that is no fault of the zTOC, but a client that
    /// compares it with the header answers reads with EIO.
    pub cut_owners: Vec<usize>,
    /// Files whose data lies in good spans and where the walk finds it.
    pub files: usize,
}

impl Verification {
    /// How many faults are kept.
    pub const FAULTS: usize = 1000;
}

/// Checks a zTOC while its layer is pushed.
#[derive(Debug)]
pub struct Verifier<'z> {
    ztoc: &'z Ztoc,
    inflater: Option<GzipInflater>,
    plain: Plain<'z>,
    spans: Spans<'z>,
    layer: Sha256,
    position: u64,
}

impl<'z> Verifier<'z> {
    /// Starts at the first byte of the layer.
    pub fn new(ztoc: &'z Ztoc) -> Self {
        let gzip = matches!(ztoc.zinfo(), Zinfo::Gzip(_));
        Verifier {
            ztoc,
            inflater: gzip.then(GzipInflater::new),
            plain: Plain::new(ztoc),
            spans: Spans::new(ztoc),
            layer: Sha256::new(),
            position: 0,
        }
    }

    /// Takes the next bytes of the layer.
    ///
    /// # Errors
    /// The layer itself is damaged: [`Error::Gzip`], [`Error::TarHeader`] and the like.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.layer.update(bytes);
        self.spans.push(bytes, self.position);
        self.position += bytes.len() as u64;
        match &mut self.inflater {
            Some(inflater) => inflater.push(bytes, &mut self.plain),
            None => self.plain.output(bytes),
        }
    }

    /// Ends the layer and tells what was found.
    ///
    /// # Errors
    /// The layer itself is damaged.
    pub fn finish(mut self) -> Result<Verification, Error> {
        if let Some(inflater) = self.inflater {
            inflater.finish(&mut self.plain)?;
        }
        self.spans.finish();
        let ztoc = self.ztoc;
        let mut faults = Faults::default();
        if let Some(refusal) = ztoc.refusal() {
            faults.add(refusal.into());
        }
        if self.position != ztoc.compressed_size() {
            faults.add(Fault::LayerSize {
                told: ztoc.compressed_size(),
                found: self.position,
            });
        }
        let Plain {
            walker,
            comparison,
            output,
            whole,
        } = self.plain;
        let archive_size = walker.finish()?;
        if archive_size != ztoc.uncompressed_size() {
            faults.add(Fault::ArchiveSize {
                told: ztoc.uncompressed_size(),
                found: archive_size,
            });
        }
        let bad_spans = self.spans.judge(&output.finish(), &mut faults);
        let mut comparison = comparison;
        let cut_owners = core::mem::take(&mut comparison.cut_owners);
        let entries = comparison.finish(&mut faults);
        // They ascend, so the first that ends after an entry's start is the only one to look at.
        let bad = |entry: &TocEntry<'_>| {
            let end = entry.offset.saturating_add(entry.data_size());
            let index = bad_spans.partition_point(|span| span.1 <= entry.offset);
            bad_spans
                .get(index)
                .is_some_and(|span| overlaps(span, entry.offset, end))
        };
        let files = ztoc
            .toc()
            .iter()
            .zip(entries)
            .filter(|(entry, same)| *same && entry.entry_type == EntryType::Regular && !bad(entry))
            .count();
        let layer_digest = self.layer.finalize();
        Ok(Verification {
            faults: faults.kept,
            fault_count: faults.count,
            layer_digest: layer_digest.into(),
            // A plain tar is hashed once.
            uncompressed_digest: match ztoc.zinfo() {
                Zinfo::Gzip(_) => whole.finalize().into(),
                Zinfo::Uncompressed(_) => layer_digest.into(),
            },
            spans: ztoc.span_count(),
            cut_owners,
            files,
        })
    }
}

/// Checks a zTOC against a layer that can be read at any offset, from its start to its end.
///
/// # Errors
/// The layer is damaged or cannot be read ([`Error::Read`]).
pub fn verify(ztoc: &Ztoc, layer: &mut impl ReadAt) -> Result<Verification, Error> {
    let read = |offset: u64, length: u64| {
        move |source| Error::Read {
            offset,
            length,
            source,
        }
    };
    let size = layer.size().map_err(read(0, 0))?;
    let mut verifier = Verifier::new(ztoc);
    let mut buffer = vec![0; 128 << 10];
    let mut offset = 0;
    while offset < size {
        let length = (size - offset).min(buffer.len() as u64);
        let piece = &mut buffer[..length as usize];
        layer.read_exact_at(offset, piece).map_err(read(offset, length))?;
        verifier.push(piece)?;
        offset += length;
    }
    verifier.finish()
}
