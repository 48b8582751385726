//! The builder in two halves, so that two threads (or a thread and a host) share the work on one
//! layer: the first inflates and walks, the second reads and hashes.
//!
//! ```text
//!          ┌──────────── InputBuffer, filled ─────────────┐
//!          │                                              ▼
//!   reads, HashHalf                                   DecodeHalf
//!          ▲                                              │
//!          └── Handover: a buffer that is done with, ─────┘
//!              and the spans that begin in it
//! ```
//!
//! Buffers circulate and nothing is copied. Hashing comes after inflating, because where a span
//! ends is only known when its last block was inflated.
//!
//! Digests of other bytes than the layer's, or of its bytes in another order, would be a zTOC that
//! looks good. So handovers know which layer they belong to and where in it they begin.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::build_options::BuildOptions;
use super::builder::{BuildOutcome, Pass, ZtocBuilder, start};
use super::digests::{Announcements, LayerDigests};
use crate::Error;
use crate::inflate::{GzipInflater, InputBuffer, SpentBuffer, Stretch};

/// The half that inflates, walks the tar and takes checkpoints.
#[derive(Debug)]
pub struct DecodeHalf {
    input: Input,
    pass: Pass,
    build_tool_identifier: Box<str>,
    place: Place,
}

/// A buffer that was decoded, for the other half.
#[derive(Debug)]
pub struct Handover {
    buffer: SpentBuffer,
    announcements: Announcements,
    place: Place,
}

/// The half that computes the digests.
#[derive(Debug)]
pub struct HashHalf {
    digests: LayerDigests,
    /// Behind the last handover.
    place: Place,
    /// A handover came that does not belong there.
    confused: bool,
}

/// A layer that was decoded to its end and waits for its digests.
#[derive(Debug)]
pub struct Decoded {
    gzip: bool,
    pass: Pass,
    build_tool_identifier: Box<str>,
    end: Place,
}

/// A place in one layer.
#[derive(Clone, Debug)]
struct Place {
    /// The same for all that belongs to one layer, and for nothing else.
    layer: Arc<()>,
    /// Bytes before it.
    offset: u64,
}

impl Place {
    fn is(&self, other: &Place) -> bool {
        Arc::ptr_eq(&self.layer, &other.layer) && self.offset == other.offset
    }
}

#[derive(Debug)]
enum Input {
    Gzip(Box<GzipInflater>),
    Plain(InputBuffer),
}

impl ZtocBuilder {
    /// The work of one builder in two halves.
    ///
    /// ```
    /// # use soci_ztoc::inflate::InputBuffer;
    /// # use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, ZtocBuilder};
    /// # let options = BuildOptions::new(Compression::Uncompressed, "example");
    /// let mut layer = &[0; 1024][..];
    /// let (mut decode, mut hash) = ZtocBuilder::halves(options)?;
    /// let mut spare = None;
    /// while !layer.is_empty() {
    ///     let mut buffer: InputBuffer = spare.take().unwrap_or_default();
    ///     layer = buffer.append(layer);
    ///     // With two threads, the handover is sent to the other one here.
    ///     decode.exchange(buffer, |handover| spare = Some(hash.take(handover)))?;
    /// }
    /// let (decoded, handover) = decode.finish()?;
    /// hash.take(handover);
    /// assert!(matches!(hash.finish(decoded)?, BuildOutcome::Indexed(_)));
    /// # Ok::<(), soci_ztoc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ZtocBuilder::new`].
    pub fn halves(options: BuildOptions) -> Result<(DecodeHalf, HashHalf), Error> {
        let (inflater, pass, build_tool_identifier) = start(options, None)?;
        let input = match inflater {
            Some(inflater) => Input::Gzip(Box::new(inflater)),
            None => Input::Plain(InputBuffer::new()),
        };
        let place = Place {
            layer: Arc::new(()),
            offset: 0,
        };
        let decode = DecodeHalf {
            input,
            pass,
            build_tool_identifier,
            place: place.clone(),
        };
        let hash = HashHalf {
            digests: LayerDigests::default(),
            place,
            confused: false,
        };
        Ok((decode, hash))
    }
}

impl DecodeHalf {
    /// Decodes the next bytes of the layer. Before that it hands over the buffer before them, the
    /// first time an empty one, so that the other half can begin with it meanwhile.
    ///
    /// # Errors
    /// As [`ZtocBuilder::push`].
    pub fn exchange(&mut self, next: InputBuffer, hand_over: impl FnOnce(Handover)) -> Result<(), Error> {
        let (pass, place) = (&mut self.pass, &mut self.place);
        match &mut self.input {
            Input::Gzip(inflater) => {
                pass.reached(place.offset);
                // What is announced so far begins in the buffer that comes back.
                let announcements = core::mem::take(&mut pass.announcements);
                inflater.exchange(next, pass, |buffer| {
                    hand_over(Handover::new(buffer, announcements, place));
                })
            }
            Input::Plain(current) => {
                let buffer = SpentBuffer::new(core::mem::replace(current, next));
                let announcements = core::mem::take(&mut pass.announcements);
                hand_over(Handover::new(buffer, announcements, place));
                pass.plain(current.filled());
                Ok(())
            }
        }
    }

    /// Gives blocks of the same layer that were decoded ahead (see [`GzipInflater::offer`]). In a
    /// plain tar there are none.
    pub fn offer(&mut self, stretch: Stretch) {
        if let Input::Gzip(inflater) = &mut self.input {
            inflater.offer(stretch);
        }
    }

    /// Ends the layer. Gives the last buffer back.
    ///
    /// # Errors
    /// [`Error::Gzip`] when the layer is damaged.
    pub fn finish(mut self) -> Result<(Decoded, Handover), Error> {
        let (gzip, buffer) = match self.input {
            Input::Gzip(inflater) => {
                let (totals, buffer) = inflater.finish(&mut self.pass)?;
                self.pass.end(totals);
                (true, buffer)
            }
            Input::Plain(last) => (false, SpentBuffer::new(last)),
        };
        let announcements = core::mem::take(&mut self.pass.announcements);
        let handover = Handover::new(buffer, announcements, &mut self.place);
        let decoded = Decoded {
            gzip,
            pass: self.pass,
            build_tool_identifier: self.build_tool_identifier,
            end: self.place,
        };
        Ok((decoded, handover))
    }
}

impl Handover {
    /// The place goes on after it.
    fn new(buffer: SpentBuffer, announcements: Announcements, place: &mut Place) -> Self {
        let begin = place.clone();
        place.offset += buffer.finished().len() as u64;
        Handover {
            buffer,
            announcements,
            place: begin,
        }
    }
}

impl HashHalf {
    /// Hashes the bytes that are done with, and returns the buffer to be filled anew. Handovers
    /// come in the order in which they were made; another order is told by
    /// [`finish`](HashHalf::finish).
    pub fn take(&mut self, mut handover: Handover) -> InputBuffer {
        self.confused |= !handover.place.is(&self.place);
        if !self.confused {
            let bytes = handover.buffer.finished();
            self.digests.heed(&mut handover.announcements);
            self.digests.update(bytes);
            self.place.offset += bytes.len() as u64;
        }
        handover.buffer.reuse()
    }

    /// Ends the layer, after the last handover.
    ///
    /// # Errors
    /// As [`ZtocBuilder::finish`], and [`Error::Handovers`] when the handovers of this layer, and no
    /// others, were not all taken in their order.
    pub fn finish(self, decoded: Decoded) -> Result<BuildOutcome, Error> {
        if self.confused || !decoded.end.is(&self.place) {
            return Err(Error::Handovers);
        }
        decoded
            .pass
            .outcome(decoded.gzip, &decoded.build_tool_identifier, self.digests)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec::Vec;
    use std::io::Write;

    use flate2::{Compression as Level, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::ztoc::Compression;

    fn options(compression: Compression, span_size: u64) -> BuildOptions {
        BuildOptions::new(compression, "test").with_span_size(span_size)
    }

    /// Two members, for a boundary that is a member header.
    fn layer(compression: Compression, tar: &[u8]) -> Vec<u8> {
        if compression == Compression::Uncompressed {
            return tar.to_vec();
        }
        let mut gzip = Vec::new();
        for part in tar.chunks(tar.len() / 2 + 1) {
            let mut encoder = GzEncoder::new(&mut gzip, Level::fast());
            for piece in part.chunks(1500) {
                encoder.write_all(piece).expect("writes to memory");
                encoder.flush().expect("writes to memory");
            }
            encoder.finish().expect("writes to memory");
        }
        gzip
    }

    fn tar(files: &[Vec<u8>]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (index, content) in files.iter().enumerate() {
            let mut header = ::tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, std::format!("file-{index}"), &content[..])
                .expect("writes to memory");
        }
        builder.into_inner().expect("writes to memory")
    }

    fn in_halves(options: BuildOptions, mut layer: &[u8], sizes: &[usize]) -> Result<BuildOutcome, Error> {
        let (mut decode, mut hash) = ZtocBuilder::halves(options)?;
        let mut spare = None;
        for &size in sizes.iter().cycle() {
            if layer.is_empty() {
                break;
            }
            let (piece, rest) = layer.split_at(size.min(layer.len()));
            let mut buffer: InputBuffer = spare.take().unwrap_or_default();
            assert!(buffer.append(piece).is_empty());
            layer = rest;
            decode.exchange(buffer, |handover| spare = Some(hash.take(handover)))?;
        }
        let (decoded, handover) = decode.finish()?;
        hash.take(handover);
        hash.finish(decoded)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn halves_build_what_the_builder_builds(
            files in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4000), 1..8),
            gzip in any::<bool>(),
            span_size in 1..6000_u64,
            sizes in prop::collection::vec(1..5000_usize, 1..8),
        ) {
            let compression = if gzip { Compression::Gzip } else { Compression::Uncompressed };
            let layer = layer(compression, &tar(&files));
            let options = options(compression, span_size);
            let mut builder = ZtocBuilder::new(options.clone())?;
            builder.push(&layer)?;
            let (BuildOutcome::Indexed(whole), BuildOutcome::Indexed(halves)) =
                (builder.finish()?, in_halves(options, &layer, &sizes)?)
            else {
                panic!("a plain layer has a zTOC");
            };
            prop_assert_eq!(whole.layer_digest(), halves.layer_digest());
            prop_assert_eq!(whole.compressed_size(), layer.len() as u64);
            prop_assert!(whole.ztoc().span_digests().len() > 1 || layer.len() < 8000);
            prop_assert_eq!(whole.encoded().digest(), halves.encoded().digest());
        }
    }

    #[test]
    fn handovers_in_another_order_or_of_another_layer_are_no_ztoc() {
        let tar = tar(&[std::vec![7; 5000]]);
        let layer = layer(Compression::Gzip, &tar);
        // Both layers in pieces, each with what its first half hands over.
        let decoded = || {
            let options = options(Compression::Gzip, 100);
            let (mut decode, hash) = ZtocBuilder::halves(options).expect("a good span size");
            let mut handovers = Vec::new();
            for piece in layer.chunks(layer.len() / 3) {
                let mut buffer = InputBuffer::new();
                buffer.append(piece);
                let exchanged = decode.exchange(buffer, |handover| handovers.push(handover));
                exchanged.expect("a good layer");
            }
            let (decoded, last) = decode.finish().expect("a good layer");
            handovers.push(last);
            (hash, handovers, decoded)
        };
        type Change<'c> = &'c dyn Fn(&mut Vec<Handover>, Vec<Handover>);
        let outcome = |change: Change<'_>| {
            let (mut hash, mut handovers, whole) = decoded();
            change(&mut handovers, decoded().1);
            for handover in handovers {
                hash.take(handover);
            }
            hash.finish(whole)
        };
        assert!(outcome(&|_, _| {}).is_ok());
        let changes: [Change<'_>; 5] = [
            &|handovers, _| handovers.swap(1, 2),
            &|handovers, _| drop(handovers.remove(1)),
            &|handovers, _| drop(handovers.pop()),
            &|handovers, others| *handovers = others,
            &|handovers, others| handovers.extend(others),
        ];
        for change in changes {
            assert!(matches!(outcome(change), Err(Error::Handovers)));
        }
    }

    #[test]
    fn a_layer_without_spans_is_hashed_all_the_same() {
        let mut tar = tar(&[Vec::new()]);
        tar[156] = b'7';
        tar[148..156].fill(b' ');
        let sum: u32 = tar[..512].iter().map(|&byte| u32::from(byte)).sum();
        tar[148..155].copy_from_slice(std::format!("{sum:06o}\0").as_bytes());
        let options = options(Compression::Uncompressed, 100);
        let Ok(BuildOutcome::Skipped(halves)) = in_halves(options.clone(), &tar, &[100]) else {
            panic!("type 7 has no place in a zTOC");
        };
        let mut builder = ZtocBuilder::new(options).expect("a good span size");
        builder.push(&tar).expect("plain");
        let Ok(BuildOutcome::Skipped(whole)) = builder.finish() else {
            panic!("the same")
        };
        assert_eq!(whole, halves);
    }
}
