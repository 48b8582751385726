//! One large blob over several connections: an ordered window of ranged reads.
//!
//! ```text
//! consumer           next ─┐
//! parts      … done │ done │ here │ here │ coming │ coming │ not yet …
//!                          └──────── window ───────┘
//! ```
//!
//! Each worker takes the next part that lies in the window and reads it with a request of its own; the
//! consumer gets the parts in order. Memory is window × part. Parts are read as whole ranges through
//! [`BlobReader`], with its resumption. Native only: the workers are threads.
//!
//! A window may take a blob over from one stream: the stream goes on until the window's first part,
//! which is under way meanwhile, and beyond it if the registry turns out to know no ranges.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use soci_image::Digest;

use crate::blobs::BlobReader;
use crate::block_on;
use crate::client::lock;
use crate::error::RegistryError;
use crate::repository::Repository;
use crate::transport::{Transport, TransportError, TransportFault};

/// Blobs above this size are worth several connections.
pub const LARGE_BLOB: u64 = 64 * 1024 * 1024;

/// The size of a part.
pub(crate) const PART: u64 = 4 * 1024 * 1024;

/// How long the consumer sleeps before it looks whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(200);

/// A blob that arrives over several connections, in order.
pub struct WindowedReader<T: Transport> {
    shared: Arc<Shared<T>>,
    part: Vec<u8>,
    taken: usize,
    /// What came before the window, until the first part is here.
    before: Option<Box<BlobReader<T>>>,
    /// Set once the registry turned out to know no ranges: the rest comes in one stream.
    single: Option<Box<BlobReader<T>>>,
}

struct Shared<T> {
    repository: Repository<T>,
    digest: Digest,
    /// Where the first part begins.
    begin: u64,
    size: u64,
    window: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The part that the consumer waits for.
    next: u64,
    /// The part that the next free worker takes.
    open: u64,
    done: BTreeMap<u64, Result<Vec<u8>, PartFault>>,
    /// Memory of parts that were consumed, for the next ones.
    spare: Vec<Vec<u8>>,
    stopped: bool,
}

enum PartFault {
    /// The registry sends the whole blob instead of a range.
    NoRanges,
    Failed(RegistryError),
}

impl<T: Transport + Send + Sync + 'static> WindowedReader<T> {
    /// Starts to read a blob over `connections` (at least one).
    pub fn new(repository: &Repository<T>, digest: &Digest, size: u64, connections: usize) -> Self {
        Self::start(repository, digest, 0..size, connections)
    }

    /// Takes over from a stream one part ahead of where it is.
    pub(crate) fn behind(
        stream: Box<BlobReader<T>>,
        repository: &Repository<T>,
        digest: &Digest,
        size: u64,
        connections: usize,
    ) -> Self {
        let begin = (stream.position() + PART).min(size);
        let mut reader = Self::start(repository, digest, begin..size, connections);
        reader.before = Some(stream);
        reader
    }

    fn start(repository: &Repository<T>, digest: &Digest, bytes: Range<u64>, connections: usize) -> Self {
        let connections = connections.max(1) as u64;
        let shared = Arc::new(Shared {
            repository: repository.clone(),
            digest: digest.clone(),
            begin: bytes.start,
            size: bytes.end,
            // One part more than connections: nobody idles while the consumer works on a part.
            window: connections + 1,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let workers = connections.min(shared.parts());
        for _ in 0..workers {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work());
        }
        Self {
            shared,
            part: Vec::new(),
            taken: 0,
            before: None,
            single: None,
        }
    }

    /// Reads at most `buffer.len()` bytes; 0 is the end.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RegistryError> {
        loop {
            if let Some(single) = &mut self.single {
                return single.read(buffer).await;
            }
            if let Some(before) = &mut self.before
                && before.position() < self.shared.begin
            {
                let left = self.shared.begin - before.position();
                let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                return before.read(&mut buffer[..room]).await;
            }
            let left = &self.part[self.taken..];
            if !left.is_empty() || buffer.is_empty() {
                let count = left.len().min(buffer.len());
                buffer[..count].copy_from_slice(&left[..count]);
                self.taken += count;
                return Ok(count);
            }
            let consumed = std::mem::take(&mut self.part);
            // At the end nothing follows, and whoever reads again must find an empty part.
            self.taken = 0;
            match self.shared.take_next(consumed)? {
                None => return Ok(0),
                Some(Ok(part)) => {
                    self.part = part;
                    self.before = None;
                }
                Some(Err(PartFault::Failed(error))) => {
                    self.shared.stop();
                    return Err(error);
                }
                Some(Err(PartFault::NoRanges)) => {
                    self.shared.stop();
                    self.single = Some(match self.before.take() {
                        Some(stream) => stream,
                        None => Box::new(self.shared.rest().await?),
                    });
                }
            }
        }
    }
}

impl<T: Transport> Drop for WindowedReader<T> {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl<T> Shared<T> {
    fn parts(&self) -> u64 {
        (self.size - self.begin).div_ceil(PART)
    }

    fn begin_of(&self, part: u64) -> u64 {
        self.begin + part * PART
    }

    fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl<T: Transport> Shared<T> {
    /// The part that comes next, or `None` after the last one; waits for it. Takes the last one's memory back.
    fn take_next(&self, consumed: Vec<u8>) -> Result<Option<Result<Vec<u8>, PartFault>>, RegistryError> {
        let mut state = lock(&self.state);
        if consumed.capacity() > 0 {
            state.spare.push(consumed);
        }
        if state.next == self.parts() {
            return Ok(None);
        }
        loop {
            let wanted = state.next;
            if let Some(part) = state.done.remove(&wanted) {
                state.next += 1;
                self.changed.notify_all();
                return Ok(Some(part));
            }
            let (guard, _) = self
                .changed
                .wait_timeout(state, LOOK)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            state = guard;
            if state.stopped {
                let source = TransportError::new(TransportFault::Cut, "the reading was stopped");
                let about = self.repository.about("read a blob");
                return Err(self.repository.client.wire().transport_error(about, 1, source));
            }
        }
    }

    /// What follows the parts that were taken, the last one included, in one stream.
    async fn rest(&self) -> Result<BlobReader<T>, RegistryError> {
        let begin = self.begin_of(lock(&self.state).next - 1);
        self.repository
            .blob_part(&self.digest, begin, self.size, self.size)
            .await
    }

    /// A worker: part after part until there are none left or the consumer went away.
    fn work(&self) {
        loop {
            let part = {
                let mut state = lock(&self.state);
                loop {
                    if state.stopped || state.open == self.parts() {
                        return;
                    }
                    if state.open < state.next + self.window {
                        break;
                    }
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                }
                state.open += 1;
                state.open - 1
            };
            let outcome = block_on(self.read_part(part));
            let ends = outcome.is_err();
            lock(&self.state).done.insert(part, outcome);
            self.changed.notify_all();
            if ends {
                return;
            }
        }
    }

    async fn read_part(&self, part: u64) -> Result<Vec<u8>, PartFault> {
        let begin = self.begin_of(part);
        let end = (begin + PART).min(self.size);
        let whole = begin == 0 && end == self.size;
        let mut reader = self
            .repository
            .blob_part(&self.digest, begin, end, self.size)
            .await
            .map_err(PartFault::Failed)?;
        if !whole && !reader.is_ranged() {
            return Err(PartFault::NoRanges);
        }
        let size = usize::try_from(end - begin).expect("a part fits into memory");
        let spare = lock(&self.state).spare.pop();
        // New memory is zero as it comes; to `resize` an empty vector would touch all of it first.
        let mut bytes = spare.unwrap_or_else(|| vec![0; size]);
        bytes.resize(size, 0);
        let mut filled = 0;
        while filled < bytes.len() {
            // A consumer that went away wants no more of a slow part.
            if lock(&self.state).stopped {
                break;
            }
            match reader
                .read(&mut bytes[filled..])
                .await
                .map_err(PartFault::Failed)?
            {
                0 => break,
                count => filled += count,
            }
        }
        // Reads the end of the body, so that the connection can be used for the next part.
        if filled == bytes.len() {
            reader.read(&mut [0; 1]).await.map_err(PartFault::Failed)?;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}
