//! How the input arrives never matters, and neither does where decoding begins.

use proptest::prelude::*;
use soci_ztoc::inflate::InflateError;

use crate::points::gzip;
use crate::{ours, zlib};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn pieces_never_matter(
        gzip in gzip(60_000),
        piece in 1..5000_usize,
        pieces in prop::collection::vec(0..3000_usize, 1..20),
    ) {
        let whole = ours::inflate(&gzip, usize::MAX)?;
        prop_assert!(whole == ours::inflate(&gzip, piece)?);
        prop_assert!(whole == ours::inflate(&gzip, 1)?);
        // A buffer of no bytes at all must not be the only kind.
        let pieces: Vec<usize> = pieces.into_iter().chain([1]).collect();
        prop_assert!(whole == ours::exchange(&gzip, &pieces)?);
        if gzip.len() < 5000 {
            prop_assert!(whole == ours::exchange(&gzip, &[1])?);
        }
    }

    #[test]
    fn pieces_never_matter_to_errors(
        gzip in gzip(3_000),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
        pieces in prop::collection::vec(1..300_usize, 1..20),
    ) {
        let mut changed = gzip;
        let at = at.index(changed.len());
        changed[at] = to;
        let whole = ours::inflate(&changed, usize::MAX).map(|inflated| inflated.output);
        let pieced = ours::exchange(&changed, &pieces).map(|inflated| inflated.output);
        prop_assert_eq!(whole, pieced);
    }

    #[test]
    fn decoding_can_begin_at_every_stop(
        gzip in gzip(60_000),
        pick in any::<prop::sample::Index>(),
        length in 0..100_000_u64,
        piece in 1..5000_usize,
    ) {
        let zlib::Inflated { output, stops, .. } = zlib::inflate(&gzip);
        let stop = &stops[pick.index(stops.len())];
        let from = stop.uncompressed_offset as usize;
        let wanted = length.min((output.len() - from) as u64);
        let start = (stop.compressed_offset - u64::from(stop.bits > 0)) as usize;
        let resumed = ours::resume(stop, &gzip[start..], wanted, piece)?;
        prop_assert!(resumed == output[from..from + wanted as usize]);
    }

    #[test]
    fn a_span_needs_only_its_own_bytes(gzip in gzip(60_000)) {
        let zlib::Inflated { output, stops, .. } = zlib::inflate(&gzip);
        for pair in stops.windows(2) {
            let [stop, next] = pair else { unreachable!() };
            let start = (stop.compressed_offset - u64::from(stop.bits > 0)) as usize;
            let input = &gzip[start..next.compressed_offset as usize];
            let (from, to) = (stop.uncompressed_offset as usize, next.uncompressed_offset as usize);
            let resumed = ours::resume(stop, input, (to - from) as u64, usize::MAX)?;
            prop_assert!(resumed == output[from..to]);
        }
    }
}

#[test]
fn a_span_that_wants_more_than_there_is_is_truncated() {
    let data = b"abc".repeat(100);
    let gzip = crate::points::compressed(&data, 6, flate2::FlushCompress::None, 1000);
    let stops = zlib::inflate(&gzip).stops;
    let error = ours::resume(&stops[0], &gzip[10..], 301, 7).expect_err("there are only 300 bytes");
    assert!(matches!(error, InflateError::Truncated { .. }), "{error}");
    let error = ours::resume(&stops[0], &gzip[10..gzip.len() - 12], 300, 7).expect_err("cut");
    assert!(matches!(error, InflateError::Truncated { .. }), "{error}");
}

#[test]
fn members_behind_a_span_are_checked() {
    let one = crate::points::compressed(b"one", 6, flate2::FlushCompress::None, 1000);
    let mut gzip = one.clone();
    gzip.extend(&one);
    gzip.extend(&one);
    let stop = &zlib::inflate(&gzip).stops[0];
    // The first trailer cannot be checked, the second one can.
    gzip[one.len() - 1] ^= 1;
    assert_eq!(
        ours::resume(stop, &gzip[10..], 9, 5).as_deref(),
        Ok(&b"oneoneone"[..])
    );
    gzip[2 * one.len() - 8] ^= 1;
    let error = ours::resume(stop, &gzip[10..], 9, 5).expect_err("a wrong checksum");
    assert!(matches!(error, InflateError::Crc { .. }), "{error}");
}
