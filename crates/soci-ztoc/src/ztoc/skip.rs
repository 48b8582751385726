//! Why a good layer gets no zTOC, and why a snapshotter would not take one.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::toc::{TocEntry, Xattrs};
use super::value::Ztoc;
use super::zinfo::{Checkpoint, Zinfo};

/// Why a zTOC cannot describe a valid layer. An image keeps working without one: the layer is pulled
/// as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unindexable {
    /// An entry has a type that the format has no word for: a PAX global header (every
    /// `git archive` has one), an old GNU sparse file, a volume label and the like.
    #[error(
        "a zTOC has no word for the tar entry '{}': type '{}'{}, before byte {offset} of the uncompressed layer",
        name.escape_ascii(),
        type_flag.escape_ascii(),
        meaning(*type_flag)
    )]
    UnsupportedEntry {
        /// The type byte of its header.
        type_flag: u8,
        /// Its name.
        name: Box<[u8]>,
        /// The uncompressed offset after its header.
        offset: u64,
    },
    /// A gzip header holds a file name or comment of more than 511 bytes: Go's reader, which every
    /// client uses, refuses it.
    #[error("invalid gzip header for Go's reader: a file name or comment of more than 511 bytes")]
    LongGzipHeader,
    /// More checkpoints than the format's users can handle.
    #[error("the layer needs more than {limit} checkpoints at this span size; use a larger one")]
    TooManyCheckpoints {
        /// How many are accepted.
        limit: usize,
    },
    /// More spans than are accepted.
    #[error("the layer needs more than {limit} spans at this span size; use a larger one")]
    TooManySpans {
        /// How many are accepted.
        limit: usize,
    },
    /// More entries than are accepted.
    #[error("the layer has more than {limit} entries")]
    TooManyEntries {
        /// How many are accepted.
        limit: usize,
    },
    /// Names and records take more memory than is accepted.
    #[error("the names and PAX records of the layer take more than {limit} {unit}")]
    TooMuchText {
        /// How much is accepted.
        limit: usize,
        /// Of what: `bytes` or `records`.
        unit: &'static str,
    },
    /// The zTOC would be larger than 2 GiB.
    #[error("the zTOC would have more than {limit} bytes")]
    ZtocTooLarge {
        /// How many are possible.
        limit: u64,
    },
}

/// What the types mean that are met now and then.
fn meaning(type_flag: u8) -> &'static str {
    match type_flag {
        b'g' => " (PAX global header, as git archive writes it)",
        b'S' => " (GNU sparse file)",
        b'V' => " (volume label)",
        b'M' => " (rest of a file from another volume)",
        b'D' => " (GNU incremental directory)",
        b'7' => " (contiguous file)",
        _ => "",
    }
}

/// Why a snapshotter does not take a zTOC, or would read wrong file contents with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Clients rebuild the places of the headers from offsets and sizes; here they overlap. The
    /// cause is an entry without data that tells a size, or a sparse file.
    #[error(
        "'{}' would end at byte {end} of the uncompressed layer, \
         but the data of '{}' begins at {next_offset}",
        name.escape_ascii(),
        next_name.escape_ascii()
    )]
    EntriesOverlap {
        /// The entry that is too long.
        name: Box<[u8]>,
        /// Where it would end, padding included.
        end: u64,
        /// The entry that begins before that.
        next_name: Box<[u8]>,
        /// Where that one's data begins.
        next_offset: u64,
    },
    /// A sparse file: its stretch of the layer is not its contents.
    #[error("'{}' is a sparse file, of which a snapshotter would read wrong contents", name.escape_ascii())]
    SparseFile {
        /// The entry.
        name: Box<[u8]>,
    },
    /// The numbers of spans disagree.
    #[error("it has {spans} spans, {digests} span digests and the last span is {max_span_id}")]
    SpanCount {
        /// Spans that the checkpoints make.
        spans: usize,
        /// Span digests.
        digests: usize,
        /// The number told for the last span.
        max_span_id: i32,
    },
    /// Two spans begin at the same uncompressed byte: a gzip stream whose first block or member is empty.
    #[error(
        "span {span} begins where the one before it does, at byte {offset} of the \
         uncompressed layer (\"span offsets are non-monotonic\"; the gzip stream begins with an empty block or member)"
    )]
    EmptySpan {
        /// The later one.
        span: usize,
        /// Where both begin.
        offset: u64,
    },
}

impl Ztoc {
    /// Why a snapshotter would not take this zTOC; `None` if it would.
    pub fn refusal(&self) -> Option<Refusal> {
        self.span_count_refusal()
            .or_else(|| self.empty_span_refusal())
            .or_else(|| self.overlap_refusal())
            .or_else(|| self.sparse_refusal())
    }

    fn span_count_refusal(&self) -> Option<Refusal> {
        let (spans, digests) = (self.span_count(), self.parts.span_digests.len());
        let last = i64::from(self.parts.max_span_id);
        // Only gzip layers are counted by the reference; a plain tar is checked all the same,
        // because its reader would look for digests that are not there.
        (last != spans as i64 - 1 || digests != spans).then_some(Refusal::SpanCount {
            spans,
            digests,
            max_span_id: self.parts.max_span_id,
        })
    }

    fn empty_span_refusal(&self) -> Option<Refusal> {
        let Zinfo::Gzip(zinfo) = self.zinfo() else {
            return None;
        };
        let rises = |pair: &[Checkpoint]| pair[0].uncompressed_offset() < pair[1].uncompressed_offset();
        let before = zinfo.checkpoints().windows(2).position(|pair| !rises(pair))?;
        Some(Refusal::EmptySpan {
            span: before + 1,
            offset: zinfo.checkpoints()[before].uncompressed_offset(),
        })
    }

    fn overlap_refusal(&self) -> Option<Refusal> {
        // A tar's entries ascend; only foreign files need the sorting that the snapshotter does.
        if self.parts.toc.iter().is_sorted_by_key(|entry| entry.offset) {
            return overlap(self.parts.toc.iter());
        }
        let mut entries: Vec<TocEntry<'_>> = self.parts.toc.iter().collect();
        entries.sort_by_key(|entry| entry.offset);
        overlap(entries.into_iter())
    }

    fn sparse_refusal(&self) -> Option<Refusal> {
        let sparse = self.parts.toc.iter().find(|entry| is_sparse(&entry.xattrs))?;
        Some(Refusal::SparseFile {
            name: sparse.name.into(),
        })
    }
}

/// The first entry that reaches into the one after it.
fn overlap<'a>(mut entries: impl Iterator<Item = TocEntry<'a>>) -> Option<Refusal> {
    let mut before = entries.next()?;
    for entry in entries {
        let end = before.offset.saturating_add_signed(before.size);
        let end = end.checked_next_multiple_of(512).unwrap_or(u64::MAX);
        if end > entry.offset {
            return Some(Refusal::EntriesOverlap {
                name: before.name.into(),
                end,
                next_name: entry.name.into(),
                next_offset: entry.offset,
            });
        }
        before = entry;
    }
    None
}

/// The records of the sparse formats 0.0, 0.1 and 1.0.
fn is_sparse(xattrs: &Xattrs<'_>) -> bool {
    let version = (xattrs.get(b"GNU.sparse.major"), xattrs.get(b"GNU.sparse.minor"));
    match version {
        (b"0", b"0" | b"1") | (b"1", b"0") => true,
        (b"", b"") => !xattrs.get(b"GNU.sparse.map").is_empty(),
        _ => false,
    }
}
