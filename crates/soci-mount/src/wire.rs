//! The way to the registry: as it is, or made as slow as a link that is asked for.
//!
//! The model of a link: one line that all requests share. An answer begins a round trip after its request, or when the
//! line is free, whichever is later; then its bytes pass one behind the other. What is really done (reading, inflating)
//! is done meanwhile, so that this machine's time does not come on top; where it takes longer, it counts.

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

    /// When the requests for documents that a client sends one after another are answered, the first of them sent at
    /// `begin`.
    pub fn documents(&self, begin: Instant) -> Instant {
        match &self.shape {
            Some((link, client)) => begin + seconds(client.requests * link.round_trip()),
            None => begin,
        }
    }

    /// When a client that has all it fetches at `arrived` can create the container.
    pub fn set_up(&self, arrived: Instant) -> Instant {
        match &self.shape {
            Some((_, client)) => arrived + seconds(client.setup),
            None => arrived,
        }
    }

    /// When so many bytes of an answer are through that was asked for at `asked`. The line is theirs until then.
    pub fn arrive(&self, asked: Instant, bytes: u64) -> Instant {
        let Some((link, _)) = &self.shape else {
            return asked;
        };
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = (*free).max(asked + seconds(link.round_trip())) + seconds(link.transfer(bytes));
        *free
    }

    /// When a client has inflated, checked and kept so many bytes that had come at `arrived`.
    pub fn work(&self, arrived: Instant, uncompressed: u64) -> Instant {
        let Some((_, client)) = &self.shape else {
            return arrived;
        };
        let mib = uncompressed as f64 / f64::from(1 << 20);
        arrived + seconds(mib * client.per_mib)
    }

    /// Waits for a moment; one that has passed is not waited for. What is done before counts as done meanwhile.
    ///
    /// # Errors
    /// [`Stopped`]
    pub fn wait(&self, end: Instant) -> Result<(), Stopped> {
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(PATIENCE));
        }
    }

    fn check(&self) -> Result<(), Stopped> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Stopped),
            false => Ok(()),
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

    #[test]
    fn answers_share_the_line() {
        let wire = link("80Mbit/100ms");
        let begun = Instant::now();
        *wire.free.lock().expect("no panic") = begun;
        let milliseconds = |moment: Instant| (moment.duration_since(begun).as_secs_f64() * 1e3).round();
        let answers = [
            (0.0, 1_000_000),
            (0.0, 2_000_000),
            (0.1, 1_000_000),
            (1.0, 0),
            (1.0, 500_000),
        ];
        let seen = answers.map(|(asked, bytes)| milliseconds(wire.arrive(begun + seconds(asked), bytes)));
        assert_eq!(seen, [200.0, 400.0, 500.0, 1100.0, 1150.0]);
        assert_eq!(milliseconds(wire.documents(begun)), 1000.0);
        assert_eq!(milliseconds(wire.set_up(begun)), 300.0);
        assert_eq!(milliseconds(wire.work(begun, 4 << 20)), 40.0);
    }

    #[test]
    fn without_a_link_nothing_is_waited_for() {
        let wire = Wire::open(Arc::default());
        let begun = Instant::now();
        let moments = [
            wire.arrive(begun, 1 << 40),
            wire.documents(begun),
            wire.set_up(begun),
            wire.work(begun, 1 << 40),
        ];
        assert_eq!(moments, [begun; 4]);
        assert_eq!(wire.wait(begun), Ok(()));
    }

    #[test]
    fn who_asks_to_stop_need_not_wait() {
        let wire = Arc::new(link("1kbit/1s"));
        let waiting = Arc::clone(&wire);
        let thread = std::thread::spawn(move || waiting.wait(waiting.arrive(Instant::now(), 1 << 30)));
        wire.stop.store(true, Ordering::Relaxed);
        assert_eq!(thread.join().expect("no panic"), Err(Stopped));
    }
}
