//! A layer read from its first byte to its last, and what it inflates to.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::Descriptor;
use soci_ztoc::inflate::{Consumer, GzipInflater, InflateError};

use super::options::{Event, Observer};
use crate::checked::{Check, Mismatch};
use crate::store::{AnyBlob, AnySource, Blob, Source};
use crate::zstd::ZstdFrames;
use crate::{Error, Result, block_on};

/// How the bytes of a layer are stored, whatever its media type says: clients that unpack look at the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredAs {
    /// gzip, one or more members.
    Gzip,
    /// zstd, one or more frames.
    Zstd,
    /// A tar, or something unknown.
    Plain,
}

impl StoredAs {
    /// By the first bytes.
    pub(crate) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Why a layer cannot be unpacked.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "native"),
    allow(dead_code, reason = "`verify` tells the reason")
)]
pub(crate) enum Fault {
    /// Its bytes are not those of its descriptor.
    Bytes(Mismatch),
    /// They are, and do not inflate.
    Content(String),
}

/// Reads a layer whole and gives what it inflates to, in pieces. An outer error is of the place or of `out`.
pub(crate) fn uncompress(
    source: &AnySource,
    layer: &Descriptor,
    cancel: &AtomicBool,
    observer: Observer<'_>,
    out: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Result<StoredAs, Fault>> {
    observer(Event::LayerStarted {
        digest: layer.digest.clone(),
        size: layer.size,
    });
    let mut input = BufReader::with_capacity(
        BUFFER,
        Input {
            blob: block_on(source.open(layer))?,
            layer,
            check: Check::new(layer),
            stopped: None,
            cancel,
            observer,
        },
    );
    let mut out_error = None;
    let decoded = decode(&mut input, &mut |bytes| {
        out(bytes).map_err(|error| {
            out_error = Some(error);
            io::Error::other("stopped")
        })
    });
    if let Some(error) = out_error {
        return Err(error);
    }
    // What is wrong with the bytes explains what the decoder made of them; all of them must be seen to know.
    let drained = io::copy(&mut input, &mut io::sink());
    observer(Event::LayerFinished {
        digest: layer.digest.clone(),
        indexed: false,
    });
    let Input { check, stopped, .. } = input.into_inner();
    match stopped {
        Some(Stopped::Place(error)) => return Err(error),
        Some(Stopped::Bytes(mismatch)) => return Ok(Err(Fault::Bytes(mismatch))),
        None => {}
    }
    if let Err(mismatch) = check.finish() {
        return Ok(Err(Fault::Bytes(mismatch)));
    }
    Ok(decoded
        .and_then(|stored| drained.map(|_| stored))
        .map_err(|error| Fault::Content(error.to_string())))
}

fn decode(input: &mut impl BufRead, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<StoredAs> {
    let stored = StoredAs::of(input.fill_buf()?);
    let mut buffer = vec![0; BUFFER];
    match stored {
        StoredAs::Gzip => {
            let mut inflater = GzipInflater::new();
            let mut sink = Out(out);
            loop {
                let count = read(input, &mut buffer)?;
                if count == 0 {
                    break;
                }
                inflater
                    .push(&buffer[..count], &mut sink)
                    .map_err(io::Error::from)?;
            }
            inflater.finish(&mut sink).map_err(io::Error::from)?;
        }
        StoredAs::Zstd => {
            let mut frames = ZstdFrames::new(input);
            loop {
                match read(&mut frames, &mut buffer)? {
                    0 => break,
                    count => out(&buffer[..count])?,
                }
            }
        }
        StoredAs::Plain => loop {
            match read(input, &mut buffer)? {
                0 => break,
                count => out(&buffer[..count])?,
            }
        },
    }
    Ok(stored)
}

fn read(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The layer as a reader, compared on the way.
struct Input<'a> {
    blob: AnyBlob,
    layer: &'a Descriptor,
    check: Check,
    stopped: Option<Stopped>,
    cancel: &'a AtomicBool,
    observer: Observer<'a>,
}

enum Stopped {
    Place(Error),
    Bytes(Mismatch),
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut step = || {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Stopped::Place(Error::Interrupted));
            }
            let count = block_on(self.blob.read(buffer)).map_err(Stopped::Place)?;
            self.check.take(&buffer[..count]).map_err(Stopped::Bytes)?;
            Ok(count)
        };
        if self.stopped.is_some() {
            return Err(io::Error::other("stopped"));
        }
        match step() {
            Ok(count) => {
                (self.observer)(Event::LayerAdvanced {
                    digest: self.layer.digest.clone(),
                    bytes: count as u64,
                });
                Ok(count)
            }
            Err(stopped) => {
                self.stopped = Some(stopped);
                Err(io::Error::other("stopped"))
            }
        }
    }
}

struct Out<'a>(&'a mut dyn FnMut(&[u8]) -> io::Result<()>);

enum Stop {
    Inflate(InflateError),
    Out(io::Error),
}

impl From<InflateError> for Stop {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Inflate(error) => io::Error::other(error.to_string()),
            Stop::Out(error) => error,
        }
    }
}

impl Consumer for Out<'_> {
    type Error = Stop;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        (self.0)(bytes).map_err(Stop::Out)
    }
}

const BUFFER: usize = 256 << 10;
