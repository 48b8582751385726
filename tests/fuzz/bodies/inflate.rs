//! What the target for the inflater does with any bytes. A file of its own, so that the tests replay
//! the seeds on a stable toolchain.

use soci_ztoc::inflate::InflateError;

use crate::{ours, same};

/// A member header without optional fields.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Any bytes as a gzip stream, and as the blocks of one: zlib finds the same in them, and pieces do
/// not matter.
pub(crate) fn inflate(bytes: &[u8]) {
    same::assert_same(bytes);
    let blocks = [&HEADER[..], bytes].concat();
    same::assert_same(&blocks);
    let (inflated, error) = ours::inflate_until_error(&blocks, usize::MAX);
    let piece = usize::from(bytes.first().copied().unwrap_or(0)) + 1;
    let pieces = [piece, 1, 3 * piece];
    match (ours::exchange(&blocks, &pieces), &error) {
        (Ok(pieced), None) => assert!(pieced == inflated, "pieces of {pieces:?} matter"),
        (Err(pieced), Some(error)) => assert_eq!(pieced, *error),
        (Ok(_), Some(error)) => panic!("only in one piece: {error}"),
        (Err(error), None) => panic!("only in pieces: {error}"),
    }
    // Blocks that end well get the trailer they lack, so that all of their output is compared.
    if let Some(InflateError::Crc { offset, computed, .. }) = error {
        let mut member = blocks[..offset as usize - 8].to_vec();
        member.extend(computed.to_le_bytes());
        member.extend((inflated.output.len() as u32).to_le_bytes());
        same::assert_same(&member);
        resume(&member, &inflated);
    }
}

/// Decoding can begin at every boundary.
fn resume(member: &[u8], inflated: &ours::Inflated) {
    for stop in inflated.stops.iter().take(20) {
        let start = (stop.compressed_offset - u64::from(stop.bits > 0)) as usize;
        let expected = &inflated.output[stop.uncompressed_offset as usize..];
        let resumed = ours::resume(stop, &member[start..], expected.len() as u64, 1000);
        assert!(resumed.as_deref() == Ok(expected));
    }
}
