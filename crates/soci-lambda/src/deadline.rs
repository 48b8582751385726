//! The end of a call's time, seen early enough to leave in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Raises a flag when the time is up, unless it is dropped before; dropped, it lowers the flag again.
pub struct Watch {
    flag: Arc<AtomicBool>,
    over: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Raises `flag` after this time.
    pub fn start(within: Duration, flag: &Arc<AtomicBool>) -> Self {
        let over = Arc::new((Mutex::new(false), Condvar::new()));
        let (watched, raised) = (Arc::clone(&over), Arc::clone(flag));
        let until = Instant::now() + within;
        let thread = std::thread::spawn(move || {
            let (is_over, changed) = &*watched;
            let mut is_over = lock(is_over);
            while !*is_over {
                let Some(left) = until
                    .checked_duration_since(Instant::now())
                    .filter(|left| !left.is_zero())
                else {
                    raised.store(true, Ordering::SeqCst);
                    return;
                };
                is_over = changed
                    .wait_timeout(is_over, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        });
        Self {
            flag: Arc::clone(flag),
            over,
            thread: Some(thread),
        }
    }

    /// Whether the time is up.
    pub fn is_up(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *lock(&self.over.0) = true;
        self.over.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only waits and cannot fail.
            drop(thread.join());
        }
        self.flag.store(false, Ordering::SeqCst);
    }
}

fn lock(mutex: &Mutex<bool>) -> MutexGuard<'_, bool> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_raised_at_the_end_and_lowered_with_the_watch() {
        let flag = Arc::<AtomicBool>::default();
        let watch = Watch::start(Duration::ZERO, &flag);
        while !watch.is_up() {
            std::thread::yield_now();
        }
        drop(watch);
        assert!(!flag.load(Ordering::SeqCst));
    }

    #[test]
    fn who_is_done_before_does_not_wait_for_the_end() {
        let flag = Arc::<AtomicBool>::default();
        drop(Watch::start(Duration::from_secs(3600), &flag));
        assert!(!flag.load(Ordering::SeqCst));
    }
}
