//! One layer: read once, compared with its descriptor on the way, and turned into a zTOC.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::digest::Algorithm;
use soci_image::media_type::{LayerCompression, ZTOC};
use soci_image::skip::SkipReason;
use soci_image::soci_index::Shaped;
use soci_image::soci_index::prefetch::{self, SpanRange};
use soci_image::{Descriptor, Digest};
use soci_ztoc::inflate::InputBuffer;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, EncodedZtoc, Ztoc};

use super::options::{Event, Observer, Options};
use super::pipeline::Pipeline;
use super::start::LayerStart;
use super::uncompress::StoredAs;
use super::views::reason_of_unindexable;
use crate::checked::{Check, pass};
use crate::store::{AnyBlob, AnySink, AnySource, Blob, Sink, Source};
use crate::{Error, Result};

/// What became of a layer.
pub(crate) enum IndexedLayer {
    /// It has a zTOC.
    Indexed {
        /// The zTOC, not yet one piece of memory.
        ztoc: Box<EncodedZtoc>,
        /// What is told about it.
        facts: ZtocSummary,
    },
    /// It stays without.
    Skipped(SkipReason),
}

/// What a report and a SOCI index say about a zTOC.
#[derive(Debug, Clone)]
pub(crate) struct ZtocSummary {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) spans: u64,
    /// gzip members, 0 for a plain tar.
    pub(crate) members: u64,
    pub(crate) disable_xattrs: bool,
    /// Entries that may be files to prefetch, in the order of the TOC.
    pub(crate) prefetch: Vec<(Vec<u8>, SpanRange)>,
    /// The start that its spans are cut for.
    pub(crate) shaped: Option<Shaped>,
    /// What a start needs of it.
    pub(crate) start: Option<LayerStart>,
    /// The first and the last span of each entry, if there are files to prefetch.
    pub(crate) spans_of_entries: Arc<[(u32, u32)]>,
}

/// Reads the layer to its end, unless `stop` or the cancel flag is raised before. If a `sink` is given, the same bytes go there; it is committed when they were right.
pub(crate) async fn index_layer(
    layer: &Descriptor,
    source: &AnySource,
    mut sink: Option<AnySink>,
    options: &Options,
    stop: &AtomicBool,
    observer: Observer<'_>,
) -> Result<IndexedLayer> {
    let mut blob = source.open(layer).await?;
    observer(Event::LayerStarted {
        digest: layer.digest.clone(),
        size: layer.size,
    });
    let mut pass = LayerPass::new(layer.clone(), options.clone());
    let mut buffer = InputBuffer::new();
    loop {
        if options.cancel.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let count = fill(&mut blob, buffer.space()).await?;
        buffer.set_filled(count);
        pass.look(buffer.filled())?;
        if count == 0 {
            break;
        }
        if let Some(sink) = &mut sink {
            sink.write(buffer.filled()).await?;
        }
        match pass.push(buffer) {
            Ok(next) => buffer = next,
            Err(error) => return Err(damaged(layer, source, error).await),
        }
        observer(Event::LayerAdvanced {
            digest: layer.digest.clone(),
            bytes: count as u64,
        });
    }
    let indexed = match pass.finish()? {
        Ok(indexed) => indexed,
        Err(error) => return Err(damaged(layer, source, error).await),
    };
    if let Some(sink) = sink {
        sink.commit().await?;
    }
    let is_indexed = matches!(indexed, IndexedLayer::Indexed { .. });
    observer(Event::LayerFinished {
        digest: layer.digest.clone(),
        indexed: is_indexed,
    });
    Ok(indexed)
}

/// A layer that passes, whoever has its bytes: counted, hashed, and built into a zTOC if it can have one.
pub(super) struct LayerPass {
    layer: Descriptor,
    options: Options,
    /// None before the first bytes.
    check: Option<Check>,
    pipeline: Option<Pipeline>,
    /// Why there is no builder.
    skip: Option<SkipReason>,
}

impl LayerPass {
    /// Nothing has passed yet.
    pub(super) fn new(layer: Descriptor, options: Options) -> Self {
        Self {
            layer,
            options,
            check: None,
            pipeline: None,
            skip: None,
        }
    }

    /// Compares the next bytes with the descriptor; none are the end. The first ones, of which there are a few hundred if
    /// the layer has them, decide how the layer is stored.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Result<()> {
        let check = match &mut self.check {
            Some(check) => check,
            None => {
                match compression_of(&self.layer.media_type, bytes) {
                    Ok(compression) => {
                        self.pipeline = Some(pipeline_for(&self.layer, compression, &self.options)?);
                    }
                    Err(reason) => self.skip = Some(reason),
                }
                self.check.insert(check(&self.layer, self.pipeline.is_some()))
            }
        };
        check.take(bytes).map_err(|wrong| wrong.of("layer", &self.layer))
    }

    /// Takes bytes that were looked at, and gives a buffer for the next; an error is of what they inflate to.
    pub(super) fn push(&mut self, buffer: InputBuffer) -> std::result::Result<InputBuffer, soci_ztoc::Error> {
        match &mut self.pipeline {
            Some(pipeline) => {
                pipeline.push(buffer)?;
                pipeline.buffer()
            }
            None => Ok(buffer),
        }
    }

    /// The end, after `look` has seen it. The inner error is of what the bytes inflate to.
    pub(super) fn finish(self) -> Result<std::result::Result<IndexedLayer, soci_ztoc::Error>> {
        let outcome = match self.pipeline.map(Pipeline::finish).transpose() {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Err(error)),
        };
        let check = self.check.expect("`look` has made it");
        check
            .finish_with(hashed(&outcome))
            .map_err(|wrong| wrong.of("layer", &self.layer))?;
        Ok(Ok(match outcome {
            None => IndexedLayer::Skipped(self.skip.expect("without a builder there is a reason")),
            Some(outcome) => indexed_layer(outcome, &self.layer.digest, &self.options),
        }))
    }
}

/// What a finished builder means for the image.
pub(crate) fn indexed_layer(outcome: BuildOutcome, layer: &Digest, options: &Options) -> IndexedLayer {
    match outcome {
        BuildOutcome::Skipped(skipped) => IndexedLayer::Skipped(reason_of_unindexable(&skipped.reason)),
        BuildOutcome::Indexed(built) => match built.refusal() {
            Some(refusal) => IndexedLayer::Skipped(SkipReason::SnapshotterRefuses {
                detail: refusal.to_string(),
            }),
            None => {
                let members = built.members();
                let is_cut = built.unshaped().is_some();
                let start = options.start.as_ref();
                let needed =
                    start.and_then(|start| start.layer(layer, built.ztoc(), built.unshaped(), is_cut));
                let ztoc = Box::new(built.into_encoded());
                let facts = ZtocSummary {
                    shaped: start.filter(|_| is_cut).and_then(|start| start.mark_of(layer)),
                    start: needed,
                    ..facts(&ztoc, members, options)
                };
                IndexedLayer::Indexed { ztoc, facts }
            }
        },
    }
}

/// A layer of which the zTOC was made elsewhere.
#[cfg(feature = "files")]
pub(super) fn indexed_of(
    ztoc: Ztoc,
    members: u64,
    options: &Options,
) -> std::result::Result<IndexedLayer, soci_ztoc::Error> {
    let ztoc = Box::new(EncodedZtoc::new(ztoc)?);
    let facts = facts(&ztoc, members, options);
    Ok(IndexedLayer::Indexed { ztoc, facts })
}

/// Reads until the buffer is full or the blob ends.
async fn fill(blob: &mut AnyBlob, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match blob.read(&mut buffer[filled..]).await? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// How the layer is stored. Docker's plain type may hold compressed data: its clients look at the bytes.
fn compression_of(media_type: &str, bytes: &[u8]) -> Result<Compression, SkipReason> {
    if let Some(reason) = SkipReason::of_media_type(media_type) {
        return Err(reason);
    }
    let is_gzip = LayerCompression::of(media_type) == LayerCompression::Gzip;
    let is_docker = media_type.starts_with("application/vnd.docker.");
    let other = |found: &str| Err(SkipReason::OtherContent { found: found.into() });
    match (StoredAs::of(bytes), is_gzip) {
        (StoredAs::Gzip, true) => Ok(Compression::Gzip),
        (StoredAs::Gzip, false) if is_docker => Ok(Compression::Gzip),
        (StoredAs::Gzip, false) => other("gzip"),
        (StoredAs::Zstd, false) if is_docker => Err(SkipReason::Zstd),
        (StoredAs::Zstd, _) => other("zstd"),
        (StoredAs::Plain, true) if is_tar(bytes) => other("a plain tar"),
        // What is none of them is damaged, and the inflater says where.
        (StoredAs::Plain, true) => Ok(Compression::Gzip),
        (StoredAs::Plain, false) => Ok(Compression::Uncompressed),
    }
}

/// The mark in a tar header of any kind that is written today.
fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

pub(crate) fn pipeline_for(
    layer: &Descriptor,
    compression: Compression,
    options: &Options,
) -> Result<Pipeline> {
    let shape = options
        .start
        .as_ref()
        .and_then(|start| start.shape_of(&layer.digest));
    let mut options = BuildOptions::new(compression, options.build_tool_identifier.clone())
        .with_span_size(options.span_size);
    if let Some(shape) = shape {
        options = options.with_shape(Arc::clone(shape));
    }
    Pipeline::new(options).map_err(|source| Error::Layer {
        digest: layer.digest.clone(),
        source,
    })
}

impl ZtocSummary {
    /// The zTOC as a blob.
    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::new(ZTOC, self.digest.clone(), self.size)
    }
}

fn facts(encoded: &EncodedZtoc, members: u64, options: &Options) -> ZtocSummary {
    let ztoc = encoded.ztoc();
    ZtocSummary {
        digest: sha256(encoded.digest()),
        size: encoded.size(),
        spans: ztoc.span_count() as u64,
        members,
        disable_xattrs: options.optimize_xattrs && !ztoc.needs_xattrs(),
        prefetch: prefetch_candidates(ztoc, &options.prefetch),
        shaped: None,
        start: None,
        spans_of_entries: spans_of_entries(ztoc, &options.prefetch),
    }
}

/// The entries whose cleaned names are asked for: what is kept of a TOC once its layer is done.
pub(crate) fn prefetch_candidates(ztoc: &Ztoc, paths: &[String]) -> Vec<(Vec<u8>, SpanRange)> {
    let wanted: BTreeSet<Vec<u8>> = paths
        .iter()
        .map(|path| prefetch::clean(path.as_bytes()))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    ztoc.files()
        .filter(|file| wanted.contains(&prefetch::clean(file.entry.name)))
        .map(|file| {
            (
                file.entry.name.to_vec(),
                SpanRange {
                    start: file.start_span,
                    end: file.end_span,
                },
            )
        })
        .collect()
}

/// Where each entry lies, for paths that lead to it under another name.
pub(crate) fn spans_of_entries(ztoc: &Ztoc, paths: &[String]) -> Arc<[(u32, u32)]> {
    let number = |span: u64| u32::try_from(span).unwrap_or(u32::MAX);
    let files = ztoc.files().filter(|_| !paths.is_empty());
    files
        .map(|file| (number(file.start_span), number(file.end_span)))
        .collect()
}

/// Counts and, where the zTOC builder does not do it, hashes: that one computes the SHA-256 of all it sees.
fn check(layer: &Descriptor, is_built: bool) -> Check {
    match layer.digest.algorithm() {
        Algorithm::Sha256 if is_built => Check::counting(layer),
        _ => Check::new(layer),
    }
}

/// The digest that the builder computed.
fn hashed(outcome: &Option<BuildOutcome>) -> Option<Digest> {
    Some(sha256(match outcome.as_ref()? {
        BuildOutcome::Indexed(built) => built.layer_digest(),
        BuildOutcome::Skipped(skipped) => skipped.layer_digest,
    }))
}

/// A layer that cannot be inflated: if its bytes are not those of its digest, that is what went wrong.
async fn damaged(layer: &Descriptor, source: &AnySource, error: soci_ztoc::Error) -> Error {
    let named = Error::Layer {
        digest: layer.digest.clone(),
        source: error,
    };
    if source.is_remote() {
        return named;
    }
    match pass(source, layer, |_| {}).await {
        Ok(Err(wrong)) => wrong.of("layer", layer),
        Ok(Ok(())) | Err(_) => named,
    }
}

/// The digest with this hash.
pub(crate) fn sha256(hash: [u8; 32]) -> Digest {
    use std::fmt::Write;
    let mut text = String::from("sha256:");
    for byte in hash {
        write!(text, "{byte:02x}").expect("a String takes all");
    }
    Digest::parse(&text).expect("64 hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_under_another_label_is_left_out_with_that_reason() {
        let gzip = &[0x1f, 0x8b, 8][..];
        let zstd = &[0x28, 0xb5, 0x2f, 0xfd][..];
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let of = |media_type: &str, bytes: &[u8]| match compression_of(media_type, bytes) {
            Ok(compression) => compression.as_str().to_owned(),
            Err(SkipReason::OtherContent { found }) => format!("other: {found}"),
            Err(reason) => reason.code().to_owned(),
        };
        let oci = "application/vnd.oci.image.layer.v1.tar";
        let docker = "application/vnd.docker.image.rootfs.diff.tar";
        for (media_type, bytes, expected) in [
            (format!("{oci}+gzip"), gzip, "gzip"),
            (format!("{oci}+gzip"), zstd, "other: zstd"),
            (format!("{oci}+gzip"), &tar[..], "other: a plain tar"),
            (format!("{oci}+gzip"), b"nonsense", "gzip"),
            (oci.to_owned(), gzip, "other: gzip"),
            (oci.to_owned(), zstd, "other: zstd"),
            (oci.to_owned(), &tar[..], "uncompressed"),
            (format!("{oci}+zstd"), gzip, "zstd"),
            (docker.to_owned(), gzip, "gzip"),
            (docker.to_owned(), zstd, "zstd"),
            (format!("{docker}.gzip"), zstd, "other: zstd"),
        ] {
            assert_eq!(of(&media_type, bytes), expected, "{media_type}");
        }
    }
}
