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

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::skip::Refusal;
use super::source::ReadAt;
use super::toc::{EntryType, TocEntry};
use super::value::{Span, Zinfo, Ztoc};
use crate::Error;
use crate::inflate::{GzipInflater, InflateError, Sink, SpanInflater};
use crate::tar::{Entry, Timestamp, Visitor, Walker};

/// What is wrong with a zTOC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A snapshotter would not take it.
    #[error(transparent)]
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
    #[error("the zTOC tells {told} uncompressed bytes, the archive has {found}")]
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

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What is wrong; empty for a good zTOC. At most [`Verification::FAULTS`] are kept.
    pub faults: Vec<Fault>,
    /// How many faults there are, kept or not.
    pub fault_count: usize,
    /// SHA-256 of the layer as it is stored, to be compared with its descriptor.
    pub layer_digest: [u8; 32],
    /// Spans checked.
    pub spans: usize,
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
        let gzip = matches!(ztoc.zinfo, Zinfo::Gzip(_));
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
        if let Some(inflater) = &mut self.inflater {
            inflater.finish(&mut self.plain)?;
        }
        self.spans.finish();
        let ztoc = self.ztoc;
        let mut faults = Faults::default();
        if let Some(refusal) = ztoc.refusal() {
            faults.add(refusal.into());
        }
        if self.position != ztoc.compressed_size {
            faults.add(Fault::LayerSize {
                told: ztoc.compressed_size,
                found: self.position,
            });
        }
        let Plain {
            walker,
            comparison,
            output,
            ..
        } = self.plain;
        let archive_size = walker.finish()?;
        if archive_size != ztoc.uncompressed_size {
            faults.add(Fault::ArchiveSize {
                told: ztoc.uncompressed_size,
                found: archive_size,
            });
        }
        let bad_spans = self.spans.judge(&output.finish(), &mut faults);
        let entries = comparison.finish(&mut faults);
        // They ascend, so the first that ends behind an entry's start is the only one to look at.
        let bad = |entry: &TocEntry<'_>| {
            let end = entry.offset.saturating_add(entry.data_size());
            let index = bad_spans.partition_point(|span| span.1 <= entry.offset);
            bad_spans
                .get(index)
                .is_some_and(|span| overlaps(span, entry.offset, end))
        };
        let files = ztoc
            .toc
            .iter()
            .zip(entries)
            .filter(|(entry, same)| *same && entry.entry_type == EntryType::Regular && !bad(entry))
            .count();
        Ok(Verification {
            faults: faults.kept,
            fault_count: faults.count,
            layer_digest: self.layer.finalize().into(),
            spans: ztoc.span_count(),
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

/// Faults up to a limit.
#[derive(Debug, Default)]
struct Faults {
    kept: Vec<Fault>,
    count: usize,
}

impl Faults {
    fn add(&mut self, fault: Fault) {
        self.count += 1;
        if self.kept.len() < Verification::FAULTS {
            self.kept.push(fault);
        }
    }

    /// The first file with data in a stretch, and how many there are; not looked for when the
    /// fault would not be kept.
    fn files_in(&self, ztoc: &Ztoc, span: &(u64, u64)) -> (Option<Box<[u8]>>, usize) {
        if self.kept.len() >= Verification::FAULTS {
            return (None, 0);
        }
        let mut files = ztoc
            .toc
            .iter()
            .filter(|entry| overlaps(span, entry.offset, entry.offset.saturating_add(entry.data_size())));
        let first = files.next().map(|entry| entry.name.into());
        let count = usize::from(first.is_some()) + files.count();
        (first, count)
    }
}

/// Digests of the uncompressed layer, cut where the spans' outputs end.
#[derive(Debug)]
struct OutputDigests<'z> {
    ztoc: &'z Ztoc,
    position: u64,
    open: Sha256,
    done: Vec<[u8; 32]>,
}

impl<'z> OutputDigests<'z> {
    fn new(ztoc: &'z Ztoc) -> Self {
        OutputDigests {
            ztoc,
            position: 0,
            open: Sha256::new(),
            done: Vec::new(),
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        // Spans tile the layer, but a foreign first checkpoint could begin later.
        while let Some(span) = self.ztoc.span(self.done.len()) {
            let (start, end) = output_range(self.ztoc, &span);
            let skipped = start.saturating_sub(self.position).min(bytes.len() as u64);
            let (_, rest) = bytes.split_at(skipped as usize);
            let taken = end.saturating_sub(self.position + skipped).min(rest.len() as u64);
            let (part, rest) = rest.split_at(taken as usize);
            self.open.update(part);
            self.position += skipped + taken;
            bytes = rest;
            if self.position < end {
                return;
            }
            self.done.push(self.open.finalize_reset().into());
        }
        self.position += bytes.len() as u64;
    }

    /// One digest per span; spans that the layer does not reach have that of what there is.
    fn finish(mut self) -> Vec<[u8; 32]> {
        self.done.push(self.open.finalize().into());
        self.done
    }
}

/// What a client takes from a span: to the next checkpoint, from the last span to the end of the
/// archive. The last checkpoint can lie in the padding behind that.
fn output_range(ztoc: &Ztoc, span: &Span) -> (u64, u64) {
    let end = span.uncompressed_end.unwrap_or(ztoc.uncompressed_size);
    (span.uncompressed_start, end.max(span.uncompressed_start))
}

/// The layer inflated from its start.
#[derive(Debug)]
struct Plain<'z> {
    walker: Walker,
    comparison: Comparison<'z>,
    output: OutputDigests<'z>,
}

impl<'z> Plain<'z> {
    fn new(ztoc: &'z Ztoc) -> Self {
        Plain {
            walker: Walker::new(),
            comparison: Comparison {
                ztoc,
                seen: 0,
                same: Vec::new(),
                faults: Vec::new(),
                count: 0,
                missing: None,
            },
            output: OutputDigests::new(ztoc),
        }
    }
}

impl Sink for Plain<'_> {
    type Error = Error;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // The output of a plain tar's spans is their bytes, which have digests already.
        if matches!(self.output.ztoc.zinfo, Zinfo::Gzip(_)) {
            self.output.update(bytes);
        }
        self.walker.push(bytes, &mut self.comparison)
    }
}

/// Compares the walk's entries with the table of contents.
#[derive(Debug)]
struct Comparison<'z> {
    ztoc: &'z Ztoc,
    seen: usize,
    /// Whether each entry of the table is the walk's.
    same: Vec<bool>,
    faults: Vec<Fault>,
    count: usize,
    missing: Option<Box<[u8]>>,
}

impl Visitor for Comparison<'_> {
    fn entry(&mut self, found: &Entry<'_>) {
        let index = self.seen;
        self.seen += 1;
        let Some(told) = self.ztoc.toc.get(index) else {
            self.missing.get_or_insert_with(|| found.name.into());
            return;
        };
        let difference = difference(&told, found);
        self.same.push(difference.is_none());
        if let Some(field) = difference {
            self.count += 1;
            if self.faults.len() < Verification::FAULTS {
                self.faults.push(Fault::Entry {
                    index,
                    name: found.name.into(),
                    field,
                });
            }
        }
    }
}

impl Comparison<'_> {
    fn finish(self, faults: &mut Faults) -> Vec<bool> {
        let told = self.ztoc.toc.len();
        let unkept = self.count - self.faults.len();
        self.faults.into_iter().for_each(|fault| faults.add(fault));
        faults.count += unkept;
        if let Some(name) = self.missing {
            faults.add(Fault::MissingEntries {
                count: self.seen - told,
                name,
            });
        }
        if let Some(extra) = self.ztoc.toc.get(self.seen) {
            faults.add(Fault::ExtraEntries {
                count: told - self.seen,
                name: extra.name.into(),
            });
        }
        self.same
    }
}

/// The first field that differs.
fn difference(told: &TocEntry<'_>, found: &Entry<'_>) -> Option<&'static str> {
    let modified = found.modified.rfc_3339();
    // Another time zone than UTC is unusual, but the same time.
    let same_time = || {
        let (told, found) = (told.modified, modified.as_bytes());
        told == found
            || Timestamp::from_rfc_3339(told).is_some_and(|time| time.rfc_3339().as_bytes() == found)
    };
    [
        ("name", told.name == found.name),
        (
            "type",
            EntryType::from_type_flag(found.type_flag) == Some(told.entry_type),
        ),
        ("offset", told.offset == found.data_offset),
        ("size", told.size == found.size),
        ("link target", told.link_name == found.link_name),
        ("mode", told.mode == found.mode),
        ("user id", told.uid == found.uid as u32),
        ("group id", told.gid == found.gid as u32),
        ("user name", told.user_name == found.user_name),
        ("group name", told.group_name == found.group_name),
        ("modification time", same_time()),
        (
            "device number",
            (told.device_major, told.device_minor) == (found.device_major, found.device_minor),
        ),
        ("PAX records", told.xattrs.iter().eq(found.pax_records().iter())),
    ]
    .into_iter()
    .find_map(|(field, same)| (!same).then_some(field))
}

/// The spans, each from its checkpoint.
#[derive(Debug)]
struct Spans<'z> {
    ztoc: &'z Ztoc,
    open: Option<OpenSpan>,
    next: usize,
    results: Vec<SpanResult>,
}

#[derive(Debug)]
struct OpenSpan {
    span: Span,
    received: u64,
    digest: Sha256,
    inflater: Option<SpanInflater>,
    output: Output,
}

/// What became of a span.
#[derive(Debug)]
struct SpanResult {
    span: Span,
    digest: [u8; 32],
    output: Result<[u8; 32], InflateError>,
}

impl<'z> Spans<'z> {
    fn new(ztoc: &'z Ztoc) -> Self {
        Spans {
            ztoc,
            open: None,
            next: 0,
            results: Vec::new(),
        }
    }

    /// Takes the bytes of the layer from `position` on.
    fn push(&mut self, bytes: &[u8], position: u64) {
        let end = position + bytes.len() as u64;
        loop {
            if self.open.is_none() {
                // A byte shared with the span before is part of the piece in which that one ended.
                let Some(span) = self
                    .ztoc
                    .span(self.next)
                    .filter(|span| span.compressed_start < end)
                else {
                    break;
                };
                self.start(span);
            }
            let open = self.open.as_mut().expect("a span was opened");
            let from = (open.span.compressed_start + open.received)
                .max(position)
                .min(end);
            let to = open.span.compressed_end.clamp(from, end);
            open.push(&bytes[(from - position) as usize..(to - position) as usize]);
            if open.span.compressed_start + open.received < open.span.compressed_end {
                break;
            }
            self.close();
        }
    }

    fn start(&mut self, span: Span) {
        let (start, end) = output_range(self.ztoc, &span);
        let inflater = match &self.ztoc.zinfo {
            Zinfo::Gzip(zinfo) => {
                let checkpoint = &zinfo.checkpoints[span.id];
                Some(SpanInflater::new(
                    &checkpoint.window,
                    checkpoint.bits,
                    end - start,
                ))
            }
            Zinfo::Uncompressed(_) => None,
        };
        self.open = Some(OpenSpan {
            span,
            received: 0,
            digest: Sha256::new(),
            inflater,
            output: Output {
                digest: Sha256::new(),
                error: None,
            },
        });
        self.next += 1;
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.results.push(open.finish());
        }
    }

    fn finish(&mut self) {
        self.close();
    }

    /// Compares with the output from the start; gives the stretches that cannot be relied on.
    fn judge(self, outputs: &[[u8; 32]], faults: &mut Faults) -> Vec<(u64, u64)> {
        let mut bad = Vec::new();
        let mut next = 0;
        for SpanResult { span, digest, output } in self.results {
            next = span.id + 1;
            let before = faults.count;
            match self.ztoc.span_digests.get(span.id) {
                Some(&expected) if expected != digest => {
                    faults.add(Fault::SpanDigest {
                        span: span.id,
                        expected,
                        found: digest,
                    });
                }
                // Without a digest the zTOC is refused, which was told already.
                _ => {}
            }
            let range = output_range(self.ztoc, &span);
            match output {
                Err(error) => {
                    let (first_file, files) = faults.files_in(self.ztoc, &range);
                    faults.add(Fault::SpanUnreadable {
                        span: span.id,
                        error,
                        first_file,
                        files,
                    });
                }
                Ok(output)
                    if matches!(self.ztoc.zinfo, Zinfo::Gzip(_)) && outputs.get(span.id) != Some(&output) =>
                {
                    let (first_file, files) = faults.files_in(self.ztoc, &range);
                    faults.add(Fault::SpanContents {
                        span: span.id,
                        first_file,
                        files,
                    });
                }
                Ok(_) => {}
            }
            if faults.count > before {
                bad.push(range);
            }
        }
        // What the layer is too short for; its size was told to be wrong already.
        if let Some(span) = self.ztoc.span(next) {
            bad.push((span.uncompressed_start, u64::MAX));
        }
        bad
    }
}

impl OpenSpan {
    fn push(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        self.digest.update(bytes);
        if let Some(inflater) = &mut self.inflater
            && self.output.error.is_none()
            && let Err(error) = inflater.push(bytes, &mut self.output)
        {
            self.output.error = Some(error);
        }
    }

    fn finish(mut self) -> SpanResult {
        if let Some(inflater) = &mut self.inflater
            && self.output.error.is_none()
            && let Err(error) = inflater.finish(&mut self.output)
        {
            self.output.error = Some(error);
        }
        SpanResult {
            span: self.span,
            digest: self.digest.finalize().into(),
            output: match self.output.error {
                Some(error) => Err(error),
                None => Ok(self.output.digest.finalize().into()),
            },
        }
    }
}

#[derive(Debug)]
struct Output {
    digest: Sha256,
    error: Option<InflateError>,
}

impl Sink for Output {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.digest.update(bytes);
        Ok(())
    }
}

fn overlaps(span: &(u64, u64), start: u64, end: u64) -> bool {
    start < span.1 && span.0 < end
}

/// ", which holds …" for messages.
struct Files<'a>(&'a Option<Box<[u8]>>, usize);

impl core::fmt::Display for Files<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.0, self.1) {
            (Some(name), 1) => write!(f, "; it holds '{}'", name.escape_ascii()),
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
