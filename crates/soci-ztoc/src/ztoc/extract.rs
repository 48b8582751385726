//! Reading one file of a layer through its spans, as a lazy client does.

use alloc::boxed::Box;
use alloc::vec;
use core::mem;
use core::ops::Range;

use super::source::{BoxError, ReadAt};
use super::span_reader::SpanReader;
use super::toc::{EntryType, TocEntry};
use super::value::{Span, Ztoc};
use super::zinfo::Zinfo;
use crate::Error;
use crate::inflate::{Consumer, InflateError};

/// Extracts one file: says which stretch of the layer it wants, takes it in pieces, gives the
/// file's bytes. Does no reading itself, so the layer can be anywhere.
///
/// Only whole spans are asked for, because only those have digests. A wrong digest is found at the
/// end of its span, so what came out of it before must not be used when an error follows.
///
/// ```no_run
/// # use soci_ztoc::ztoc::{Extractor, TocEntry, Ztoc};
/// # fn fetch(range: std::ops::Range<u64>) -> Vec<u8> { unimplemented!() }
/// # fn of(ztoc: &Ztoc, entry: &TocEntry<'_>) -> Result<Vec<u8>, soci_ztoc::Error> {
/// let mut contents = Vec::new();
/// let mut extractor = Extractor::new(ztoc, entry)?;
/// while let Some(range) = extractor.wanted() {
///     extractor.push(&fetch(range), &mut |bytes: &[u8]| {
///         contents.extend_from_slice(bytes);
///         Ok::<(), soci_ztoc::Error>(())
///     })?;
/// }
/// # Ok(contents)
/// # }
/// ```
#[derive(Debug)]
pub struct Extractor<'z> {
    ztoc: &'z Ztoc,
    /// The file in the uncompressed layer.
    file: Range<u64>,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(Box<OpenSpan>),
    Complete,
    Stopped,
}

/// A span while it comes in.
#[derive(Debug)]
struct OpenSpan {
    reader: SpanReader,
    /// Where the next output lies in the uncompressed layer.
    position: u64,
}

impl<'z> Extractor<'z> {
    /// Prepares to extract an entry of this zTOC. Links are not followed: see
    /// [`Paths::resolve`](super::Paths::resolve).
    ///
    /// # Errors
    /// [`Error::NotAFile`] for anything but a file, [`Error::EntryOutsideLayer`] when the zTOC
    /// places it where the layer has no bytes.
    pub fn new(ztoc: &'z Ztoc, entry: &TocEntry<'_>) -> Result<Self, Error> {
        if entry.entry_type != EntryType::Regular {
            return Err(Error::NotAFile {
                name: entry.name.into(),
                entry_type: entry.entry_type.as_str(),
            });
        }
        let outside = || Error::EntryOutsideLayer {
            name: entry.name.into(),
        };
        let size = u64::try_from(entry.size).map_err(|_| outside())?;
        let end = entry.offset.checked_add(size).ok_or_else(outside)?;
        let mut extractor = Extractor {
            ztoc,
            file: entry.offset..end,
            state: State::Complete,
        };
        if size > 0 {
            if end > archive_end(ztoc) {
                return Err(outside());
            }
            let first = usize::try_from(ztoc.span_of(entry.offset)).ok();
            let span = first.and_then(|first| ztoc.span(first)).ok_or_else(outside)?;
            if span.uncompressed_start > entry.offset {
                return Err(outside());
            }
            extractor.open(span);
        }
        Ok(extractor)
    }

    /// The stretch of the layer that comes next: the rest of a span. `None` when the file is
    /// complete, and after an error.
    pub fn wanted(&self) -> Option<Range<u64>> {
        match &self.state {
            State::Open(open) => Some(open.reader.wanted()),
            State::Complete | State::Stopped => None,
        }
    }

    /// Whether all of the file was given, and all digests were right.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Takes the next bytes of [`wanted`](Extractor::wanted), at most all of them, and gives the
    /// file's bytes among their output. What follows a complete file is ignored.
    ///
    /// # Errors
    /// [`Error::SpanDigest`], [`Error::Span`], and those of `out`; after one of them only
    /// [`Error::Stopped`].
    pub fn push<E: From<Error>>(
        &mut self,
        bytes: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // What goes wrong from here on leaves it stopped.
        match mem::replace(&mut self.state, State::Stopped) {
            State::Open(open) => self.take(open, bytes, out),
            State::Complete => {
                self.state = State::Complete;
                Ok(())
            }
            State::Stopped => Err(Error::Stopped.into()),
        }
    }

    fn take<E: From<Error>>(
        &mut self,
        mut open: Box<OpenSpan>,
        bytes: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut cut = Cut {
            position: &mut open.position,
            file: &self.file,
            out,
        };
        let inflated = match open.reader.push(bytes, &mut cut) {
            Err(Stop::Out(error)) => return Err(error),
            Err(Stop::Inflate(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        if open.reader.is_complete() || inflated.is_err() {
            return Ok(self.close(*open, inflated)?);
        }
        self.state = State::Open(open);
        Ok(())
    }

    /// A span is complete or cannot be inflated; a wrong digest explains both.
    fn close(&mut self, open: OpenSpan, inflated: Result<(), InflateError>) -> Result<(), Error> {
        let OpenSpan { reader, position } = open;
        let span = reader.span().id;
        if reader.is_complete() {
            let found = reader.digest();
            match self.ztoc.span_digests().get(span) {
                Some(&expected) if expected == found => {}
                Some(&expected) => {
                    return Err(Error::SpanDigest {
                        span,
                        expected,
                        found,
                    });
                }
                None => return Err(Error::SpanDigestMissing { span }),
            }
        }
        inflated.map_err(|source| Error::Span { span, source })?;
        let next = self
            .ztoc
            .span(span + 1)
            .filter(|next| next.uncompressed_start < self.file.end);
        match next {
            Some(next) => self.open(next),
            // A layer that gives less than its zTOC promises must not pass for a shorter file.
            None if position < self.file.end => {
                return Err(Error::FileCut {
                    missing: self.file.end - position,
                });
            }
            None => self.state = State::Complete,
        }
        Ok(())
    }

    fn open(&mut self, span: Span) {
        let end = span.uncompressed_end.unwrap_or(self.file.end).min(self.file.end);
        self.state = State::Open(Box::new(OpenSpan {
            reader: SpanReader::new(self.ztoc, span, end),
            position: span.uncompressed_start,
        }));
    }
}

/// Where files end at the latest. Of a plain tar the layer's end is known as well.
fn archive_end(ztoc: &Ztoc) -> u64 {
    match ztoc.zinfo() {
        Zinfo::Gzip(_) => ztoc.uncompressed_size(),
        Zinfo::Uncompressed(zinfo) => ztoc.uncompressed_size().min(zinfo.size()),
    }
}

/// Extracts one file from a layer that can be read at any offset.
///
/// # Errors
/// [`Error::NotAFile`], [`Error::EntryOutsideLayer`], [`Error::SpanDigest`], [`Error::Span`],
/// [`Error::Read`], [`Error::Write`].
pub fn extract(
    ztoc: &Ztoc,
    entry: &TocEntry<'_>,
    layer: &mut impl ReadAt,
    out: &mut impl FnMut(&[u8]) -> Result<(), BoxError>,
) -> Result<(), Error> {
    let mut extractor = Extractor::new(ztoc, entry)?;
    let mut buffer = vec![0; READ];
    while let Some(wanted) = extractor.wanted() {
        let length = (wanted.end - wanted.start).min(READ as u64) as usize;
        layer
            .read_exact_at(wanted.start, &mut buffer[..length])
            .map_err(|source| Error::Read {
                offset: wanted.start,
                length: length as u64,
                source,
            })?;
        extractor.push(&buffer[..length], &mut |bytes: &[u8]| {
            out(bytes).map_err(|source| Error::Write { source })
        })?;
    }
    Ok(())
}

/// Bytes read at once.
const READ: usize = 128 << 10;

/// Passes on the part of a span's output that belongs to the file.
struct Cut<'a, F> {
    position: &'a mut u64,
    file: &'a Range<u64>,
    out: &'a mut F,
}

/// Who stopped the inflater.
enum Stop<E> {
    Inflate(InflateError),
    Out(E),
}

impl<E> From<InflateError> for Stop<E> {
    fn from(error: InflateError) -> Self {
        Stop::Inflate(error)
    }
}

impl<E, F: FnMut(&[u8]) -> Result<(), E>> Consumer for Cut<'_, F> {
    type Error = Stop<E>;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Stop<E>> {
        let here = *self.position;
        *self.position += bytes.len() as u64;
        let clamp = |offset: u64| offset.saturating_sub(here).min(bytes.len() as u64) as usize;
        let part = &bytes[clamp(self.file.start)..clamp(self.file.end)];
        if part.is_empty() {
            return Ok(());
        }
        (self.out)(part).map_err(Stop::Out)
    }
}
