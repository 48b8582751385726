//! `create SRC [DST]`: a SOCI index v1 beside an image that stays as it is.

use soci_store::workflow;
use soci_store::{Location, block_on};

use crate::commands::CommandResult;
use crate::commands::convert::human;
use crate::commands::convert::index_flags::IndexFlags;
use crate::commands::layer_progress::LayerProgress;
use crate::config::Config;
use crate::context::{Context, Format};
use crate::conversion;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// Flags of `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A SOCI index v1 refers to the image, which keeps its digest. Fargate takes v1 only for AWS accounts that used SOCI
with it before v2 came; for all others it loads the whole image and says nothing. They need `convert`
(docs/registry.md has the sources). The registry must take manifests with a subject. A layer on top
(--start-layer, --restate-directories) makes another image, which then has the index.

  cargo soci create 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4
  cargo soci create image.tar ./layout-with-index")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where image and SOCI index go; without it, the index goes to where the image is
    #[arg(value_name = "DST")]
    pub destination: Option<String>,
    /// Which image, and how its layers are indexed.
    #[command(flatten)]
    pub index: IndexFlags,
}

/// Makes the SOCI indexes, and prints what was done.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let config = Config::around_working_folder(&args.index.settings()?)?;
    config.warn(context);
    context.registries.configure(&config)?;
    let source_location = places::source(&args.source, context)?;
    let destination_location = match &args.destination {
        Some(text) => places::location(text)?,
        None if source_location == Location::Stream => {
            return Err(CommandError::usage(
                "an image from standard input needs a destination",
            ));
        }
        None => source_location.clone(),
    };
    let mut options = args.index.layers.options(&config, context)?;
    if args.index.layers.platforms.is_empty() {
        // Those of the configuration are for builds and conversions.
        options.platforms.clear();
    }
    args.index
        .apply_places(&mut options, &source_location, &destination_location, context)?;
    let source = places::open(&source_location, context)?;
    let repeat = conversion::repeat(&config)?;
    if args.index.dry_run {
        conversion::tell_repeat(repeat, context);
        let plan = block_on(workflow::plan(&source, &options)).map_err(|error| places::failed(&error))?;
        match format {
            Format::Json => context.report_json(&human::plan_value(&plan))?,
            _ => context.report(&human::plan(&plan))?,
        }
        return Ok(Exit::Done);
    }
    let new_tag = args
        .destination
        .as_ref()
        .and(places::new_tag(&destination_location));
    let destination = match &args.destination {
        Some(_) => places::create(&destination_location, context)?,
        None => places::create_in_place(&destination_location, context)?,
    };
    let prepared = conversion::prepare(source, &options, None, repeat, context)?;
    let progress = LayerProgress::new(context, "indexed", "left without a zTOC");
    let report = workflow::create(&prepared.source, destination, new_tag, &options, &|event| {
        progress.event(event)
    })
    .map_err(|error| places::failed(&error))?;
    conversion::warn(&report, context);
    if context.is_quiet() {
        let indexes = report.images.iter().flat_map(|image| &image.platforms);
        let digests: Vec<_> = indexes
            .filter_map(|one| one.soci_index.as_ref())
            .map(ToString::to_string)
            .collect();
        context.report(&digests.join("\n"))?;
    } else if destination_location == Location::Stream {
        context.note(&human::created(&report, &destination_location));
    } else {
        match format {
            Format::Json => context.report_json(&report)?,
            _ => context.report(&human::created(&report, &destination_location))?,
        }
    }
    Ok(Exit::Done)
}
