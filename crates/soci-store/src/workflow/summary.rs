//! From layers that are done to what SOCI indexes and reports say about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use soci_image::Digest;
use soci_image::convert::{Conversion, LayerIndex, PlatformIndex};
use soci_image::skip::SkipReason;
use soci_image::soci_index::prefetch::{Search, SpanRange};
use soci_rootfs::{FileType, Rootfs};
use soci_ztoc::ztoc::Toc;

use super::layers::Done;
use super::options::Options;
use super::plan::{Decision, PlannedImage, PlannedLayer, PlannedPlatform};
use super::report::{ImageReport, LayerOutcome, LayerReport, PlatformReport, Remark, RepeatedLayer};
use super::start::Start;
use super::tables::Table;
use crate::store::Root;

/// What the SOCI indexes of an image will say, and the files to prefetch that it does not have.
pub(super) fn platform_indexes(
    planned: &PlannedImage,
    layers: &BTreeMap<Digest, Done>,
    tables: &BTreeMap<Digest, Arc<Table>>,
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
        as_in_a_container(&mut search, platform, layers, tables);
        if options.start.as_ref().is_some_and(Start::lists_spans) {
            needed_spans(&mut search, platform, layers);
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

/// Finds the files of which no layer has an entry of that very name, which is all that the reference looks for: where
/// the paths lead in a container, as far as layers are known.
fn as_in_a_container(
    search: &mut Search,
    platform: &PlannedPlatform,
    layers: &BTreeMap<Digest, Done>,
    tables: &BTreeMap<Digest, Arc<Table>>,
) {
    if search.is_done() {
        return;
    }
    let known: Vec<(usize, &Arc<Table>)> = (platform.layers.iter().enumerate())
        .filter_map(|(position, layer)| Some((position, tables.get(&layer.descriptor.digest)?)))
        .collect();
    let tocs: Vec<Option<&Toc>> = known.iter().map(|(_, table)| Some(table.toc())).collect();
    let rootfs = Rootfs::new(&tocs);
    for path in search.open() {
        let found = rootfs.find(&path).ok();
        let Some(found) = found.filter(|found| found.file_type == FileType::Regular) else {
            continue;
        };
        let (position, _) = known[found.layer];
        // A file in a layer without a zTOC is there with it.
        let spans = match layers.get(&platform.layers[position].descriptor.digest) {
            Some(Done::Ztoc(facts)) => found.entry.and_then(|entry| facts.spans_of_entries.get(entry)),
            _ => None,
        };
        let range = |(start, end): &(u32, u32)| SpanRange {
            start: u64::from(*start),
            end: u64::from(*end),
        };
        search.found(&path, spans.map(|spans| (position, range(spans))));
    }
}

/// The spans that a start needs.
fn needed_spans(search: &mut Search, platform: &PlannedPlatform, layers: &BTreeMap<Digest, Done>) {
    for (position, layer) in platform.layers.iter().enumerate() {
        if let Some(Done::Ztoc(facts)) = layers.get(&layer.descriptor.digest)
            && let Some(start) = &facts.start
        {
            start.ranges().for_each(|spans| search.add(position, spans));
        }
    }
}

fn layer_index(layer: &PlannedLayer, layers: &BTreeMap<Digest, Done>, options: &Options) -> LayerIndex {
    match (&layer.decision, layers.get(&layer.descriptor.digest)) {
        (Decision::Skip(reason), _) | (Decision::Index | Decision::Reuse(_), Some(Done::Skipped(reason))) => {
            LayerIndex::Skipped(reason.clone())
        }
        (Decision::Index | Decision::Reuse(_), Some(Done::Ztoc(facts))) => LayerIndex::Ztoc {
            digest: facts.digest.clone(),
            size: facts.size,
            span_size: options.span_size,
            disable_xattrs: facts.disable_xattrs,
            shaped: facts.shaped.clone(),
        },
        (Decision::Index | Decision::Reuse(_), _) => unreachable!("every layer to index was waited for"),
    }
}

pub(super) fn image_report(
    planned: &PlannedImage,
    root: &Root,
    conversion: &Conversion,
    layers: &BTreeMap<Digest, Done>,
    remarks: &BTreeMap<Digest, Remark>,
    platforms: &[PlatformIndex],
    repeated: &[RepeatedLayer],
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
                .map(|layer| layer_report(layer, layers, remarks, repeated))
                .collect(),
            prefetch_artifacts: index.prefetch.len(),
        });
    }
    report_of(root, conversion, reports)
}

/// The report of an image that a conversion has made of `root`.
pub(super) fn report_of(root: &Root, conversion: &Conversion, platforms: Vec<PlatformReport>) -> ImageReport {
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
        // Layers may have been rewritten, or one put on top, before the conversion.
        changed: conversion.root.digest != root.descriptor.digest,
        repaired: Vec::new(),
        platforms,
    }
}

fn layer_report(
    layer: &PlannedLayer,
    layers: &BTreeMap<Digest, Done>,
    remarks: &BTreeMap<Digest, Remark>,
    repeated: &[RepeatedLayer],
) -> LayerReport {
    let skipped = |reason: &SkipReason| LayerOutcome::Skipped {
        reason: reason.clone(),
        message: reason.to_string(),
    };
    let outcome = match (&layer.decision, layers.get(&layer.descriptor.digest)) {
        (Decision::Skip(reason), _) | (Decision::Index | Decision::Reuse(_), Some(Done::Skipped(reason))) => {
            skipped(reason)
        }
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
    let start = match layers.get(&layer.descriptor.digest) {
        Some(Done::Ztoc(facts)) => facts.start.clone(),
        _ => None,
    };
    LayerReport {
        start,
        digest: layer.descriptor.digest.clone(),
        size: layer.descriptor.size,
        media_type: layer.descriptor.media_type.clone(),
        outcome,
        repeats: (repeated.iter())
            .find(|repeated| repeated.digest.as_ref() == Some(&layer.descriptor.digest))
            .cloned(),
        remark: remarks.get(&layer.descriptor.digest).cloned(),
    }
}
