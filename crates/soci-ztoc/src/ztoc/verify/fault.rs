//! What can be wrong with a zTOC.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Verification;
use super::spans::overlaps;
use crate::inflate::InflateError;
use crate::ztoc::skip::Refusal;
use crate::ztoc::value::Ztoc;

/// What is wrong with a zTOC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A snapshotter would not take it.
    #[error("a snapshotter refuses the zTOC: {0}")]
    Refused(#[from] Refusal),
    /// The layer has another size.
    #[error("the zTOC is for a layer of {told} bytes, this one has {found}")]
    LayerSize {
        /// The size in the zTOC.
        told: u64,
        /// Bytes of the layer.
        found: u64,
    },
    /// The archive in the layer has another size.
    #[error("the zTOC counts {told} uncompressed bytes, the archive has {found}")]
    ArchiveSize {
        /// The size in the zTOC.
        told: u64,
        /// Bytes of the archive.
        found: u64,
    },
    /// The digest of a span's compressed bytes is another. A client answers reads with EIO.
    #[error("wrong digest of span {span}")]
    SpanDigest {
        /// The number of the span.
        span: usize,
        /// The digest in the zTOC.
        expected: [u8; 32],
        /// The digest of the layer's bytes.
        found: [u8; 32],
    },
    /// A span cannot be inflated from its checkpoint.
    #[error("span {span} cannot be inflated from its checkpoint: {error}{}", Files(first_file, *files))]
    SpanUnreadable {
        /// The number of the span.
        span: usize,
        /// Why not; offsets count from the span's first byte.
        error: InflateError,
        /// The first file with bytes in it.
        first_file: Option<Box<[u8]>>,
        /// How many files have bytes in it.
        files: usize,
    },
    /// A span inflates from its checkpoint to other bytes than from the layer's start: its window
    /// or its place is wrong. A client reads wrong contents without noticing.
    #[error("span {span} gives wrong contents from its checkpoint{}", Files(first_file, *files))]
    SpanContents {
        /// The number of the span.
        span: usize,
        /// The first file with bytes in it.
        first_file: Option<Box<[u8]>>,
        /// How many files have bytes in it.
        files: usize,
    },
    /// An entry differs from the tar's. A client answers reads with EIO.
    #[error("the {field} of '{}' differs from the layer's", name.escape_ascii())]
    Entry {
        /// Which entry, counted from 0.
        index: usize,
        /// Its name in the layer.
        name: Box<[u8]>,
        /// What differs.
        field: &'static str,
    },
    /// The layer has more entries.
    #[error("the zTOC lacks {count} entries of the layer, the first is '{}'", name.escape_ascii())]
    MissingEntries {
        /// How many.
        count: usize,
        /// The first one.
        name: Box<[u8]>,
    },
    /// The layer has fewer entries.
    #[error("the zTOC has {count} entries more than the layer, the first is '{}'", name.escape_ascii())]
    ExtraEntries {
        /// How many.
        count: usize,
        /// The first one.
        name: Box<[u8]>,
    },
}

/// Faults up to a limit.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) kept: Vec<Fault>,
    pub(super) count: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.count += 1;
        if self.kept.len() < Verification::FAULTS {
            self.kept.push(fault);
        }
    }

    /// The first file with data in a stretch, and how many there are; not looked for when the
    /// fault would not be kept.
    pub(super) fn files_in(&self, ztoc: &Ztoc, span: &(u64, u64)) -> (Option<Box<[u8]>>, usize) {
        if self.kept.len() >= Verification::FAULTS {
            return (None, 0);
        }
        let mut files = ztoc
            .toc()
            .iter()
            .filter(|entry| overlaps(span, entry.offset, entry.offset.saturating_add(entry.data_size())));
        let first = files.next().map(|entry| entry.name.into());
        let count = usize::from(first.is_some()) + files.count();
        (first, count)
    }
}

/// ", which holds …" for messages.
struct Files<'a>(&'a Option<Box<[u8]>>, usize);

impl core::fmt::Display for Files<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.0, self.1) {
            (Some(name), 1) => write!(f, "; it holds '{}'", name.escape_ascii()),
            (Some(name), 2) => write!(f, "; it holds '{}' and one more file", name.escape_ascii()),
            (Some(name), count) => write!(
                f,
                "; it holds '{}' and {} more files",
                name.escape_ascii(),
                count - 1
            ),
            (None, _) => f.write_str("; it holds no file"),
        }
    }
}
