//! Boundaries equal zlib's `Z_BLOCK` stops: offsets, bits and windows.

use crate::ours;
use crate::zlib;

/// Both agree on whether the stream is good, and on everything in it.
pub(crate) fn assert_same(gzip: &[u8]) {
    let ours = ours::inflate(gzip, usize::MAX);
    match (zlib::inflate(gzip), ours) {
        (Ok((output, stops)), Ok(ours)) => {
            assert!(output == ours.output, "the output differs");
            assert_eq!(stops.len(), ours.stops.len());
            for (theirs, ours) in stops.iter().zip(&ours.stops) {
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
            assert!(ours.compressed == gzip);
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("zlib takes a stream that we refuse: {error}"),
        (Err(code), Ok(_)) => panic!("zlib refuses a stream that we take: {code}"),
    }
}
