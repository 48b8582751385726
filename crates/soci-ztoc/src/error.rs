//! What can go wrong with a layer or a zTOC.

use alloc::boxed::Box;
use core::fmt;

use crate::inflate::InflateError;
use crate::ztoc::BoxError;

/// Why the work could not be done.
///
/// A valid layer that a zTOC cannot describe is not an error but a
/// [`Unindexable`](crate::ztoc::Unindexable).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The gzip stream of a layer is wrong or ends early.
    #[error(transparent)]
    Gzip(#[from] InflateError),
    /// A tar header or something that belongs to one is wrong.
    #[error("invalid tar header before byte {offset} of the uncompressed layer: {what}")]
    TarHeader {
        /// The uncompressed offset after what is wrong.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The archive ends too early.
    #[error(
        "the tar archive ends inside {inside}, after {offset} uncompressed bytes (unexpected end of file)"
    )]
    TarTruncated {
        /// How many uncompressed bytes there are.
        offset: u64,
        /// What is cut off.
        inside: &'static str,
    },
    /// A PAX header, a long name or a long link name is too long.
    #[error(
        "header field too long: the record at byte {offset} of the uncompressed layer has {size} bytes, at most {limit} are accepted"
    )]
    TarRecordTooLong {
        /// The uncompressed offset of the record.
        offset: u64,
        /// How long it is.
        size: u64,
        /// How long it may be.
        limit: u64,
    },
    /// The map of a sparse file takes more than 1 MiB.
    #[error("the sparse map before byte {offset} of the uncompressed layer takes more than 1 MiB")]
    SparseMapTooLong {
        /// The uncompressed offset where the map grew too long.
        offset: u64,
    },
    /// The span size is zero where spans are cut by it, or more than 63 bits.
    #[error("a span size of {span_size} bytes cannot be used for {compression} layers")]
    SpanSize {
        /// The span size asked for, in uncompressed bytes.
        span_size: u64,
        /// Which layers: `gzip` or `uncompressed`.
        compression: &'static str,
    },
    /// A zTOC does not have the structure it must have.
    #[error("invalid zTOC at byte {offset}: {what}")]
    InvalidZtoc {
        /// Where in the zTOC.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A checkpoint blob does not have the structure it must have.
    #[error("invalid checkpoint blob at its byte {offset}: {what}")]
    InvalidCheckpoints {
        /// Where in the blob.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A zTOC asks for more than is accepted.
    #[error("the zTOC has {found} {what}, at most {limit} are accepted")]
    ZtocTooLarge {
        /// What it has too many of.
        what: &'static str,
        /// How many it has.
        found: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A span does not have the bytes that it had when the zTOC was built.
    #[error(
        "wrong digest of span {span}: the zTOC has sha256:{}, the layer sha256:{}",
        Hex(expected),
        Hex(found)
    )]
    SpanDigest {
        /// The number of the span.
        span: usize,
        /// The digest in the zTOC.
        expected: [u8; 32],
        /// The digest of the layer's bytes.
        found: [u8; 32],
    },
    /// A span digest in another form than `sha256:` and 64 digits in lower case. Clients compare the text.
    #[error("the digest of span {span} in the zTOC is not sha256:<64 hex digits in lower case>")]
    SpanDigestForm {
        /// The number of the span.
        span: usize,
    },
    /// A span without a digest.
    #[error("the zTOC has no digest for span {span}")]
    SpanDigestMissing {
        /// The number of the span.
        span: usize,
    },
    /// A span cannot be inflated from its checkpoint.
    #[error("span {span} cannot be inflated from its checkpoint")]
    Span {
        /// The number of the span.
        span: usize,
        /// Why not; offsets count from the span's first byte.
        source: InflateError,
    },
    /// Only files have contents to extract.
    #[error("'{}' has no contents to extract: its type is {entry_type}", name.escape_ascii())]
    NotAFile {
        /// The entry.
        name: Box<[u8]>,
        /// Its type, as the zTOC calls it.
        entry_type: &'static str,
    },
    /// A zTOC that places an entry where the layer has no bytes.
    #[error("the zTOC places '{}' outside the layer", name.escape_ascii())]
    EntryOutsideLayer {
        /// The entry.
        name: Box<[u8]>,
    },
    /// An earlier error ended the work.
    #[error("stopped by an earlier error")]
    Stopped,
    /// The two halves of a builder were not given what belongs together.
    #[error("the buffers of a layer were not all handed over in their order")]
    Handovers,
    /// The spans gave less of a file than its size.
    #[error("the file ends {missing} bytes too early")]
    FileCut {
        /// Bytes that did not come.
        missing: u64,
    },
    /// The layer could not be read.
    #[error("cannot read {length} bytes of the layer at offset {offset}")]
    Read {
        /// The compressed offset.
        offset: u64,
        /// How many bytes were wanted.
        length: u64,
        /// Why not.
        source: BoxError,
    },
    /// What was extracted could not be written.
    #[error("cannot write the extracted file")]
    Write {
        /// Why not.
        source: BoxError,
    },
}

/// A digest as lower-case hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
