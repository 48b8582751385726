//! What the calls are made with: layers, zTOCs, and decisions taken from bytes.

use std::io::Write;
use std::sync::OnceLock;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use soci_ztoc::Error;
use soci_ztoc::inflate::{Boundary, Consumer, InflateError, InputBuffer};
use soci_ztoc::tar::{Entry, Visitor};
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Limits, Toc, Ztoc, ZtocBuilder};

/// Values of one kind at a time.
const VALUES: usize = 4;

/// The layers: gzip in many blocks and two members, the same damaged, plain, gzip without tar.
pub(super) fn layers() -> &'static [Vec<u8>; 4] {
    static LAYERS: OnceLock<[Vec<u8>; 4]> = OnceLock::new();
    LAYERS.get_or_init(|| {
        let archive = archive();
        let mut gzip = Vec::new();
        for member in archive.chunks(archive.len() * 2 / 3) {
            let mut encoder = GzEncoder::new(&mut gzip, Level::default());
            for block in member.chunks(7000) {
                encoder.write_all(block).expect("writes to memory");
                encoder.flush().expect("writes to memory");
            }
            encoder.finish().expect("writes to memory");
        }
        let mut damaged = gzip.clone();
        damaged[gzip.len() / 2] ^= 0x10;
        let mut no_tar = GzEncoder::new(Vec::new(), Level::default());
        no_tar.write_all(&[b'x'; 3000]).expect("writes to memory");
        let no_tar = no_tar.finish().expect("writes to memory");
        [gzip, damaged, archive, no_tar]
    })
}

/// Letters that compress to half, the same every time.
pub(super) fn letters(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 28) as u8
    })
    .take(length)
    .collect()
}

pub(super) const FILES: [usize; 4] = [0, 10, 30_000, 90_000];

pub(super) fn archive() -> Vec<u8> {
    let mut archive = Vec::new();
    for (index, size) in FILES.into_iter().enumerate() {
        let mut header = [0; 512];
        header[0] = b'a' + index as u8;
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[156] = b'0';
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(letters(size));
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

/// zTOCs: two that are right, of the first layer and of the plain one, then altered ones.
pub(super) fn ztocs() -> &'static [Ztoc] {
    static ZTOCS: OnceLock<Vec<Ztoc>> = OnceLock::new();
    ZTOCS.get_or_init(|| {
        let good = [
            build(&options(Compression::Gzip, 20_000), &layers()[0]),
            build(&options(Compression::Uncompressed, 20_000), &layers()[2]),
        ]
        .map(|built| match built {
            Ok(BuildOutcome::Indexed(built)) => built.into_encoded().into_ztoc(),
            other => panic!("a good layer: {other:?}"),
        });
        let mut ztocs = good.to_vec();
        for ztoc in &good {
            for change in 0..6 {
                let mut parts = ztoc.clone().into_parts();
                match change {
                    0 => parts.span_digests[1][0] ^= 1,
                    1 => parts.span_digests.truncate(2),
                    2 => parts.uncompressed_size = i64::MAX as u64,
                    3 => parts.uncompressed_size = 0,
                    4 => parts.toc = Toc::new(),
                    _ => parts.max_span_id = i32::MIN,
                }
                ztocs.push(Ztoc::from_parts(parts).expect("the parts fit together"));
            }
        }
        ztocs
    })
}

pub(super) fn options(compression: Compression, span_size: u64) -> BuildOptions {
    BuildOptions::new(compression, "calls").with_span_size(span_size)
}

pub(super) fn build(options: &BuildOptions, layer: &[u8]) -> Result<BuildOutcome, Error> {
    let mut builder = ZtocBuilder::new(options.clone())?;
    builder.push(layer)?;
    builder.finish()
}

/// Takes decisions from bytes; zeros when there are no more.
pub(super) struct Choices<'a> {
    pub(super) bytes: &'a [u8],
}

impl Choices<'_> {
    pub(super) fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        usize::from(*first)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.byte() % limit.max(1)
    }

    /// Small, large and extreme numbers.
    pub(super) fn number(&mut self) -> u64 {
        let value = self.byte() as u64;
        match self.below(4) {
            0 => value,
            1 => value << 10,
            2 => u64::MAX - value,
            _ => 1 << (value % 64),
        }
    }

    pub(super) fn layer(&mut self) -> &'static [u8] {
        let layers = layers();
        &layers[self.below(layers.len())]
    }

    /// A stretch of a layer, mostly the next one behind `at`.
    pub(super) fn piece(&mut self, layer: &'static [u8], at: usize) -> &'static [u8] {
        let from = match self.below(8) {
            0 => self.byte() * layer.len() / 256,
            _ => at.min(layer.len()),
        };
        let length = match self.below(4) {
            0 => self.byte(),
            1 => 40 * self.byte(),
            2 => 400 * self.byte(),
            _ => layer.len(),
        };
        &layer[from..][..length.min(layer.len() - from)]
    }

    pub(super) fn buffer(&mut self, bytes: &[u8], spare: Option<InputBuffer>) -> (InputBuffer, usize) {
        let mut buffer = spare.unwrap_or_default();
        let taken = bytes.len() - buffer.append(bytes).len();
        if self.below(32) == 0 {
            buffer.set_filled(self.number() as usize);
            let filled = buffer.filled().len();
            return (buffer, filled);
        }
        (buffer, taken)
    }
}

/// Takes output for a while.
pub(super) struct Patience(pub(super) u64);

impl Patience {
    fn wear(&mut self) -> Result<(), InflateError> {
        self.0 = self.0.checked_sub(1).ok_or(InflateError::Stopped)?;
        Ok(())
    }
}

impl Consumer for Patience {
    type Error = InflateError;

    fn output(&mut self, _: &[u8]) -> Result<(), InflateError> {
        self.wear()
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        let _ = boundary.start();
        self.wear()
    }

    fn compressed(&mut self, _: &[u8]) -> Result<(), InflateError> {
        self.wear()
    }
}

impl Visitor for Patience {
    fn entry(&mut self, entry: &Entry<'_>) {
        let _ = (entry.modified.rfc_3339(), entry.pax_records().iter().len());
    }
}

/// A value in use: how far it read its layer, and whether it told an error.
pub(super) struct Used<T> {
    pub(super) value: T,
    pub(super) layer: &'static [u8],
    pub(super) at: usize,
    pub(super) failed: bool,
}

impl<T> Used<T> {
    pub(super) fn new(value: T, layer: &'static [u8]) -> Self {
        let (at, failed) = (0, false);
        Used {
            value,
            layer,
            at,
            failed,
        }
    }

    /// After an error there are only errors.
    pub(super) fn told<V, E>(&mut self, result: Result<V, E>) {
        assert!(!self.failed || result.is_err(), "it went on after an error");
        self.failed |= result.is_err();
    }
}

/// One of the values, unless there is to be a new one.
pub(super) fn pick<T>(values: &[T], choices: &mut Choices<'_>) -> Option<usize> {
    if values.is_empty() || (values.len() < VALUES && choices.below(8) == 0) {
        return None;
    }
    Some(choices.below(values.len()))
}

pub(super) fn take<T>(values: &mut Vec<T>, choices: &mut Choices<'_>) -> Option<T> {
    (!values.is_empty()).then(|| values.swap_remove(choices.below(values.len())))
}

pub(super) fn any_options(choices: &mut Choices<'_>) -> BuildOptions {
    let compression = match choices.below(3) {
        0 => Compression::Uncompressed,
        _ => Compression::Gzip,
    };
    let span_size = match choices.below(4) {
        0 => choices.number(),
        _ => 5000,
    };
    let mut limits = Limits::DEFAULT.with_spans(10_000);
    if choices.below(4) == 0 {
        let most = choices.number() as usize;
        limits = match choices.below(5) {
            0 => limits.with_checkpoints(most),
            1 => limits.with_spans(most.min(10_000)),
            2 => limits.with_entries(most),
            3 => limits.with_pax_records(most),
            _ => limits.with_text_bytes(most),
        };
    }
    options(compression, span_size).with_limits(limits)
}
