//! Blobs that come: looked up, read as a stream that survives cuts, read in ranges.

use std::time::Duration;

use soci_image::Digest;

use crate::client::Call;
use crate::error::RegistryError;
use crate::refusal::Subject;
use crate::repository::{Repository, check_plain_content, identity};
use crate::transport::{Body, Headers, Method, Transport, TransportError, TransportFault};
use crate::wire::{Answer, AnswerBody};

impl<T: Transport> Repository<T> {
    /// The size of a blob if it is there; `Some(None)` where the registry does not say.
    pub async fn blob_head(&self, digest: &Digest) -> Result<Option<Option<u64>>, RegistryError> {
        let what = format!("look up the blob {digest}");
        let call = self.call(Method::Head, &format!("blobs/{digest}"), &what)?;
        let answer = self.client.call(&self.host, &call).await?;
        match answer.status {
            200 => Ok(Some(answer.headers.number("content-length"))),
            404 => Ok(None),
            _ => Err(self.refused(&call, Subject::Other, answer).await),
        }
    }

    /// Opens a blob of a known size. The bytes are not compared with the digest.
    pub async fn blob(&self, digest: &Digest, size: u64) -> Result<BlobReader<T>, RegistryError> {
        self.blob_part(digest, 0, size, size).await
    }

    /// Opens the bytes `begin..end` of a blob of `size` bytes.
    pub async fn blob_part(
        &self,
        digest: &Digest,
        begin: u64,
        end: u64,
        size: u64,
    ) -> Result<BlobReader<T>, RegistryError> {
        let mut reader = BlobReader {
            what: format!("read the blob {digest}"),
            repository: self.clone(),
            path: format!("blobs/{digest}"),
            position: begin,
            end,
            size,
            body: None,
            ranged: false,
            behind: 0,
            failures: 0,
            pace: Pace::default(),
            interrupted: Duration::ZERO,
            opened: false,
            ended: begin == end && begin != 0,
        };
        if !reader.ended {
            reader.open().await?;
        }
        Ok(reader)
    }
}

/// The bytes of a blob, or of a part of it, from front to back.
///
/// A connection that is cut or falls silent is replaced: the registry is asked again for the rest. What comes must keep
/// a pace over all connections, and the interruptions have a limit of their own, so no registry holds a reader forever.
pub struct BlobReader<T: Transport> {
    repository: Repository<T>,
    path: String,
    what: String,
    position: u64,
    end: u64,
    size: u64,
    body: Option<T::Body>,
    /// Whether the last answer was a range (206).
    ranged: bool,
    /// Bytes that the body sends once more before it reaches `position`.
    behind: u64,
    /// Failures since the last byte that came.
    failures: u32,
    pace: Pace,
    /// What interruptions cost so far.
    interrupted: Duration,
    /// Whether it was open before.
    opened: bool,
    ended: bool,
}

impl<T: Transport> BlobReader<T> {
    /// Reads at most `buffer.len()` bytes; 0 is the end.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RegistryError> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        loop {
            // Skipping what is here already may lose the connection again.
            while self.body.is_none() || self.behind > 0 {
                match self.body {
                    None => self.open().await?,
                    Some(_) => self.skip().await?,
                }
            }
            let left = self.end - self.position;
            let limits = self.repository.client.options().limits;
            let begun = self.now();
            let body = self.body.as_mut().expect("the blob was opened above");
            let outcome = if left == 0 {
                // One read more than needed shows a blob that is too long, and frees the connection.
                let mut beyond = [0; 1];
                match body.read(&mut beyond, limits.refusal_time).await {
                    Ok(1..) => return Err(self.too_long()),
                    // All bytes are here; how the connection ends is of no interest.
                    Ok(0) | Err(_) => {
                        self.ended = true;
                        self.body = None;
                        return Ok(0);
                    }
                }
            } else {
                let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                body.read(&mut buffer[..room], limits.pace_window).await
            };
            let outcome = match outcome {
                Ok(0) => Err(TransportError::new(TransportFault::Cut, "the body ended early")),
                other => other,
            };
            match outcome {
                Ok(count) => {
                    self.position += count as u64;
                    self.failures = 0;
                    self.repository.client.wire().count_received(count);
                    self.check_pace(self.now().saturating_sub(begun), count)?;
                    return Ok(count);
                }
                Err(source) => self.lose(source, begun).await?,
            }
        }
    }

    /// Whether the registry answered the last opening with exactly the range.
    pub fn is_ranged(&self) -> bool {
        self.ranged
    }

    /// Where in the blob the next byte lies.
    #[cfg(feature = "native")]
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Asks the registry (not where it redirected to: such addresses end) for what is left.
    async fn open(&mut self) -> Result<(), RegistryError> {
        let begun = self.now();
        let whole = self.position == 0 && self.end == self.size;
        let call = self.repository.call(Method::Get, &self.path, &self.what)?;
        let mut headers = vec![identity()];
        if !whole {
            headers.push(("range", format!("bytes={}-{}", self.position, self.end - 1)));
        }
        let call = Call { headers, ..call };
        let answer = self.repository.client.call(&self.repository.host, &call).await?;
        if !matches!(answer.status, 200 | 206) || (answer.status == 206 && whole) {
            if answer.status == 416 {
                return Err(self.repository.protocol(
                    &self.what,
                    format!(
                        "bytes {}-{} are not there: the blob is shorter than its {} bytes",
                        self.position, self.end, self.size
                    ),
                ));
            }
            return Err(self.repository.refused(&call, Subject::Other, answer).await);
        }
        drop(call);
        check_plain_content(&answer.headers, self.repository.client.wire())
            .map_err(|problem| self.repository.protocol(&self.what, problem))?;
        self.ranged = answer.status == 206;
        self.check_size(&answer)?;
        let AnswerBody::Live(body) = answer.body else {
            return Err(self.repository.protocol(&self.what, "there is no body"));
        };
        self.body = Some(body);
        if std::mem::replace(&mut self.opened, true) {
            self.count_interruption(begun)?;
        }
        // Skipped only when the first byte is wanted: who needs ranges looks at the answer first.
        self.behind = if self.ranged { 0 } else { self.position };
        Ok(())
    }

    /// A registry without ranges sends from the start: what is here already is read once more.
    async fn skip(&mut self) -> Result<(), RegistryError> {
        let mut buffer = vec![0; 64 * 1024];
        let window = self.repository.client.options().limits.pace_window;
        while self.behind > 0 {
            let begun = self.now();
            let room = buffer
                .len()
                .min(usize::try_from(self.behind).unwrap_or(usize::MAX));
            let body = self.body.as_mut().expect("called on an open body");
            match body.read(&mut buffer[..room], window).await {
                Ok(count @ 1..) => {
                    self.behind -= count as u64;
                    self.repository.client.wire().count_received(count);
                    self.count_interruption(begun)?;
                }
                // The next `open` begins again; the failures are counted there.
                Ok(0) => {
                    let source = TransportError::new(TransportFault::Cut, "the body ended early");
                    return self.lose(source, begun).await;
                }
                Err(source) => return self.lose(source, begun).await,
            }
        }
        Ok(())
    }

    /// Compares the announced sizes with those that are known.
    fn check_size(&self, answer: &Answer<T::Body>) -> Result<(), RegistryError> {
        let problem = |text: String| Err(self.repository.protocol(&self.what, text));
        if self.ranged {
            let Some(range) = content_range(&answer.headers) else {
                return problem("the part came without a readable Content-Range".into());
            };
            let (first, last, total) = range;
            if first != self.position || last.checked_add(1) != Some(self.end) {
                return problem(format!(
                    "bytes {first}-{last} came instead of {}-{}",
                    self.position,
                    self.end - 1
                ));
            }
            if total.is_some_and(|total| total != self.size) {
                return problem(format!(
                    "the blob has {} bytes instead of {}",
                    total.unwrap_or(0),
                    self.size
                ));
            }
        } else if let Some(length) = answer.headers.number("content-length")
            && length != self.size
        {
            return problem(format!("the blob has {length} bytes instead of {}", self.size));
        }
        Ok(())
    }

    /// Drops a connection that failed and waits a little; gives up after too many failures in a row.
    async fn lose(&mut self, source: TransportError, begun: Duration) -> Result<(), RegistryError> {
        self.body = None;
        self.failures += 1;
        let client = &self.repository.client;
        let about = self.repository.about(&self.what);
        let random = client.wire().transport.random();
        let pause = client.options().retry.pause(self.failures + 1, None, random);
        match pause.filter(|_| source.is_transient()) {
            Some(pause) => {
                client.wire().wait(pause, about).await?;
                self.count_interruption(begun)
            }
            None => Err(client.wire().transport_error(about, self.failures, source)),
        }
    }

    fn check_pace(&mut self, took: Duration, count: usize) -> Result<(), RegistryError> {
        let limits = self.repository.client.options().limits;
        if self
            .pace
            .keeps_up(took, count as u64, limits.pace_window, limits.slowest)
        {
            return Ok(());
        }
        Err(self.too_slow(format!(
            "fewer than {} bytes per second over {} s",
            limits.slowest,
            limits.pace_window.as_secs()
        )))
    }

    /// Time that brought nothing new: it has a limit for the whole blob.
    fn count_interruption(&mut self, begun: Duration) -> Result<(), RegistryError> {
        self.interrupted += self.now().saturating_sub(begun);
        let most = self.repository.client.options().limits.reopening;
        if self.interrupted <= most {
            return Ok(());
        }
        Err(self.too_slow(format!("interruptions took more than {} s", most.as_secs())))
    }

    fn too_slow(&self, problem: String) -> RegistryError {
        RegistryError::TooSlow {
            host: self.repository.host.name.clone(),
            what: self.what.clone(),
            problem,
        }
    }

    fn now(&self) -> Duration {
        self.repository.client.wire().transport.now()
    }

    fn too_long(&self) -> RegistryError {
        self.repository
            .protocol(&self.what, format!("more than its {} bytes came", self.size))
    }
}

/// Watches that a body keeps coming, over all its connections.
#[derive(Default)]
struct Pace {
    /// Time that was spent waiting for bytes; not what their reader did in between.
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn keeps_up(&mut self, took: Duration, bytes: u64, window: Duration, slowest: u64) -> bool {
        self.bytes += bytes;
        self.waited += took;
        if self.waited < window {
            return true;
        }
        let enough = self.bytes as f64 >= slowest as f64 * self.waited.as_secs_f64();
        *self = Self::default();
        enough
    }
}

/// `bytes 0-9/100` or `bytes 0-9/*`
fn content_range(headers: &Headers) -> Option<(u64, u64, Option<u64>)> {
    let text = headers.get("content-range")?.trim().strip_prefix("bytes ")?;
    let (range, total) = text.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        let read = |text: &str| {
            let mut headers = Headers::default();
            headers.push("Content-Range", text);
            content_range(&headers)
        };
        assert_eq!(read("bytes 0-9/100"), Some((0, 9, Some(100))));
        assert_eq!(read("bytes 5-9/*"), Some((5, 9, None)));
        for text in [
            "bytes */100",
            "0-9/100",
            "bytes 0-9",
            "bytes -9/100",
            "bytes 0-99999999999999999999/1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_trickle_does_not_keep_up() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        assert!(pace.keeps_up(second * 9, 1, second * 10, 100));
        assert!(pace.keeps_up(second, 1000, second * 10, 100));
        assert!(!pace.keeps_up(second * 10, 999, second * 10, 100));
    }
}
