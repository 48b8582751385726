//! One image, from looking at it to its new tag.

use std::sync::Arc;

use soci_image::{Digest, Reference};
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, LayerOutcome, Options, Plan, Report, Reuse, ReusePlace, Tables};
use soci_store::{Error, Location, block_on};

use super::layers::Layers;
use super::report::Outcome;
use super::run::Settings;
use crate::build::publish::{TagModel, soci_name};
use crate::context::Context;
use crate::conversion;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// Makes one image SOCI-enabled; an error only if the run is to stop.
pub(super) fn convert(
    image: &Reference,
    settings: &Settings,
    layers: &Layers,
    context: &Context,
) -> Result<Outcome, CommandError> {
    match attempt(image, settings, layers, context) {
        Err(error) if error.exit() == Exit::Interrupted => Err(error),
        Err(error) if error.exit() == Exit::NothingToIndex => Ok(Outcome::NothingToIndex {
            reason: error.message().to_owned(),
        }),
        Err(error) => Ok(Outcome::Failed {
            reason: error.message().to_owned(),
            help: error.help_text().map(str::to_owned),
        }),
        done => done,
    }
}

fn attempt(
    image: &Reference,
    settings: &Settings,
    layers: &Layers,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let source = places::image(image, context)?;
    let mut options = Options {
        reuse: Reuse::None,
        tables: Tables::with_room(settings.tables),
        ..settings.options.clone()
    };
    let plan = match block_on(workflow::plan(&source, &options)) {
        Err(Error::Image(error @ soci_image::Error::Kind { .. })) => {
            return Ok(Outcome::NoImage {
                reason: error.to_string(),
            });
        }
        plan => plan.map_err(|error| places::failed(&error))?,
    };
    if let Some(tool) = other_tool(&plan, &options) {
        return Ok(Outcome::OfAnotherTool { tool });
    }
    let wanted = plan.layers_to_index();
    let digests: Vec<Digest> = wanted.iter().map(|layer| layer.digest.clone()).collect();
    if settings.dry_run {
        return Ok(Outcome::WouldConvert {
            layers: wanted.len(),
            bytes: wanted.iter().map(|layer| layer.size).sum(),
        });
    }
    let target = soci_name(settings.model, image)?;
    let in_place = settings.model == TagModel::Replace;
    let before = match in_place {
        true => None,
        false => named_by(&target, context),
    };
    let claim = layers.claim(&digests, &context.cancel)?;
    options.reuse = Reuse::SameTool;
    options.reuse_referrers = in_place;
    let others = claim.places.iter().cloned();
    options.reuse_from = before
        .iter()
        .map(|before| Arc::clone(&before.place))
        .chain(others)
        .map(|place| ReusePlace {
            name: "another image".to_owned(),
            source: place,
            optional: true,
        })
        .collect();
    let location = Location::Registry(target.clone());
    let destination: AnyDestination = match in_place {
        true => places::create_in_place(&location, context)?,
        false => places::create(&location, context)?,
    };
    let report = conversion::convert(&source, destination, target.tag(), &options, context)?;
    let [done] = report.images.as_slice() else {
        return Err(CommandError::failed(
            "the registry lists several images under this tag",
        ));
    };
    let result: Arc<AnySource> = Arc::new(places::image(&target.with_digest(&done.digest), context)?);
    claim.done(with_ztoc(&report), &result);
    let is_new = match &before {
        Some(before) => before.digest != done.digest,
        None => done.changed || !done.repaired.is_empty(),
    };
    let name = target.to_string();
    let digest = done.digest.clone();
    if !is_new {
        return Ok(Outcome::Already { name, digest });
    }
    let (mut indexed, mut reused) = (0, 0);
    for layer in report.layers() {
        match layer.outcome {
            LayerOutcome::Indexed { .. } => indexed += 1,
            LayerOutcome::Reused { .. } => reused += 1,
            LayerOutcome::Skipped { .. } => {}
        }
    }
    Ok(Outcome::Converted {
        name,
        digest,
        indexed,
        reused,
    })
}

/// The tools that indexed every platform that is to be, if ours is not among them.
fn other_tool(plan: &Plan, options: &Options) -> Option<String> {
    let tools = plan.tools();
    let ours = tools.contains(&options.build_tool_identifier.as_str());
    let tools: Vec<&str> = tools.into_iter().collect();
    (!ours && !tools.is_empty()).then(|| tools.join(", "))
}

/// What a sibling names before the conversion.
struct Before {
    digest: Digest,
    place: Arc<AnySource>,
}

/// What cannot be read there is replaced like what is not there.
fn named_by(sibling: &Reference, context: &Context) -> Option<Before> {
    let place = places::image(sibling, context).ok()?;
    let digest = block_on(workflow::named_now(&place)).ok()?;
    Some(Before {
        digest,
        place: Arc::new(place),
    })
}

fn with_ztoc(report: &Report) -> impl Iterator<Item = Digest> + '_ {
    let layers = report.layers().into_iter();
    layers
        .filter(|layer| !matches!(layer.outcome, LayerOutcome::Skipped { .. }))
        .map(|layer| layer.digest.clone())
}
