//! The workflow with threads: several layers at once, one writer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use soci_image::annotation::{CONTAINERD_NAME, REF_NAME};
use soci_image::convert::{self, Conversion, LayerIndex, PlatformIndex};
use soci_image::skip::SkipReason;
use soci_image::soci_index::SociVersion;
use soci_image::soci_index::prefetch::Search;
use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::EncodedZtoc;

use super::create::put_referrers;
use super::index_layer::{IndexedLayer, ZtocFacts, index_layer};
use super::meter::Meter;
use super::options::{Observer, Options};
use super::plan::{Decision, Plan, PlannedImage, PlannedLayer, plan, reasons};
use super::publish::{put_image, put_ztoc};
use super::queue::Queue;
use super::report::{ImageReport, LayerOutcome, LayerReport, PlatformReport, Report};
use crate::store::{AnyDestination, AnySource, Destination, Published, Root, RootName, Source};
use crate::{Error, Result, block_on};

/// Converts the images of `source` that the options choose, and writes them to `destination`.
///
/// `tag` is the name that the image gets there; without one it keeps the names it has. On an error nothing is
/// visible at the destination, and what had been written is taken back.
///
/// # Errors
/// [`Error::NothingToIndex`] if no layer of any image can have a zTOC; nothing is written then.
pub fn convert(
    source: &AnySource,
    destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Report> {
    run(SociVersion::V2, source, destination, tag, options, observer)
}

/// Makes SOCI indexes v1, which refer to the images of `source` and leave them as they are, and writes both to
/// `destination`; the rest is as for [`convert`].
pub fn create(
    source: &AnySource,
    destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Report> {
    run(SociVersion::V1, source, destination, tag, options, observer)
}

fn run(
    version: SociVersion,
    source: &AnySource,
    destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Report> {
    let destination = destination.near(source);
    let meter = Meter::start(source, &destination);
    let outcome = block_on(plan(source, options))
        .and_then(|plan| prepare(version, plan, source, &destination, tag, options, observer));
    match outcome {
        Ok((published, report)) => {
            block_on(destination.publish(&published))?;
            let traffic = meter.and_then(|meter| meter.read(&report));
            Ok(Report { traffic, ..report })
        }
        Err(error) => {
            block_on(destination.abort());
            Err(error)
        }
    }
}

/// Everything but the last step.
fn prepare(
    version: SociVersion,
    plan: Plan,
    source: &AnySource,
    destination: &AnyDestination,
    tag: Option<&str>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<(Vec<Published>, Report)> {
    if tag.is_some() && plan.images.len() > 1 {
        let place = "a destination with a tag".into();
        return Err(Error::SeveralImages {
            images: plan.images.len(),
            place,
        });
    }
    if !plan.has_ztocs() {
        return Err(Error::NothingToIndex {
            layers: reasons(&plan),
        });
    }
    let layers = index_layers(&plan, source, destination, options, observer)?;
    let mut published = Vec::new();
    let mut report = Report {
        images: Vec::new(),
        missing_prefetch_files: Vec::new(),
        traffic: None,
    };
    let mut nothing = 0;
    for planned in &plan.images {
        let (platforms, missing) = platform_indexes(planned, &layers, options);
        let verified = |digest: &Digest| layers.contains_key(digest);
        let tool = &options.build_tool_identifier;
        let (conversion, listings) = match version {
            SociVersion::V1 => {
                // A referrer comes after what it refers to.
                block_on(put_image(
                    source,
                    destination,
                    planned,
                    &unchanged(planned),
                    &verified,
                ))?;
                match put_referrers(destination, planned, &platforms, tool) {
                    Err(Error::Image(soci_image::Error::NothingToIndex)) => {
                        nothing += 1;
                        (unchanged(planned), Vec::new())
                    }
                    other => other?,
                }
            }
            SociVersion::V2 => {
                let made = convert::convert(&planned.image, &planned.documents, &platforms, tool);
                let conversion = match made {
                    Err(soci_image::Error::NothingToIndex) => {
                        nothing += 1;
                        unchanged(planned)
                    }
                    other => other?,
                };
                block_on(put_image(source, destination, planned, &conversion, &verified))?;
                (conversion, Vec::new())
            }
        };
        let mut root = planned.root.clone();
        // The source's own image, should layers have been rewritten on the way here.
        root.descriptor = source.listed(&root.descriptor).clone();
        if let Some(tag) = tag {
            rename(&mut root.names, tag);
        }
        report.missing_prefetch_files.extend(missing);
        report
            .images
            .push(image_report(planned, &root, &conversion, &layers, &platforms));
        published.push(Published {
            root,
            descriptor: conversion.root,
        });
        published.extend(listings);
    }
    if nothing == plan.images.len() {
        let layers = layers
            .iter()
            .filter_map(|(digest, done)| Some((digest.clone(), done.skipped()?)));
        return Err(Error::NothingToIndex {
            layers: reasons(&plan).into_iter().chain(layers).collect(),
        });
    }
    report.missing_prefetch_files.sort();
    report.missing_prefetch_files.dedup();
    Ok((published, report))
}

/// What is known of a layer once it was read.
enum Done {
    Ztoc(ZtocFacts),
    Skipped(SkipReason),
}

impl Done {
    fn skipped(&self) -> Option<SkipReason> {
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
fn index_layers(
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

/// What the SOCI indexes of an image will say, and the files to prefetch that it does not have.
fn platform_indexes(
    planned: &PlannedImage,
    layers: &BTreeMap<Digest, Done>,
    options: &Options,
) -> (Vec<PlatformIndex>, Vec<String>) {
    let mut missing = Vec::new();
    let mut indexes = Vec::new();
    for platform in &planned.platforms {
        let mut search = Search::new(options.prefetch.iter().cloned());
        for (position, layer) in platform.layers.iter().enumerate().rev() {
            if let Some(Done::Ztoc(facts)) = layers.get(&layer.descriptor.digest)
                && matches!(layer.decision, Decision::Index | Decision::Reuse(_))
            {
                search.layer(
                    position,
                    facts.prefetch.iter().map(|(name, spans)| (&name[..], *spans)),
                );
            }
        }
        let (prefetch, not_found) = search.finish();
        missing.extend(not_found);
        let layers = platform
            .layers
            .iter()
            .map(|layer| layer_index(layer, layers, options))
            .collect();
        indexes.push(PlatformIndex {
            choice: platform.choice.clone(),
            layers,
            prefetch,
        });
    }
    (indexes, missing)
}

fn layer_index(layer: &PlannedLayer, layers: &BTreeMap<Digest, Done>, options: &Options) -> LayerIndex {
    match (&layer.decision, layers.get(&layer.descriptor.digest)) {
        (Decision::Skip(reason), _) | (Decision::Index, Some(Done::Skipped(reason))) => {
            LayerIndex::Skipped(reason.clone())
        }
        (Decision::Index | Decision::Reuse(_), Some(Done::Ztoc(facts))) => LayerIndex::Ztoc {
            digest: facts.digest.clone(),
            size: facts.size,
            span_size: options.span_size,
            disable_xattrs: facts.disable_xattrs,
        },
        (Decision::Index | Decision::Reuse(_), _) => unreachable!("every layer to index was waited for"),
    }
}

/// An image of several that has nothing to index: it goes over as it is.
pub(super) fn unchanged(planned: &PlannedImage) -> Conversion {
    Conversion {
        root: planned.root.descriptor.clone(),
        blobs: Vec::new(),
        platforms: Vec::new(),
        changed: false,
    }
}

/// The one name that the destination's location gives; annotations that are no names stay.
pub(super) fn rename(names: &mut Vec<RootName>, tag: &str) {
    let mut entry = names.first_mut().and_then(|name| name.entry.take());
    if let Some(entry) = &mut entry {
        entry.annotations.remove(CONTAINERD_NAME);
        entry.annotations.insert(REF_NAME.into(), tag.into());
    }
    *names = vec![RootName {
        tag: Some(tag.into()),
        full: None,
        entry,
    }];
}

fn image_report(
    planned: &PlannedImage,
    root: &Root,
    conversion: &Conversion,
    layers: &BTreeMap<Digest, Done>,
    platforms: &[PlatformIndex],
) -> ImageReport {
    let mut reports = Vec::new();
    for (plan, index) in planned.platforms.iter().zip(platforms) {
        let converted = conversion
            .platforms
            .iter()
            .find(|platform| platform.choice.id == plan.choice.id);
        let images = planned.image.images();
        let source_manifest = images
            .iter()
            .find(|image| image.id == plan.choice.id)
            .map_or_else(
                || planned.root.descriptor.digest.clone(),
                |image| image.descriptor.digest.clone(),
            );
        reports.push(PlatformReport {
            platform: plan.choice.platform.to_string(),
            manifest: converted.map_or_else(|| source_manifest.clone(), |done| done.manifest.digest.clone()),
            source_manifest,
            soci_index: converted
                .and_then(|done| done.soci_index.as_ref())
                .map(|index| index.digest.clone()),
            layers: plan
                .layers
                .iter()
                .map(|layer| layer_report(layer, layers))
                .collect(),
            prefetch_artifacts: index.prefetch.len(),
        });
    }
    ImageReport {
        names: root
            .names
            .iter()
            .filter_map(|name| name.full.clone().or_else(|| name.tag.clone()))
            .collect(),
        source_digest: root.descriptor.digest.clone(),
        digest: conversion.root.digest.clone(),
        media_type: conversion.root.media_type.clone(),
        size: conversion.root.size,
        changed: conversion.changed,
        platforms: reports,
    }
}

fn layer_report(layer: &PlannedLayer, layers: &BTreeMap<Digest, Done>) -> LayerReport {
    let skipped = |reason: &SkipReason| LayerOutcome::Skipped {
        reason: reason.clone(),
        message: reason.to_string(),
    };
    let outcome = match (&layer.decision, layers.get(&layer.descriptor.digest)) {
        (Decision::Skip(reason), _) | (Decision::Index, Some(Done::Skipped(reason))) => skipped(reason),
        (Decision::Index, Some(Done::Ztoc(facts))) => LayerOutcome::Indexed {
            ztoc: facts.digest.clone(),
            ztoc_size: facts.size,
            spans: facts.spans,
            members: facts.members,
        },
        (Decision::Reuse(reused), _) => LayerOutcome::Reused {
            ztoc: reused.facts.digest.clone(),
            ztoc_size: reused.facts.size,
            tool: reused.tool.clone(),
            from: reused.from.clone(),
        },
        (Decision::Index, None) => unreachable!("every layer to index was waited for"),
    };
    LayerReport {
        digest: layer.descriptor.digest.clone(),
        size: layer.descriptor.size,
        media_type: layer.descriptor.media_type.clone(),
        outcome,
    }
}
