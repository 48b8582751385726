//! Which layer a thread takes next, and what waits for the writer.
//!
//! ```text
//! open (largest first) ──take──► threads ──finish──► finished ──wait──► writer (in its own order)
//!                                                    └ at most `budget` bytes, one result per
//!                                                      thread, and the one that the writer gets
//! ```
//!
//! Threads are fastest when they begin with the largest layer, but the writer of an archive needs the layers
//! in manifest order, and what is finished early waits in memory. While more than the budget waits, a thread
//! takes only the layer that the writer asks for: memory is bounded by the number of threads and not by the
//! number of layers, and the writer always gets on.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use soci_image::{Descriptor, Digest};

use crate::{Error, Result};

/// Layers between the threads and the writer.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Bytes of results above which nothing is begun that the writer does not ask for.
    budget: u64,
}

struct State<T> {
    /// Layers that nobody has taken yet, the smallest first: the largest is taken from the end.
    open: Vec<Descriptor>,
    /// The results, and how many bytes each keeps in memory.
    finished: BTreeMap<Digest, (T, u64)>,
    /// The bytes of all of `finished`.
    waiting: u64,
    /// The most that `waiting` was.
    #[cfg(test)]
    most: u64,
    /// The layer that the writer waits for.
    wanted: Option<Digest>,
    stopped: bool,
    error: Option<Error>,
}

impl<T> Queue<T> {
    /// The layers, in manifest order: those of one size stay in it, so that runs are alike.
    pub(super) fn new(mut layers: Vec<Descriptor>, budget: u64) -> Self {
        layers.reverse();
        layers.sort_by_key(|layer| layer.size);
        Self {
            state: Mutex::new(State {
                open: layers,
                finished: BTreeMap::new(),
                waiting: 0,
                #[cfg(test)]
                most: 0,
                wanted: None,
                stopped: false,
                error: None,
            }),
            changed: Condvar::new(),
            budget,
        }
    }

    /// The next layer for a thread, as soon as it may begin one; `None` when there are no more.
    pub(super) fn take(&self) -> Option<Descriptor> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if state.waiting <= self.budget {
                return state.open.pop();
            }
            let wanted = state.wanted.as_ref();
            if let Some(position) = (state.open.iter()).position(|layer| Some(&layer.digest) == wanted) {
                return Some(state.open.remove(position));
            }
            if state.open.is_empty() {
                return None;
            }
            state = self.sleep(state);
        }
    }

    /// A thread is done with a layer, and the result keeps `bytes` in memory.
    pub(super) fn finish(&self, layer: Digest, result: T, bytes: u64) {
        let mut state = self.lock();
        state.waiting += bytes;
        #[cfg(test)]
        {
            state.most = state.most.max(state.waiting);
        }
        state.finished.insert(layer, (result, bytes));
        drop(state);
        self.changed.notify_all();
    }

    /// A thread has failed: the others take no more, and the writer gives up.
    pub(super) fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.error.get_or_insert(error);
        state.stopped = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Ends the queue: the threads take no more, and the writer waits no longer.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// What a thread made of the layer, as soon as it is done; `Interrupted` if the queue was stopped.
    pub(super) fn wait(&self, layer: &Digest) -> Result<T> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Err(Error::Interrupted);
            }
            if let Some((result, bytes)) = state.finished.remove(layer) {
                state.waiting -= bytes;
                state.wanted = None;
                drop(state);
                self.changed.notify_all();
                return Ok(result);
            }
            if state.wanted.as_ref() != Some(layer) {
                state.wanted = Some(layer.clone());
                self.changed.notify_all();
            }
            state = self.sleep(state);
        }
    }

    /// Why a thread has failed.
    pub(super) fn take_error(&self) -> Option<Error> {
        self.lock().error.take()
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const BUDGET: u64 = 1000;

    fn layers(sizes: impl IntoIterator<Item = u64>) -> Vec<Descriptor> {
        let digest = |number: usize| Digest::parse(&format!("sha256:{number:064x}")).expect("64 digits");
        let sizes = sizes.into_iter().enumerate();
        sizes
            .map(|(number, size)| {
                Descriptor::new(
                    "application/vnd.oci.image.layer.v1.tar+gzip",
                    digest(number),
                    size,
                )
            })
            .collect()
    }

    /// Runs threads and a writer; each result keeps as many bytes as its layer has.
    fn run(layers: &[Descriptor], threads: usize) -> (Vec<u64>, u64) {
        let queue = Queue::new(layers.to_vec(), BUDGET);
        let written = thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(layer) = queue.take() {
                        queue.finish(layer.digest, layer.size, layer.size);
                    }
                });
            }
            let written = layers
                .iter()
                .map(|layer| queue.wait(&layer.digest).expect("nobody fails"));
            written.collect()
        });
        let most = queue.lock().most;
        (written, most)
    }

    #[test]
    fn what_waits_is_bounded_by_threads_and_not_by_layers() {
        for threads in 1..5 {
            for count in [1, 12, 500] {
                // The smallest is written first and the largest is taken first: everything would wait.
                let layers = layers(100..100 + count);
                let (written, most) = run(&layers, threads);
                assert_eq!(written, (100..100 + count).collect::<Vec<_>>());
                let largest = 99 + count;
                // One result of each thread above the budget, and the one that the writer asks for.
                assert!(
                    most <= BUDGET + (threads as u64 + 1) * largest,
                    "{most} bytes of {threads} threads and {count} layers"
                );
            }
        }
    }

    #[test]
    fn the_largest_goes_first_and_equals_in_order() {
        let queue = Queue::<()>::new(layers([5, 9, 5, 9, 7]), BUDGET);
        let taken: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        let numbers = taken
            .iter()
            .map(|layer| layer.digest.hex().trim_start_matches('0').to_owned());
        assert_eq!(numbers.collect::<Vec<_>>(), ["1", "3", "4", "", "2"]);
    }

    #[test]
    fn a_failure_ends_threads_and_writer() {
        let all = layers([1, 2000, 3000]);
        let queue = Queue::<()>::new(all.clone(), BUDGET);
        thread::scope(|scope| {
            let writer = scope.spawn(|| queue.wait(&all[0].digest));
            let largest = queue.take().expect("a layer is open");
            queue.finish(largest.digest, (), 3000);
            // Over the budget: only what the writer asks for.
            assert_eq!(queue.take().map(|layer| layer.size), Some(1));
            let sleeper = scope.spawn(|| queue.take());
            queue.fail(Error::Interrupted);
            assert!(sleeper.join().expect("it does not panic").is_none());
            assert!(matches!(
                writer.join().expect("it does not panic"),
                Err(Error::Interrupted)
            ));
        });
        assert!(queue.take_error().is_some());
    }
}
