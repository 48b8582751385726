//! Decoding ahead while there is nothing to hash.
//!
//! Hashing a layer takes about a quarter of the time that inflating it takes. In the rest of it, the
//! hashing thread decodes stretches of the layer that the inflating thread has yet to reach
//! (`soci_ztoc::inflate::Speculator`). Buffers are read as far ahead as that takes:
//!
//! ```text
//!   being inflated │ waiting to be inflated … │ read last: here a stretch begins
//! ```
//!
//! A stretch grows until it is as large as one may be, or the inflating thread comes near. Decoding
//! behind an unknown window costs more, and some of it is in vain, so this is for a core that has
//! nothing else to do: with two cores for every layer in work, cores that are not threads of one. Other
//! processes are given way to, as far as yielding does it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock};

use soci_ztoc::inflate::{Speculator, Stretch};

/// Layers that are being indexed in this process, each by two threads.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// Bytes decoded before looking again whether there is something to hash.
const PIECE: usize = 64 << 10;

/// Stretches that may wait for being reached while another one is decoded.
const WAITING: usize = 2;

/// Buffers that wait for the other thread, at least, when a stretch begins.
const DISTANCE: usize = 3;

/// Most buffers without a stretch after those that did not pay.
const LONGEST_PAUSE: usize = 256;

pub(super) struct Ahead {
    core_is_free: fn() -> bool,
    speculator: Option<Speculator>,
    /// The stretch being decoded.
    current: Option<Current>,
    /// Buffers in which stretches begin that were not reached yet.
    waiting: Vec<usize>,
    finished: Sender<Stretch>,
    /// Buffers taken, and how many of them the other thread has begun.
    taken: usize,
    begun: Arc<AtomicUsize>,
    /// Bytes taken.
    offset: u64,
    /// Buffers to let pass before the next stretch, and how many that were the last time.
    pause: usize,
    last_pause: usize,
}

struct Current {
    /// Number of the buffer in which it begins, and where that begins in the layer.
    buffer: usize,
    offset: u64,
    /// What the buffers from there on hold and was not decoded.
    bytes: VecDeque<Box<[u8]>>,
    /// How much of the first of them was decoded; none before the stretch's beginning was found.
    decoded: Option<usize>,
}

/// Cores for this process. The standard library knows what the process may use, `num_cpus` does
/// not count the threads of a core.
static CORES: LazyLock<usize> = LazyLock::new(|| {
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    usable.min(num_cpus::get_physical())
});

/// Whether a core has nothing to do as long as no more layers are in work than now.
fn a_core_is_free() -> bool {
    2 * LAYERS.load(Ordering::Relaxed) <= *CORES
}

impl Ahead {
    /// For one layer; in one that is not gzip'd there are no stretches. The other thread counts the
    /// buffers that it begins, and gets the stretches.
    pub(super) fn new(is_gzip: bool, begun: Arc<AtomicUsize>) -> (Self, Receiver<Stretch>) {
        let (finished, stretches) = channel();
        LAYERS.fetch_add(1, Ordering::Relaxed);
        let ahead = Ahead {
            core_is_free: if is_gzip { a_core_is_free } else { || false },
            speculator: None,
            current: None,
            waiting: Vec::new(),
            finished,
            taken: 0,
            begun,
            offset: 0,
            pause: 0,
            last_pause: 0,
        };
        (ahead, stretches)
    }

    /// Takes note of a buffer that the other thread will get. If that is not soon, and a core is
    /// free, a stretch may begin in it.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let begun = self.begun.load(Ordering::Relaxed);
        // Where bytes come slowly there may be no time to work, and what waits would only grow.
        self.end_before(begun);
        if let Some(current) = &mut self.current {
            current.bytes.push_back(bytes.into());
        } else if self.pause > 0 {
            self.pause -= 1;
        } else if self.taken >= begun + DISTANCE && self.has_room(begun) && (self.core_is_free)() {
            self.begin(bytes);
        }
        self.taken += 1;
        self.offset += bytes.len() as u64;
    }

    fn begin(&mut self, bytes: &[u8]) {
        self.current = Some(Current {
            buffer: self.taken,
            offset: self.offset,
            bytes: VecDeque::from([bytes.into()]),
            decoded: None,
        });
    }

    /// Ends the stretch if the other thread will soon get to it; it looks for stretches when it
    /// begins a buffer.
    fn end_before(&mut self, begun: usize) {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.buffer <= begun + 1)
        {
            self.finish();
        }
    }

    fn has_room(&mut self, begun: usize) -> bool {
        self.waiting.retain(|buffer| *buffer >= begun);
        self.waiting.len() < WAITING
    }

    /// Decodes a little. False when there is nothing to decode.
    pub(super) fn work(&mut self) -> bool {
        self.end_before(self.begun.load(Ordering::Relaxed));
        let Some(current) = &mut self.current else {
            return false;
        };
        let Some(bytes) = current.bytes.front() else {
            return false;
        };
        std::thread::yield_now();
        let speculator = self.speculator.get_or_insert_default();
        let Some(decoded) = &mut current.decoded else {
            current.decoded = speculator.begin(bytes, current.offset);
            if current.decoded.is_none() {
                self.current = None;
            }
            return true;
        };
        let rest = &bytes[*decoded..];
        let piece = &rest[..rest.len().min(PIECE)];
        *decoded += piece.len();
        let is_open = speculator.push(piece);
        if *decoded == bytes.len() {
            *decoded = 0;
            current.bytes.pop_front();
        }
        if !is_open {
            self.finish();
        }
        true
    }

    /// Gives the other thread what was decoded.
    fn finish(&mut self) {
        let Some(Current { buffer, decoded, .. }) = self.current.take() else {
            return;
        };
        let speculator = self.speculator.as_mut().filter(|_| decoded.is_some());
        match speculator.and_then(Speculator::finish) {
            None => {}
            Some(stretch) if stretch.is_mostly_unknown() => {
                self.last_pause = (4 + 2 * self.last_pause).min(LONGEST_PAUSE);
                self.pause = self.last_pause;
            }
            Some(stretch) => {
                self.last_pause = 0;
                self.waiting.push(buffer);
                // Nobody takes it after a fault.
                drop(self.finished.send(stretch));
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        LAYERS.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use soci_ztoc::inflate::InputBuffer;
    use soci_ztoc::ztoc::{Compression, ZtocBuilder};

    use super::super::made::{built, gzip, indexed, options, random_letters, tar};
    use super::*;

    fn layer(content: &[u8]) -> Vec<u8> {
        gzip(&tar(content))
    }

    /// Both threads of a pipeline in turns: there is always time to work ahead. Returns the zTOC's
    /// digest, how many stretches there were, and how many buffers.
    fn run(layer: &[u8], core_is_free: fn() -> bool) -> ([u8; 32], usize, usize) {
        run_with(layer, core_is_free, 6)
    }

    /// With at most so many buffers waiting for the other thread.
    fn run_with(layer: &[u8], core_is_free: fn() -> bool, waiting: usize) -> ([u8; 32], usize, usize) {
        let (mut decode, mut hash) =
            ZtocBuilder::halves(options(Compression::Gzip)).expect("a good span size");
        let begun = Arc::new(AtomicUsize::new(0));
        let (mut ahead, stretches) = Ahead::new(true, Arc::clone(&begun));
        ahead.core_is_free = core_is_free;
        let mut queue = VecDeque::new();
        let mut count = 0;
        let mut inflate = |buffer| {
            begun.fetch_add(1, Ordering::Relaxed);
            for stretch in stretches.try_iter() {
                count += 1;
                decode.offer(stretch);
            }
            let exchanged = decode.exchange(buffer, |handover| drop(hash.take(handover)));
            exchanged.expect("a good layer");
        };
        for piece in layer.chunks(100_000) {
            let mut buffer = InputBuffer::new();
            assert!(buffer.append(piece).is_empty());
            ahead.take(buffer.filled());
            queue.push_back(buffer);
            while ahead.work() {}
            if queue.len() > waiting {
                inflate(queue.pop_front().expect("there are some"));
            }
        }
        queue.into_iter().for_each(&mut inflate);
        let (decoded, handover) = decode.finish().expect("a good layer");
        hash.take(handover);
        let outcome = hash.finish(decoded).expect("a good layer");
        (
            indexed(outcome).encoded().digest(),
            count,
            layer.len().div_ceil(100_000),
        )
    }

    fn expected(layer: &[u8]) -> [u8; 32] {
        built(Compression::Gzip, layer).encoded().digest()
    }

    #[test]
    fn what_was_decoded_ahead_gives_the_same_ztoc() {
        let layer = layer(&random_letters(6 << 20));
        let (ztoc, count, buffers) = run(&layer, || true);
        assert_eq!(ztoc, expected(&layer));
        assert!(count > buffers / 6, "{count} stretches in {buffers} buffers");
    }

    #[test]
    fn without_a_free_core_nothing_is_decoded_ahead() {
        let layer = layer(&random_letters(3 << 20));
        let (ztoc, count, _) = run(&layer, || false);
        assert_eq!((ztoc, count), (expected(&layer), 0));
    }

    #[test]
    fn nothing_is_kept_of_a_layer_that_comes_slowly() {
        let layer = layer(&random_letters(3 << 20));
        let (ztoc, count, _) = run_with(&layer, || true, 0);
        assert_eq!((ztoc, count), (expected(&layer), 0));

        // At first buffers wait, then each is begun as soon as it came; nobody has time to work.
        let begun = Arc::new(AtomicUsize::new(0));
        let (mut ahead, stretches) = Ahead::new(true, Arc::clone(&begun));
        ahead.core_is_free = || true;
        for piece in layer.chunks(100_000).take(6) {
            ahead.take(piece);
        }
        assert!(ahead.current.is_some());
        for (number, piece) in layer.chunks(100_000).enumerate().skip(6) {
            begun.store(number, Ordering::Relaxed);
            ahead.take(piece);
            assert!(ahead.current.is_none(), "at buffer {number}");
        }
        assert!(stretches.try_recv().is_err());
    }

    #[test]
    fn copies_of_what_is_not_known_are_left_to_the_other_thread() {
        let mut content = random_letters(30_000).repeat(400);
        for at in (0..content.len()).step_by(20) {
            content[at] ^= (at / 30_000) as u8;
        }
        let layer = layer(&content);
        let (ztoc, count, buffers) = run(&layer, || true);
        assert_eq!((ztoc, count), (expected(&layer), 0));
        assert!(buffers > 10, "{buffers} buffers");
    }
}
