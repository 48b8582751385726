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

use super::blobs::BlobReader;
use super::error::RegistryError;
use super::repository::Repository;
use super::transport::Transport;
use super::windowed::{PART, WindowedReader};

/// Connections of the window.
const CONNECTIONS: usize = 3;

/// Nothing is decided before this much came: the first bytes say more about the start than about the way.
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
        if let Some(left) = self.left {
            self.balance.away += came - left;
        }
        let reader = stream.as_mut().expect("nothing took it over yet");
        let count = reader.read(buffer).await?;
        let left = Instant::now();
        self.left = Some(left);
        self.balance.waited += left - came;
        self.balance.bytes += count as u64;
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
    /// Between two reads.
    away: Duration,
}

impl Balance {
    fn wants_more(&self) -> bool {
        self.bytes >= TRIAL && self.waited > 2 * self.away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants_more(bytes: u64, waited: u64, away: u64) -> bool {
        Balance {
            bytes,
            waited: Duration::from_millis(waited),
            away: Duration::from_millis(away),
        }
        .wants_more()
    }

    #[test]
    fn more_connections_are_for_readers_that_wait() {
        assert!(wants_more(TRIAL, 21, 10));
        assert!(!wants_more(TRIAL, 20, 10));
        assert!(!wants_more(TRIAL, 10, 30));
        assert!(!wants_more(TRIAL - 1, 1000, 0));
    }
}
