//! What can be wrong with a compressed stream. Offsets are bytes of the compressed stream.

/// Why a gzip or DEFLATE stream was refused.
///
/// Offsets count bytes of the compressed stream from its first byte (for a
/// [`SpanInflater`](super::SpanInflater): from the first byte pushed) and point at or just after the
/// place that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// There was no byte at all.
    #[error("the gzip stream is empty")]
    EmptyInput,
    /// The stream does not begin with the gzip magic.
    #[error("not a gzip stream: the first bytes are not 1f 8b")]
    NotGzip,
    /// The stream ends inside a header, a block or a trailer.
    #[error("the gzip stream is truncated: it ends after {offset} bytes, inside a member")]
    Truncated {
        /// Length of the stream.
        offset: u64,
    },
    /// Bytes after a complete member that do not begin another one.
    #[error("data after the end of the last gzip member at offset {offset}")]
    TrailingData {
        /// Offset of the first byte that belongs to no member.
        offset: u64,
    },
    /// A member names a compression method other than 8 (DEFLATE).
    #[error("unknown gzip compression method {method} at offset {offset}")]
    UnknownMethod {
        /// Offset of the method byte.
        offset: u64,
        /// The method.
        method: u8,
    },
    /// A member sets header flags that no specification defines.
    #[error("reserved gzip header flags {flags:#04x} at offset {offset}")]
    ReservedFlags {
        /// Offset of the flag byte.
        offset: u64,
        /// All flags of the member.
        flags: u8,
    },
    /// The checksum inside a member's header does not match the header.
    #[error(
        "wrong gzip header checksum before offset {offset}: stored {stored:#06x}, computed {computed:#06x}"
    )]
    HeaderCrc {
        /// Offset of the first byte after the header.
        offset: u64,
        /// The checksum in the stream.
        stored: u16,
        /// The checksum of the header's bytes.
        computed: u16,
    },
    /// Block type 3, which does not exist.
    #[error("invalid DEFLATE block type before offset {offset}")]
    BadBlockType {
        /// Where the block header ends.
        offset: u64,
    },
    /// A stored block whose length and its complement disagree.
    #[error("invalid stored block length before offset {offset}")]
    BadStoredLength {
        /// Where the block header ends.
        offset: u64,
    },
    /// A dynamic block announces more than 286 literal/length or 30 distance codes.
    #[error("too many length or distance codes before offset {offset}")]
    TooManyCodes {
        /// Where the counts end.
        offset: u64,
    },
    /// The code lengths of a dynamic block give no complete prefix code.
    #[error("invalid {code} code lengths before offset {offset}")]
    BadCode {
        /// Where the code lengths end.
        offset: u64,
        /// Which of the block's three codes it is.
        code: CodeKind,
    },
    /// A repeat in the code lengths without a length before it, or past the last code.
    #[error("invalid code length repeat before offset {offset}")]
    BadRepeat {
        /// Where the repeat ends.
        offset: u64,
    },
    /// A dynamic block that has no way to end.
    #[error("no end-of-block code before offset {offset}")]
    MissingEndOfBlock {
        /// Where the code lengths end.
        offset: u64,
    },
    /// A literal/length or distance code that stands for nothing.
    #[error("invalid {code} code before offset {offset}")]
    BadSymbol {
        /// Where the code ends.
        offset: u64,
        /// Which of the block's codes it is.
        code: CodeKind,
    },
    /// A match that reaches back before the member's first byte.
    #[error(
        "distance {distance} reaches back too far before offset {offset}: the member has {available} bytes so far"
    )]
    DistanceTooFar {
        /// Where the distance ends.
        offset: u64,
        /// The distance.
        distance: u32,
        /// Bytes there are to reach back to.
        available: u32,
    },
    /// A member's data does not have the CRC-32 of its trailer.
    #[error(
        "wrong checksum of the gzip member that ends at offset {offset}: stored {stored:#010x}, computed {computed:#010x}"
    )]
    Crc {
        /// Offset of the first byte after the trailer.
        offset: u64,
        /// The checksum in the stream.
        stored: u32,
        /// The checksum of the member's data.
        computed: u32,
    },
    /// A member's data does not have the length of its trailer.
    #[error(
        "wrong length of the gzip member that ends at offset {offset}: stored {stored}, counted {counted} (both modulo 2^32)"
    )]
    Size {
        /// Offset of the first byte after the trailer.
        offset: u64,
        /// The length in the stream, modulo 2^32.
        stored: u32,
        /// The length of the member's data, modulo 2^32.
        counted: u32,
    },
    /// The inflater was used after an error.
    #[error("the inflater was stopped by an earlier error")]
    Stopped,
}

/// The prefix codes of a DEFLATE block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// The code in which a dynamic block writes its code lengths.
    CodeLength,
    /// Literals, match lengths and the end of the block.
    LiteralLength,
    /// Match distances.
    Distance,
}

impl core::fmt::Display for CodeKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            CodeKind::CodeLength => "code-length",
            CodeKind::LiteralLength => "literal/length",
            CodeKind::Distance => "distance",
        })
    }
}
