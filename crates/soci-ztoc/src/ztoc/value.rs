//! A zTOC as a value.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::toc::{Toc, TocEntry};
use super::zinfo::Zinfo;
use crate::Error;

/// What the reference writes as a zTOC's version, and nothing else so far.
pub const VERSION: &str = "0.9";

/// A zTOC (`docs/ztoc.md`).
///
/// It is read from a file, taken from a [builder](super::ZtocBuilder), or put together from
/// [parts](ZtocParts), and what holds of the file format holds of every value: sizes and offsets have
/// 63 bits, the spans lie in the layer and ascend. What a snapshotter asks for beyond that is told by
/// [`refusal`](Ztoc::refusal); whether it is the truth about a layer, by [`verify`](super::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ztoc {
    pub(super) parts: ZtocParts,
}

/// Everything a zTOC holds, to be altered and put together again.
///
/// ```
/// # use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Ztoc, ZtocBuilder};
/// # let mut builder = ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "example"))?;
/// # builder.push(&[0; 1024])?;
/// # let BuildOutcome::Indexed(built) = builder.finish()? else { panic!("nothing odd is in this layer") };
/// # let ztoc = built.into_encoded().into_ztoc();
/// let mut parts = ztoc.into_parts();
/// parts.build_tool_identifier = b"another"[..].into();
/// let ztoc = Ztoc::from_parts(parts)?;
/// # assert_eq!(ztoc.build_tool_identifier(), b"another");
/// # Ok::<(), soci_ztoc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZtocParts {
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
#[non_exhaustive]
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

/// A span: a stretch of the layer that is fetched and checked as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Its number.
    pub id: usize,
    /// The first byte of the layer that belongs to it.
    pub compressed_start: u64,
    /// The byte after its last one. Neighbours overlap by a byte where a checkpoint lies inside one.
    pub compressed_end: u64,
    /// Where its output begins in the uncompressed layer.
    pub uncompressed_start: u64,
    /// Where its output ends; `None` for the last span of a gzip layer, which goes on to the end
    /// of the stream.
    pub uncompressed_end: Option<u64>,
}

/// What `ztoc info` tells about an entry.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FileFacts<'a> {
    /// The entry.
    pub entry: TocEntry<'a>,
    /// The span of its first byte.
    pub start_span: u64,
    /// The span of the byte after its last one, as the reference counts: a file that ends where a
    /// span ends is counted into the next.
    pub end_span: u64,
}

impl ZtocParts {
    /// What holds of every zTOC, whoever made it.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if i64::try_from(self.compressed_size).is_err() {
            return Err("the compressed size is negative");
        }
        if i64::try_from(self.uncompressed_size).is_err() {
            return Err("the uncompressed size is negative");
        }
        match &self.zinfo {
            Zinfo::Gzip(zinfo) => match zinfo.checkpoints.last() {
                Some(last) if last.compressed_offset > self.compressed_size => {
                    Err("a checkpoint lies after the end of the layer")
                }
                _ => Ok(()),
            },
            Zinfo::Uncompressed(zinfo) if zinfo.size != self.compressed_size => {
                Err("the checkpoint blob states another size of the layer")
            }
            Zinfo::Uncompressed(_) => Ok(()),
        }
    }
}

impl Ztoc {
    /// Puts a zTOC together.
    ///
    /// # Errors
    /// [`Error::InvalidZtoc`] when the parts do not fit together.
    pub fn from_parts(parts: ZtocParts) -> Result<Self, Error> {
        match parts.check() {
            Ok(()) => Ok(Ztoc { parts }),
            Err(what) => Err(Error::InvalidZtoc { offset: 0, what }),
        }
    }

    /// Takes it apart.
    pub fn into_parts(self) -> ZtocParts {
        self.parts
    }

    /// The format's version, [`VERSION`].
    pub fn version(&self) -> &[u8] {
        &self.parts.version
    }

    /// Who built it.
    pub fn build_tool_identifier(&self) -> &[u8] {
        &self.parts.build_tool_identifier
    }

    /// Bytes of the layer as it is stored.
    pub fn compressed_size(&self) -> u64 {
        self.parts.compressed_size
    }

    /// Bytes of the tar up to where its reader stops: not the length of the uncompressed stream.
    pub fn uncompressed_size(&self) -> u64 {
        self.parts.uncompressed_size
    }

    /// The entries.
    pub fn toc(&self) -> &Toc {
        &self.parts.toc
    }

    /// The entries, and nothing else is kept.
    pub fn into_toc(self) -> Toc {
        self.parts.toc
    }

    /// The number of the last span; −1 when there is none.
    pub fn max_span_id(&self) -> i32 {
        self.parts.max_span_id
    }

    /// SHA-256 of each span's compressed bytes. A zTOC that a snapshotter
    /// [takes](Ztoc::refusal) has one for each span.
    pub fn span_digests(&self) -> &[[u8; 32]] {
        &self.parts.span_digests
    }

    /// Where the spans are.
    pub fn zinfo(&self) -> &Zinfo {
        &self.parts.zinfo
    }

    /// How the layer is stored.
    pub fn compression(&self) -> Compression {
        match self.parts.zinfo {
            Zinfo::Gzip(_) => Compression::Gzip,
            Zinfo::Uncompressed(_) => Compression::Uncompressed,
        }
    }

    /// The span size asked for at build, in uncompressed bytes.
    pub fn span_size(&self) -> u64 {
        match &self.parts.zinfo {
            Zinfo::Gzip(zinfo) => zinfo.span_size.max(0) as u64,
            Zinfo::Uncompressed(zinfo) => zinfo.span_size,
        }
    }

    /// How many spans there are.
    pub fn span_count(&self) -> usize {
        match &self.parts.zinfo {
            Zinfo::Gzip(zinfo) => zinfo.checkpoints.len(),
            Zinfo::Uncompressed(zinfo) => match zinfo.span_size {
                0 => 0,
                size => usize::try_from(zinfo.size.div_ceil(size)).unwrap_or(usize::MAX),
            },
        }
    }

    /// The span with this number.
    pub fn span(&self, id: usize) -> Option<Span> {
        match &self.parts.zinfo {
            Zinfo::Gzip(zinfo) => {
                let checkpoint = zinfo.checkpoints.get(id)?;
                let next = zinfo.checkpoints.get(id + 1);
                Some(Span {
                    id,
                    compressed_start: checkpoint.start(),
                    compressed_end: next.map_or(self.parts.compressed_size, |next| next.compressed_offset),
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
    /// begin there the last one; beyond the end of a plain tar it can lie after the last span.
    pub fn span_of(&self, uncompressed_offset: u64) -> u64 {
        match &self.parts.zinfo {
            Zinfo::Gzip(zinfo) => zinfo
                .checkpoints
                .partition_point(|checkpoint| checkpoint.uncompressed_offset <= uncompressed_offset)
                .saturating_sub(1) as u64,
            Zinfo::Uncompressed(zinfo) => uncompressed_offset.checked_div(zinfo.span_size).unwrap_or(0),
        }
    }

    /// First and last span of an entry, as `ztoc info` and prefetch lists of the reference have
    /// them: the last is the span of the byte *after* the entry.
    pub fn span_range(&self, entry: &TocEntry<'_>) -> (u64, u64) {
        let end = entry.offset.saturating_add_signed(entry.size);
        (self.span_of(entry.offset), self.span_of(end))
    }

    /// The facts about every entry, in tar order.
    pub fn files(&self) -> impl Iterator<Item = FileFacts<'_>> + '_ {
        self.parts.toc.iter().map(|entry| {
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
        self.parts.toc.iter().any(|entry| {
            entry.name.ends_with(b".wh..wh..opq")
                || entry
                    .xattrs
                    .iter()
                    .any(|(key, _)| key.starts_with(b"SCHILY.xattr."))
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::ztoc::{Checkpoint, GzipZinfo, TarZinfo, Window};

    fn ztoc(zinfo: Zinfo) -> Ztoc {
        let parts = ZtocParts {
            version: VERSION.as_bytes().into(),
            build_tool_identifier: b"tests"[..].into(),
            compressed_size: 1000,
            uncompressed_size: 5000,
            toc: Toc::new(),
            max_span_id: 0,
            span_digests: Vec::new(),
            zinfo,
        };
        Ztoc::from_parts(parts).expect("the parts fit together")
    }

    fn checkpoint(compressed_offset: u64, uncompressed_offset: u64, bits: u8) -> Checkpoint {
        Checkpoint::new(compressed_offset, uncompressed_offset, bits, Window::default())
            .expect("a possible place")
    }

    #[test]
    fn spans_overlap_by_a_byte_and_the_last_of_equal_starts_holds_the_data() {
        let checkpoints = vec![
            checkpoint(10, 0, 0),
            checkpoint(15, 0, 0),
            checkpoint(300, 2000, 3),
            checkpoint(600, 4000, 0),
        ];
        let zinfo = GzipZinfo::new(100, checkpoints).expect("they ascend");
        let ztoc = ztoc(Zinfo::Gzip(zinfo));
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
        let ztoc = ztoc(Zinfo::Uncompressed(
            TarZinfo::new(400, 1000).expect("a good span size"),
        ));
        let ranges: Vec<_> = ztoc
            .spans()
            .map(|span| (span.compressed_start, span.compressed_end))
            .collect();
        assert_eq!(ranges, [(0, 400), (400, 800), (800, 1000)]);
        // As the reference counts, the byte after the end can have a span that is not there.
        assert_eq!((ztoc.span_of(999), ztoc.span_of(1200)), (2, 3));
    }

    #[test]
    fn what_does_not_fit_together_is_no_ztoc() {
        let good = || {
            let zinfo = GzipZinfo::new(100, vec![checkpoint(10, 0, 0), checkpoint(300, 9, 1)]);
            ztoc(Zinfo::Gzip(zinfo.expect("they ascend"))).into_parts()
        };
        let with = |change: &dyn Fn(&mut ZtocParts)| {
            let mut parts = good();
            change(&mut parts);
            Ztoc::from_parts(parts)
        };
        assert!(with(&|_| {}).is_ok());
        assert!(with(&|parts| parts.compressed_size = 299).is_err());
        assert!(with(&|parts| parts.compressed_size = 1 << 63).is_err());
        assert!(with(&|parts| parts.uncompressed_size = 1 << 63).is_err());
        let plain = |size| Zinfo::Uncompressed(TarZinfo::new(1, size).expect("a good span size"));
        assert!(with(&|parts| parts.zinfo = plain(1000)).is_ok());
        assert!(with(&|parts| parts.zinfo = plain(999)).is_err());
    }

    #[test]
    fn places_that_cannot_be_are_no_checkpoints() {
        let checkpoint = |compressed, uncompressed, bits| {
            Checkpoint::new(compressed, uncompressed, bits, Window::default())
        };
        assert_eq!(checkpoint(1, 0, 7).expect("a place").start(), 0);
        for (compressed, uncompressed, bits) in [(0, 0, 1), (5, 0, 8), (1 << 63, 0, 0), (1, 1 << 63, 0)] {
            assert!(checkpoint(compressed, uncompressed, bits).is_err());
        }
        let place = |compressed, uncompressed| checkpoint(compressed, uncompressed, 0).expect("a place");
        assert!(GzipZinfo::new(1, Vec::new()).is_err());
        assert!(GzipZinfo::new(1, vec![place(20, 0), place(10, 0)]).is_err());
        assert!(GzipZinfo::new(1, vec![place(20, 5), place(20, 4)]).is_err());
        let equal = GzipZinfo::new(1, vec![place(20, 5), place(20, 5)]).expect("they do not fall");
        assert!(equal.into_first_form().is_err());
        let plain = GzipZinfo::new(1, vec![place(10, 0)]).expect("they ascend");
        assert!(plain.into_first_form().expect("after ten bytes").is_first_form());
    }

    #[test]
    fn plain_tars_cannot_be_cut_into_nothing() {
        assert!(TarZinfo::new(0, 1).is_err());
        assert!(TarZinfo::new(1 << 63, 1).is_err());
        assert!(TarZinfo::new(1, 1 << 63).is_err());
        let empty = ztoc(Zinfo::Uncompressed(
            TarZinfo::new(1, 1000).expect("a good span size"),
        ));
        assert_eq!(empty.span_count(), 1000);
        assert!(TarZinfo::new(0, 0).is_ok());
    }
}
