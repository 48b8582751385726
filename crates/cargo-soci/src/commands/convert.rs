//! `convert SRC [DST]`: an image in, a SOCI-enabled image out.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::ValueEnum;
use soci_image::{Digest, Platform};
use soci_store::workflow::{self, Event, Options, Report};
use soci_store::{Location, block_on};

use crate::commands::Outcome;
use crate::config::{Config, Flags, project};
use crate::context::{Context, Format};
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;
use crate::places;
use crate::progress::Task;

mod human;

/// Flags of `convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SRC and DST are places:
  image.tar, oci-archive:FILE[:TAG]      an OCI archive, also gzip'd
  ./layout, oci:FOLDER[:TAG]             an OCI image layout
  -                                      an OCI archive on stdin or stdout
  HOST/REPOSITORY:TAG, docker://REF      an image in a registry

  cargo soci convert image.tar image-soci.tar
  docker buildx build --output type=oci . | cargo soci convert - image-soci.tar")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where the SOCI-enabled image goes; without it, it takes the place of SRC
    #[arg(value_name = "DST")]
    pub destination: Option<String>,
    /// Which of several images in SRC, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Platform to convert, such as linux/arm64; may be repeated. Default: all that are there
    #[arg(short, long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Bytes between two checkpoints of a layer, such as 4MiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub span_size: Option<String>,
    /// Layers below this compressed size get no zTOC
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub min_layer_size: Option<String>,
    /// Optimizations to allow; may be repeated
    #[arg(long, value_name = "NAME", value_enum)]
    pub optimizations: Vec<Optimization>,
    /// File that clients should fetch at once; may be repeated
    #[arg(long = "prefetch-file", value_name = "PATH")]
    pub prefetch_files: Vec<String>,
    /// JSON file with a list of such files
    #[arg(long, value_name = "FILE")]
    pub prefetch_files_json: Option<PathBuf>,
    /// Who builds, as zTOCs and SOCI indexes say it
    #[arg(long, value_name = "TEXT", default_value = Options::BUILD_TOOL)]
    pub build_tool_identifier: String,
    /// Layers that are indexed at the same time. Default: the number of cores
    #[arg(long, value_name = "N")]
    pub jobs: Option<String>,
    /// Fail if a layer cannot be indexed for another reason than its size
    #[arg(long)]
    pub strict: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
}

/// An optimization that needs to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optimization {
    /// Tell clients which layers have no extended attributes.
    Xattr,
}

/// Converts, and prints what was done.
pub fn run(args: Args, context: &Context) -> Outcome {
    let format = context.format(&[Format::Human, Format::Json])?;
    let source_location = places::location(&args.source)?;
    let destination_location = match &args.destination {
        Some(text) => places::location(text)?,
        None if source_location == Location::Stream => {
            return Err(CommandError::usage("an image from standard input needs a destination")
                .help("cargo soci convert - image-soci.tar"));
        }
        None => source_location.clone(),
    };
    let options = options(&args, &source_location, context)?;
    let source = places::open(&source_location, context)?;
    if args.dry_run {
        let plan = block_on(workflow::plan(&source, &options)).map_err(|error| places::failed(&error))?;
        return match format {
            Format::Json => context.report_json(&human::plan_value(&plan)),
            _ => context.report(&human::plan(&plan)),
        }
        .map(|()| Exit::Done);
    }
    let new_tag = args.destination.as_ref().and(destination_location.tag());
    let destination = places::create(&destination_location, context)?;
    let shown = Shown { context, tasks: Mutex::default() };
    let report = workflow::convert(&source, destination, new_tag, &options, &|event| shown.event(event))
        .map_err(|error| places::failed(&error))?;
    warn(&report, context);
    print(&report, &destination_location, format, context)?;
    Ok(Exit::Done)
}

/// stdout carries one thing: the archive if that is where it went, else the report.
fn print(report: &Report, destination: &Location, format: Format, context: &Context) -> Result<(), CommandError> {
    if *destination == Location::Stream {
        context.note(&human::report(report, destination));
        return Ok(());
    }
    if context.is_quiet() {
        let digests: Vec<_> = report.images.iter().map(|image| image.digest.to_string()).collect();
        return context.report(&digests.join("\n"));
    }
    match format {
        Format::Json => context.report_json(report),
        _ => context.report(&human::report(report, destination)),
    }
}

fn warn(report: &Report, context: &Context) {
    for path in &report.missing_prefetch_files {
        context.warn(&format!("no layer has the file {path}, which was to be fetched at once"));
    }
    let many = report.layers().into_iter().filter(|layer| {
        matches!(layer.outcome, workflow::LayerOutcome::Indexed { members, .. } if members > 1)
    });
    for layer in many {
        context.warn(&format!(
            "layer {} has several gzip members: soci-snapshotter before v0.14.0 reads only the first one",
            layer.digest
        ));
    }
}

fn options(args: &Args, source: &Location, context: &Context) -> Result<Options, CommandError> {
    let mut flags = Flags::default();
    flags.list("platforms", "--platform", &args.platforms)?;
    flags.word("span-size", "--span-size", args.span_size.as_deref())?;
    flags.word("min-layer-size", "--min-layer-size", args.min_layer_size.as_deref())?;
    flags.word("jobs", "--jobs", args.jobs.as_deref())?;
    flags.pairs(&args.config)?;
    let folder = std::env::current_dir().or_fail(|| "cannot find the working folder".to_owned())?;
    let config = Config::load(project::around(&folder), &flags, std::env::vars_os())?;

    let mut options = Options {
        tag: places::wanted_tag(source, args.tag.as_deref())?,
        optimize_xattrs: args.optimizations.contains(&Optimization::Xattr),
        prefetch: prefetch_files(args)?,
        build_tool_identifier: args.build_tool_identifier.clone(),
        strict: args.strict,
        cancel: context.cancel.flag(),
        ..Options::default()
    };
    for text in config.list("platforms") {
        let platform = Platform::parse(text)
            .map_err(|error| CommandError::usage(format!("{}: {error}", config.origin("platforms"))))?;
        options.platforms.push(platform);
    }
    options.span_size = config.number("span-size").unwrap_or(options.span_size);
    options.min_layer_size = config.number("min-layer-size").unwrap_or(options.min_layer_size);
    if let Some(jobs) = config.number("jobs") {
        let jobs = usize::try_from(jobs).ok().and_then(NonZeroUsize::new);
        let origin = config.origin("jobs");
        options.jobs = jobs.ok_or_else(|| CommandError::usage(format!("{origin}: at least one job is needed")))?;
    }
    Ok(options)
}

fn prefetch_files(args: &Args) -> Result<Vec<String>, CommandError> {
    let mut files = match &args.prefetch_files_json {
        Some(path) => read_list(path)?,
        None => Vec::new(),
    };
    files.extend(args.prefetch_files.iter().cloned());
    Ok(files)
}

fn read_list(path: &Path) -> Result<Vec<String>, CommandError> {
    let wrong = |error: &dyn std::error::Error| {
        CommandError::usage(format!("cannot read the list of files in {}", path.display())).because(error)
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text)
        .map_err(|error| wrong(&error).help(r#"the file must hold a JSON list such as ["/app/main", "/etc/app.toml"]"#))
}

/// Progress, a line or bar per layer.
struct Shown<'a> {
    context: &'a Context,
    tasks: Mutex<BTreeMap<Digest, Task<'a>>>,
}

impl Shown<'_> {
    fn event(&self, event: Event) {
        let Ok(mut tasks) = self.tasks.lock() else { return };
        match event {
            Event::LayerStarted { digest, size } => {
                let task = self.context.progress.begin(&human::short(&digest), Some(size));
                tasks.insert(digest, task);
            }
            Event::LayerAdvanced { digest, bytes } => {
                if let Some(task) = tasks.get(&digest) {
                    task.advance(bytes);
                }
            }
            Event::LayerFinished { digest, indexed } => {
                if let Some(task) = tasks.remove(&digest) {
                    task.end(if indexed { "indexed" } else { "left without a zTOC" });
                }
            }
        }
    }
}
