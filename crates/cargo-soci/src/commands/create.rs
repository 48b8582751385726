//! `create SRC [DST]`: a SOCI index v1 beside an image that stays as it is.

use soci_image::Platform;
use soci_store::workflow::{self, Options};
use soci_store::{Location, block_on};

use crate::commands::Outcome;
use crate::commands::convert::human;
use crate::commands::convert::reuse::{self, ReuseFlags};
use crate::commands::layer_progress::LayerProgress;
use crate::config::{Config, Flags, project};
use crate::context::{Context, Format};
use crate::conversion;
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;
use crate::places;

/// Flags of `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A SOCI index v1 refers to the image, which keeps its digest. Fargate takes v1 only for AWS accounts that used SOCI
with it before v2 came; for all others it loads the whole image and says nothing. They need `convert`
(docs/registry.md has the sources). The registry must take manifests with a subject.

  cargo soci create 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4
  cargo soci create image.tar ./layout-with-index")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where image and SOCI index go; without it, the index goes to where the image is
    #[arg(value_name = "DST")]
    pub destination: Option<String>,
    /// Which of several images in SRC, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Platform to index, such as linux/arm64; may be repeated. Default: all that are there
    #[arg(short, long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<Platform>,
    /// Bytes between two checkpoints of a layer, such as 4MiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub span_size: Option<String>,
    /// Layers below this compressed size get no zTOC
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub min_layer_size: Option<String>,
    /// Who builds, as zTOCs and SOCI indexes say it
    #[arg(long, value_name = "TEXT", default_value = Options::BUILD_TOOL)]
    pub build_tool_identifier: String,
    /// Ztocs that are there already.
    #[command(flatten)]
    pub reuse: ReuseFlags,
    /// Layers that are indexed at the same time. Default: the number of cores
    #[arg(long, value_name = "N")]
    pub jobs: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Makes the SOCI indexes, and prints what was done.
pub fn run(args: Args, context: &Context) -> Outcome {
    let format = context.format(&[Format::Human, Format::Json])?;
    let config = config(&args)?;
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
    let mut options = Options {
        build_tool_identifier: args.build_tool_identifier.clone(),
        platforms: args.platforms.clone(),
        ..conversion::options(&config, context)?
    };
    options.tag = places::wanted_tag(&source_location, args.tag.as_deref())?;
    reuse::apply(
        &args.reuse,
        &mut options,
        &source_location,
        &destination_location,
        context,
    )?;
    let source = places::open(&source_location, context)?;
    if args.dry_run {
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
    let progress = LayerProgress::new(context, "indexed", "left without a zTOC");
    let report = workflow::create(&source, destination, new_tag, &options, &|event| {
        progress.event(event)
    })
    .map_err(|error| places::failed(&error))?;
    if context.is_quiet() {
        let indexes = report.images.iter().flat_map(|image| &image.platforms);
        let digests: Vec<_> = indexes
            .filter_map(|one| one.soci_index.as_ref())
            .map(ToString::to_string)
            .collect();
        context.report(&digests.join("\n"))?;
    } else if destination_location == Location::Stream {
        context.note(&human::report(&report, &destination_location));
    } else {
        match format {
            Format::Json => context.report_json(&report)?,
            _ => context.report(&human::report(&report, &destination_location))?,
        }
    }
    Ok(Exit::Done)
}

fn config(args: &Args) -> Result<Config, CommandError> {
    let mut flags = Flags::default();
    flags.word("span-size", "--span-size", args.span_size.as_deref())?;
    flags.word(
        "min-layer-size",
        "--min-layer-size",
        args.min_layer_size.as_deref(),
    )?;
    flags.word("jobs", "--jobs", args.jobs.as_deref())?;
    let folder = std::env::current_dir().or_fail(|| "cannot find the working folder".to_owned())?;
    Ok(Config::load(
        project::around(&folder),
        &flags,
        std::env::vars_os(),
    )?)
}
