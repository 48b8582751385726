//! `lint [FILES, FOLDERS, GLOBS, -]`: a verdict for each container of each task definition.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;
use soci_image::Reference;
use soci_lint::{Error, FailOn, ImageFactsEntry, Input, LaunchType, Options, RenderOptions};
use soci_store::{block_on, workflow};

use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::config::{Config, Flags};
use crate::context::{Context, Format};
use crate::documents::Documents;
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::images::{self, CheckImages, Depth, Images, Looked};
use crate::lint_options;
use crate::mend;
use crate::places;

/// Flags of `lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a path the configuration's `task-definitions` are checked, or this folder where there are none.
A folder is searched for the names that task definitions usually have; symbolic links are not followed.

  cargo soci lint task-definition.json
  cargo soci lint --param ImageTag=1.4.0 'infra/**/*.yaml'
  aws ecs describe-task-definition --task-definition web | cargo soci lint -")]
pub struct Args {
    /// Files, folders, globs, or - for stdin
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// What runs the images: fargate, sagemaker, or containerd with the SOCI snapshotter [default: fargate]
    #[arg(long = "for", value_name = "CONSUMER")]
    pub consumer: Option<String>,
    /// What the files are, such as task-definition or cloudformation [default: as their content says]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Value of a CloudFormation parameter or template word; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Value of a Terraform variable of the root module; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// File with values of Terraform variables, as Terraform takes it; may be repeated
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<String>,
    /// Rules to run, by code, name or the beginning of a code
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Rules whose findings are not listed; verdicts stay what they are
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Another severity for a rule: error, warning, info or off; may be repeated
    #[arg(long, value_name = "RULE=SEVERITY")]
    pub severity: Vec<String>,
    /// Platform version the tasks run on, where the documents do not say
    #[arg(long, value_name = "VERSION")]
    pub platform_version: Option<String>,
    /// Launch type the tasks run with, where the documents do not say
    #[arg(long, value_enum, value_name = "TYPE", ignore_case = true)]
    pub launch_type: Option<Launch>,
    /// Region the tasks run in, where the documents do not say
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// What is known about an image: its name and the JSON of `inspect`, or a file of such entries; may be
    /// repeated
    #[arg(long, value_name = "[IMAGE=]FILE")]
    pub image_facts: Vec<String>,
    /// An image that lies here, under its name in the documents; may be repeated
    #[arg(long, value_name = "IMAGE=SRC")]
    pub layout: Vec<String>,
    /// Images to look up in their registries: off, auto (in ECR, where the verdict hangs on it) or on (all)
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value = "off",
        hide_possible_values = true
    )]
    pub check_images: CheckImages,
    /// Containers that need not be loaded lazily, as in `container=xray* -- it is small`; may be repeated
    #[arg(long, value_name = "[container=NAME] [image=IMAGE] -- WHY")]
    pub accept: Vec<String>,
    /// Small helpers that AWS publishes: accept, or judge them like any container
    #[arg(long, value_name = "WHICH")]
    pub sidecars: Option<String>,
    /// What makes the exit code 1: error, warning, not-lazy, unknown or never
    #[arg(long, value_name = "WHEN")]
    pub fail_on: Option<String>,
    /// Write what mends findings and is safe into the files; the report is about what is left
    #[arg(long)]
    pub fix: bool,
    /// With --fix: print what would change as a unified diff, and change nothing
    #[arg(long, requires = "fix")]
    pub diff: bool,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
}

/// Launch types, as ECS names them.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Launch {
    /// Fargate
    Fargate,
    /// Fargate at spot prices
    FargateSpot,
    /// Instances of the user
    Ec2,
    /// ECS Anywhere
    External,
    /// Instances that ECS manages
    ManagedInstances,
}

impl From<Launch> for LaunchType {
    fn from(launch: Launch) -> Self {
        match launch {
            Launch::Fargate => Self::Fargate,
            Launch::FargateSpot => Self::FargateSpot,
            Launch::Ec2 => Self::Ec2,
            Launch::External => Self::External,
            Launch::ManagedInstances => Self::ManagedInstances,
        }
    }
}

/// Checks the documents and prints the report.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = report_format(context)?;
    let config = read_config(&args)?;
    config.warn(context);
    let mut options = options(&args, &config)?;
    for word in &args.layout {
        options.image_facts.push(examine(word, context)?);
    }
    options.check().map_err(|error| usage(&error))?;
    let fail_on: FailOn = config
        .text("lint.fail-on")
        .unwrap_or("error")
        .parse()
        .map_err(|error| usage(&error))?;
    let words = paths(&args, &config);
    let documents = Documents::read(&words, || context.registries.leaves_stdin_to("the document"))?;
    let looked_up = look_up(args.check_images, &documents, &options, context)?;
    options.image_facts.extend(looked_up.iter().cloned());
    if args.diff {
        return diff(&documents, &options, fail_on, context);
    }
    let (mut report, inputs, beside) = if args.fix {
        let (fixed, beside) = documents.mend(&options);
        for path in mend::write(documents.inputs(), &fixed.files)? {
            context.note(&format!("mended {}", escape::terminal(path)));
        }
        (fixed.report, fixed.files, beside)
    } else {
        let (report, beside) = documents.lint(&options);
        (report, documents.into_inputs(), beside)
    };
    report.images = looked_up;
    let sources: Vec<Input> = inputs.into_iter().chain(beside).collect();
    let rendering = RenderOptions {
        color: format == soci_lint::Format::Human && use_colors(),
        fail_on: Some(fail_on),
        width: context.columns(),
        sources: &sources,
    };
    if !context.is_quiet() {
        context.report(&soci_lint::render(&report, format, &rendering))?;
    }
    let failed = fail_on.is_met_by(&report.summary);
    Ok(if failed { Exit::Findings } else { Exit::Done })
}

/// Looks up the images that the documents name: each once, several at once. What registries do not say stays unknown.
fn look_up(
    check: CheckImages,
    documents: &Documents,
    options: &Options,
    context: &Context,
) -> Result<Vec<ImageFactsEntry>, CommandError> {
    if check == CheckImages::Off {
        return Ok(Vec::new());
    }
    context.registries.look_up();
    let (report, _) = documents.lint(options);
    let wanted = soci_lint::CheckImages::from(check).wanted(&report, options);
    let references: Vec<Reference> = wanted.values().cloned().collect();
    let mut images = Images::default();
    let until = Instant::now() + images::PATIENCE;
    images.ask(&references, Depth::Presence, context, until)?;
    for (registry, trouble) in images.troubles() {
        if trouble.is_told_by_api {
            context.note(&escape::terminal(&trouble.sentence(registry)));
            continue;
        }
        context.warn(&format!(
            "{registry} was not asked about images: {}",
            trouble.problem
        ));
        if let Some(help) = &trouble.help {
            context.note(&format!("  {}", escape::terminal(help)));
        }
    }
    let mut entries = Vec::new();
    for (image, reference) in &wanted {
        match images.about(reference) {
            Some(Looked::Known(facts)) => entries.push(ImageFactsEntry {
                image: (*image).to_owned(),
                facts: facts.as_ref().clone(),
            }),
            Some(Looked::Missing) => context.warn(&format!("{image} is not in its registry")),
            Some(Looked::Odd(problem)) => {
                context.warn(&format!("{image} cannot be looked at: {problem}"));
            }
            Some(Looked::Unasked) | None => {}
        }
    }
    Ok(entries)
}

/// Shows what `--fix` would change. The exit code is about the files as they are.
fn diff(documents: &Documents, options: &Options, fail_on: FailOn, context: &Context) -> CommandResult {
    let (report, _) = documents.lint(options);
    let (fixed, _) = documents.mend(options);
    let for_terminal = std::io::stdout().is_terminal();
    context.report_bytes(&mend::diff(documents.inputs(), &fixed.files, for_terminal))?;
    let failed = fail_on.is_met_by(&report.summary);
    Ok(if failed { Exit::Findings } else { Exit::Done })
}

/// The form of the report: inside a GitHub job, annotations where nothing else was asked for.
fn report_format(context: &Context) -> Result<soci_lint::Format, CommandError> {
    let asked = context.format(&[
        Format::Human,
        Format::Short,
        Format::Json,
        Format::Github,
        Format::Markdown,
        Format::Sarif,
    ])?;
    asked.name().parse().map_err(|error| usage(&error))
}

fn read_config(args: &Args) -> Result<Config, CommandError> {
    let mut flags = Flags::default();
    flags.list("lint.select", "--select", &args.select)?;
    flags.list("lint.ignore", "--ignore", &args.ignore)?;
    flags.list("lint.severity", "--severity", &args.severity)?;
    flags.list("lint.params", "--param", &args.params)?;
    flags.list("lint.vars", "--var", &args.vars)?;
    flags.list("lint.var-files", "--var-file", &args.var_files)?;
    flags.word("lint.kind", "--kind", args.kind.as_deref())?;
    flags.word(
        "lint.platform-version",
        "--platform-version",
        args.platform_version.as_deref(),
    )?;
    flags.word(
        "lint.launch-type",
        "--launch-type",
        args.launch_type.map(|launch| LaunchType::from(launch).as_str()),
    )?;
    flags.word("lint.for", "--for", args.consumer.as_deref())?;
    flags.word("lint.region", "--region", args.region.as_deref())?;
    flags.word("lint.sidecars", "--sidecars", args.sidecars.as_deref())?;
    flags.word("lint.fail-on", "--fail-on", args.fail_on.as_deref())?;
    flags.pairs(&args.config)?;
    Config::around_working_folder(&flags)
}

/// The options out of flags and configuration.
fn options(args: &Args, config: &Config) -> Result<Options, CommandError> {
    let mut options = lint_options::configured(config)?;
    for path in &options.var_files {
        // A file that is not there would go unnoticed.
        File::open(path).at("read", path)?;
    }
    for word in &args.image_facts {
        options.image_facts.extend(read_facts(word)?);
    }
    for line in &args.accept {
        options.accept.push(line.parse().map_err(|error| usage(&error))?);
    }
    Ok(options)
}

fn paths(args: &Args, config: &Config) -> Vec<String> {
    if !args.paths.is_empty() {
        return args.paths.clone();
    }
    let configured: Vec<String> = config
        .paths("task-definitions")
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    if configured.is_empty() {
        vec![".".to_owned()]
    } else {
        configured
    }
}

/// `IMAGE=FILE` with the output of `inspect`, or a file with entries of `{"image": …, "facts": …}`.
fn read_facts(word: &str) -> Result<Vec<ImageFactsEntry>, CommandError> {
    let (image, path) = match word.split_once('=') {
        Some((image, path)) if !Path::new(word).exists() => (Some(image), path),
        _ => (None, word),
    };
    let text = std::fs::read_to_string(path).at("read", path)?;
    let entries = match image {
        Some(image) => serde_json::from_str(&text).map(|facts| {
            vec![ImageFactsEntry {
                image: image.to_owned(),
                facts,
            }]
        }),
        None if text.trim_start().starts_with('[') => serde_json::from_str(&text),
        None => serde_json::from_str(&text).map(|entry| vec![entry]),
    };
    entries.map_err(|error| {
        CommandError::usage(format!("cannot use the image facts in {path}"))
            .because(&error)
            .help("write IMAGE=FILE, where FILE is the output of `inspect --format json`")
    })
}

/// The facts of `IMAGE=SRC`, an image that can be read here.
fn examine(word: &str, context: &Context) -> Result<ImageFactsEntry, CommandError> {
    let (image, place) = word.split_once('=').ok_or_else(|| {
        CommandError::usage(format!("--layout {word} names no image"))
            .help("write IMAGE=SRC, with the image's name in the documents and where it lies")
    })?;
    let location = places::source(place, context)?;
    let source = places::open(&location, context)?;
    let images = block_on(workflow::examine(&source, None)).map_err(|error| places::failed(&error))?;
    let found = images.into_iter().next();
    let facts = found
        .ok_or_else(|| CommandError::failed(format!("{location} holds no image")))?
        .facts;
    Ok(ImageFactsEntry {
        image: image.to_owned(),
        facts,
    })
}

fn usage(error: &Error) -> CommandError {
    CommandError::usage(error.to_string())
}

fn use_colors() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}
