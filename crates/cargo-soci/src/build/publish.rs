//! What a builder made, converted and put under its names.
//!
//! | tag model | the tag names | the SOCI-enabled image is |
//! |---|---|---|
//! | `replace` | the SOCI-enabled image | there |
//! | `sibling` | the image as built | under the tag with `-soci` appended |
//!
//! Every tag moves last, when all that it points at is there.

use soci_image::{Digest, Reference};
use soci_store::Location;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Options};

use crate::commands::convert::reuse::{self, ReuseFlags};
use crate::config::Config;
use crate::context::Context;
use crate::conversion::{self, Converted, Outcome, Plain};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// What a builder made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// In the registry, in each repository of its names.
    Pushed(Digest),
    /// The same, by an earlier command.
    Earlier {
        /// The image.
        digest: Digest,
        /// Whether it was pushed under its names: they may name something newer by now.
        tagged: bool,
    },
    /// In an archive or a layout.
    Stored(Location),
}

pub use soci_store::workflow::{SIBLING_SUFFIX, TagModel};

/// The tag model that the configuration says.
pub fn tag_model(config: &Config) -> TagModel {
    match config.text("tag-model") {
        Some("sibling") => TagModel::Sibling,
        _ => TagModel::Replace,
    }
}

/// The name of the SOCI-enabled image.
pub fn soci_name(model: TagModel, name: &Reference) -> Result<Reference, CommandError> {
    model
        .soci_name(name)
        .map_err(|error| CommandError::usage(format!("{name} cannot have its tag")).because(&error))
}

/// What was published.
#[derive(Debug)]
pub struct PublishedImage {
    /// Names of the SOCI-enabled image; of the image as built if nothing could be indexed.
    pub names: Vec<Reference>,
    /// Its digest.
    pub digest: Digest,
    /// The conversion; `None` if nothing could be indexed.
    pub converted: Option<Converted>,
    /// Why nothing could be indexed.
    pub nothing_to_index: Option<CommandError>,
}

/// What lies in a layout or an archive.
#[derive(Debug)]
pub struct PlacedImage {
    /// Digest of the (first) image.
    pub digest: Option<Digest>,
    /// The conversion; `None` if nothing could be indexed.
    pub converted: Option<Converted>,
    /// Why nothing could be indexed, where that is not an error.
    pub nothing_to_index: Option<CommandError>,
}

/// How to convert.
pub struct Settings<'a> {
    /// Which image the tag names.
    pub model: TagModel,
    /// Options of the conversion.
    pub options: &'a Options,
    /// The configuration, for layers that are rewritten.
    pub config: &'a Config,
    /// What becomes of uncompressed layers.
    pub plain: Plain,
    /// Which zTOCs that are there already serve again.
    pub reuse: ReuseFlags,
}

/// Converts what was made and publishes it under `names` in their registries.
///
/// If nothing of it can be indexed, the image goes under its names as it was built: a deployment should not
/// fail because its image is small.
pub fn to_registry(
    made: &Made,
    names: &[Reference],
    settings: &Settings<'_>,
    context: &Context,
) -> Result<PublishedImage, CommandError> {
    let mut soci_names = Vec::new();
    for name in names {
        soci_names.push(soci_name(settings.model, name)?);
    }
    let Some(lead) = soci_names.first() else {
        return Err(CommandError::usage("the image has no name to publish it under"));
    };
    let mut options = settings.options.clone();
    let target = Location::Registry(lead.clone());
    reuse::apply(
        &settings.reuse,
        &mut options,
        &location(made, lead),
        &target,
        context,
    )?;
    let options = &options;
    let source = open(made, lead, context)?;
    let recompress = conversion::recompress(settings.config, &source, settings.plain)?;
    let repeat = conversion::repeat(settings.config)?;
    let prepared = conversion::prepare(source, options, recompress, repeat, context)?;
    // What was pushed has its name already; what lies in a file gets it from us, with the same layers.
    let original = match made {
        Made::Pushed(_) | Made::Earlier { .. } => None,
        Made::Stored(_) => Some(prepared.original()),
    };
    if settings.model == TagModel::Sibling && !matches!(made, Made::Earlier { tagged: true, .. }) {
        as_built(made, original, names, options, context)?;
    }
    // A tag that has moved on since the image was pushed under it names something newer.
    let over = match made {
        Made::Earlier { digest, tagged: true } if settings.model == TagModel::Replace => Some(digest),
        _ => None,
    };
    let destination = create_over(lead, over, context)?;
    let converted = match conversion::convert(&prepared.source, destination, lead.tag(), options, context) {
        Ok(report) => Converted {
            report,
            recompressed: prepared.recompressed,
        },
        // Of an earlier command's image nothing is touched then. What was tagged has its names, or what came after
        // it has them.
        Err(error) if error.exit() == Exit::NothingToIndex => {
            let passes = conversion::passes_nothing_to_index(settings.config);
            let digest = match made {
                Made::Earlier { digest, tagged } if *tagged || !passes => digest.clone(),
                _ => as_built(made, original, names, options, context)?,
            };
            return Ok(PublishedImage {
                names: names.to_vec(),
                digest,
                converted: None,
                nothing_to_index: Some(error),
            });
        }
        Err(error) => return Err(error),
    };
    let [image] = converted.report.images.as_slice() else {
        return Err(CommandError::failed(
            "the builder made several images; convert them one by one",
        ));
    };
    let digest = image.digest.clone();
    let published = lead.with_digest(&digest);
    workflow::spread(
        &places::image(&published, context)?,
        &published,
        &soci_names,
        &|name| create_over(name, over, context),
        options,
    )?;
    Ok(PublishedImage {
        names: soci_names,
        digest,
        converted: Some(converted),
        nothing_to_index: None,
    })
}

/// Converts what was made into a layout or an archive.
pub fn to_place(
    made: &Made,
    names: &[Reference],
    destination: &Location,
    settings: &Settings<'_>,
    context: &Context,
) -> Result<PlacedImage, CommandError> {
    let source = match (made, names.first()) {
        (Made::Stored(location), _) => places::open(location, context)?,
        (Made::Pushed(_) | Made::Earlier { .. }, Some(name)) => open(made, name, context)?,
        (Made::Pushed(_) | Made::Earlier { .. }, None) => {
            return Err(CommandError::usage(
                "the builder pushed an image, but `image` names none",
            ));
        }
    };
    let recompress = conversion::recompress(settings.config, &source, settings.plain)?;
    let repeat = conversion::repeat(settings.config)?;
    let prepared = conversion::prepare(source, settings.options, recompress, repeat, context)?;
    let create = || places::create(destination, context);
    let outcome = conversion::convert_into(
        &prepared,
        create()?,
        &create,
        matches!(made, Made::Stored(location) if location == destination),
        destination.tag(),
        settings.options,
        conversion::passes_nothing_to_index(settings.config),
        context,
    )?;
    Ok(match outcome {
        Outcome::Converted(report) => PlacedImage {
            digest: report.images.first().map(|image| image.digest.clone()),
            nothing_to_index: None,
            converted: Some(Converted {
                report,
                recompressed: prepared.recompressed,
            }),
        },
        Outcome::AsItWas { digests, reason } => PlacedImage {
            digest: digests.into_iter().next(),
            nothing_to_index: Some(reason),
            converted: None,
        },
    })
}

/// The image as it was built under each of the names; gives its digest.
fn as_built(
    made: &Made,
    stored: Option<&AnySource>,
    names: &[Reference],
    options: &Options,
    context: &Context,
) -> Result<Digest, CommandError> {
    let mut digest = None;
    for name in names {
        let name = soci_name(TagModel::Replace, name)?;
        let destination = create(&name, context)?;
        let copied = match stored {
            Some(source) => workflow::copy(source, destination, name.tag(), options),
            None => workflow::copy(&open(made, &name, context)?, destination, name.tag(), options),
        };
        let images = copied.map_err(|error| places::failed(&error))?;
        digest = images.first().map(|image| image.descriptor.digest.clone());
    }
    digest.ok_or_else(|| CommandError::failed("the builder made no image"))
}

/// What was made, in the repository of `name` if it was pushed.
fn open(made: &Made, name: &Reference, context: &Context) -> Result<AnySource, CommandError> {
    places::open(&location(made, name), context)
}

fn location(made: &Made, name: &Reference) -> Location {
    match made {
        Made::Stored(location) => location.clone(),
        Made::Pushed(digest) | Made::Earlier { digest, .. } => Location::Registry(name.with_digest(digest)),
    }
}

/// A place whose tag may only take the place of this image.
fn create_over(
    name: &Reference,
    over: Option<&Digest>,
    context: &Context,
) -> Result<AnyDestination, CommandError> {
    Ok(match (create(name, context)?, over) {
        (AnyDestination::Registry(place), Some(digest)) => AnyDestination::Registry(place.over(digest)),
        (place, _) => place,
    })
}

fn create(name: &Reference, context: &Context) -> Result<AnyDestination, CommandError> {
    places::create(&Location::Registry(name.clone()), context)
}
