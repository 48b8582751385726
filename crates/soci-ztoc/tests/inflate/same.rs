//! Our inflater and zlib agree on every byte, every boundary and every fault.

use soci_ztoc::inflate::{CodeKind, InflateError};

use crate::zlib::Fault;
use crate::{ours, zlib};

/// Both agree on whether the stream is good, on why not, and on everything before that.
pub(crate) fn assert_same(gzip: &[u8]) {
    let theirs = zlib::inflate(gzip);
    let (ours, error) = ours::inflate_until_error(gzip, usize::MAX);
    match (&theirs.fault, &error) {
        (None, None) => {
            assert!(theirs.output == ours.output, "the output differs");
            assert!(
                ours.compressed == gzip,
                "the compressed bytes were not handed out once each"
            );
        }
        (Some(fault), Some(error)) => assert!(is_same(fault, error), "zlib: {fault:?}, ours: {error}"),
        (None, Some(error)) => panic!("zlib takes a stream that we refuse: {error}"),
        (Some(fault), None) => panic!("zlib refuses a stream that we take: {fault:?}"),
    }
    assert_eq!(theirs.stops.len(), ours.stops.len(), "after {error:?}");
    for (theirs, ours) in theirs.stops.iter().zip(&ours.stops) {
        assert_eq!(
            (theirs.compressed_offset, theirs.bits, theirs.uncompressed_offset),
            (ours.compressed_offset, ours.bits, ours.uncompressed_offset)
        );
        assert!(
            theirs.window == ours.window,
            "the window differs at {}",
            ours.uncompressed_offset
        );
    }
}

/// Whether an error of ours is what zlib's message says.
fn is_same(fault: &Fault, error: &InflateError) -> bool {
    use InflateError as E;
    let expected = match error {
        E::EmptyInput => return *fault == Fault::Truncated,
        // zlib compares the first half of a trailer before it asks for the second.
        E::Truncated { .. } => {
            return *fault == Fault::Truncated || *fault == Fault::Message("incorrect data check".into());
        }
        // zlib reads these in pairs of bytes.
        E::NotGzip | E::TrailingData { .. } => {
            return matches!(fault, Fault::Truncated)
                || *fault == Fault::Message("incorrect header check".into());
        }
        E::UnknownMethod { .. } => {
            return matches!(fault, Fault::Truncated)
                || *fault == Fault::Message("unknown compression method".into());
        }
        E::ReservedFlags { .. } => "unknown header flags set",
        E::HeaderCrc { .. } => "header crc mismatch",
        E::BadBlockType { .. } => "invalid block type",
        E::BadStoredLength { .. } => "invalid stored block lengths",
        E::TooManyCodes { .. } => "too many length or distance symbols",
        // zlib goes on after a code-length code without codes, to lengths that are all zero.
        E::BadCode {
            code: CodeKind::CodeLength,
            ..
        } => {
            return matches!(fault, Fault::Truncated)
                || *fault == Fault::Message("invalid code lengths set".into())
                || *fault == Fault::Message("invalid code -- missing end-of-block".into());
        }
        E::BadCode {
            code: CodeKind::LiteralLength,
            ..
        } => "invalid literal/lengths set",
        E::BadCode {
            code: CodeKind::Distance,
            ..
        } => "invalid distances set",
        E::BadRepeat { .. } => "invalid bit length repeat",
        E::MissingEndOfBlock { .. } => "invalid code -- missing end-of-block",
        E::BadSymbol {
            code: CodeKind::Distance,
            ..
        } => "invalid distance code",
        E::BadSymbol { .. } => "invalid literal/length code",
        E::DistanceTooFar { .. } => "invalid distance too far back",
        E::Crc { .. } => "incorrect data check",
        E::Size { .. } => "incorrect length check",
        _ => return false,
    };
    *fault == Fault::Message(expected.into())
}
