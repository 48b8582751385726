//! One layer through the zTOC builder while it is read, on the one thread that there is.
//!
//! The same calls as where there are two threads (`pipeline.rs`), and the same bytes.

use soci_ztoc::Error;
use soci_ztoc::inflate::InputBuffer;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, DecodeHalf, HashHalf, ZtocBuilder};

/// A layer on its way.
pub struct Pipeline {
    decode: DecodeHalf,
    hash: HashHalf,
    /// A buffer that is done with.
    spare: Option<InputBuffer>,
}

impl Pipeline {
    /// Starts at the first byte of a layer.
    ///
    /// # Errors
    /// As [`ZtocBuilder::new`].
    pub fn new(options: BuildOptions) -> Result<Self, Error> {
        let (decode, hash) = ZtocBuilder::halves(options)?;
        let spare = None;
        Ok(Self { decode, hash, spare })
    }

    /// A buffer to fill.
    ///
    /// # Errors
    /// None here; with two threads, when the layer is damaged.
    pub fn buffer(&mut self) -> Result<InputBuffer, Error> {
        Ok(self.spare.take().unwrap_or_default())
    }

    /// Takes the next bytes of the layer.
    ///
    /// # Errors
    /// When the layer is damaged.
    pub fn push(&mut self, buffer: InputBuffer) -> Result<(), Error> {
        let (hash, spare) = (&mut self.hash, &mut self.spare);
        self.decode
            .exchange(buffer, |handover| *spare = Some(hash.take(handover)))
    }

    /// Ends the layer.
    ///
    /// # Errors
    /// As [`ZtocBuilder::finish`].
    pub fn finish(mut self) -> Result<BuildOutcome, Error> {
        let (decoded, handover) = self.decode.finish()?;
        self.hash.take(handover);
        self.hash.finish(decoded)
    }
}
