//! The spans of a layer, each from its checkpoint.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::fault::{Fault, Faults};
use crate::inflate::{Consumer, InflateError};
use crate::ztoc::span_reader::SpanReader;
use crate::ztoc::value::{Span, Ztoc};
use crate::ztoc::zinfo::Zinfo;

/// The spans, each from its checkpoint.
#[derive(Debug)]
pub(super) struct Spans<'z> {
    ztoc: &'z Ztoc,
    open: Option<OpenSpan>,
    next: usize,
    results: Vec<SpanResult>,
}

#[derive(Debug)]
struct OpenSpan {
    reader: SpanReader,
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
    pub(super) fn new(ztoc: &'z Ztoc) -> Self {
        Spans {
            ztoc,
            open: None,
            next: 0,
            results: Vec::new(),
        }
    }

    /// Takes the bytes of the layer from `position` on.
    pub(super) fn push(&mut self, bytes: &[u8], position: u64) {
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
            let wanted = open.reader.wanted();
            let from = wanted.start.max(position).min(end);
            let to = wanted.end.clamp(from, end);
            open.push(&bytes[(from - position) as usize..(to - position) as usize]);
            if !open.reader.is_complete() {
                break;
            }
            self.close();
        }
    }

    fn start(&mut self, span: Span) {
        let (_, end) = output_range(self.ztoc, &span);
        self.open = Some(OpenSpan {
            reader: SpanReader::new(self.ztoc, span, end),
            output: Output {
                wanted: matches!(self.ztoc.zinfo(), Zinfo::Gzip(_)),
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

    pub(super) fn finish(&mut self) {
        self.close();
    }

    /// Compares with the output from the start; gives the stretches that cannot be relied on.
    pub(super) fn judge(self, outputs: &[[u8; 32]], faults: &mut Faults) -> Vec<(u64, u64)> {
        let mut bad = Vec::new();
        let mut next = 0;
        for SpanResult { span, digest, output } in self.results {
            next = span.id + 1;
            let before = faults.count;
            match self.ztoc.span_digests().get(span.id) {
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
                    if matches!(self.ztoc.zinfo(), Zinfo::Gzip(_))
                        && outputs.get(span.id) != Some(&output) =>
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
        if let Err(error) = self.reader.push(bytes, &mut self.output) {
            self.output.error = Some(error);
        }
    }

    fn finish(mut self) -> SpanResult {
        if let Err(error) = self.reader.cut(&mut self.output) {
            self.output.error = Some(error);
        }
        SpanResult {
            span: *self.reader.span(),
            digest: self.reader.digest(),
            output: match self.output.error {
                Some(error) => Err(error),
                None => Ok(self.output.digest.finalize().into()),
            },
        }
    }
}

#[derive(Debug)]
struct Output {
    wanted: bool,
    digest: Sha256,
    error: Option<InflateError>,
}

impl Consumer for Output {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        // Of a plain tar it is the same bytes, which have a digest already.
        if self.wanted {
            self.digest.update(bytes);
        }
        Ok(())
    }
}

/// What a client takes from a span: to the next checkpoint, from the last span to the end of the
/// archive. The last checkpoint can lie in the padding after that.
pub(super) fn output_range(ztoc: &Ztoc, span: &Span) -> (u64, u64) {
    let end = span.uncompressed_end.unwrap_or(ztoc.uncompressed_size());
    (span.uncompressed_start, end.max(span.uncompressed_start))
}

pub(super) fn overlaps(span: &(u64, u64), start: u64, end: u64) -> bool {
    start < span.1 && span.0 < end
}
