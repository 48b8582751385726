//! `convert SRC [DST]`: an image in, a SOCI-enabled image out.

use std::path::PathBuf;

use soci_image::Digest;
use soci_store::workflow::{self, Options};
use soci_store::{Location, block_on};

use crate::build::metadata_file::MetadataArgument;
use crate::commands::CommandResult;
use crate::config::Config;
use crate::context::{Context, Format};
use crate::conversion::{self, Converted, Outcome, Plain};
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::places;

use index_flags::IndexFlags;

mod from_metadata;
pub(crate) mod human;
pub(crate) mod index_flags;
mod metadata;
pub(crate) mod reuse;

/// Flags of `convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SRC and DST are places:
  image.tar, oci-archive:FILE[:TAG]      an OCI archive, also gzip'd
  ./layout, oci:FOLDER[:TAG]             an OCI image layout
  -                                      an OCI archive on stdin or stdout
  HOST/REPOSITORY:TAG, docker://REF      an image in a registry

  cargo soci convert image.tar image-soci.tar
  docker buildx build --output type=oci . | cargo soci convert - image-soci.tar
  docker buildx build --push --metadata-file meta.json .
  docker soci convert --from-metadata meta.json")]
pub struct Args {
    /// Where the image is
    #[arg(
        value_name = "SRC",
        required_unless_present = "from_metadata",
        conflicts_with = "from_metadata"
    )]
    pub source: Option<String>,
    /// Where the SOCI-enabled image goes; without it, it takes the place of SRC
    #[arg(value_name = "DST")]
    pub destination: Option<String>,
    /// Which image, and how its layers are indexed.
    #[command(flatten)]
    pub index: IndexFlags,
    /// If nothing of the image can be indexed: fail (exit code 4) or pass, which brings it to DST as it is
    #[arg(long, value_name = "WHAT")]
    pub if_nothing_to_index: Option<String>,
    /// Rewrite layers that cannot be loaded lazily (zstd) or are risky (gzip of several members)
    #[arg(long, value_name = "KIND")]
    pub recompress: Option<String>,
    /// gzip level of rewritten layers, 1 to 9
    #[arg(long, value_name = "N")]
    pub recompress_level: Option<String>,
    /// Keep the uncompressed layers of a `docker save` archive, which are written as gzip otherwise
    #[arg(long)]
    pub keep_uncompressed: bool,
    /// Convert what a build pushed, by digest: the file that buildx or bake wrote with --metadata-file, and
    /// for bake perhaps one target
    #[arg(long, value_name = "FILE[#TARGET]", conflicts_with = "tag")]
    pub from_metadata: Option<MetadataArgument>,
    /// Name of the image in the registry, where the metadata file has none; may be repeated
    #[arg(long = "name", value_name = "REF", requires = "from_metadata")]
    pub names: Vec<String>,
    /// With --from-metadata: `replace` moves the tag to the SOCI-enabled image, `sibling` tags it TAG-soci
    #[arg(long, value_name = "MODEL", requires = "from_metadata")]
    pub tag_model: Option<String>,
    /// Fail if a layer cannot be indexed for a reason other than its size
    #[arg(long)]
    pub strict: bool,
    /// Write digest, descriptor and name of the image as buildx does, and the digests of its SOCI indexes
    #[arg(long, value_name = "FILE")]
    pub metadata_file: Option<PathBuf>,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
}

/// Converts, and prints what was done.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let config = config(&args)?;
    config.warn(context);
    context.registries.configure(&config)?;
    if let Some(file) = &args.from_metadata {
        return from_metadata::run(file, &args, &config, format, context);
    }
    let source_location = places::source(args.source.as_deref().unwrap_or_default(), context)?;
    let destination_location = match &args.destination {
        Some(text) => places::location(text)?,
        None if source_location == Location::Stream => {
            return Err(
                CommandError::usage("an image from standard input needs a destination")
                    .help("cargo soci convert - image-soci.tar"),
            );
        }
        None => source_location.clone(),
    };
    let mut options = options(&args, &config, context)?;
    args.index
        .apply_places(&mut options, &source_location, &destination_location, context)?;
    let source = places::open(&source_location, context)?;
    let recompress = conversion::recompress(&config, &source, plain(&args))?;
    let repeat = conversion::repeat(&config)?;
    if args.index.dry_run {
        conversion::tell_repeat(repeat, context);
        let plan = block_on(workflow::plan(&source, &options)).map_err(|error| places::failed(&error))?;
        return match format {
            Format::Json => context.report_json(&human::plan_value(&plan)),
            _ => context.report(&human::plan(&plan)),
        }
        .map(|()| Exit::Done);
    }
    let new_tag = args
        .destination
        .as_ref()
        .and(places::new_tag(&destination_location));
    let create = || match &args.destination {
        Some(_) => places::create(&destination_location, context),
        None => places::create_in_place(&destination_location, context),
    };
    let destination = create()?;
    let prepared = conversion::prepare(source, &options, recompress, repeat, context)?;
    let outcome = conversion::convert_into(
        &prepared,
        destination,
        &create,
        source_location == destination_location,
        new_tag,
        &options,
        conversion::passes_nothing_to_index(&config),
        context,
    )?;
    let converted = match outcome {
        Outcome::Converted(report) => Converted {
            report,
            recompressed: prepared.recompressed,
        },
        Outcome::AsItWas { digests, reason } => {
            print_as_it_was(&digests, &reason, &destination_location, format, context)?;
            return Ok(Exit::Done);
        }
    };
    if let Some(path) = &args.metadata_file {
        metadata::write(
            path,
            &converted.report,
            &metadata::Published::At(&destination_location),
        )?;
    }
    print(&converted, &destination_location, format, context)?;
    Ok(Exit::Done)
}

/// The image went to its destination and has no SOCI index.
fn print_as_it_was(
    digests: &[Digest],
    reason: &CommandError,
    destination: &Location,
    format: Format,
    context: &Context,
) -> Result<(), CommandError> {
    let lines: Vec<String> = digests.iter().map(ToString::to_string).collect();
    let text = format!(
        "{} as it was, in {}: nothing to index",
        lines.join(", "),
        escape::terminal(&destination.to_string())
    );
    match format {
        _ if *destination == Location::Stream => {
            context.note(&text);
            Ok(())
        }
        _ if context.is_quiet() => context.report(&lines.join("\n")),
        Format::Json => context.report_json(&serde_json::json!({
            "images": digests.iter().map(|digest| serde_json::json!({ "digest": digest })).collect::<Vec<_>>(),
            "nothingToIndex": reason.message(),
        })),
        _ => context.report(&text),
    }
}

/// stdout carries one thing: the archive if that is where it went, else the report.
fn print(
    converted: &Converted,
    destination: &Location,
    format: Format,
    context: &Context,
) -> Result<(), CommandError> {
    let report = &converted.report;
    if *destination == Location::Stream {
        context.note(&human::report(report, destination));
        return Ok(());
    }
    if context.is_quiet() {
        let digests: Vec<_> = report
            .images
            .iter()
            .map(|image| image.digest.to_string())
            .collect();
        return context.report(&digests.join("\n"));
    }
    match format {
        Format::Json => context.report_json(converted),
        _ => context.report(&human::report(report, destination)),
    }
}

fn config(args: &Args) -> Result<Config, CommandError> {
    let mut flags = args.index.settings()?;
    flags.word(
        "if-nothing-to-index",
        "--if-nothing-to-index",
        args.if_nothing_to_index.as_deref(),
    )?;
    flags.word("recompress", "--recompress", args.recompress.as_deref())?;
    flags.word(
        "recompress-level",
        "--recompress-level",
        args.recompress_level.as_deref(),
    )?;
    flags.word("tag-model", "--tag-model", args.tag_model.as_deref())?;
    flags.pairs(&args.config)?;
    Config::around_working_folder(&flags)
}

fn options(args: &Args, config: &Config, context: &Context) -> Result<Options, CommandError> {
    Ok(Options {
        strict: args.strict,
        ..args.index.layers.options(config, context)?
    })
}

fn plain(args: &Args) -> Plain {
    if args.keep_uncompressed {
        Plain::Keep
    } else {
        Plain::CompressDockerSave
    }
}
