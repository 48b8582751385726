//! One layer through the zTOC builder while it is read.
//!
//! Two threads share the work: the caller's reads and hashes, a second one inflates and walks. About a
//! quarter of the work is hashing; the first thread spends the rest of its time on decoding ahead
//! (`ahead`), so a layer takes less time than inflating it.
//!
//! Fill a [`buffer`](Pipeline::buffer), [`push`](Pipeline::push) it, and [`finish`](Pipeline::finish) at
//! the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use soci_ztoc::Error;
use soci_ztoc::inflate::{InputBuffer, Stretch};
use soci_ztoc::ztoc::{
    BuildOptions, BuildOutcome, Compression, DecodeHalf, Decoded, Handover, HashHalf, ZtocBuilder,
};

use super::ahead::Ahead;

/// Buffers in circulation, besides the one that the inflater begins with: one being read into or
/// hashed, the others waiting so that neither thread has to, and as far ahead as the time takes in
/// which a stretch is decoded ahead.
const BUFFERS: usize = 6;

/// A layer on its way through two threads. Dropped before the end, it stops the second one.
pub struct Pipeline {
    /// `None` once the layer's end came.
    hash: Option<HashHalf>,
    ahead: Ahead,
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
        let is_gzip = options.compression() == Compression::Gzip;
        let (half, hash) = ZtocBuilder::halves(options)?;
        let (filled, input) = channel();
        let (output, decoded) = channel();
        let begun = Arc::new(AtomicUsize::new(0));
        let (ahead, stretches) = Ahead::new(is_gzip, Arc::clone(&begun));
        let thread = std::thread::spawn(move || decode(half, input, &begun, stretches, output));
        Ok(Self {
            hash: Some(hash),
            ahead,
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
        match self.next_handover() {
            Some(handover) => {
                let hash = self.hash.as_mut().expect("the end did not come yet");
                Ok(hash.take(handover))
            }
            None => Err(self.fault()),
        }
    }

    /// The next buffer that comes back. Decodes ahead while there is none. None after a fault.
    fn next_handover(&mut self) -> Option<Handover> {
        loop {
            match self.decoded.try_recv() {
                Ok(handover) => return Some(handover),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if self.ahead.work() => {}
                Err(TryRecvError::Empty) => return self.decoded.recv().ok(),
            }
        }
    }

    /// Takes the next bytes of the layer.
    ///
    /// # Errors
    /// When the layer is damaged.
    pub fn push(&mut self, buffer: InputBuffer) -> Result<(), Error> {
        self.ahead.take(buffer.filled());
        let filled = self.filled.as_ref().expect("nothing is pushed after the end");
        filled.send(buffer).map_err(|_| self.fault())
    }

    /// Ends the layer.
    ///
    /// # Errors
    /// As [`ZtocBuilder::finish`].
    pub fn finish(mut self) -> Result<BuildOutcome, Error> {
        self.filled = None;
        let mut hash = self.hash.take().expect("the end comes once");
        for handover in self.decoded.iter() {
            hash.take(handover);
        }
        let (decoded, handover) = self.join()?;
        hash.take(handover);
        hash.finish(decoded)
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
    begun: &AtomicUsize,
    stretches: Receiver<Stretch>,
    decoded: Sender<Handover>,
) -> Result<(Decoded, Handover), Error> {
    for buffer in filled {
        begun.fetch_add(1, Ordering::Relaxed);
        for stretch in stretches.try_iter() {
            half.offer(stretch);
        }
        // Nobody takes it when the pipeline is being dropped; then the input ends, too.
        half.exchange(buffer, |handover| drop(decoded.send(handover)))?;
    }
    half.finish()
}

#[cfg(test)]
mod tests {
    use super::super::made::{built, gzip, indexed, options, random_letters, tar};
    use super::*;

    /// 3 MiB: buffers go round.
    fn layer() -> Vec<u8> {
        tar(&random_letters(3 << 20))
    }

    fn run(compression: Compression, layer: &[u8], piece: usize) -> Result<BuildOutcome, Error> {
        let mut pipeline = Pipeline::new(options(compression))?;
        for piece in layer.chunks(piece) {
            let mut buffer = pipeline.buffer()?;
            assert!(buffer.append(piece).is_empty());
            pipeline.push(buffer)?;
        }
        pipeline.finish()
    }

    #[test]
    fn a_pipeline_builds_what_the_builder_builds() {
        let tar = layer();
        for (compression, layer) in [(Compression::Gzip, gzip(&tar)), (Compression::Uncompressed, tar)] {
            let whole = built(compression, &layer);
            assert!(whole.ztoc().span_count() > 3);
            for piece in [1 << 17, 10_007] {
                let piped = indexed(run(compression, &layer, piece).expect("a good layer"));
                assert_eq!(piped.layer_digest(), whole.layer_digest());
                assert_eq!(piped.encoded().digest(), whole.encoded().digest());
            }
        }
    }

    #[test]
    fn damage_is_told_wherever_it_is() {
        let layer = gzip(&layer());
        for at in [0, layer.len() / 2, layer.len() - 5] {
            let mut damaged = layer.clone();
            damaged[at] ^= 0xff;
            let error = run(Compression::Gzip, &damaged, 10_007).expect_err("damaged");
            assert!(matches!(error, Error::Gzip(_)), "at {at}: {error}");
        }
        let error = run(Compression::Gzip, &layer[..layer.len() - 1], 10_007).expect_err("cut");
        assert!(error.to_string().contains("truncated"), "{error}");
    }

    #[test]
    fn a_pipeline_can_be_dropped_at_any_time() {
        let layer = gzip(&layer());
        for pieces in 0..6 {
            let mut pipeline = Pipeline::new(options(Compression::Gzip)).expect("a good span size");
            for piece in layer.chunks(1 << 17).take(pieces) {
                let mut buffer = pipeline.buffer().expect("a good layer");
                assert!(buffer.append(piece).is_empty());
                pipeline.push(buffer).expect("a good layer");
            }
            // Waits for the second thread: a hang would show here.
            drop(pipeline);
        }
    }
}
