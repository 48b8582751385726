//! Our inflater with a consumer that keeps everything.

use soci_ztoc::inflate::{
    Boundary, Consumer, GzipInflater, InflateError, InputBuffer, SpanInflater, Speculator, Stretch,
};

use crate::zlib::Stop;

/// Everything the inflater says about a stream.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Inflated {
    pub(crate) output: Vec<u8>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) compressed: Vec<u8>,
}

impl Consumer for Inflated {
    type Error = InflateError;

    fn output(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        assert!(
            boundary.start() >= self.compressed.len() as u64,
            "a boundary inside finished bytes"
        );
        self.stops.push(Stop {
            compressed_offset: boundary.compressed_offset,
            bits: boundary.bits,
            uncompressed_offset: boundary.uncompressed_offset,
            window: boundary.window().to_vec(),
        });
        Ok(())
    }

    fn compressed(&mut self, bytes: &[u8]) -> Result<(), InflateError> {
        self.compressed.extend_from_slice(bytes);
        Ok(())
    }
}

/// Pushes in pieces of `piece` bytes.
pub(crate) fn inflate(gzip: &[u8], piece: usize) -> Result<Inflated, InflateError> {
    let mut inflated = Inflated::default();
    let mut inflater = GzipInflater::new();
    for piece in gzip.chunks(piece) {
        inflater.push(piece, &mut inflated)?;
    }
    let (totals, _) = inflater.finish(&mut inflated)?;
    assert_eq!(totals.compressed, gzip.len() as u64);
    assert_eq!(totals.uncompressed, inflated.output.len() as u64);
    Ok(inflated)
}

/// What came before an error, and the error if there was one.
pub(crate) fn inflate_until_error(gzip: &[u8], piece: usize) -> (Inflated, Option<InflateError>) {
    inflate_with(gzip, piece, None)
}

/// The same with a stretch that may have been decoded ahead.
pub(crate) fn inflate_with(
    gzip: &[u8],
    piece: usize,
    stretch: Option<Stretch>,
) -> (Inflated, Option<InflateError>) {
    let mut inflated = Inflated::default();
    let mut inflater = GzipInflater::new();
    if let Some(stretch) = stretch {
        inflater.offer(stretch);
    }
    let pushed = gzip
        .chunks(piece)
        .try_for_each(|piece| inflater.push(piece, &mut inflated));
    let error = pushed
        .and_then(|()| inflater.finish(&mut inflated).map(drop))
        .err();
    (inflated, error)
}

/// Decodes ahead in the first block that is found from `at` on.
pub(crate) fn speculate(gzip: &[u8], at: usize, piece: usize) -> Option<Stretch> {
    let mut speculator = Speculator::new();
    let begin = at + speculator.begin(&gzip[at..], at as u64)?;
    for piece in gzip[begin..].chunks(piece) {
        if !speculator.push(piece) {
            break;
        }
    }
    speculator.finish()
}

/// Exchanges buffers filled with `pieces`, repeated, so that decoding stops at every one of them.
pub(crate) fn exchange(gzip: &[u8], pieces: &[usize]) -> Result<Inflated, InflateError> {
    let mut inflated = Inflated::default();
    let mut inflater = GzipInflater::new();
    let mut spare = None;
    let mut exchanged = Vec::new();
    let mut rest = gzip;
    for &piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let mut buffer: InputBuffer = spare.take().unwrap_or_default();
        let now = &rest[..piece.min(rest.len())];
        let left = buffer.append(now).len();
        rest = &rest[now.len() - left..];
        let told = inflated.stops.len();
        inflater.exchange(buffer, &mut inflated, |spent| {
            exchanged.extend_from_slice(spent.finished());
            spare = Some(spent.reuse());
        })?;
        let finished = exchanged.len() as u64;
        assert!(
            inflated.stops[told..]
                .iter()
                .all(|stop| stop.compressed_offset - u64::from(stop.bits > 0) >= finished),
            "a boundary inside finished bytes"
        );
    }
    let (_, last) = inflater.finish(&mut inflated)?;
    // The rest is told once more.
    assert!(inflated.compressed == *last.finished());
    exchanged.append(&mut inflated.compressed);
    inflated.compressed = exchanged;
    Ok(inflated)
}

/// Resumes at a stop with `input`, the bytes from its start on.
pub(crate) fn resume(stop: &Stop, input: &[u8], wanted: u64, piece: usize) -> Result<Vec<u8>, InflateError> {
    let mut inflated = Inflated::default();
    let window = stop.window.as_slice().try_into().expect("a window");
    let mut inflater = SpanInflater::new(window, stop.bits, wanted);
    for piece in input.chunks(piece) {
        inflater.push(piece, &mut inflated)?;
    }
    inflater.finish(&mut inflated)?;
    assert_eq!(inflated.output.len() as u64, wanted);
    Ok(inflated.output)
}
