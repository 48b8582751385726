//! An image of a registry, converted under its names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use soci_image::{Digest, Platform, Reference, built};
use soci_registry::{Client, RetryPolicy};
use soci_store::Error;
use soci_store::registry::Wire;
use soci_store::workflow::{Event, LayerOutcome, Named, Options, Over, Report, TagModel, plan};
use wasm_bindgen::prelude::wasm_bindgen;

use super::client::client;
use super::{host, login};
use crate::Objection;

/// What is to be converted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Job {
    /// The image by its names; the first one is where it is read.
    names: Vec<String>,
    /// What a build pushed under those names, if that is known.
    digest: Option<String>,
    /// Where the result goes instead.
    destination: Option<String>,
    tag_model: TagModel,
    platforms: Vec<String>,
    span_size: Option<u64>,
    min_layer_size: Option<u64>,
    prefetch_files: Vec<String>,
    allow_differences: bool,
    /// Whether an image of which nothing can be indexed is good as it is.
    passes_nothing_to_index: bool,
    login: Option<login::Given>,
}

/// What was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    names: Vec<String>,
    digest: String,
    media_type: String,
    size: u64,
    soci_indexes: BTreeMap<String, String>,
    lazy_bytes: u64,
    image_bytes: u64,
    /// Why nothing was indexed.
    nothing_to_index: Option<String>,
    report: Option<Report>,
}

/// The images of a builder's metadata file, as JSON: a list of `digest`, `names`, `target`.
#[wasm_bindgen]
pub fn jobs(metadata: &str, target: Option<String>) -> Result<String, Objection> {
    let images = built::read(metadata.as_bytes(), target.as_deref());
    let images = images.map_err(|error| Objection(error.to_string()))?;
    let images = images.iter().map(|image| {
        serde_json::json!({
            "target": image.target,
            "digest": image.digest.as_str(),
            "names": image.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    Ok(serde_json::Value::Array(images.collect()).to_string())
}

/// Converts an image; takes and gives JSON.
#[wasm_bindgen]
pub fn convert(job: &str) -> Result<String, Objection> {
    let job: Job = serde_json::from_str(job).map_err(|error| Objection(error.to_string()))?;
    let done = run(job)?;
    serde_json::to_string(&done).map_err(|error| Objection(error.to_string()))
}

fn run(job: Job) -> Result<Done, Objection> {
    let names = references(&job.names)?;
    let Some(lead) = names.first() else {
        return Err(Objection("the image has no name".to_owned()));
    };
    let digest: Option<Digest> = match (&job.digest, lead.digest()) {
        (Some(text), _) => Some(Digest::parse(text).map_err(objection)?),
        (None, named) => named.cloned(),
    };
    let source = digest
        .as_ref()
        .map_or_else(|| lead.clone(), |digest| lead.with_digest(digest));
    let targets = match &job.destination {
        Some(destination) => references(std::slice::from_ref(destination))?,
        None => names.clone(),
    };
    for target in &targets {
        check_target(target, lead, job.destination.is_some())?;
    }
    let targets: Vec<Reference> = (targets.iter())
        .map(|name| job.tag_model.soci_name(name))
        .collect::<Result<_, _>>()?;
    let over = match (&job.destination, job.tag_model, &digest) {
        (None, TagModel::Replace, Some(digest)) => Over::This(digest),
        (None, TagModel::Replace, None) => Over::WhatWasRead,
        _ => Over::Anything,
    };
    let named = Named {
        source: &source,
        names: &targets,
        over,
    };
    let options = options(&job)?;
    let client = client(
        login::keychain(job.login, lead.registry())?,
        RetryPolicy::default(),
    );
    let observer = |event: Event| {
        if host::interrupted() {
            options.cancel.store(true, Ordering::Relaxed);
        }
        tell(&event);
    };
    match named.convert(&client, &options, &observer) {
        Ok(report) => of_report(report, &targets),
        Err(error @ Error::NothingToIndex { .. }) if job.passes_nothing_to_index => {
            let shown = match job.destination {
                None => &names,
                Some(_) => {
                    named.copy(&client, &options)?;
                    &targets
                }
            };
            as_it_was(&client, &source, shown, &options, &error)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the result can have this name.
fn check_target(target: &Reference, source: &Reference, is_destination: bool) -> Result<(), Objection> {
    if is_destination && target.registry() != source.registry() {
        return Err(Objection(format!(
            "{target} is in another registry than {source}, and its layers would have to move there: \
             `cargo soci convert {source} {target}` does that"
        )));
    }
    let by_digest_alone = target.digest().is_some() && (is_destination || target.tag().is_none());
    if by_digest_alone {
        return Err(Objection(format!(
            "{target} names an image by its digest, which cannot change: give a tag to write to, {}:TAG, as the input \
             destination",
            target.name()
        )));
    }
    Ok(())
}

fn options(job: &Job) -> Result<Options, Objection> {
    let mut options = Options {
        prefetch: job.prefetch_files.clone(),
        allow_differences: job.allow_differences,
        ..Options::default()
    };
    for platform in &job.platforms {
        options
            .platforms
            .push(Platform::parse(platform).map_err(objection)?);
    }
    options.span_size = job.span_size.unwrap_or(options.span_size);
    options.min_layer_size = job.min_layer_size.unwrap_or(options.min_layer_size);
    Ok(options)
}

fn references(names: &[String]) -> Result<Vec<Reference>, Objection> {
    (names.iter())
        .map(|name| {
            let reference = Reference::parse(name).map_err(objection)?;
            // Never Docker Hub by accident.
            match reference.has_explicit_registry() {
                true => Ok(reference),
                false => Err(Objection(format!(
                    "{name} names no registry: write HOST/{name}, with docker.io for Docker Hub"
                ))),
            }
        })
        .collect()
}

fn objection(error: impl std::fmt::Display) -> Objection {
    Objection(error.to_string())
}

fn tell(event: &Event) {
    let event = match event {
        Event::LayerStarted { digest, size } => {
            serde_json::json!({ "event": "started", "layer": digest.as_str(), "size": size })
        }
        Event::LayerAdvanced { .. } => return,
        Event::LayerFinished { digest, indexed } => {
            serde_json::json!({ "event": "finished", "layer": digest.as_str(), "indexed": indexed })
        }
    };
    host::event(&event.to_string());
}

fn of_report(report: Report, names: &[Reference]) -> Result<Done, Objection> {
    let [image] = report.images.as_slice() else {
        return Err(Objection("the reference names several images".to_owned()));
    };
    let mut done = Done {
        names: names.iter().map(ToString::to_string).collect(),
        digest: image.digest.to_string(),
        media_type: image.media_type.clone(),
        size: image.size,
        soci_indexes: BTreeMap::new(),
        lazy_bytes: 0,
        image_bytes: 0,
        nothing_to_index: None,
        report: None,
    };
    for platform in &image.platforms {
        if let Some(index) = &platform.soci_index {
            done.soci_indexes
                .insert(platform.platform.clone(), index.to_string());
        }
    }
    for layer in report.layers() {
        done.image_bytes += layer.size;
        if !matches!(layer.outcome, LayerOutcome::Skipped { .. }) {
            done.lazy_bytes += layer.size;
        }
    }
    done.report = Some(report);
    Ok(done)
}

/// The image has no SOCI index, and that is good.
fn as_it_was(
    client: &Client<Wire>,
    source: &Reference,
    names: &[Reference],
    options: &Options,
    reason: &Error,
) -> Result<Done, Objection> {
    use soci_store::registry::RegistrySource;
    use soci_store::store::AnySource;

    let source = AnySource::Registry(soci_store::block_on(RegistrySource::open(client, source))?);
    let plan = soci_store::block_on(plan(&source, options))?;
    let Some(image) = plan.images.first() else {
        return Err(Objection("the reference names no image".to_owned()));
    };
    let mut seen = BTreeSet::new();
    let layers = plan.layers().map(|layer| &layer.descriptor);
    let root = &image.root.descriptor;
    Ok(Done {
        names: names.iter().map(ToString::to_string).collect(),
        digest: root.digest.to_string(),
        media_type: root.media_type.clone(),
        size: root.size,
        soci_indexes: BTreeMap::new(),
        lazy_bytes: 0,
        image_bytes: layers
            .filter(|layer| seen.insert(&layer.digest))
            .map(|layer| layer.size)
            .sum(),
        nothing_to_index: Some(reason.to_string()),
        report: None,
    })
}
