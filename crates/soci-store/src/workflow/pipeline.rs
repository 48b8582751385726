//! One layer through the zTOC builder while it is read.
//!
//! Natively two threads share the work: the caller's reads and hashes, a second one inflates and
//! walks. About a quarter of the work is hashing, so a layer takes no longer than inflating it.
//! Elsewhere both halves take turns on the only thread there is.
//!
//! Either way: fill a [`buffer`](Pipeline::buffer), [`push`](Pipeline::push) it, and
//! [`finish`](Pipeline::finish) at the end.

use soci_ztoc::Error;
use soci_ztoc::inflate::InputBuffer;
use soci_ztoc::ztoc::{BuildOptions, HashHalf, Outcome, ZtocBuilder};

#[cfg(not(feature = "native"))]
pub use alternating::Pipeline;
#[cfg(feature = "native")]
pub use threaded::Pipeline;

#[cfg(feature = "native")]
mod threaded {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::JoinHandle;

    use soci_ztoc::ztoc::{DecodeHalf, Decoded, Handover};

    use super::*;

    /// Buffers in circulation, besides the one that the inflater begins with: one being read into or
    /// hashed, two waiting so that neither thread has to.
    const BUFFERS: usize = 3;

    /// A layer on its way through two threads. Dropped before the end, it stops the second one.
    pub struct Pipeline {
        hash: HashHalf,
        /// Buffers that may still be made.
        unmade: usize,
        /// `None` after the last buffer.
        filled: Option<Sender<InputBuffer>>,
        decoded: Receiver<Handover>,
        /// `None` once it was waited for.
        thread: Option<JoinHandle<Result<(Decoded, Handover), Error>>>,
    }

    impl Pipeline {
        /// Starts at the first byte of a layer.
        ///
        /// # Errors
        /// As [`ZtocBuilder::new`].
        pub fn new(options: BuildOptions) -> Result<Self, Error> {
            let (half, hash) = ZtocBuilder::halves(options)?;
            let (filled, input) = channel();
            let (output, decoded) = channel();
            let thread = std::thread::spawn(move || decode(half, input, output));
            Ok(Self {
                hash,
                unmade: BUFFERS,
                filled: Some(filled),
                decoded,
                thread: Some(thread),
            })
        }

        /// A buffer to fill, as soon as there is one.
        ///
        /// # Errors
        /// When the layer is damaged.
        pub fn buffer(&mut self) -> Result<InputBuffer, Error> {
            if self.unmade > 0 {
                self.unmade -= 1;
                return Ok(InputBuffer::new());
            }
            match self.decoded.recv() {
                Ok(handover) => Ok(self.hash.take(handover)),
                Err(_) => Err(self.fault()),
            }
        }

        /// Takes the next bytes of the layer.
        ///
        /// # Errors
        /// When the layer is damaged.
        pub fn push(&mut self, buffer: InputBuffer) -> Result<(), Error> {
            let filled = self.filled.as_ref().expect("nothing is pushed after the end");
            filled.send(buffer).map_err(|_| self.fault())
        }

        /// Ends the layer.
        ///
        /// # Errors
        /// As [`ZtocBuilder::finish`].
        pub fn finish(mut self) -> Result<Outcome, Error> {
            self.filled = None;
            for handover in self.decoded.iter() {
                self.hash.take(handover);
            }
            let (decoded, handover) = self.join()?;
            self.hash.take(handover);
            std::mem::take(&mut self.hash).finish(decoded)
        }

        /// Why the second thread ended before its input did.
        fn fault(&mut self) -> Error {
            match self.join() {
                Err(error) => error,
                Ok(_) => unreachable!("without a fault it ends with its input"),
            }
        }

        fn join(&mut self) -> Result<(Decoded, Handover), Error> {
            let thread = self.thread.take().expect("it is waited for once");
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }
    }

    impl Drop for Pipeline {
        fn drop(&mut self) {
            self.filled = None;
            if let Some(thread) = self.thread.take() {
                // At most a few buffers are still worked on; what comes of them is of no interest.
                drop(thread.join());
            }
        }
    }

    /// The second thread.
    fn decode(
        mut half: DecodeHalf,
        filled: Receiver<InputBuffer>,
        decoded: Sender<Handover>,
    ) -> Result<(Decoded, Handover), Error> {
        for buffer in filled {
            let handover = half.exchange(buffer);
            // Nobody takes it when the pipeline is being dropped; then the input ends, too.
            drop(decoded.send(handover));
            half.run()?;
        }
        half.finish()
    }
}

#[cfg(not(feature = "native"))]
mod alternating {
    use soci_ztoc::ztoc::DecodeHalf;

    use super::*;

    /// A layer on its way through both halves.
    pub struct Pipeline {
        decode: DecodeHalf,
        hash: HashHalf,
        spare: Option<InputBuffer>,
    }

    impl Pipeline {
        /// Starts at the first byte of a layer.
        ///
        /// # Errors
        /// As [`ZtocBuilder::new`].
        pub fn new(options: BuildOptions) -> Result<Self, Error> {
            let (decode, hash) = ZtocBuilder::halves(options)?;
            Ok(Self {
                decode,
                hash,
                spare: None,
            })
        }

        /// A buffer to fill.
        ///
        /// # Errors
        /// When the layer is damaged.
        pub fn buffer(&mut self) -> Result<InputBuffer, Error> {
            Ok(self.spare.take().unwrap_or_default())
        }

        /// Takes the next bytes of the layer.
        ///
        /// # Errors
        /// When the layer is damaged.
        pub fn push(&mut self, buffer: InputBuffer) -> Result<(), Error> {
            let handover = self.decode.exchange(buffer);
            self.spare = Some(self.hash.take(handover));
            self.decode.run()
        }

        /// Ends the layer.
        ///
        /// # Errors
        /// As [`ZtocBuilder::finish`].
        pub fn finish(mut self) -> Result<Outcome, Error> {
            let (decoded, handover) = self.decode.finish()?;
            self.hash.take(handover);
            self.hash.finish(decoded)
        }
    }
}
