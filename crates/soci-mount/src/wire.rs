//! The way to the registry: as it is, or made as slow as a link that is asked for.
//!
//! The model of a link: one line that all requests share. An answer begins a round trip after its request, or when the
//! line is free, whichever is later; then its bytes pass one behind the other. A place that is slower than that is as
//! slow as it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use soci_start::{Client, Link};

/// The way to the registry.
#[derive(Debug)]
pub struct Wire {
    shape: Option<(Link, Client)>,
    /// When the line is free again.
    free: Mutex<Instant>,
    stop: Arc<AtomicBool>,
}

/// Somebody asked to stop while something was on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl Wire {
    /// The way as it is; waiting ends when `stop` is set.
    pub fn open(stop: Arc<AtomicBool>) -> Self {
        Self {
            shape: None,
            free: Mutex::new(Instant::now()),
            stop,
        }
    }

    /// A link, with a client behind it that needs its time for each MiB.
    pub fn shaped(link: Link, client: Client, stop: Arc<AtomicBool>) -> Self {
        Self {
            shape: Some((link, client)),
            ..Self::open(stop)
        }
    }

    /// The link, if there is one.
    pub fn link(&self) -> Option<&Link> {
        self.shape.as_ref().map(|(link, _)| link)
    }

    /// One request: gives what `read` gives, when its bytes have passed.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn request<T>(&self, bytes: u64, read: impl FnOnce() -> T) -> Result<T, Stopped> {
        let begun = Instant::now();
        let answer = read();
        self.answered(begun, bytes)?;
        Ok(answer)
    }

    /// So many requests one after another, each with a small answer.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn small_requests(&self, count: f64) -> Result<(), Stopped> {
        match &self.shape {
            Some((link, _)) => self.until(Instant::now() + seconds(count * link.round_trip())),
            None => self.check(),
        }
    }

    /// A part of an answer has come that was asked for at `begun`.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn answered(&self, begun: Instant, bytes: u64) -> Result<(), Stopped> {
        let Some((link, _)) = &self.shape else {
            return self.check();
        };
        let end = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            *free = (*free).max(begun + seconds(link.round_trip())) + seconds(link.transfer(bytes));
            *free
        };
        self.until(end)
    }

    /// A client has worked on so many uncompressed bytes since `begun`: waits as long as the one that is behind the
    /// link takes for them.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn worked(&self, begun: Instant, bytes: u64) -> Result<(), Stopped> {
        let Some((_, client)) = &self.shape else {
            return self.check();
        };
        let mib = bytes as f64 / f64::from(1 << 20);
        self.until(begun + seconds(mib * client.per_mib))
    }

    /// What a client needs beside the wire before it creates the container.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn set_up(&self) -> Result<(), Stopped> {
        match &self.shape {
            Some((_, client)) => {
                self.small_requests(client.requests)?;
                self.until(Instant::now() + seconds(client.setup))
            }
            None => self.check(),
        }
    }

    fn check(&self) -> Result<(), Stopped> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Stopped),
            false => Ok(()),
        }
    }

    fn until(&self, end: Instant) -> Result<(), Stopped> {
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(PATIENCE));
        }
    }
}

/// How long a wait does not see that it should end.
const PATIENCE: Duration = Duration::from_millis(50);

/// A time that is shown to nobody can be cut at a year.
fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 31_536_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Wire {
        let link = text.parse().expect("a link");
        Wire::shaped(link, Client::MEASURED, Arc::default())
    }

    /// When the line is free after these answers, in seconds from the first request; nobody waits here.
    #[test]
    fn answers_share_the_line() {
        let wire = link("80Mbit/100ms");
        wire.stop.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        *wire.free.lock().expect("no panic") = begun;
        let mut seen = Vec::new();
        for (asked, bytes) in [
            (0.0, 1_000_000),
            (0.0, 2_000_000),
            (0.1, 1_000_000),
            (1.0, 0),
            (1.0, 500_000),
        ] {
            assert_eq!(wire.answered(begun + seconds(asked), bytes), Err(Stopped));
            let free = *wire.free.lock().expect("no panic");
            seen.push((free.duration_since(begun).as_secs_f64() * 1e3).round());
        }
        assert_eq!(seen, [200.0, 400.0, 500.0, 1100.0, 1150.0]);
    }

    #[test]
    fn who_asks_to_stop_need_not_wait() {
        let wire = Arc::new(link("1kbit/1s"));
        let waiting = Arc::clone(&wire);
        let thread = std::thread::spawn(move || waiting.request(1 << 30, || ()));
        wire.stop.store(true, Ordering::Relaxed);
        assert_eq!(thread.join().expect("no panic"), Err(Stopped));
    }
}
