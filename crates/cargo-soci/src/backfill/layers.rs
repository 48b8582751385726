//! Layers that several images share: each is indexed by one of them, and the others take its zTOC.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use soci_image::Digest;
use soci_store::store::AnySource;

use crate::cancel::Cancel;
use crate::error::CommandError;

/// What all images of a run know about layers.
#[derive(Default)]
pub(super) struct Layers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Where the zTOC of a layer is: a converted image.
    places: BTreeMap<Digest, Arc<AnySource>>,
    /// Being indexed now.
    taken: BTreeSet<Digest>,
}

/// Layers that one image indexes; nobody else does until it is dropped.
pub(super) struct Claim<'a> {
    layers: &'a Layers,
    taken: Vec<Digest>,
    /// Converted images that have the zTOCs of the other layers, each once.
    pub(super) places: Vec<Arc<AnySource>>,
}

impl Layers {
    /// Waits until no other image indexes one of these layers, and claims those that have no zTOC yet.
    pub(super) fn claim(&self, wanted: &[Digest], cancel: &Cancel) -> Result<Claim<'_>, CommandError> {
        let mut state = self.lock();
        loop {
            cancel.check()?;
            if !wanted.iter().any(|layer| state.taken.contains(layer)) {
                break;
            }
            // The timeout is for cancelling only.
            let waited = self.changed.wait_timeout(state, Duration::from_millis(200));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut places: Vec<Arc<AnySource>> = Vec::new();
        let mut taken = Vec::new();
        for layer in wanted {
            match state.places.get(layer) {
                Some(place) if places.iter().any(|there| Arc::ptr_eq(there, place)) => {}
                Some(place) => places.push(Arc::clone(place)),
                None => taken.push(layer.clone()),
            }
        }
        state.taken.extend(taken.iter().cloned());
        Ok(Claim {
            layers: self,
            taken,
            places,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    /// These layers have a zTOC now, in this image.
    pub(super) fn done(self, layers: impl Iterator<Item = Digest>, place: &Arc<AnySource>) {
        let mut state = self.layers.lock();
        for layer in layers {
            state.places.entry(layer).or_insert_with(|| Arc::clone(place));
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.layers.lock();
        for layer in &self.taken {
            state.taken.remove(layer);
        }
        drop(state);
        self.layers.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn layer(number: u8) -> Digest {
        Digest::sha256(&[number])
    }

    #[test]
    fn a_layer_is_claimed_by_one_at_a_time() {
        let layers = Layers::default();
        let cancel = Cancel::default();
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let claim = layers
                        .claim(&[layer(1), layer(2)], &cancel)
                        .expect("not cancelled");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(claim);
                });
            }
        });
        let first = layers.claim(&[layer(1)], &cancel).expect("free again");
        let other = layers.claim(&[layer(2)], &cancel).expect("another layer");
        assert_eq!((first.taken.len(), other.taken.len()), (1, 1));
    }

    #[test]
    fn who_waits_ends_when_the_run_is_stopped() {
        let layers = Layers::default();
        let cancel = Cancel::default();
        let _held = layers.claim(&[layer(1)], &cancel).expect("free");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| layers.claim(&[layer(1)], &cancel).is_err());
            cancel.set();
            assert!(waiting.join().expect("no panic"));
        });
    }
}
