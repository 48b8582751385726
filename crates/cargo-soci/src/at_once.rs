//! The same work for many things, some of them at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::CommandError;

/// Does the work for every item, so many at once; the results in the order of the items. The first error ends it.
pub fn each<I: Sync, O: Send>(
    items: &[I],
    at_once: usize,
    work: impl Fn(&I) -> Result<O, CommandError> + Sync,
) -> Result<Vec<O>, CommandError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let stopped = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    match work(item) {
                        Ok(result) => {
                            done.lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .push((index, result));
                        }
                        Err(error) => {
                            next.store(items.len(), Ordering::Relaxed);
                            let mut stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                            stopped.get_or_insert(error);
                            return;
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
