//! The workflow from its plan to the published image.

use soci_image::annotation::{CONTAINERD_NAME, REF_NAME};
use soci_image::convert::{self, Conversion};
use soci_image::media_type::{PREFETCH, ZTOC};
use soci_image::soci_index::SociVersion;
use soci_image::{Descriptor, Digest, SociIndex};

use super::create::put_referrers;
use super::layers::{IndexedLayers, index_layers};
use super::meter::Meter;
use super::options::{Observer, Options};
use super::plan::{Plan, PlannedImage, plan, reasons};
use super::publish::put_image;
use super::report::{ImageReport, Report};
use super::start::Start;
use super::summary::{image_report, platform_indexes};
#[cfg(feature = "native")]
use super::survey::survey;
use crate::store::{AnyDestination, AnySource, Destination, Published, RootName, Source};
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
    #[allow(unused_mut, reason = "only files are told what is read")]
    let mut destination = destination.near(source);
    #[cfg(feature = "native")]
    destination.read_from(source)?;
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
    #[cfg_attr(not(feature = "native"), allow(unused_mut))] mut plan: Plan,
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
    // Before anything is written: the destination may be the source.
    let mut lost = Vec::new();
    for planned in &plan.images {
        lost.push(block_on(lost_parts(source, planned))?);
    }
    if plan.indexes_layers() {
        block_on(destination.ready())?;
    }
    // Without threads no door cuts spans for a start.
    #[cfg(feature = "native")]
    let surveyed = match &options.start {
        Some(start) => Some(survey(&mut plan, start, source, destination, options, observer)?),
        None => None,
    };
    #[cfg(feature = "native")]
    let options = surveyed.as_ref().unwrap_or(options);
    let IndexedLayers {
        done: layers,
        remarks,
        tables,
    } = index_layers(&plan, source, destination, options, observer)?;
    let nothing_to_index = || {
        let skipped = layers
            .iter()
            .filter_map(|(digest, done)| Some((digest.clone(), done.skipped()?)));
        Error::NothingToIndex {
            layers: reasons(&plan).into_iter().chain(skipped).collect(),
        }
    };
    // Known before the first document is written: then not one is.
    if layers.values().all(|done| done.skipped().is_some()) {
        return Err(nothing_to_index());
    }
    let mut published = Vec::new();
    let mut report = Report {
        images: Vec::new(),
        missing_prefetch_files: Vec::new(),
        start: options.start.as_ref().map(Start::report),
        traffic: None,
    };
    let mut nothing = 0;
    for (planned, lost) in plan.images.iter().zip(lost) {
        let (platforms, missing) = platform_indexes(planned, &layers, &tables, options);
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
        report.images.push(ImageReport {
            repaired: if conversion.changed { Vec::new() } else { lost },
            ..image_report(
                planned,
                &root,
                &conversion,
                &layers,
                &remarks,
                &platforms,
                source.repeated(),
            )
        });
        published.push(Published {
            root,
            descriptor: conversion.root,
        });
        published.extend(listings);
    }
    if nothing == plan.images.len() {
        return Err(nothing_to_index());
    }
    report.missing_prefetch_files.sort();
    report.missing_prefetch_files.dedup();
    Ok((published, report))
}

/// SOCI indexes that an image names and the source does not have, and zTOCs and prefetch lists that those name. Only
/// for the report: what cannot be found out does not stop the work.
async fn lost_parts(source: &AnySource, planned: &PlannedImage) -> Result<Vec<Digest>> {
    let mut lost = Vec::new();
    for entry in planned.image.images() {
        let Some(digest) = entry.manifest.soci_index_digest() else {
            continue;
        };
        let found = match planned.documents.get(&digest) {
            Some(bytes) => Some(bytes.to_vec()),
            None => match source.manifest(&digest).await {
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(_) => continue,
                Ok(found) => found,
            },
        };
        let Some(index) = found else {
            lost.push(digest);
            continue;
        };
        let Ok(index) = SociIndex::parse(&index) else {
            continue;
        };
        let ztocs = (index.ztocs.iter()).map(|one| Descriptor::new(ZTOC, one.digest.clone(), one.size));
        let lists =
            (index.prefetch.iter()).map(|one| Descriptor::new(PREFETCH, one.digest.clone(), one.size));
        for blob in ztocs.chain(lists) {
            match source.contains(&blob).await {
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Ok(false) => lost.push(blob.digest),
                Ok(true) | Err(_) => {}
            }
        }
    }
    lost.sort_unstable();
    lost.dedup();
    Ok(lost)
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
