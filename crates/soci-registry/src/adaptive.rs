//! One large blob over one connection, or over several where the network is what the reader waits for.
//!
//! Near the registry one stream keeps the reader busy, and further ones only cost requests, threads and
//! memory on both sides. At a distance one stream leaves the reader waiting. So a blob begins as one stream,
//! and two times are added up: how long the reader waits for bytes, and how long it is away with them.
//! When it has waited much longer than it was away, a window of ranged reads takes over. There is no way
//! back. A little longer is not enough: on a busy machine the reader also waits for a registry, or a kernel,
//! that waits for a core, and more connections would keep the cores busier still.
//! Native only, like the window.

use std::time::{Duration, Instant};

use soci_image::Digest;

use crate::blobs::BlobReader;
use crate::error::RegistryError;
use crate::repository::Repository;
use crate::transport::Transport;
use crate::windowed::{PART, WindowedReader};

/// Connections of the window.
const CONNECTIONS: usize = 3;

/// Bytes at the beginning that are not judged: the reader's own buffers take them at once, and the
/// connection is still getting up to speed.
const START: u64 = 4 * 1024 * 1024;

/// Nothing is decided before this many more came.
const TRIAL: u64 = 4 * 1024 * 1024;

/// A blob that arrives over as many connections as it takes to keep its reader busy.
pub struct AdaptiveReader<T: Transport> {
    repository: Repository<T>,
    digest: Digest,
    size: u64,
    stage: Stage<T>,
    balance: Balance,
    /// When the reader went away with bytes.
    left: Option<Instant>,
}

enum Stage<T: Transport> {
    /// The stream; `None` only while the window takes it over.
    One(Option<Box<BlobReader<T>>>),
    Several(WindowedReader<T>),
}

impl<T: Transport + Send + Sync + 'static> AdaptiveReader<T> {
    /// Opens a blob of a known size. The bytes are not compared with the digest.
    pub async fn open(repository: &Repository<T>, digest: &Digest, size: u64) -> Result<Self, RegistryError> {
        let stream = repository.blob(digest, size).await?;
        Ok(Self {
            repository: repository.clone(),
            digest: digest.clone(),
            size,
            stage: Stage::One(Some(Box::new(stream))),
            balance: Balance::default(),
            left: None,
        })
    }

    /// Reads at most `buffer.len()` bytes; 0 is the end.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RegistryError> {
        let stream = match &mut self.stage {
            Stage::Several(window) => return window.read(buffer).await,
            Stage::One(stream) => stream,
        };
        let came = Instant::now();
        let away = self.left.map_or(Duration::ZERO, |left| came - left);
        let reader = stream.as_mut().expect("nothing took it over yet");
        let count = reader.read(buffer).await?;
        let left = Instant::now();
        self.left = Some(left);
        self.balance.add(count as u64, left - came, away);
        if self.balance.wants_more() && self.size - reader.position() >= worthwhile() {
            let stream = stream.take().expect("nothing took it over yet");
            self.stage = Stage::Several(WindowedReader::behind(
                stream,
                &self.repository,
                &self.digest,
                self.size,
                CONNECTIONS,
            ));
        }
        Ok(count)
    }
}

/// What must still come: the part that the stream brings, and one for each connection.
const fn worthwhile() -> u64 {
    (CONNECTIONS as u64 + 1) * PART
}

/// Where the time of a stream goes.
#[derive(Debug, Default)]
struct Balance {
    bytes: u64,
    /// For bytes.
    waited: Duration,
    /// The longest of these waits. A single stall is no distance, so it does not count.
    longest: Duration,
    /// Between two reads.
    away: Duration,
}

impl Balance {
    fn add(&mut self, bytes: u64, waited: Duration, away: Duration) {
        self.bytes += bytes;
        if self.bytes > START {
            self.waited += waited;
            self.longest = self.longest.max(waited);
            self.away += away;
        }
    }

    fn wants_more(&self) -> bool {
        self.bytes >= START + TRIAL && self.waited - self.longest > 2 * self.away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// After a start of long waits: one time to wait and one to be away for each of eight pieces.
    fn wants_more(bytes: u64, waited: u32, away: u32) -> bool {
        let mut balance = Balance::default();
        balance.add(START, 1000 * MS, Duration::ZERO);
        for _ in 0..8 {
            balance.add(bytes / 8, waited * MS, away * MS);
        }
        balance.wants_more()
    }

    #[test]
    fn more_connections_are_for_readers_that_wait() {
        // Seven waits count: 7 × 23 > 2 × 8 × 10.
        assert!(wants_more(TRIAL, 23, 10));
        assert!(!wants_more(TRIAL, 22, 10));
        assert!(!wants_more(TRIAL, 10, 30));
        assert!(!wants_more(TRIAL - 8, 1000, 0));
    }

    #[test]
    fn a_way_that_gets_slow_later_is_noticed_and_a_stall_is_not() {
        let mut balance = Balance::default();
        balance.add(START + TRIAL, Duration::ZERO, 100 * MS);
        balance.add(1, 1000 * MS, Duration::ZERO);
        assert!(!balance.wants_more());
        balance.add(1, 200 * MS, Duration::ZERO);
        assert!(!balance.wants_more());
        balance.add(1, MS, Duration::ZERO);
        assert!(balance.wants_more());
    }
}
