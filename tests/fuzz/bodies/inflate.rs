//! What the target for the inflater does with any bytes. A file of its own, so that the tests replay
//! the seeds on a stable toolchain.

use soci_ztoc::inflate::{InflateError, Stretch};

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
    ahead(bytes, piece);
    // Blocks that end well get the trailer they lack, so that all of their output is compared.
    if let Some(InflateError::Crc { offset, computed, .. }) = error {
        let mut member = blocks[..offset as usize - 8].to_vec();
        member.extend(computed.to_le_bytes());
        member.extend((inflated.output.len() as u32).to_le_bytes());
        same::assert_same(&member);
        resume(&member, &inflated);
    }
}

/// Any bytes as blocks in the middle of a stream: decoding them ahead changes nothing, whether they
/// may reach back 32 KiB or not a single byte.
fn ahead(bytes: &[u8], piece: usize) {
    const STORED: u16 = 40_000;
    let [low, high] = STORED.to_le_bytes();
    let mut behind_stored = [&HEADER[..], &[0, low, high, !low, !high]].concat();
    behind_stored.extend((0..STORED).map(|at| (at ^ at >> 8) as u8));
    for mut stream in [behind_stored, HEADER.to_vec()] {
        let at = stream.len();
        stream.extend(bytes);
        // Enough for a header to be tried.
        stream.extend([0; 2048]);
        if let Some(stretch) = ours::speculate(&stream, at, 16 * piece) {
            same_with(&stream, stretch, 64 * piece);
        }
    }
}

fn same_with(stream: &[u8], stretch: Stretch, piece: usize) {
    let with = ours::inflate_with(stream, piece, Some(stretch));
    let without = ours::inflate_until_error(stream, usize::MAX);
    assert!(with.1 == without.1, "{:?} instead of {:?}", with.1, without.1);
    assert!(with.0.stops == without.0.stops, "the stops differ");
    // Before an error, the last bytes may not have been delivered yet.
    let length = match with.1 {
        None => usize::MAX,
        Some(_) => with.0.output.len().min(without.0.output.len()),
    };
    let delivered = |inflated: &ours::Inflated| inflated.output[..inflated.output.len().min(length)].to_vec();
    assert!(delivered(&with.0) == delivered(&without.0), "the output differs");
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
