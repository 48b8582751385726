//! One layer: any compression in, one gzip member and its zTOC out, in one pass.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use soci_image::media_type::LayerCompression;
use soci_image::{Descriptor, Digest};

use crate::blob::FileBlob;
use crate::checked::Check;
use crate::file::spool_error;
use crate::overlay::damaged;
use crate::store::{AnyBlob, AnySource, Blob, Source};
use crate::workflow::index_layer::{IndexedLayer, indexed_layer};
use crate::workflow::options::{Event, Observer, Options};
use crate::workflow::written::LayerWriter;
use crate::zstd::ZstdFrames;
use crate::{Error, Result, block_on};

/// A layer in its new form.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) descriptor: Descriptor,
    pub(super) blob: FileBlob,
    pub(super) reason: &'static str,
}

/// Rewrites a layer. Its digest and its size before, and its diff_id, are compared on the way.
#[allow(clippy::too_many_arguments)] // one call, and a struct of borrowed things would say no more
pub(super) fn rewrite(
    source: &AnySource,
    layer: &Descriptor,
    diff_id: &Digest,
    reason: &'static str,
    options: &Options,
    level: u32,
    stop: &AtomicBool,
    observer: Observer<'_>,
) -> Result<(Rewritten, IndexedLayer)> {
    observer(Event::LayerStarted {
        digest: layer.digest.clone(),
        size: layer.size,
    });
    let input = Input {
        blob: block_on(source.open(layer))?,
        layer,
        check: Check::new(layer),
        error: None,
        cancel: [&options.cancel, stop],
        observer,
    };
    let wrong = |source| Error::Layer {
        digest: layer.digest.clone(),
        source,
    };
    let output = LayerWriter::new(options)?.map_err(wrong)?;
    let mut encoder = GzEncoder::new(output, Compression::new(level.clamp(1, 9)));
    let mut input = BufReader::with_capacity(BUFFER, input);
    let copied = copy(&mut input, layer, &mut encoder);
    let input = input.into_inner();
    // What the source told explains what the decoder made of it.
    if let Some(error) = input.error {
        return Err(error);
    }
    let found = match copied {
        Ok(found) => found,
        Err(error) => return Err(cause(layer, error)),
    };
    input.finish()?;
    if found != *diff_id {
        return Err(Error::DigestMismatch {
            what: "uncompressed layer",
            expected: diff_id.clone(),
            found,
        });
    }
    let written = encoder.finish().map_err(spool_error)?.finish().map_err(wrong)?;
    let rewritten = Rewritten {
        descriptor: new_descriptor(layer, written.digest, written.blob.remaining()),
        blob: written.blob,
        reason,
    };
    let indexed = indexed_layer(written.outcome, &layer.digest, options);
    observer(Event::LayerFinished {
        digest: layer.digest.clone(),
        indexed: matches!(indexed, IndexedLayer::Indexed { .. }),
    });
    Ok((rewritten, indexed))
}

/// Uncompresses the input into the encoder and gives the digest of what passed.
fn copy(
    input: &mut impl BufRead,
    layer: &Descriptor,
    encoder: &mut GzEncoder<LayerWriter>,
) -> io::Result<Digest> {
    let mut decoder: Box<dyn Read> = match compression(layer, input.fill_buf()?) {
        Stored::Zstd => Box::new(ZstdFrames::new(input)),
        Stored::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Stored::Plain => Box::new(input),
    };
    let mut hasher = Digest::hasher();
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match decoder.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        encoder
            .write_all(&buffer[..count])
            .map_err(|error| io::Error::other(Spool(error)))?;
    }
    Ok(hasher.finish())
}

/// How the bytes are stored.
enum Stored {
    Zstd,
    Gzip,
    Plain,
}

/// The media type decides; where it says "plain", the content may still be compressed, as Docker's clients take it.
fn compression(layer: &Descriptor, first: &[u8]) -> Stored {
    match (LayerCompression::of(&layer.media_type), first) {
        (LayerCompression::Zstd, _) | (_, [0x28, 0xb5, 0x2f, 0xfd, ..]) => Stored::Zstd,
        (LayerCompression::Gzip, _) | (_, [0x1f, 0x8b, ..]) => Stored::Gzip,
        _ => Stored::Plain,
    }
}

/// The descriptor of the new layer: what spoke of the old bytes goes, all else stays.
fn new_descriptor(layer: &Descriptor, digest: Digest, size: u64) -> Descriptor {
    let mut new = layer.clone();
    let is_docker = layer.media_type.starts_with("application/vnd.docker.");
    let (plain, _) = layer
        .media_type
        .split_once("tar")
        .unwrap_or((&layer.media_type, ""));
    new.media_type = format!("{plain}tar{}gzip", if is_docker { '.' } else { '+' });
    new.digest = digest;
    new.size = size;
    new.data.clear();
    new.annotations
        .retain(|key, _| !ABOUT_BYTES.iter().any(|prefix| key.starts_with(prefix)));
    new
}

/// Annotations about how a layer is compressed: eStargz and zstd:chunked.
const ABOUT_BYTES: [&str; 3] = [
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
    "io.github.containers.zstd-chunked.",
];

/// The stored layer, hashed and counted as it is read.
struct Input<'a> {
    blob: AnyBlob,
    layer: &'a Descriptor,
    check: Check,
    /// What the source told; `Read` can only pass a hint on.
    error: Option<Error>,
    cancel: [&'a AtomicBool; 2],
    observer: Observer<'a>,
}

impl Input<'_> {
    /// Digest and size are those of the descriptor; bytes after the last frame count as well.
    fn finish(mut self) -> Result<()> {
        let mut rest = vec![0; BUFFER];
        while self.read(&mut rest).is_ok_and(|count| count > 0) {}
        if let Some(error) = self.error {
            return Err(error);
        }
        let layer = self.layer;
        self.check.finish().map_err(|wrong| wrong.of("layer", layer))
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = if self.cancel.iter().any(|flag| flag.load(Ordering::Relaxed)) {
            Err(Error::Interrupted)
        } else {
            block_on(self.blob.read(buffer))
        };
        let count = match outcome {
            Ok(count) => count,
            Err(error) => {
                self.error = Some(error);
                return Err(io::Error::other("the source failed"));
            }
        };
        if let Err(wrong) = self.check.take(&buffer[..count]) {
            self.error = Some(wrong.of("layer", self.layer));
            return Err(io::Error::other("the layer is too long"));
        }
        if count > 0 {
            (self.observer)(Event::LayerAdvanced {
                digest: self.layer.digest.clone(),
                bytes: count as u64,
            });
        }
        Ok(count)
    }
}

/// An error of the spool, told apart from those of the input.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Spool(io::Error);

fn cause(layer: &Descriptor, error: io::Error) -> Error {
    match error.downcast::<Spool>() {
        Ok(Spool(source)) => spool_error(source),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            damaged(&layer.digest, "its compressed data ends too early")
        }
        Err(error) => damaged(&layer.digest, error),
    }
}

const BUFFER: usize = 256 << 10;
