//! Before layers are cut for a start: what is in them, so that the start's files can be looked up, and what the start
//! reads of each.
//!
//! A layer whose zTOC is at hand (in the image, at the destination, where zTOCs may be reused from) tells its table of
//! contents without being read; it is then read once, and cut on the way. Any other layer is read for its table first:
//! what the start does not need is done with that, what it needs is read a second time. The cuts are the same
//! either way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};
use soci_rootfs::Mount;
use soci_ztoc::ztoc::{Compression, Need, Toc};

use super::index_layer::{IndexedLayer, index_layer};
use super::indexed::Indexed;
use super::options::{Observer, Options};
use super::plan::{Decision, Plan, PlannedLayer};
use super::reuse;
use super::start::{Reads, Start, StartFiles, Surveyed};
use super::tables::Table;
use super::views::{CHEAP, Contents, contents};
use crate::store::{AnyDestination, AnySource, Destination, Source};
use crate::{Error, Result, block_on};

/// zTOCs that are kept for layers that are done, in bytes; what has no room is read again.
const KEPT: u64 = 128 << 20;

/// What is known of a layer that can have a zTOC.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// What is in it.
    pub(super) table: Arc<Table>,
    /// Whether it can be cut anywhere.
    pub(super) compression: Compression,
    /// How a client would mount it; none if it stays without a zTOC.
    pub(super) mount: Option<Mount>,
}

/// Finds out what the start reads of the layers of the plan, and which zTOCs that are there already serve again.
/// Returns the options with that.
pub(super) fn survey(
    plan: &mut Plan,
    start: &Start,
    source: &AnySource,
    destination: &AnyDestination,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Options> {
    let mut known = block_on(reuse::tables(plan, source, options))?;
    let ahead = Indexed::default();
    let open: Vec<Descriptor> = (plan.layers_to_index().into_iter())
        .filter(|layer| !known.contains_key(&layer.digest))
        .cloned()
        .collect();
    known.extend(read(&open, source, Some(destination), options, &ahead, observer)?);
    let mut surveyed = Surveyed {
        ahead,
        ..Surveyed::default()
    };
    let needs = needs(plan, start, source, &mut known, &mut surveyed.files, options)?;
    for (layer, needs) in needs {
        let ranges = needs.iter().flat_map(|need| need.ranges().iter().cloned());
        let ranges = Need::new(1, ranges.collect()).ranges().to_vec();
        if ranges.is_empty() {
            continue;
        }
        let is_gzip = (known.get(&layer)).is_some_and(|known| known.compression == Compression::Gzip);
        let shape = is_gzip.then(|| start.shape(needs, options.span_size));
        surveyed.layers.insert(layer, Reads { ranges, shape });
    }
    // What is cut otherwise has to be read again; so has what the start needs of other layers, to say which spans.
    for layer in surveyed.layers.keys() {
        drop(surveyed.ahead.take(layer));
    }
    drop(known);
    let options = Options {
        start: Some(start.with(surveyed)),
        ..options.clone()
    };
    block_on(reuse::apply(plan, source, &options))?;
    Ok(options)
}

/// Reads layers for their tables, several at once, the largest first. What comes over the network goes to the
/// destination on the way, if there is one. What became of them is in `ahead`, as far as there is room.
pub(super) fn read(
    layers: &[Descriptor],
    source: &AnySource,
    destination: Option<&AnyDestination>,
    options: &Options,
    ahead: &Indexed,
    observer: Observer<'_>,
) -> Result<BTreeMap<Digest, Known>> {
    let mut open: Vec<&Descriptor> = layers.iter().collect();
    // A stable sort, and taken from the end.
    open.sort_by_key(|layer| layer.size);
    let open = Mutex::new(open);
    let done = Mutex::new(Ok(BTreeMap::new()));
    let reading = Reading {
        source,
        destination,
        options,
        ahead,
        observer,
        stop: AtomicBool::new(false),
        room: AtomicU64::new(KEPT),
    };
    let thread = || {
        let _ending = Ending(&reading.stop);
        loop {
            let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (Some(layer), false) = (next, reading.stop.load(Ordering::Relaxed)) else {
                return;
            };
            let outcome = reading.one(layer);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match (outcome, done.as_mut()) {
                (Ok(Some(known)), Ok(all)) => {
                    let _: Option<Known> = all.insert(layer.digest.clone(), known);
                }
                (Ok(_), _) => {}
                (Err(error), Ok(_)) => {
                    reading.stop.store(true, Ordering::Relaxed);
                    *done = Err(error);
                }
                // The first error is the cause, later ones are its echo.
                (Err(_), Err(_)) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.get().min(layers.len()) {
            scope.spawn(thread);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads share that read layers.
struct Reading<'a> {
    source: &'a AnySource,
    destination: Option<&'a AnyDestination>,
    options: &'a Options,
    ahead: &'a Indexed,
    observer: Observer<'a>,
    stop: AtomicBool,
    room: AtomicU64,
}

impl Reading<'_> {
    fn one(&self, layer: &Descriptor) -> Result<Option<Known>> {
        let indexed = match self.before(layer) {
            Some(indexed) => indexed,
            None => {
                // What comes over the network stays, unless an archive wants it at its place.
                let keeps = |place: &&AnyDestination| self.source.is_remote() && !place.is_sequential();
                let sink = match self.destination.filter(keeps) {
                    Some(place) => block_on(place.begin_blob(layer))?,
                    None => None,
                };
                let Self {
                    source,
                    options,
                    stop,
                    observer,
                    ..
                } = self;
                block_on(index_layer(layer, source, sink, options, stop, *observer))?
            }
        };
        let mut known = None;
        if let IndexedLayer::Indexed { ztoc, .. } = &indexed {
            let table = self.options.tables.keep(ztoc.ztoc().toc().clone());
            known = table.map(|table| Known {
                table,
                compression: ztoc.ztoc().compression(),
                mount: Some(Mount::of(ztoc.ztoc())),
            });
            let less = |left: u64| left.checked_sub(ztoc.size());
            let room = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            if room.is_err() {
                return Ok(known);
            }
        }
        self.ahead.keep(layer.digest.clone(), indexed);
        Ok(known)
    }

    /// A layer that was read before the conversion.
    fn before(&self, layer: &Descriptor) -> Option<IndexedLayer> {
        match self.source {
            AnySource::Overlay(overlay) => overlay.take_indexed(&layer.digest),
            _ => None,
        }
    }
}

/// Lets the others stop when a thread panics: the scope then ends with its panic.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// What the starts need of each layer, in all platforms that have it.
fn needs(
    plan: &Plan,
    start: &Start,
    source: &AnySource,
    known: &mut BTreeMap<Digest, Known>,
    files: &mut Vec<StartFiles>,
    options: &Options,
) -> Result<BTreeMap<Digest, Vec<Need>>> {
    let mut all: BTreeMap<Digest, Vec<Need>> = BTreeMap::new();
    for platform in plan.images.iter().flat_map(|image| &image.platforms) {
        for layer in &platform.layers {
            if options.cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let digest = &layer.descriptor.digest;
            if !known.contains_key(digest)
                && let Some(toc) = small(layer, source, &options.cancel)?
                && let Some(table) = options.tables.keep(toc)
            {
                // It stays without a zTOC, so it is not cut.
                let compression = Compression::Uncompressed;
                let small = Known {
                    table,
                    compression,
                    mount: None,
                };
                known.insert(digest.clone(), small);
            }
        }
        let tables = platform
            .layers
            .iter()
            .map(|layer| known.get(&layer.descriptor.digest));
        let tocs: Vec<Option<&Toc>> = tables.map(|known| Some(known?.table.toc())).collect();
        let needed = start.needs().of(&tocs);
        let shown = |paths: &[Vec<u8>]| {
            let paths = paths
                .iter()
                .map(|path| String::from_utf8_lossy(path).into_owned());
            paths.collect()
        };
        files.push(StartFiles {
            platform: platform.choice.platform.to_string(),
            files: needed.files,
            missing: shown(&needed.missing),
            unknown: shown(&needed.unknown),
        });
        for (layer, needs) in platform.layers.iter().zip(needed.layers) {
            match all.entry(layer.descriptor.digest.clone()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(needs);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    for (one, other) in entry.get_mut().iter_mut().zip(needs) {
                        let both = one.ranges().iter().chain(other.ranges()).cloned().collect();
                        *one = Need::new(one.weight(), both);
                    }
                }
            }
        }
    }
    Ok(all)
}

/// What is in a layer that stays without a zTOC, if it is cheap to know.
fn small(layer: &PlannedLayer, source: &AnySource, cancel: &AtomicBool) -> Result<Option<Toc>> {
    let is_small = matches!(
        layer.decision,
        Decision::Skip(SkipReason::TooSmall { .. } | SkipReason::Repeats | SkipReason::Zstd)
    );
    if !is_small || layer.descriptor.size > CHEAP {
        return Ok(None);
    }
    Ok(match contents(source, &layer.descriptor, cancel)? {
        Contents::Known(toc) => Some(toc),
        _ => None,
    })
}
