//! Every layer of a plan, several at once, and one writer that keeps their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::EncodedZtoc;

use super::index_layer::{IndexedLayer, ZtocFacts, index_layer};
use super::options::{Observer, Options};
use super::plan::{Decision, Plan};
use super::publish::put_ztoc;
use super::queue::Queue;
use crate::store::{AnyDestination, AnySource, Destination, Source};
use crate::{Error, Result, block_on};

/// What is known of a layer once it was read.
pub(super) enum Done {
    Ztoc(ZtocFacts),
    Skipped(SkipReason),
}

impl Done {
    pub(super) fn skipped(&self) -> Option<SkipReason> {
        match self {
            Self::Ztoc(_) => None,
            Self::Skipped(reason) => Some(reason.clone()),
        }
    }
}

/// A layer that a thread is done with, and its zTOC if the writer still has to store it.
type Finished = (Done, Option<Box<EncodedZtoc>>);

/// What may wait for the writer of an archive: the zTOCs of about 1 GB of layers.
const WAITING: u64 = 8 << 20;

/// Indexes every layer of the plan and brings layers and zTOCs to the destination in manifest order.
pub(super) fn index_layers(
    plan: &Plan,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    observer: Observer<'_>,
) -> Result<BTreeMap<Digest, Done>> {
    // Raised for the threads when one of them or the writer failed.
    let stop = AtomicBool::new(false);
    let work = |layer: &Descriptor| work(layer, source, destination, options, &stop, observer);
    // A layer that comes over the network goes into an archive as it comes: one at a time, in the archive's order.
    if source.is_remote() && destination.is_sequential() {
        return write_in_order(plan, source, destination, work);
    }
    let layers: Vec<Descriptor> = plan.layers_to_index().into_iter().cloned().collect();
    let jobs = options.jobs.get().min(layers.len());
    let queue = Queue::new(layers, WAITING);
    let thread = || {
        let _ending = Ending(&queue, &stop);
        while let Some(layer) = queue.take() {
            match work(&layer) {
                Ok(finished) => {
                    let bytes = finished.1.as_ref().map_or(0, |ztoc| ztoc.size());
                    queue.finish(layer.digest, finished, bytes);
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    queue.fail(error);
                }
            }
        }
    };
    let written = std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(thread);
        }
        let _ending = Ending(&queue, &stop);
        let written = write_in_order(plan, source, destination, |layer| queue.wait(&layer.digest));
        if written.is_err() {
            stop.store(true, Ordering::Relaxed);
            queue.stop();
        }
        written
    });
    written.map_err(|error| match error {
        // The writer gave up because a thread had failed: that one knows why.
        Error::Interrupted => queue.take_error().unwrap_or(error),
        other => other,
    })
}

/// Lets nobody wait for a thread that panics: the scope then ends with its panic.
struct Ending<'a>(&'a Queue<Finished>, &'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.1.store(true, Ordering::Relaxed);
            self.0.stop();
        }
    }
}

/// One layer, on whatever thread: read, indexed, its zTOC stored unless that has to wait for its turn.
fn work(
    layer: &Descriptor,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    stop: &AtomicBool,
    observer: Observer<'_>,
) -> Result<Finished> {
    // A layer that was read before the conversion, to be rewritten or to know whether it must be.
    let known = match source {
        AnySource::Overlay(overlay) => overlay.indexed.take(&layer.digest),
        _ => None,
    };
    let sink = if source.is_remote() && known.is_none() {
        block_on(destination.begin_blob(layer))?
    } else {
        None
    };
    let indexed = match known {
        Some(indexed) => indexed,
        None => block_on(index_layer(layer, source, sink, options, stop, observer))?,
    };
    match indexed {
        IndexedLayer::Skipped(reason) if options.strict => Err(Error::Strict {
            layer: layer.digest.clone(),
            reason,
        }),
        IndexedLayer::Skipped(reason) => Ok((Done::Skipped(reason), None)),
        IndexedLayer::Indexed { ztoc, facts } if destination.is_sequential() => {
            Ok((Done::Ztoc(facts), Some(ztoc)))
        }
        IndexedLayer::Indexed { ztoc, facts } => {
            block_on(put_ztoc(destination, &facts.descriptor(), &ztoc))?;
            Ok((Done::Ztoc(facts), None))
        }
    }
}

/// The layers of all platforms asked for, and the zTOC of each behind it.
fn write_in_order(
    plan: &Plan,
    source: &AnySource,
    destination: &AnyDestination,
    mut finished: impl FnMut(&Descriptor) -> Result<Finished>,
) -> Result<BTreeMap<Digest, Done>> {
    let mut done = BTreeMap::new();
    for layer in plan.layers() {
        let descriptor = &layer.descriptor;
        if done.contains_key(&descriptor.digest) {
            continue;
        }
        match &layer.decision {
            Decision::Skip(SkipReason::Foreign) => {}
            Decision::Skip(_) => bring(source, destination, descriptor, false)?,
            Decision::Reuse(reused) => {
                bring(source, destination, descriptor, false)?;
                let place = reused.place.as_deref().unwrap_or(source);
                bring(place, destination, &reused.facts.descriptor(), false)?;
                done.insert(descriptor.digest.clone(), Done::Ztoc(reused.facts.clone()));
            }
            Decision::Index => {
                // What is on disk is copied while the threads read it; what is remote comes through them.
                if !source.is_remote() {
                    bring(source, destination, descriptor, true)?;
                }
                let (outcome, ztoc) = finished(descriptor)?;
                destination.was_hashed(descriptor);
                bring(source, destination, descriptor, true)?;
                if let (Done::Ztoc(facts), Some(ztoc)) = (&outcome, ztoc) {
                    block_on(put_ztoc(destination, &facts.descriptor(), &ztoc))?;
                }
                done.insert(descriptor.digest.clone(), outcome);
            }
        }
    }
    Ok(done)
}

fn bring(source: &AnySource, destination: &AnyDestination, layer: &Descriptor, verified: bool) -> Result<()> {
    if block_on(destination.contains(layer))? {
        return Ok(());
    }
    block_on(destination.copy_blob(layer, source, verified))
}
