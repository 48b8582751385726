//! `backfill REPOSITORY…`: what is in a registry already, made SOCI-enabled.

use std::thread::available_parallelism;

use soci_aws::moment::Moment;
use soci_image::Reference;
use soci_store::workflow::Tables;

use crate::backfill::{self, Dates, Filter, Queue, Settings, Shard, TagGlob};
use crate::build::publish::tag_model;
use crate::commands::CommandResult;
use crate::commands::convert::index_flags::LayerFlags;
use crate::config::Config;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;

/// Flags of `backfill`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every tag is looked at. A layer that several images have is read once; the others take its zTOC. What is done already
costs a few requests and no layer, so a run that was stopped is gone on with by running it again. An image that fails
stays as it is, is told at the end, and stops no other.

  cargo soci backfill 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web --dry-run
  cargo soci backfill registry.example.com/shop/web --tags 'v*' --newest 20 --tag-model sibling
  cargo soci backfill registry.example.com/a registry.example.com/b --shard 2/8 --format json")]
pub struct Args {
    /// Repository with its registry and no tag, such as registry.example.com/shop/web
    #[arg(value_name = "REPOSITORY", required = true)]
    pub repositories: Vec<String>,
    /// Only tags that match, such as 'v*'; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub tags: Vec<TagGlob>,
    /// No tags that match; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub except: Vec<TagGlob>,
    /// Of each repository only so many images, the newest by the date in their config
    #[arg(long, value_name = "N")]
    pub newest: Option<usize>,
    /// Only images made at or after this date, 2026-11-29 or 2026-11-29T12:00:00Z, by the date in their config
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub since: Option<Moment>,
    /// Only one of N parts of the work: I from 1 to N. A tag is in the same part in every run
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// `replace` moves each tag to its SOCI-enabled image, `sibling` tags that TAG-soci
    #[arg(long, value_name = "MODEL")]
    pub tag_model: Option<String>,
    /// How layers are indexed.
    #[command(flatten)]
    pub layers: LayerFlags,
    /// Images that are converted at the same time [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Put the list into this queue of Amazon SQS, whose function (docs/lambda.md) converts the images
    /// by its own settings
    #[arg(long, value_name = "URL", conflicts_with = "dry_run")]
    pub queue: Option<String>,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
}

/// Converts what is there, and prints what became of it.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let mut flags = args.layers.settings()?;
    flags.word("jobs", "--jobs", args.jobs.as_deref())?;
    flags.word("tag-model", "--tag-model", args.tag_model.as_deref())?;
    flags.pairs(&args.config)?;
    let config = Config::around_working_folder(&flags)?;
    config.warn(context);
    context.registries.configure(&config)?;
    let mut repositories: Vec<Reference> = Vec::new();
    for text in &args.repositories {
        let repository = repository(text)?;
        if !repositories.iter().any(|there| there.name() == repository.name()) {
            repositories.push(repository);
        }
    }
    let model = tag_model(&config);
    let shard = args.shard.as_deref().map(shard).transpose()?;
    let mut options = args.layers.options(&config, context)?;
    // A trace is that of one program; here are the images of many.
    options.start = None;
    let at_once = match config.number("jobs") {
        Some(_) => options.jobs.get(),
        None => available_parallelism().map_or(1, usize::from),
    };
    // Images are the unit of work here: each has one thread for its layers.
    options.jobs = std::num::NonZeroUsize::MIN;
    let settings = Settings {
        filter: Filter {
            only: args.tags,
            except: args.except,
            shard,
            model,
        },
        dates: Dates {
            since: args.since,
            newest: args.newest,
        },
        model,
        options,
        at_once,
        tables: Tables::ROOM / at_once as u64,
        dry_run: args.dry_run,
        queue: args
            .queue
            .as_deref()
            .map(|url| Queue::open(url, context))
            .transpose()?,
    };
    context
        .cancel
        .leaves("interrupted; what was converted stays, the same command goes on from there");
    let report = backfill::run(&repositories, &settings, context)?;
    match format {
        Format::Json => context.report_json(&report)?,
        _ => context.report(&report.human())?,
    }
    context.cancel.check()?;
    Ok(match report.has_failures() {
        true => Exit::Failed,
        false => Exit::Done,
    })
}

fn repository(text: &str) -> Result<Reference, CommandError> {
    let bare = text.strip_prefix("docker://").unwrap_or(text);
    let reference = Reference::parse(bare).map_err(|error| {
        CommandError::usage(error.to_string()).help("write HOST/REPOSITORY, without a tag")
    })?;
    if reference.tag().is_some() || reference.digest().is_some() {
        return Err(CommandError::usage(format!(
            "{text} names one image, and backfill is about a repository"
        ))
        .help(format!(
            "backfill {} --tags TAG, or convert {text}",
            reference.name()
        )));
    }
    Ok(reference)
}

fn shard(text: &str) -> Result<Shard, CommandError> {
    text.parse()
        .map_err(|error| CommandError::usage(format!("--shard {text:?}: {error}")))
}

fn date(text: &str) -> Result<Moment, String> {
    let whole = format!("{text}T00:00:00Z");
    Moment::parse(text)
        .or_else(|| Moment::parse(&whole))
        .ok_or_else(|| "a date is 2026-11-29 or 2026-11-29T12:00:00Z".to_owned())
}
