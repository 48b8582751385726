//! `build`: builds the image, makes it SOCI-enabled, pushes it and lints its task definitions.

use std::fs;
use std::path::{Path, PathBuf};

use soci_image::Reference;
use soci_image::facts::ImageFacts;
use soci_store::workspace::Workspace;
use soci_store::{Location, block_on, workflow};

use crate::build::lint::{self, Built, Linted};
use crate::build::plan::{Builder, Outputs, Plan, Target};
use crate::build::publish::{self, Settings, TagModel};
use crate::build::run;
use crate::build::stand_in::Named;
use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::commands::convert::human;
use crate::commands::convert::reuse::ReuseFlags;
use crate::config::project::{self, Selection};
use crate::config::{Config, Flags};
use crate::context::{Context, Format};
use crate::conversion::{self, Converted, Plain};
use crate::error::{CommandError, OrFail};
use crate::escape;
use crate::exit::Exit;
use crate::places;

/// Flags of `build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is built comes from [package.metadata.soci] or soci.toml; `cargo soci init` writes a first one, and
docs/configuration.md lists all settings. Flags are stronger than CARGO_SOCI_* variables, and those than files.

  cargo soci build --dry-run
  cargo soci build --no-push --output image-soci.tar")]
pub struct Args {
    /// Which packages.
    #[command(flatten)]
    pub selection: Selection,
    /// Full name of the image; may be repeated
    #[arg(long, value_name = "NAME")]
    pub image: Vec<String>,
    /// `replace`: the tag names the SOCI-enabled image; `sibling`: TAG-soci does
    #[arg(long, value_name = "MODEL")]
    pub tag_model: Option<String>,
    /// Dockerfile
    #[arg(short = 'f', long, visible_alias = "file", value_name = "PATH")]
    pub dockerfile: Option<String>,
    /// Build context
    #[arg(long, value_name = "PATH")]
    pub context: Option<String>,
    /// Stage of the Dockerfile
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Build argument; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    pub build_args: Vec<String>,
    /// Platform to build for; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Command that builds, in place of docker buildx build
    #[arg(long, value_name = "COMMAND")]
    pub builder: Option<String>,
    /// Bytes between two checkpoints of a layer, such as 4MiB
    #[arg(long, value_name = "SIZE")]
    pub span_size: Option<String>,
    /// Trace of the program's start: spans are cut for it. May be repeated; FILE=2 counts twice
    #[arg(long, value_name = "FILE[=WEIGHT]")]
    pub start_trace: Vec<String>,
    /// With --start-trace: no list of the spans that the start needs
    #[arg(long)]
    pub no_prefetch: bool,
    /// With --start-trace: a layer on top that repeats the files of the start
    #[arg(long)]
    pub start_layer: bool,
    /// A small layer on top with the directories whose attributes a lazy client would lose
    #[arg(long)]
    pub restate_directories: bool,
    /// Layers below this compressed size get no zTOC
    #[arg(long, value_name = "SIZE")]
    pub min_layer_size: Option<String>,
    /// If nothing of the image can be indexed: fail (exit code 4) or pass
    #[arg(long, value_name = "WHAT")]
    pub if_nothing_to_index: Option<String>,
    /// Rewrite layers that cannot be loaded lazily (zstd) or are risky (gzip of several members)
    #[arg(long, value_name = "KIND")]
    pub recompress: Option<String>,
    /// gzip level of rewritten layers, 1 to 9
    #[arg(long, value_name = "N")]
    pub recompress_level: Option<String>,
    /// Layers that are worked on at once
    #[arg(long, value_name = "N")]
    pub jobs: Option<String>,
    /// Task definition to lint with the facts of the image; may be repeated
    #[arg(long = "task-definition", value_name = "PATH")]
    pub task_definitions: Vec<String>,
    /// Findings that make the exit code 1
    #[arg(long, value_name = "WHEN")]
    pub fail_on: Option<String>,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
    /// Push nothing; the image goes to --output, else to an archive in cargo's build folder
    #[arg(long)]
    pub no_push: bool,
    /// Layout or archive for the image, in place of the registry
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What `--format json` prints for each image.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    package: String,
    names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    digest: String,
    tag_model: TagModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_to_index: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<Converted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<soci_lint::Report>,
}

/// Builds every chosen package.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    let folder = std::env::current_dir().or_fail(|| "cannot find the working folder".to_owned())?;
    let output = args.output.as_deref().map(places::location).transpose()?;
    if let Some(Location::Registry(name)) = &output {
        return Err(CommandError::usage(format!("--output {name} is in a registry"))
            .help("set `image` or give --image to push; --output is for a layout or an archive"));
    }
    let flags = flags(&args)?;
    let projects = project::find(&args.selection, &folder)?;
    if output.is_some() && projects.len() > 1 {
        return Err(
            CommandError::usage("--output can hold the image of one package, and several are built")
                .help("choose one with --package"),
        );
    }
    // Every plan is made before the first builder runs: a mistake in the last one costs no build.
    let mut plans = Vec::new();
    for project in projects {
        let config = Config::load(project, &flags, std::env::vars_os())?;
        // The environment is the same for all.
        if plans.is_empty() {
            config.warn(context);
        }
        context.registries.configure(&config)?;
        let plan = Plan::of(&config, output.clone(), args.no_push)?;
        let options = conversion::options(&config, context)?;
        plans.push((config, plan, options));
    }
    if args.dry_run {
        let texts: Vec<String> = plans.iter().map(|(_, plan, _)| plan.describe(context)).collect();
        context.report(&texts.concat())?;
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    let mut reports = Vec::new();
    for (config, plan, options) in &plans {
        let settings = Settings {
            model: plan.model,
            options,
            config,
            // A builder of the user's that writes an archive need not know how layers are pushed.
            plain: match plan.builder {
                Builder::Buildx(_) => Plain::Keep,
                Builder::Command(..) => Plain::Compress,
            },
            reuse: ReuseFlags::default(),
        };
        let (report, linted) = one(plan, &settings, context)?;
        if linted.as_ref().is_some_and(|linted| linted.failed) {
            exit = Exit::Findings;
        }
        let passes = conversion::passes_nothing_to_index(config);
        if report.nothing_to_index.is_some() && exit == Exit::Done && !passes {
            exit = Exit::NothingToIndex;
        }
        reports.push((report, linted));
    }
    print(
        reports,
        output.as_ref() == Some(&Location::Stream),
        format,
        context,
    )?;
    Ok(exit)
}

/// Builds, converts, publishes and lints one image.
fn one(
    plan: &Plan,
    settings: &Settings<'_>,
    context: &Context,
) -> Result<(Report, Option<Linted>), CommandError> {
    let scratch = scratch(plan)?;
    let outputs = Outputs::within(scratch.path());
    let made = run::build(plan, &outputs, context)?;
    let mut report = Report {
        package: plan.label.clone(),
        names: Vec::new(),
        output: None,
        digest: String::new(),
        tag_model: plan.model,
        nothing_to_index: None,
        conversion: None,
        lint: None,
    };
    let names: Vec<Reference>;
    let place;
    match &plan.target {
        Target::Registry => {
            let published = publish::to_registry(&made, &plan.names, settings, context)?;
            report.digest = published.digest.to_string();
            report.conversion = published.converted;
            if let Some(reason) = published.nothing_to_index {
                context.warn(reason.message());
                report.nothing_to_index = Some(reason.message().to_owned());
            }
            names = published.names;
            place = names
                .first()
                .map(|name| Location::Registry(name.with_digest(&published.digest)));
        }
        Target::Place(location) => {
            if let Some(folder) = location.path().and_then(Path::parent) {
                fs::create_dir_all(folder).at("make", folder)?;
            }
            let placed = publish::to_place(&made, &plan.names, location, settings, context)?;
            report.digest = placed.digest.map(|digest| digest.to_string()).unwrap_or_default();
            report.conversion = placed.converted;
            report.nothing_to_index = placed.nothing_to_index.map(|reason| reason.message().to_owned());
            report.output = Some(location.to_string());
            names = plan.names.clone();
            place = (*location != Location::Stream).then(|| location.clone());
        }
    }
    report.names = names.iter().map(ToString::to_string).collect();
    let linted = match place {
        Some(place) if !plan.task_definitions.is_empty() => {
            let is_pushed = plan.target == Target::Registry;
            let names = match is_pushed || report.nothing_to_index.is_some() {
                true => names,
                // Those that it gets when it is pushed.
                false => {
                    let names = names.iter().map(|name| publish::soci_name(plan.model, name));
                    names.collect::<Result<_, _>>()?
                }
            };
            let built = Built {
                facts: facts(&place, context)?,
                image: Named {
                    digest: report.digest.parse().ok(),
                    is_pushed,
                    names,
                },
            };
            let others = as_built(plan, &built, context)?;
            let linted = lint::lint(&plan.task_definitions, settings.config, &built, &others)?;
            tell(&linted, &report.names, context);
            Some(linted)
        }
        _ => None,
    };
    Ok((report, linted))
}

/// The image as it was built, where its tag still names it: a document with that tag gets no lazy image.
fn as_built(plan: &Plan, built: &Built, context: &Context) -> Result<Vec<Built>, CommandError> {
    let mut others = Vec::new();
    let image = &built.image;
    for name in plan
        .names
        .iter()
        .filter(|name| image.is_pushed && !image.names.contains(name))
    {
        others.push(Built {
            facts: facts(&Location::Registry(name.clone()), context)?,
            image: Named {
                digest: None,
                is_pushed: true,
                names: vec![name.clone()],
            },
        });
    }
    Ok(others)
}

/// Says where what was built played no part.
fn tell(linted: &Linted, names: &[String], context: &Context) {
    if linted.is_used {
        return;
    }
    context.warn(&format!(
        "no container of the task definitions has the image {}: nothing in them was judged by it",
        names.join(", ")
    ));
    for (image, why) in &linted.near {
        context.note(&format!(
            "  {}: {}",
            escape::terminal(image),
            escape::terminal(why)
        ));
    }
}

/// What is known about the image that was just made.
fn facts(place: &Location, context: &Context) -> Result<ImageFacts, CommandError> {
    let source = places::open(place, context)?;
    let images = block_on(workflow::examine(&source, None)).map_err(|error| places::failed(&error))?;
    images
        .into_iter()
        .next()
        .map(|image| image.facts)
        .ok_or_else(|| CommandError::failed(format!("{place} holds no image")))
}

/// A folder for what the builder writes, removed at the end; an image on its way to a file lies beside it.
fn scratch(plan: &Plan) -> Result<Workspace, CommandError> {
    let base: PathBuf = match &plan.target {
        Target::Place(location) => match location.path().and_then(Path::parent) {
            Some(folder) if folder.is_dir() => folder.to_path_buf(),
            _ => std::env::temp_dir(),
        },
        Target::Registry => std::env::temp_dir(),
    };
    Workspace::private_in(&base).map_err(|error| places::failed(&error))
}

fn print(
    reports: Vec<(Report, Option<Linted>)>,
    stdout_is_taken: bool,
    format: Format,
    context: &Context,
) -> Result<(), CommandError> {
    let color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let text = |report: &Report, linted: &Option<Linted>| {
        let lint = linted
            .as_ref()
            .map(|linted| linted.text(color, context.columns()))
            .unwrap_or_default();
        format!("{}{lint}", human(report))
    };
    if stdout_is_taken {
        for (report, linted) in &reports {
            context.note(&text(report, linted));
        }
        return Ok(());
    }
    if context.is_quiet() {
        let digests: Vec<&str> = reports.iter().map(|(report, _)| report.digest.as_str()).collect();
        return context.report(&digests.join("\n"));
    }
    if format == Format::Json {
        let images: Vec<Report> = reports
            .into_iter()
            .map(|(mut report, linted)| {
                report.lint = linted.map(|linted| linted.report);
                report
            })
            .collect();
        return context.report_json(&serde_json::json!({ "images": images }));
    }
    let texts: Vec<String> = reports
        .iter()
        .map(|(report, linted)| text(report, linted))
        .collect();
    context.report(&texts.concat())
}

fn human(report: &Report) -> String {
    let place = report.output.clone().unwrap_or_else(|| report.names.join(", "));
    let mut text = format!(
        "{}: {}\n",
        escape::terminal(&report.package),
        escape::terminal(&place)
    );
    match &report.conversion {
        Some(converted) => text.push_str(&human::images(&converted.report)),
        None => text.push_str(&format!(
            "  {} as it was built: nothing to index\n",
            report.digest
        )),
    }
    text
}

fn flags(args: &Args) -> Result<Flags, CommandError> {
    let mut flags = Flags::default();
    flags.list("image", "--image", &args.image)?;
    flags.list("build-args", "--build-arg", &args.build_args)?;
    flags.list("platforms", "--platform", &args.platforms)?;
    flags.list("task-definitions", "--task-definition", &args.task_definitions)?;
    flags.list("start-trace", "--start-trace", &args.start_trace)?;
    let refused = args.no_prefetch.then(|| "false".to_owned());
    let wanted = |flag: bool| flag.then(|| "true".to_owned());
    let (start_layer, restate) = (wanted(args.start_layer), wanted(args.restate_directories));
    let words = [
        ("start-prefetch", "--no-prefetch", &refused),
        ("start-layer", "--start-layer", &start_layer),
        ("restate-directories", "--restate-directories", &restate),
        ("tag-model", "--tag-model", &args.tag_model),
        ("dockerfile", "--dockerfile", &args.dockerfile),
        ("context", "--context", &args.context),
        ("target", "--target", &args.target),
        ("builder", "--builder", &args.builder),
        ("span-size", "--span-size", &args.span_size),
        ("min-layer-size", "--min-layer-size", &args.min_layer_size),
        (
            "if-nothing-to-index",
            "--if-nothing-to-index",
            &args.if_nothing_to_index,
        ),
        ("recompress", "--recompress", &args.recompress),
        ("recompress-level", "--recompress-level", &args.recompress_level),
        ("jobs", "--jobs", &args.jobs),
        ("lint.fail-on", "--fail-on", &args.fail_on),
    ];
    for (name, flag, word) in words {
        flags.word(name, flag, word.as_deref())?;
    }
    flags.pairs(&args.config)?;
    Ok(flags)
}
