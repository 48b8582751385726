//! Each cause of a refusal is told apart, with its place.

use soci_ztoc::inflate::{
    Boundary, BoundaryKind, CodeKind, Consumer, GzipInflater, InflateError, InputBuffer,
};

use crate::bitwriter::BitWriter;
use crate::ours;

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// An empty member.
const EMPTY: [u8; 20] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn error_of(gzip: &[u8]) -> InflateError {
    crate::same::assert_same(gzip);
    match ours::inflate(gzip, 3) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

/// The error of a stream whose first block is what `write` writes.
fn block_error(write: impl FnOnce(&mut BitWriter)) -> InflateError {
    let mut writer = BitWriter::default();
    write(&mut writer);
    let mut gzip = HEADER.to_vec();
    gzip.extend(&writer.bytes);
    // So that it is not truncated.
    gzip.extend([0; 64]);
    error_of(&gzip)
}

#[test]
fn headers() {
    assert_eq!(error_of(b""), InflateError::EmptyInput);
    assert_eq!(error_of(b"PK\x03\x04"), InflateError::NotGzip);
    assert_eq!(error_of(b"\x1f\x8c"), InflateError::NotGzip);
    assert_eq!(error_of(b"\x1f\x8b"), InflateError::Truncated { offset: 2 });
    assert_eq!(
        error_of(b"\x1f\x8b\x07"),
        InflateError::UnknownMethod { offset: 2, method: 7 }
    );
    assert_eq!(
        error_of(b"\x1f\x8b\x08\x20"),
        InflateError::ReservedFlags {
            offset: 3,
            flags: 0x20
        }
    );
    let mut gzip = HEADER.to_vec();
    gzip[3] = 2;
    gzip.extend([1, 2]);
    let error = error_of(&gzip);
    assert!(
        matches!(
            error,
            InflateError::HeaderCrc {
                offset: 12,
                stored: 0x0201,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn trailers_and_what_follows() {
    for cut in 1..EMPTY.len() {
        assert_eq!(
            error_of(&EMPTY[..cut]),
            InflateError::Truncated { offset: cut as u64 }
        );
    }
    let mut gzip = EMPTY.to_vec();
    gzip[12] = 1;
    assert_eq!(
        error_of(&gzip),
        InflateError::Crc {
            offset: 20,
            stored: 1,
            computed: 0
        }
    );
    let mut gzip = EMPTY.to_vec();
    gzip[16] = 7;
    assert_eq!(
        error_of(&gzip),
        InflateError::Size {
            offset: 20,
            stored: 7,
            counted: 0
        }
    );
    for trailing in [&b"\0"[..], b"\0\0\0\0", b"garbage", b"\x1fx"] {
        let gzip = [&EMPTY[..], trailing].concat();
        assert_eq!(error_of(&gzip), InflateError::TrailingData { offset: 20 });
    }
    let gzip = [&EMPTY[..], b"\x1f\x8b"].concat();
    assert_eq!(error_of(&gzip), InflateError::Truncated { offset: 22 });
}

#[test]
fn blocks() {
    assert_eq!(
        block_error(|w| w.put(0b111, 3)),
        InflateError::BadBlockType { offset: 11 }
    );
    let stored = |w: &mut BitWriter| {
        w.put(1, 8);
        w.put(5, 16);
        w.put(5, 16);
    };
    assert_eq!(block_error(stored), InflateError::BadStoredLength { offset: 15 });
    let too_many = |w: &mut BitWriter| {
        w.put(0b101, 3);
        w.put(30, 5);
        w.put(0, 9);
    };
    assert_eq!(block_error(too_many), InflateError::TooManyCodes { offset: 13 });
    let too_many_distances = |w: &mut BitWriter| {
        w.put(0b101, 3);
        w.put(0, 5);
        w.put(30, 5);
        w.put(0, 4);
    };
    assert_eq!(
        block_error(too_many_distances),
        InflateError::TooManyCodes { offset: 13 }
    );
}

/// A dynamic block header with code lengths 0, 1, 15, 16 (2 bits each) as `rest` writes them.
fn dynamic(rest: impl FnOnce(&mut BitWriter)) -> InflateError {
    block_error(|w| {
        w.put(0b101, 3);
        w.put(0, 5);
        w.put(1, 5);
        w.put(15, 4);
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] {
            w.put(if [0, 1, 16, 18].contains(&symbol) { 2 } else { 0 }, 3);
        }
        rest(w);
    })
}

// The four codes, first bit lowest.
const ZERO: u32 = 0b00;
const ONE: u32 = 0b10;
const REPEAT: u32 = 0b01;
const ZEROS: u32 = 0b11;

fn zeros(w: &mut BitWriter, count: u32) {
    w.put(ZEROS, 2);
    w.put(count - 11, 7);
}

#[test]
fn code_lengths() {
    let incomplete = |w: &mut BitWriter| {
        w.put(0b101, 3);
        w.put(0, 14);
        w.put(1, 3);
    };
    let error = block_error(incomplete);
    assert!(
        matches!(
            error,
            InflateError::BadCode {
                code: CodeKind::CodeLength,
                ..
            }
        ),
        "{error}"
    );
    let error = dynamic(|w| w.put(REPEAT, 2));
    assert!(matches!(error, InflateError::BadRepeat { .. }), "{error}");
    let error = dynamic(|w| {
        zeros(w, 138);
        zeros(w, 138);
    });
    assert!(matches!(error, InflateError::BadRepeat { .. }), "{error}");
    let error = dynamic(|w| {
        w.put(ONE, 2);
        zeros(w, 138);
        zeros(w, 117);
        w.put(ZERO, 2);
        w.put(ONE, 2);
        w.put(ONE, 2);
    });
    assert!(matches!(error, InflateError::MissingEndOfBlock { .. }), "{error}");
    let error = dynamic(|w| {
        w.put(ONE, 2);
        w.put(ONE, 2);
        zeros(w, 138);
        zeros(w, 116);
        w.put(ONE, 2);
        w.put(ONE, 2);
        w.put(ONE, 2);
    });
    assert!(
        matches!(
            error,
            InflateError::BadCode {
                code: CodeKind::LiteralLength,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn symbols_and_distances() {
    // Fixed codes: 286 is 11000110, length 3 is 0000001, distance symbol 30 is 11110.
    let symbol = |w: &mut BitWriter| {
        w.put(0b011, 3);
        w.put(0b0110_0011, 8);
    };
    let error = block_error(symbol);
    assert!(
        matches!(
            error,
            InflateError::BadSymbol {
                code: CodeKind::LiteralLength,
                ..
            }
        ),
        "{error}"
    );
    let distance = |w: &mut BitWriter| {
        w.put(0b011, 3);
        w.put(0b100_0000, 7);
        w.put(0b01111, 5);
    };
    let error = block_error(distance);
    assert!(
        matches!(
            error,
            InflateError::BadSymbol {
                code: CodeKind::Distance,
                ..
            }
        ),
        "{error}"
    );
    let too_far = |w: &mut BitWriter| {
        w.put(0b011, 3);
        w.put(0b000_1100, 8);
        w.put(0b100_0000, 7);
        w.put(0b10000, 5);
    };
    let error = block_error(too_far);
    assert!(
        matches!(
            error,
            InflateError::DistanceTooFar {
                distance: 2,
                available: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_distance_does_not_reach_into_the_member_before() {
    let mut writer = BitWriter::default();
    writer.put(0b011, 3);
    writer.put(0b100_0000, 7);
    writer.put(0, 5);
    let mut gzip = crate::points::compressed(b"before", 6, flate2::FlushCompress::None, 10);
    gzip.extend(HEADER);
    gzip.extend(&writer.bytes);
    gzip.extend([0; 30]);
    let error = error_of(&gzip);
    assert!(
        matches!(
            error,
            InflateError::DistanceTooFar {
                distance: 1,
                available: 0,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_inflater_stays_stopped_after_an_error() {
    let mut consumer = ours::Inflated::default();
    let mut inflater = GzipInflater::new();
    inflater.push(b"PK", &mut consumer).expect("nothing was read yet");
    assert_eq!(inflater.run(&mut consumer), Err(InflateError::NotGzip));
    assert_eq!(inflater.push(b"more", &mut consumer), Err(InflateError::NotGzip));
    let exchanged = inflater.exchange(InputBuffer::new(), &mut consumer, |_| ());
    assert_eq!(exchanged, Err(InflateError::NotGzip));
    let finished = inflater.finish(&mut consumer);
    assert!(matches!(finished, Err(InflateError::NotGzip)));
}

/// A consumer with an error of its own.
#[derive(Debug, PartialEq, Eq)]
enum Own {
    Gzip(InflateError),
    Mine,
}

impl From<InflateError> for Own {
    fn from(error: InflateError) -> Self {
        Own::Gzip(error)
    }
}

struct Refusing;

impl Consumer for Refusing {
    type Error = Own;

    fn output(&mut self, _: &[u8]) -> Result<(), Own> {
        Err(Own::Mine)
    }
}

#[test]
fn an_error_of_the_consumer_stops_the_inflater() {
    let gzip = crate::points::compressed(b"text", 6, flate2::FlushCompress::None, 10);
    let mut inflater = GzipInflater::new();
    inflater.push(&gzip, &mut Refusing).expect("nothing was read yet");
    // Of a stream as short as this one, nothing is decoded before all that follows may be there.
    inflater
        .push(&[0; 4096], &mut Refusing)
        .expect("nothing was read yet");
    assert_eq!(inflater.run(&mut Refusing), Err(Own::Mine));
    let finished = inflater.finish(&mut Refusing);
    assert!(matches!(finished, Err(Own::Gzip(InflateError::Stopped))));
}

#[derive(Default)]
struct LongFields(Vec<bool>);

impl Consumer for LongFields {
    type Error = InflateError;

    fn output(&mut self, _: &[u8]) -> Result<(), InflateError> {
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        if let BoundaryKind::MemberHeader { long_field, .. } = boundary.kind {
            self.0.push(long_field);
        }
        Ok(())
    }
}

#[test]
fn names_over_511_bytes_are_told() {
    let with_name = |flag: u8, length: usize| {
        let mut gzip = EMPTY.to_vec();
        gzip[3] = flag;
        gzip.splice(10..10, std::iter::repeat_n(b'n', length).chain([0]));
        gzip
    };
    let mut gzip = Vec::new();
    for (flag, length) in [(8, 511), (8, 512), (16, 511), (16, 70_000)] {
        gzip.extend(with_name(flag, length));
    }
    let mut consumer = LongFields::default();
    let mut inflater = GzipInflater::new();
    for piece in gzip.chunks(100) {
        inflater.push(piece, &mut consumer).expect("a good stream");
    }
    let (totals, _) = inflater.finish(&mut consumer).expect("a good stream");
    assert_eq!(consumer.0, [false, true, false, true]);
    assert_eq!(totals.members, 4);
}
