//! Every layer of a plan, several at once, and one writer that keeps their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
#[cfg(feature = "native")]
use std::sync::atomic::Ordering;

use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};
use soci_rootfs::Mount;
use soci_ztoc::ztoc::EncodedZtoc;

use super::held::{Held, IN_MEMORY};
use super::index_layer::{IndexedLayer, ZtocSummary, index_layer};
use super::options::{Observer, Options};
use super::plan::{Decision, Plan};
use super::publish::put_ztoc;
#[cfg(feature = "native")]
use super::queue::Queue;
use super::report::Remark;
use super::tables::Table;
use super::views::{Standing, Views};
use crate::store::{AnyDestination, AnySource, Destination, Source};
use crate::{Error, Result, block_on};

/// What is known of a layer once it was read.
pub(super) enum Done {
    Ztoc(ZtocSummary),
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
struct Finished {
    done: Done,
    ztoc: Option<Box<EncodedZtoc>>,
    /// Other layers decide whether the zTOC is stored.
    open: bool,
}

impl Finished {
    fn skipped(reason: SkipReason) -> Self {
        Self {
            done: Done::Skipped(reason),
            ztoc: None,
            open: false,
        }
    }
}

/// What became of all layers.
#[derive(Default)]
pub(super) struct IndexedLayers {
    pub(super) done: BTreeMap<Digest, Done>,
    /// What else is to be said of layers.
    pub(super) remarks: BTreeMap<Digest, Remark>,
    /// What is in them, as far as there was room to keep it.
    pub(super) tables: BTreeMap<Digest, Arc<Table>>,
}

/// What may wait for the writer of an archive: the zTOCs of about 1 GB of layers.
#[cfg(feature = "native")]
const WAITING: u64 = 8 << 20;

/// Indexes every layer of the plan and brings layers and zTOCs to the destination in manifest order.
pub(super) fn index_layers(
    plan: &Plan,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    observer: Observer<'_>,
) -> Result<IndexedLayers> {
    let views = Views::new(plan, options);
    // Raised for the threads when one of them or the writer failed.
    let stop = AtomicBool::new(false);
    let work = |layer: &Descriptor| work(layer, source, destination, options, &views, &stop, observer);
    // A layer that comes over the network goes into an archive as it comes: one at a time, in the archive's order.
    if source.is_remote() && destination.is_sequential() {
        return write_in_order(plan, source, destination, options, &views, work);
    }
    #[cfg(feature = "native")]
    return by_threads(plan, source, destination, options, &views, &stop, work);
    // A host without threads indexes a layer when its turn comes.
    #[cfg(not(feature = "native"))]
    write_in_order(plan, source, destination, options, &views, work)
}

/// The same with a thread per job.
#[cfg(feature = "native")]
fn by_threads(
    plan: &Plan,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    views: &Views,
    stop: &AtomicBool,
    work: impl Fn(&Descriptor) -> Result<Finished> + Sync,
) -> Result<IndexedLayers> {
    let layers: Vec<Descriptor> = plan.layers_to_index().into_iter().cloned().collect();
    let jobs = options.jobs.get().min(layers.len());
    let queue = Queue::new(layers, WAITING);
    let thread = || {
        let _ending = Ending(&queue, stop);
        while let Some(layer) = queue.take() {
            match work(&layer) {
                Ok(finished) => {
                    let bytes = finished.ztoc.as_ref().map_or(0, |ztoc| ztoc.size());
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
        let _ending = Ending(&queue, stop);
        let written = write_in_order(plan, source, destination, options, views, |layer| {
            queue.wait(&layer.digest)
        });
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
#[cfg(feature = "native")]
struct Ending<'a>(&'a Queue<Finished>, &'a AtomicBool);

#[cfg(feature = "native")]
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
    views: &Views,
    stop: &AtomicBool,
    observer: Observer<'_>,
) -> Result<Finished> {
    // A layer that was read before the conversion, to be rewritten or to know whether it must be.
    let known = match source {
        #[cfg(feature = "native")]
        AnySource::Overlay(overlay) => overlay.take_indexed(&layer.digest),
        _ => None,
    };
    let known = known
        .or_else(|| options.start.as_ref()?.take(&layer.digest))
        .or_else(|| options.indexed.take(&layer.digest));
    let sink = if source.is_remote() && known.is_none() {
        block_on(destination.begin_blob(layer))?
    } else {
        None
    };
    let indexed = match known {
        Some(indexed) => indexed,
        None => block_on(index_layer(layer, source, sink, options, stop, observer))?,
    };
    let (ztoc, facts) = match indexed {
        IndexedLayer::Skipped(reason) => return skipped(layer, reason, options),
        IndexedLayer::Indexed { ztoc, facts } => (ztoc, facts),
    };
    let mount = Mount::of(ztoc.ztoc());
    let open = match views.judge(&layer.digest, ztoc.ztoc().toc(), &mount) {
        Standing::Different(reason) if !views.allows_differences() => {
            views.unpacked(&layer.digest, ztoc.into_ztoc().into_toc());
            return skipped(layer, reason, options);
        }
        Standing::Open => !views.allows_differences(),
        Standing::Different(_) | Standing::Same => false,
    };
    if let Some(progress) = options.progress.as_ref().filter(|_| !destination.is_sequential()) {
        block_on(put_ztoc(destination, &facts.descriptor(), &ztoc))?;
        progress.add(layer, &facts, options);
        if open {
            views.waits(&layer.digest, ztoc.ztoc());
            return Ok(Finished {
                done: Done::Ztoc(facts),
                ztoc: None,
                open,
            });
        }
    }
    if open || destination.is_sequential() {
        return Ok(Finished {
            done: Done::Ztoc(facts),
            ztoc: Some(ztoc),
            open,
        });
    }
    store(destination, views, &layer.digest, &facts, ztoc)?;
    Ok(Finished {
        done: Done::Ztoc(facts),
        ztoc: None,
        open,
    })
}

/// A layer stays without a zTOC.
fn skipped(layer: &Descriptor, reason: SkipReason, options: &Options) -> Result<Finished> {
    if options.strict {
        let layer = layer.digest.clone();
        return Err(Error::Strict { layer, reason });
    }
    Ok(Finished::skipped(reason))
}

/// Brings a zTOC to the destination; what is kept of it is its table of contents.
fn store(
    destination: &AnyDestination,
    views: &Views,
    layer: &Digest,
    facts: &ZtocSummary,
    ztoc: Box<EncodedZtoc>,
) -> Result<()> {
    block_on(put_ztoc(destination, &facts.descriptor(), &ztoc))?;
    views.mounted(layer, ztoc.into_ztoc());
    Ok(())
}

/// The layers of all platforms asked for, and the zTOC of each behind it; behind the last one the zTOCs that had to
/// wait for layers above theirs.
fn write_in_order(
    plan: &Plan,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    views: &Views,
    mut finished: impl FnMut(&Descriptor) -> Result<Finished>,
) -> Result<IndexedLayers> {
    let mut done = BTreeMap::new();
    let (mut held, mut waiting) = (Held::with_room(IN_MEMORY), Vec::new());
    let mut is_open = false;
    for layer in plan.layers() {
        let descriptor = &layer.descriptor;
        let digest = &descriptor.digest;
        if done.contains_key(digest) {
            continue;
        }
        match &layer.decision {
            Decision::Skip(SkipReason::Foreign) => {}
            Decision::Skip(_) => bring(source, destination, descriptor, false)?,
            Decision::Reuse(reused) => {
                bring(source, destination, descriptor, false)?;
                let place = reused.place.as_deref().unwrap_or(source);
                let ztoc = reused.facts.descriptor();
                match views.judge_reused(digest, reused) {
                    Standing::Different(reason) => {
                        done.insert(digest.clone(), skipped(descriptor, reason, options)?.done);
                        continue;
                    }
                    Standing::Open => waiting.push((digest.clone(), place, ztoc)),
                    Standing::Same => bring(place, destination, &ztoc, false)?,
                }
                done.insert(digest.clone(), Done::Ztoc(reused.facts.clone()));
            }
            Decision::Index => {
                // What is on disk is copied while the threads read it; what is remote comes through them.
                if !source.is_remote() {
                    bring(source, destination, descriptor, true)?;
                }
                let layer = finished(descriptor)?;
                is_open |= layer.open;
                #[cfg(feature = "native")]
                destination.was_hashed(descriptor);
                bring(source, destination, descriptor, true)?;
                match (&layer.done, layer.ztoc) {
                    (Done::Ztoc(facts), Some(ztoc)) if layer.open => {
                        views.waits(digest, ztoc.ztoc());
                        held.push(digest.clone(), facts.descriptor(), ztoc)?;
                    }
                    (Done::Ztoc(facts), Some(ztoc)) => store(destination, views, digest, facts, ztoc)?,
                    _ => {}
                }
                done.insert(digest.clone(), layer.done);
            }
        }
    }
    let open = is_open || !waiting.is_empty();
    let settlement = views.settle(plan, source, open, &options.cancel)?;
    for (digest, place, ztoc) in waiting {
        if !settlement.left_out.contains_key(&digest) {
            bring(place, destination, &ztoc, false)?;
        }
    }
    held.put(destination, |layer| !settlement.left_out.contains_key(layer))?;
    for (digest, reason) in settlement.left_out {
        if options.strict {
            return Err(Error::Strict {
                layer: digest,
                reason,
            });
        }
        done.insert(digest, Done::Skipped(reason));
    }
    let remarks = settlement.remarks;
    let tables = views.tables();
    Ok(IndexedLayers {
        done,
        remarks,
        tables,
    })
}

fn bring(source: &AnySource, destination: &AnyDestination, layer: &Descriptor, verified: bool) -> Result<()> {
    if block_on(destination.contains(layer))? {
        return Ok(());
    }
    block_on(destination.copy_blob(layer, source, verified))
}
