//! Building a zTOC in one pass over a layer (`docs/ztoc.md`, section 5).
//!
//! ```text
//!             ┌─► digests of the layer and its spans
//!   push ─────┤
//!             └─► inflate ──┬─► tar walk ──► table of contents
//!                           └─► block ends ─► checkpoints, which tell the digests where spans begin
//! ```
//!
//! Nothing of the layer is kept but 32 KiB per checkpoint and the names of its entries. The result
//! does not depend on the pieces that the layer comes in.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::build_options::BuildOptions;
use super::contents::Contents;
use super::digests::{Announcements, LayerDigests};
use super::encode::EncodedZtoc;
use super::limits::Limits;
use super::shape::{BlockEnd, Shape, Shaper};
use super::skip::{Refusal, Unindexable};
use super::toc::Toc;
use super::value::{Compression, VERSION, Ztoc, ZtocParts};
use super::zinfo::{Checkpoint, GzipZinfo, TarZinfo, Window, Zinfo};
use crate::Error;
use crate::inflate::{Boundary, BoundaryKind, Consumer, GzipInflater, GzipTotals};
use crate::tar::Walker;

/// Builds the zTOC of one layer while it is pushed.
#[derive(Debug)]
pub struct ZtocBuilder {
    inflater: Option<GzipInflater>,
    pass: Pass,
    build_tool_identifier: Box<str>,
}

/// What became of a layer. Errors mean that the layer itself is damaged.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per layer")]
pub enum BuildOutcome {
    /// It has a zTOC.
    Indexed(Built),
    /// It is a good layer that a zTOC cannot describe.
    Skipped(Skipped),
}

/// A zTOC and what its building showed about the layer.
#[derive(Debug)]
pub struct Built {
    encoded: EncodedZtoc,
    layer_digest: [u8; 32],
    members: u64,
    refusal: Option<Refusal>,
    unshaped: Option<Vec<BlockEnd>>,
}

/// A layer without zTOC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Why.
    pub reason: Unindexable,
    /// SHA-256 of the layer as it is stored.
    pub layer_digest: [u8; 32],
    /// Bytes of the layer as it is stored.
    pub compressed_size: u64,
}

impl ZtocBuilder {
    /// Starts at the first byte of a layer.
    ///
    /// # Errors
    /// [`Error::SpanSize`]: a plain tar cannot be cut into spans of 0 bytes, and sizes have 63 bits.
    pub fn new(options: BuildOptions) -> Result<Self, Error> {
        let (inflater, pass, build_tool_identifier) = start(options, Some(LayerDigests::default()))?;
        Ok(ZtocBuilder {
            inflater,
            pass,
            build_tool_identifier,
        })
    }

    /// Takes the next bytes of the layer, any number of them.
    ///
    /// # Errors
    /// [`Error::Gzip`] when the layer is damaged. Faults of the tar inside are told by
    /// [`finish`](ZtocBuilder::finish), because damaged compression is often their cause.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.inflater {
            Some(inflater) => inflater.push(bytes, &mut self.pass),
            None => {
                self.pass.plain(bytes);
                Ok(())
            }
        }
    }

    /// Why there will be no zTOC, as soon as that is known. Pushing on is of use for the layer's
    /// digest and to find damage.
    pub fn skip_reason(&self) -> Option<&Unindexable> {
        match &self.pass.failure {
            Some(Failure::Skip(reason)) => Some(reason),
            _ => None,
        }
    }

    /// Ends the layer.
    ///
    /// # Errors
    /// [`Error::Gzip`], [`Error::TarHeader`], [`Error::TarTruncated`], [`Error::TarRecordTooLong`],
    /// [`Error::SparseMapTooLong`]: the layer is damaged.
    pub fn finish(mut self) -> Result<BuildOutcome, Error> {
        let gzip = self.inflater.is_some();
        if let Some(inflater) = self.inflater {
            let (totals, _) = inflater.finish(&mut self.pass)?;
            self.pass.end(totals);
        }
        let digests = self
            .pass
            .digests
            .take()
            .expect("the builder computes the digests itself");
        self.pass.outcome(gzip, &self.build_tool_identifier, digests)
    }
}

impl Built {
    /// The zTOC.
    pub fn ztoc(&self) -> &Ztoc {
        self.encoded.ztoc()
    }

    /// The zTOC with its bytes: digest, size, writing.
    pub fn encoded(&self) -> &EncodedZtoc {
        &self.encoded
    }

    /// The zTOC with its bytes, and nothing else is kept.
    pub fn into_encoded(self) -> EncodedZtoc {
        self.encoded
    }

    /// SHA-256 of the layer as it is stored, to be compared with its descriptor.
    pub fn layer_digest(&self) -> [u8; 32] {
        self.layer_digest
    }

    /// Bytes of the layer as it is stored.
    pub fn compressed_size(&self) -> u64 {
        self.encoded.ztoc().compressed_size()
    }

    /// gzip members, 0 for a plain tar. Readers before soci-snapshotter v0.14.0 stop at the end
    /// of the first one.
    pub fn members(&self) -> u64 {
        self.members
    }

    /// Where its spans would begin without the shape that it was built with; `None` if it was built without.
    pub fn unshaped(&self) -> Option<&[BlockEnd]> {
        self.unshaped.as_deref()
    }

    /// Why a snapshotter would not take this zTOC; then the layer is better left without.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

/// What a build begins with. Without `digests`, somebody else computes them.
pub(super) fn start(
    options: BuildOptions,
    digests: Option<LayerDigests>,
) -> Result<(Option<GzipInflater>, Pass, Box<str>), Error> {
    let BuildOptions {
        compression,
        span_size,
        build_tool_identifier,
        limits,
        shape,
    } = options;
    let gzip = compression == Compression::Gzip;
    if (span_size == 0 && !gzip) || i64::try_from(span_size).is_err() {
        return Err(Error::SpanSize {
            span_size,
            compression: compression.as_str(),
        });
    }
    Ok((
        gzip.then(GzipInflater::new),
        Pass::new(span_size, limits, shape.filter(|_| gzip), digests),
        build_tool_identifier,
    ))
}

/// One pass over a layer: everything behind the inflater.
#[derive(Debug)]
pub(super) struct Pass {
    span_size: u64,
    limits: Limits,
    /// None if somebody else computes them.
    digests: Option<LayerDigests>,
    /// What `digests` will be told before its next bytes.
    pub(super) announcements: Announcements,
    checkpoints: Vec<Checkpoint>,
    shaping: Option<Shaping>,
    /// Compressed bytes that the digests were given, where the builder computes them itself.
    handed_over: u64,
    /// Bytes of a plain tar so far, and its spans.
    plain: u64,
    plain_spans: usize,
    members: u64,
    /// Where the output of the first member begins whose header Go does not read.
    long_header_at: Option<u64>,
    walker: Option<Walker>,
    contents: Contents,
    failure: Option<Failure>,
}

/// Why there will be no zTOC; the first one counts.
#[derive(Debug)]
enum Failure {
    Skip(Unindexable),
    Damage(Error),
}

impl Pass {
    fn new(span_size: u64, limits: Limits, shape: Option<Arc<Shape>>, digests: Option<LayerDigests>) -> Self {
        Pass {
            span_size,
            limits,
            digests,
            announcements: Announcements::default(),
            checkpoints: Vec::new(),
            shaping: shape.map(Shaping::new),
            handed_over: 0,
            plain: 0,
            plain_spans: 0,
            members: 0,
            long_header_at: None,
            walker: Some(Walker::new()),
            contents: Contents::new(limits),
            failure: None,
        }
    }

    /// The next bytes of a plain tar.
    pub(super) fn plain(&mut self, bytes: &[u8]) {
        let end = self.plain + bytes.len() as u64;
        // span_size is not 0 for plain tars. An empty layer has no spans.
        let mut start = self.plain.next_multiple_of(self.span_size);
        while start < end && self.failure.is_none() {
            if self.plain_spans == self.limits.spans() {
                self.fail(Failure::Skip(Unindexable::TooManySpans {
                    limit: self.limits.spans(),
                }));
                break;
            }
            self.announcements.span(start, false);
            self.plain_spans += 1;
            start = start.saturating_add(self.span_size);
        }
        self.plain = end;
        self.hash(bytes);
        self.walk(bytes);
    }

    fn hash(&mut self, bytes: &[u8]) {
        if let Some(digests) = &mut self.digests {
            digests.heed(&mut self.announcements);
            digests.update(bytes);
        }
    }

    fn walk(&mut self, bytes: &[u8]) {
        let Some(walker) = &mut self.walker else { return };
        let walked = walker.push(bytes, &mut self.contents);
        // What the contents refuse comes earlier in the archive than what stopped the walk.
        match (self.contents.failure.take(), walked) {
            (Some(reason), _) => self.fail(Failure::Skip(reason)),
            (None, Err(error)) => self.fail(Failure::Damage(error)),
            (None, Ok(())) => {}
        }
    }

    /// Gives the zTOC up, and the memory for it.
    fn fail(&mut self, failure: Failure) {
        if self.failure.is_none() {
            self.failure = Some(failure);
        }
        self.walker = None;
        self.contents.toc = Toc::new();
        self.checkpoints = Vec::new();
        self.shaping = None;
        self.announcements.ignore_spans();
    }

    /// So many compressed bytes are done with: the digests may have them, as far as they belong to spans that are known.
    pub(super) fn reached(&mut self, compressed: u64) {
        let Some(shaping) = &mut self.shaping else { return };
        shaping.shaper.reached(compressed);
        self.settle();
    }

    /// The end of a gzip layer.
    pub(super) fn end(&mut self, totals: GzipTotals) {
        let Some(shaping) = &mut self.shaping else { return };
        shaping
            .shaper
            .finish(&shaping.shape, totals.compressed, totals.uncompressed);
        self.settle();
    }

    /// Makes checkpoints of the block ends that are decided.
    fn settle(&mut self) {
        let Some(shaping) = &mut self.shaping else { return };
        let decided = shaping.shaper.take();
        self.announcements.open_from(shaping.shaper.open_from());
        for (end, window) in decided {
            if self.checkpoint(end, window).is_none() {
                return;
            }
        }
    }

    /// Begins a span. None if there are too many.
    fn checkpoint(&mut self, end: BlockEnd, window: Window) -> Option<()> {
        if self.checkpoints.len() == self.limits.checkpoints() {
            let limit = self.limits.checkpoints();
            self.fail(Failure::Skip(Unindexable::TooManyCheckpoints { limit }));
            return None;
        }
        self.checkpoints.push(Checkpoint {
            compressed_offset: end.compressed,
            uncompressed_offset: end.uncompressed,
            bits: end.bits,
            window,
        });
        self.announcements.span(end.compressed, end.bits != 0);
        Some(())
    }

    pub(super) fn outcome(
        mut self,
        gzip: bool,
        build_tool_identifier: &str,
        mut digests: LayerDigests,
    ) -> Result<BuildOutcome, Error> {
        digests.heed(&mut self.announcements);
        let (layer_digest, compressed_size, span_digests) = digests.finish();
        let skipped = |reason| {
            Ok(BuildOutcome::Skipped(Skipped {
                reason,
                layer_digest,
                compressed_size,
            }))
        };
        match self.failure {
            Some(Failure::Damage(error)) => return Err(error),
            Some(Failure::Skip(reason)) => return skipped(reason),
            None => {}
        }
        let walker = self
            .walker
            .take()
            .expect("without a failure the walk goes on to the end");
        let ended = walker.ended();
        let uncompressed_size = walker.finish()?;
        // Go reads member headers only as far as the archive goes.
        if self
            .long_header_at
            .is_some_and(|at| !ended || at < uncompressed_size)
        {
            return skipped(Unindexable::LongGzipHeader);
        }
        let zinfo = if gzip {
            Zinfo::Gzip(GzipZinfo::new(self.span_size as i64, self.checkpoints)?)
        } else {
            Zinfo::Uncompressed(TarZinfo::new(self.span_size, self.plain)?)
        };
        let ztoc = Ztoc::from_parts(ZtocParts {
            version: VERSION.as_bytes().into(),
            build_tool_identifier: build_tool_identifier.as_bytes().into(),
            compressed_size,
            uncompressed_size,
            toc: self.contents.toc,
            max_span_id: span_digests.len() as i32 - 1,
            span_digests,
            zinfo,
        })?;
        let refusal = ztoc.refusal();
        let encoded = match EncodedZtoc::new(ztoc) {
            Err(Error::ZtocTooLarge { limit, .. }) => return skipped(Unindexable::ZtocTooLarge { limit }),
            encoded => encoded?,
        };
        Ok(BuildOutcome::Indexed(Built {
            encoded,
            layer_digest,
            members: self.members,
            refusal,
            unshaped: self.shaping.map(|shaping| shaping.unshaped),
        }))
    }
}

impl Consumer for Pass {
    type Error = Error;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.walk(bytes);
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), Error> {
        let offset = boundary.uncompressed_offset;
        if let BoundaryKind::MemberHeader { long_field } = boundary.kind {
            self.members += 1;
            if long_field {
                self.long_header_at.get_or_insert(offset);
            }
        }
        if self.failure.is_some() {
            return Ok(());
        }
        let end = BlockEnd {
            compressed: boundary.compressed_offset,
            uncompressed: offset,
            bits: boundary.bits,
        };
        if let Some(shaping) = &mut self.shaping {
            if is_cut(shaping.unshaped.last(), &end, self.span_size) {
                shaping.unshaped.push(end);
            }
            if !shaping.shaper.passes_over(&end) {
                let window = Window::new(boundary.window());
                shaping.shaper.push(&shaping.shape, end, window);
                self.settle();
            }
            return Ok(());
        }
        let last = self.checkpoints.last().map(Checkpoint::block_end);
        if is_cut(last.as_ref(), &end, self.span_size) {
            self.checkpoint(end, Window::new(boundary.window()));
        }
        Ok(())
    }

    fn compressed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.handed_over += bytes.len() as u64;
        self.reached(self.handed_over);
        self.hash(bytes);
        Ok(())
    }
}

/// The checkpoint rule of the reference: one at every block end before the first byte of output, later one when more
/// than a span of output lies after the last.
fn is_cut(last: Option<&BlockEnd>, end: &BlockEnd, span_size: u64) -> bool {
    end.uncompressed == 0 || end.uncompressed - last.map_or(0, |last| last.uncompressed) > span_size
}

/// What is cut by a shape.
#[derive(Debug)]
struct Shaping {
    shape: Arc<Shape>,
    shaper: Shaper<Window>,
    /// Where spans would begin without the shape.
    unshaped: Vec<BlockEnd>,
}

impl Shaping {
    fn new(shape: Arc<Shape>) -> Self {
        Shaping {
            shaper: Shaper::new(&shape),
            shape,
            unshaped: Vec::new(),
        }
    }
}
