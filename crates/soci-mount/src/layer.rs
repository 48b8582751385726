//! A layer whose spans are fetched when they are read, each once, and kept uncompressed in an unnamed temporary file:
//! at most as large as the layer's tar. A span is readable only after its digest was right.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use soci_image::Descriptor;
use soci_store::block_on;
use soci_store::store::{AnySource, Source};
use soci_store::workflow::UnpackedLayer;
use soci_ztoc::inflate::{Consumer, InflateError};
use soci_ztoc::ztoc::{Span, SpanReader, Ztoc};

use crate::record::{Fetch, Record};
use crate::wire::{Stopped, Wire};

/// Why bytes of a layer could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A span does not have the digest that the zTOC says.
    #[error("layer {layer}, span {span}: its bytes do not have the digest of the zTOC")]
    Digest {
        /// The layer's digest.
        layer: String,
        /// The span's number.
        span: usize,
    },
    /// Its bytes are right, but do not inflate from where the zTOC says.
    #[error("layer {layer}, span {span}: it does not inflate: {problem}")]
    Inflate {
        /// The layer's digest.
        layer: String,
        /// The span's number.
        span: usize,
        /// What the inflater says.
        problem: String,
    },
    /// The zTOC places something where the layer has no span.
    #[error("layer {layer}: the zTOC places '{name}' outside of the layer")]
    Outside {
        /// The layer's digest.
        layer: String,
        /// The entry's name.
        name: String,
    },
    /// The place of the image, or the temporary file.
    #[error("layer {layer}: {problem}")]
    Place {
        /// The layer's digest.
        layer: String,
        /// What it says.
        problem: String,
    },
    /// The lazy client cannot read it, whatever the registry has.
    #[error("'{path}': {problem}")]
    Client {
        /// The file.
        path: String,
        /// Why.
        problem: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

impl From<Stopped> for Fault {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// A layer that files are read from.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) number: usize,
    pub(crate) descriptor: Descriptor,
    pub(crate) ztoc: Ztoc,
    pub(crate) contents: Contents,
}

#[derive(Debug)]
pub(crate) enum Contents {
    Spans(Spans),
    Whole(UnpackedLayer),
}

/// The spans of a layer.
#[derive(Debug)]
pub(crate) struct Spans {
    source: Arc<AnySource>,
    /// The uncompressed layer, with holes where nothing was fetched.
    cache: File,
    states: Mutex<Vec<State>>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Coming,
    There,
}

impl Spans {
    pub(crate) fn new(source: Arc<AnySource>, ztoc: &Ztoc) -> std::io::Result<Self> {
        Ok(Self {
            source,
            cache: tempfile::tempfile()?,
            states: Mutex::new(vec![State::Absent; ztoc.span_count()]),
            changed: Condvar::new(),
        })
    }
}

impl Layer {
    /// Fills the buffer with bytes of a file from an offset in it.
    pub(crate) fn read(
        &self,
        entry: usize,
        offset: u64,
        buffer: &mut [u8],
        wire: &Wire,
        record: &Record,
    ) -> Result<(), Fault> {
        let found = self.ztoc.toc().get(entry);
        let outside = || Fault::Outside {
            layer: self.descriptor.digest.to_string(),
            name: found.map_or_else(String::new, |entry| entry.name.escape_ascii().to_string()),
        };
        let data = found.ok_or_else(outside)?.offset;
        let begin = data.checked_add(offset).ok_or_else(outside)?;
        let end = begin.checked_add(buffer.len() as u64).ok_or_else(outside)?;
        match &self.contents {
            Contents::Whole(unpacked) => unpacked
                .read_at(begin, buffer)
                .map_err(|error| self.place(&error)),
            Contents::Spans(spans) => {
                if end > self.ztoc.uncompressed_size() {
                    return Err(outside());
                }
                // The client reads a file's header back before anything of it, which lies behind the entry before.
                let header = self.header(entry).min(data);
                if header < data {
                    self.ensure(spans, header, data, wire, record, &outside)?;
                }
                self.ensure(spans, begin, end, wire, record, &outside)?;
                spans
                    .cache
                    .read_exact_at(buffer, begin)
                    .map_err(|error| self.place(&error))
            }
        }
    }

    /// Where the header of an entry begins.
    fn header(&self, entry: usize) -> u64 {
        let before = entry
            .checked_sub(1)
            .and_then(|before| self.ztoc.toc().get(before));
        before.map_or(0, |before| {
            before
                .offset
                .saturating_add(before.data_size())
                .next_multiple_of(512)
        })
    }

    /// Fetches the spans of a stretch that are not there, one after another as they are read.
    fn ensure(
        &self,
        spans: &Spans,
        begin: u64,
        end: u64,
        wire: &Wire,
        record: &Record,
        outside: &impl Fn() -> Fault,
    ) -> Result<(), Fault> {
        for id in self.ztoc.span_of(begin)..=self.ztoc.span_of(end - 1) {
            let id = usize::try_from(id).map_err(|_| outside())?;
            let span = self.ztoc.span(id).ok_or_else(outside)?;
            if spans.claim(id) {
                let outcome = self.fetch(spans, span, wire, record);
                spans.settle(id, outcome.is_ok());
                outcome?;
            }
        }
        Ok(())
    }

    /// Fetches a span, checks it, and keeps what it inflates to.
    fn fetch(&self, spans: &Spans, span: Span, wire: &Wire, record: &Record) -> Result<(), Fault> {
        let begun = Instant::now();
        let until = span.uncompressed_end.unwrap_or(self.ztoc.uncompressed_size());
        let mut reader = SpanReader::new(&self.ztoc, span, until);
        let mut keep = Keep {
            cache: &spans.cache,
            position: span.uncompressed_start,
        };
        let mut inflated = Ok(());
        let mut buffer = Vec::new();
        let mut arrived = begun;
        while !reader.is_complete() {
            let wanted = reader.wanted();
            let length = (wanted.end - wanted.start).min(PIECE);
            buffer.resize(length as usize, 0);
            block_on(spans.source.read_at(&self.descriptor, wanted.start, &mut buffer))
                .map_err(|error| self.place(&error))?;
            arrived = wire.arrive(begun, length);
            let pushed = reader.push(&buffer, &mut keep);
            inflated = inflated.and(pushed);
        }
        let expected = self.ztoc.span_digests().get(span.id);
        // A wrong digest explains whatever the inflater says.
        if expected != Some(&reader.digest()) {
            return Err(Fault::Digest {
                layer: self.descriptor.digest.to_string(),
                span: span.id,
            });
        }
        inflated.map_err(|error| match error {
            Halt::Inflate(error) => Fault::Inflate {
                layer: self.descriptor.digest.to_string(),
                span: span.id,
                problem: error.to_string(),
            },
            Halt::Keep(error) => self.place(&error),
        })?;
        if keep.position < until {
            return Err(Fault::Inflate {
                layer: self.descriptor.digest.to_string(),
                span: span.id,
                problem: format!("{} bytes are missing", until - keep.position),
            });
        }
        let uncompressed = until - span.uncompressed_start;
        wire.wait(wire.work(arrived, uncompressed))?;
        record.fetched(
            begun,
            Fetch {
                at: 0.0,
                seconds: begun.elapsed().as_secs_f64(),
                layer: self.number,
                span: span.id,
                compressed: span.compressed_end - span.compressed_start,
                uncompressed,
            },
        );
        Ok(())
    }

    fn place(&self, error: &dyn std::fmt::Display) -> Fault {
        Fault::Place {
            layer: self.descriptor.digest.to_string(),
            problem: error.to_string(),
        }
    }
}

/// Bytes that are read at once: more than a span of the usual size.
const PIECE: u64 = 8 << 20;

impl Spans {
    /// Whether the span has to be fetched by the caller, who then owes a [`settle`](Self::settle). Waits for another
    /// reader who fetches it.
    fn claim(&self, id: usize) -> bool {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match states[id] {
                State::There => return false,
                State::Absent => {
                    states[id] = State::Coming;
                    return true;
                }
                State::Coming => {
                    states = self.changed.wait(states).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// A failed fetch is tried again by the next reader, as the client does.
    fn settle(&self, id: usize, is_there: bool) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states[id] = if is_there { State::There } else { State::Absent };
        self.changed.notify_all();
    }
}

/// Writes what a span inflates to where it belongs.
struct Keep<'a> {
    cache: &'a File,
    position: u64,
}

enum Halt {
    Inflate(InflateError),
    Keep(std::io::Error),
}

impl From<InflateError> for Halt {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}

impl Consumer for Keep<'_> {
    type Error = Halt;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        self.cache
            .write_all_at(bytes, self.position)
            .map_err(Halt::Keep)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}
