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
//! Buffers circulate and nothing is copied. Hashing comes behind inflating, because where a span
//! ends is only known when its last block was inflated.

use alloc::boxed::Box;

use super::builder::{BuildOptions, Outcome, Pass, ZtocBuilder, start};
use super::digests::{Announcements, LayerDigests};
use crate::Error;
use crate::inflate::{GzipInflater, InputBuffer, Stretch};

/// The half that inflates, walks the tar and takes checkpoints.
#[derive(Debug)]
pub struct DecodeHalf {
    input: Input,
    pass: Pass,
    build_tool_identifier: Box<str>,
}

/// A buffer that was decoded, for the other half.
#[derive(Debug)]
pub struct Handover {
    buffer: InputBuffer,
    announcements: Announcements,
}

/// The half that computes the digests.
#[derive(Debug, Default)]
pub struct HashHalf {
    digests: LayerDigests,
}

/// A layer that was decoded to its end and waits for its digests.
#[derive(Debug)]
pub struct Decoded {
    gzip: bool,
    pass: Pass,
    build_tool_identifier: Box<str>,
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
    /// # use soci_ztoc::ztoc::{BuildOptions, Compression, Limits, Outcome, ZtocBuilder};
    /// # let options = BuildOptions {
    /// #     compression: Compression::Uncompressed,
    /// #     span_size: BuildOptions::DEFAULT_SPAN_SIZE,
    /// #     build_tool_identifier: "example".into(),
    /// #     limits: Limits::default(),
    /// # };
    /// let mut layer = &[0; 1024][..];
    /// let (mut decode, mut hash) = ZtocBuilder::halves(options)?;
    /// let mut buffer = InputBuffer::new();
    /// while !layer.is_empty() {
    ///     let count = layer.len().min(1000);
    ///     buffer.space()[..count].copy_from_slice(&layer[..count]);
    ///     buffer.set_filled(count);
    ///     layer = &layer[count..];
    ///
    ///     let handover = decode.exchange(buffer);
    ///     buffer = hash.take(handover);
    ///     decode.run()?;
    /// }
    /// let (decoded, handover) = decode.finish()?;
    /// hash.take(handover);
    /// assert!(matches!(hash.finish(decoded)?, Outcome::Indexed(_)));
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
        let decode = DecodeHalf {
            input,
            pass,
            build_tool_identifier,
        };
        Ok((decode, HashHalf::default()))
    }
}

impl DecodeHalf {
    /// Takes the next bytes of the layer and gives the buffer before them back; the first time an
    /// empty one. [`DecodeHalf::run`] comes next: in between, the other half can begin.
    #[must_use = "the bytes in the returned buffer belong to the layer"]
    pub fn exchange(&mut self, next: InputBuffer) -> Handover {
        let buffer = match &mut self.input {
            Input::Gzip(inflater) => inflater.exchange(next),
            Input::Plain(current) => core::mem::replace(current, next),
        };
        self.handover(buffer)
    }

    /// Gives blocks of the same layer that were decoded ahead (see [`GzipInflater::offer`]). In a
    /// plain tar there are none.
    pub fn offer(&mut self, stretch: Stretch) {
        if let Input::Gzip(inflater) = &mut self.input {
            inflater.offer(stretch);
        }
    }

    /// Decodes what was taken.
    ///
    /// # Errors
    /// As [`ZtocBuilder::push`].
    pub fn run(&mut self) -> Result<(), Error> {
        match &mut self.input {
            Input::Gzip(inflater) => inflater.run(&mut self.pass),
            Input::Plain(current) => {
                self.pass.plain(current.finished());
                Ok(())
            }
        }
    }

    /// Ends the layer. Gives the last buffer back.
    ///
    /// # Errors
    /// [`Error::Gzip`] when the layer is damaged.
    pub fn finish(mut self) -> Result<(Decoded, Handover), Error> {
        let (gzip, buffer) = match self.input {
            Input::Gzip(mut inflater) => {
                inflater.finish(&mut self.pass)?;
                (true, inflater.into_buffer())
            }
            Input::Plain(last) => (false, last),
        };
        let announcements = core::mem::take(&mut self.pass.announcements);
        let handover = Handover {
            buffer,
            announcements,
        };
        let decoded = Decoded {
            gzip,
            pass: self.pass,
            build_tool_identifier: self.build_tool_identifier,
        };
        Ok((decoded, handover))
    }

    fn handover(&mut self, buffer: InputBuffer) -> Handover {
        let announcements = core::mem::take(&mut self.pass.announcements);
        Handover {
            buffer,
            announcements,
        }
    }
}

impl HashHalf {
    /// Hashes the bytes that are done with, and returns the buffer to be filled anew. Handovers
    /// come in the order in which they were made.
    pub fn take(&mut self, mut handover: Handover) -> InputBuffer {
        self.digests.heed(&mut handover.announcements);
        self.digests.update(handover.buffer.finished());
        handover.buffer
    }

    /// Ends the layer, after the last handover.
    ///
    /// # Errors
    /// As [`ZtocBuilder::finish`].
    pub fn finish(self, decoded: Decoded) -> Result<Outcome, Error> {
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
    use crate::ztoc::{Compression, Limits};

    fn options(compression: Compression, span_size: u64) -> BuildOptions {
        BuildOptions {
            compression,
            span_size,
            build_tool_identifier: "test".into(),
            limits: Limits::default(),
        }
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

    fn in_halves(options: BuildOptions, mut layer: &[u8], sizes: &[usize]) -> Result<Outcome, Error> {
        let (mut decode, mut hash) = ZtocBuilder::halves(options)?;
        let mut buffer = InputBuffer::new();
        for &size in sizes.iter().cycle() {
            if layer.is_empty() {
                break;
            }
            let (piece, rest) = layer.split_at(size.min(layer.len()));
            buffer.space()[..piece.len()].copy_from_slice(piece);
            buffer.set_filled(piece.len());
            layer = rest;
            let handover = decode.exchange(buffer);
            decode.run()?;
            buffer = hash.take(handover);
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
            let (Outcome::Indexed(whole), Outcome::Indexed(halves)) =
                (builder.finish()?, in_halves(options, &layer, &sizes)?)
            else {
                panic!("a plain layer has a zTOC");
            };
            prop_assert_eq!(whole.layer_digest(), halves.layer_digest());
            prop_assert_eq!(whole.compressed_size(), layer.len() as u64);
            prop_assert!(whole.ztoc().span_digests.len() > 1 || layer.len() < 8000);
            prop_assert_eq!(whole.encoded().digest(), halves.encoded().digest());
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
        let Ok(Outcome::Skipped(halves)) = in_halves(options.clone(), &tar, &[100]) else {
            panic!("type 7 has no place in a zTOC");
        };
        let mut builder = ZtocBuilder::new(options).expect("a good span size");
        builder.push(&tar).expect("plain");
        let Ok(Outcome::Skipped(whole)) = builder.finish() else {
            panic!("the same")
        };
        assert_eq!(whole, halves);
    }
}
