//! A zTOC as a value.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use super::toc::{Toc, TocEntry};
use crate::inflate::WINDOW_SIZE;

/// What the reference writes as a zTOC's version, and nothing else so far.
pub const VERSION: &str = "0.9";

/// Everything a zTOC holds (`docs/format/ztoc.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ztoc {
    /// The format's version, [`VERSION`].
    pub version: Box<[u8]>,
    /// Who built it.
    pub build_tool_identifier: Box<[u8]>,
    /// Bytes of the layer as it is stored.
    pub compressed_size: u64,
    /// Bytes of the tar up to where its reader stops: not the length of the uncompressed stream.
    pub uncompressed_size: u64,
    /// The entries.
    pub toc: Toc,
    /// The number of the last span; −1 when there is none.
    pub max_span_id: i32,
    /// SHA-256 of each span's compressed bytes.
    pub span_digests: Vec<[u8; 32]>,
    /// Where the spans are.
    pub zinfo: Zinfo,
}

/// How a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip, one or more members.
    Gzip,
    /// A plain tar.
    Uncompressed,
}

impl Compression {
    /// The lower-case name, as in messages and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Uncompressed => "uncompressed",
        }
    }
}

/// Where the spans of a layer begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zinfo {
    /// Checkpoints in a gzip stream.
    Gzip(GzipZinfo),
    /// Equal stretches of a plain tar.
    Uncompressed(TarZinfo),
}

/// The checkpoints of a gzip layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GzipZinfo {
    /// The span size asked for at build, in uncompressed bytes.
    pub span_size: i64,
    /// One per span, ascending.
    pub checkpoints: Vec<Checkpoint>,
    /// Whether the blob had the first form, which leaves the first checkpoint out.
    pub first_form: bool,
}

/// A place in a gzip stream from which inflating can begin.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Offset in the layer of the first compressed byte that is wholly unread.
    pub compressed_offset: u64,
    /// Uncompressed bytes before this place.
    pub uncompressed_offset: u64,
    /// How many high-order bits of the byte before `compressed_offset` are still unread, 0 to 7.
    pub bits: u8,
    /// The 32 KiB of output before this place, oldest first; zeros in front where there are fewer.
    pub window: Window,
}

/// The 32 KiB of output before a checkpoint. Memory is taken only once they are not all zero: a
/// layer can begin with any number of empty blocks, each with a checkpoint that has no history.
#[derive(Clone, Default)]
pub struct Window(Option<Box<[u8; WINDOW_SIZE]>>);

impl Window {
    /// The window of these bytes.
    pub fn new(bytes: &[u8; WINDOW_SIZE]) -> Self {
        let mut window = Window::default();
        if bytes != &NO_HISTORY {
            window.copy_from_slice(bytes);
        }
        window
    }
}

impl Deref for Window {
    type Target = [u8; WINDOW_SIZE];

    fn deref(&self) -> &[u8; WINDOW_SIZE] {
        self.0.as_deref().unwrap_or(&NO_HISTORY)
    }
}

impl DerefMut for Window {
    fn deref_mut(&mut self) -> &mut [u8; WINDOW_SIZE] {
        self.0.get_or_insert_with(|| {
            // Made on the heap: 32 KiB are much for a stack.
            let zeros = vec![0; WINDOW_SIZE].into_boxed_slice();
            zeros.try_into().expect("the slice has the length of a window")
        })
    }
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Window {}

static NO_HISTORY: [u8; WINDOW_SIZE] = [0; WINDOW_SIZE];

impl core::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("compressed_offset", &self.compressed_offset)
            .field("uncompressed_offset", &self.uncompressed_offset)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

/// The cut of a plain tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarZinfo {
    /// The blob's version, 2.
    pub version: i32,
    /// Bytes of a span.
    pub span_size: u64,
    /// Bytes of the layer.
    pub size: u64,
}

/// A span: a stretch of the layer that is fetched and checked as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its number.
    pub id: usize,
    /// The first byte of the layer that belongs to it.
    pub compressed_start: u64,
    /// The byte behind its last one. Neighbours overlap by a byte where a checkpoint lies inside one.
    pub compressed_end: u64,
    /// Where its output begins in the uncompressed layer.
    pub uncompressed_start: u64,
    /// Where its output ends; `None` for the last span of a gzip layer, which goes on to the end
    /// of the stream.
    pub uncompressed_end: Option<u64>,
}

/// What `ztoc info` tells about an entry.
#[derive(Clone, Copy, Debug)]
pub struct FileFacts<'a> {
    /// The entry.
    pub entry: TocEntry<'a>,
    /// The span of its first byte.
    pub start_span: u64,
    /// The span of the byte behind its last one, as the reference counts: a file that ends where a
    /// span ends is counted into the next.
    pub end_span: u64,
}

impl Ztoc {
    /// How the layer is stored.
    pub fn compression(&self) -> Compression {
        match self.zinfo {
            Zinfo::Gzip(_) => Compression::Gzip,
            Zinfo::Uncompressed(_) => Compression::Uncompressed,
        }
    }

    /// The span size asked for at build, in uncompressed bytes.
    pub fn span_size(&self) -> u64 {
        match &self.zinfo {
            Zinfo::Gzip(zinfo) => zinfo.span_size.max(0) as u64,
            Zinfo::Uncompressed(zinfo) => zinfo.span_size,
        }
    }

    /// How many spans there are.
    pub fn span_count(&self) -> usize {
        match &self.zinfo {
            Zinfo::Gzip(zinfo) => zinfo.checkpoints.len(),
            Zinfo::Uncompressed(zinfo) => match zinfo.span_size {
                0 => 0,
                size => usize::try_from(zinfo.size.div_ceil(size)).unwrap_or(usize::MAX),
            },
        }
    }

    /// The span with this number.
    pub fn span(&self, id: usize) -> Option<Span> {
        match &self.zinfo {
            Zinfo::Gzip(zinfo) => {
                let checkpoint = zinfo.checkpoints.get(id)?;
                let next = zinfo.checkpoints.get(id + 1);
                Some(Span {
                    id,
                    compressed_start: checkpoint.start(),
                    compressed_end: next.map_or(self.compressed_size, |next| next.compressed_offset),
                    uncompressed_start: checkpoint.uncompressed_offset,
                    uncompressed_end: next.map(|next| next.uncompressed_offset),
                })
            }
            Zinfo::Uncompressed(zinfo) => {
                let start = (id as u64).checked_mul(zinfo.span_size)?;
                if start >= zinfo.size {
                    return None;
                }
                let end = start.saturating_add(zinfo.span_size).min(zinfo.size);
                Some(Span {
                    id,
                    compressed_start: start,
                    compressed_end: end,
                    uncompressed_start: start,
                    uncompressed_end: Some(end),
                })
            }
        }
    }

    /// All spans.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        (0..self.span_count()).map_while(|id| self.span(id))
    }

    /// The span that holds an uncompressed offset, as the reference computes it: of several that
    /// begin there the last one; beyond the end of a plain tar it can lie behind the last span.
    pub fn span_of(&self, uncompressed_offset: u64) -> u64 {
        match &self.zinfo {
            Zinfo::Gzip(zinfo) => zinfo
                .checkpoints
                .partition_point(|checkpoint| checkpoint.uncompressed_offset <= uncompressed_offset)
                .saturating_sub(1) as u64,
            Zinfo::Uncompressed(zinfo) => uncompressed_offset.checked_div(zinfo.span_size).unwrap_or(0),
        }
    }

    /// First and last span of an entry, as `ztoc info` and prefetch lists of the reference have
    /// them: the last is the span of the byte *behind* the entry.
    pub fn span_range(&self, entry: &TocEntry<'_>) -> (u64, u64) {
        let end = entry.offset.saturating_add_signed(entry.size);
        (self.span_of(entry.offset), self.span_of(end))
    }

    /// The facts about every entry, in tar order.
    pub fn files(&self) -> impl Iterator<Item = FileFacts<'_>> + '_ {
        self.toc.iter().map(|entry| {
            let (start_span, end_span) = self.span_range(&entry);
            FileFacts {
                entry,
                start_span,
                end_span,
            }
        })
    }

    /// How many entries begin and end in different spans.
    pub fn multi_span_files(&self) -> usize {
        self.files()
            .filter(|file| file.start_span != file.end_span)
            .count()
    }

    /// Whether any entry has extended attributes or makes a directory opaque. Without both a
    /// client may skip looking for attributes (`disable-xattrs`).
    pub fn needs_xattrs(&self) -> bool {
        self.toc.iter().any(|entry| {
            entry.name.ends_with(b".wh..wh..opq")
                || entry
                    .xattrs
                    .iter()
                    .any(|(key, _)| key.starts_with(b"SCHILY.xattr."))
        })
    }
}

impl Checkpoint {
    /// The first byte needed to begin here: the one before `compressed_offset` if bits of it are
    /// unread.
    pub fn start(&self) -> u64 {
        self.compressed_offset - u64::from(self.bits > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ztoc(zinfo: Zinfo) -> Ztoc {
        Ztoc {
            version: VERSION.as_bytes().into(),
            build_tool_identifier: b"tests"[..].into(),
            compressed_size: 1000,
            uncompressed_size: 5000,
            toc: Toc::new(),
            max_span_id: 0,
            span_digests: Vec::new(),
            zinfo,
        }
    }

    fn checkpoint(compressed_offset: u64, uncompressed_offset: u64, bits: u8) -> Checkpoint {
        Checkpoint {
            compressed_offset,
            uncompressed_offset,
            bits,
            window: Window::default(),
        }
    }

    #[test]
    fn spans_overlap_by_a_byte_and_the_last_of_equal_starts_holds_the_data() {
        let ztoc = ztoc(Zinfo::Gzip(GzipZinfo {
            span_size: 100,
            checkpoints: vec![
                checkpoint(10, 0, 0),
                checkpoint(15, 0, 0),
                checkpoint(300, 2000, 3),
                checkpoint(600, 4000, 0),
            ],
            first_form: false,
        }));
        let ranges: Vec<_> = ztoc
            .spans()
            .map(|span| (span.compressed_start, span.compressed_end))
            .collect();
        assert_eq!(ranges, [(10, 15), (15, 300), (299, 600), (600, 1000)]);
        let spans: Vec<_> = [0, 1999, 2000, 3999, 4000, 9999]
            .map(|offset| ztoc.span_of(offset))
            .into();
        assert_eq!(spans, [1, 1, 2, 2, 3, 3]);
        assert_eq!(ztoc.span(3).expect("the last span").uncompressed_end, None);
        assert_eq!(ztoc.span(4), None);
    }

    #[test]
    fn plain_spans_are_equal_but_the_last() {
        let ztoc = ztoc(Zinfo::Uncompressed(TarZinfo {
            version: 2,
            span_size: 400,
            size: 1000,
        }));
        let ranges: Vec<_> = ztoc
            .spans()
            .map(|span| (span.compressed_start, span.compressed_end))
            .collect();
        assert_eq!(ranges, [(0, 400), (400, 800), (800, 1000)]);
        // As the reference counts, the byte behind the end can have a span that is not there.
        assert_eq!((ztoc.span_of(999), ztoc.span_of(1200)), (2, 3));
    }
}
