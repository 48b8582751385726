//! `why [FILE | - | IMAGE]`: is it loaded lazily, and if not, why.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use soci_aws::running::{MAX_BYTES, Running};
use soci_image::facts::ImageFacts;
use soci_lint::{FailOn, Options};
use soci_store::{Location, block_on, workflow};

use crate::commands::CommandResult;
use crate::config::{Config, Flags};
use crate::context::{Context, Format};
use crate::error::{CommandError, OrFail};
use crate::exit::Exit;
use crate::images::{self, CheckImages, Images};
use crate::lint_options;
use crate::places;
use crate::why::groups::{self, Group, GroupContainer};
use crate::why::judge::{self, Judge};
use crate::why::report::{Gap, GroupReport, RegistryReport, Remedy, Report, Step, Subject};
use crate::why::{commands, html, human, markdown};

/// Flags of `why`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
WHAT is a file, or - for stdin, with what `aws ecs describe-tasks`, `describe-services` or `describe-task-definition`
printed, an EventBridge event (ECS Task State Change), or the metadata of a task; several in one, or as several words.
Anything else is an image, in a registry or on this machine.

  cargo soci why --cluster shop --service web
  aws ecs describe-tasks --cluster shop --tasks ID | cargo soci why -
  cargo soci why tasks.json definition.json --format html > why.html
  cargo soci why 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4")]
pub struct Args {
    /// Documents of ECS, - for stdin, or images
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// Services and tasks that run, asked of AWS
    #[command(flatten)]
    pub account: AccountFlags,
    /// Images to look up in their registries: off, auto (in ECR, where the answer hangs on it) or on (all)
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub check_images: CheckImages,
    /// What makes the exit code 1: error, warning or not-lazy (a container that is not), unknown or never
    #[arg(long, value_name = "WHEN")]
    pub fail_on: Option<String>,
    /// Any setting, as in soci.toml; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<String>,
}

/// Which services and tasks of an AWS account.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "AWS account")]
pub struct AccountFlags {
    /// Cluster to look at, by name or ARN [default: default, or that of the task]
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,
    /// Service of the cluster; may be repeated [default: all]
    #[arg(long, value_name = "SERVICE")]
    pub service: Vec<String>,
    /// Task, by ARN or id; may be repeated
    #[arg(long, value_name = "TASK", conflicts_with = "service")]
    pub task: Vec<String>,
    /// Every cluster of the region
    #[arg(long, conflicts_with_all = ["cluster", "service", "task"])]
    pub all_clusters: bool,
    /// Region to ask in [default: as for the aws command]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile with the credentials [default: as for the aws command]
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
}

impl AccountFlags {
    /// Whether an account is to be asked.
    fn is_asked(&self) -> bool {
        self.cluster.is_some() || self.all_clusters || !self.service.is_empty() || !self.task.is_empty()
    }

    /// The account that logins of ECR come from as well.
    #[cfg(feature = "aws")]
    fn choose(&self, context: &Context) -> Result<(), CommandError> {
        let options = soci_aws::account::AccountOptions {
            region: self.region.clone(),
            profile: self.profile.clone(),
            keys: None,
        };
        context.registries.use_account(options, context).map(drop)
    }

    #[cfg(not(feature = "aws"))]
    fn choose(&self, _context: &Context) -> Result<(), CommandError> {
        Ok(())
    }

    #[cfg(feature = "aws")]
    fn ask(self, context: &Context) -> Result<(Running, Vec<Gap>), CommandError> {
        use soci_aws::account::Wanted;
        let opened = context.registries.account(context)?;
        let account = opened.account().map_err(|error| crate::aws::failed(&error))?;
        let wanted = Wanted {
            cluster: self.cluster,
            all_clusters: self.all_clusters,
            services: self.service,
            tasks: self.task,
        };
        let found = account
            .running(&wanted)
            .map_err(|error| match context.cancel.is_set() {
                true => CommandError::interrupted(),
                false => crate::aws::failed(&error),
            })?;
        for (action, count) in &found.calls {
            context.detail(&format!("{action}: {count} calls"));
        }
        let gaps = found.gaps.into_iter().map(|gap| Gap {
            what: gap.what,
            permission: gap.permission.map(str::to_owned),
            problem: gap.problem,
        });
        Ok((found.running, gaps.collect()))
    }

    #[cfg(not(feature = "aws"))]
    fn ask(self, _context: &Context) -> Result<(Running, Vec<Gap>), CommandError> {
        Err(
            CommandError::usage("this program was built without the feature `aws`")
                .help("pass what the aws command prints: aws ecs describe-tasks … | cargo soci why -"),
        )
    }
}

/// The linter's words. A container that is not loaded lazily is what it calls an error.
fn fail_on(config: &Config) -> Result<FailOn, CommandError> {
    let word = config.text("lint.fail-on").unwrap_or("error");
    match word.parse() {
        Ok(FailOn::Error | FailOn::Warning) => Ok(FailOn::NotLazy),
        Ok(other) => Ok(other),
        Err(error) => Err(CommandError::usage(error.to_string())),
    }
}

/// Joins what runs with what its images are, and prints the report.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json, Format::Markdown, Format::Html])?;
    let mut flags = Flags::default();
    flags.word("lint.fail-on", "--fail-on", args.fail_on.as_deref())?;
    flags.pairs(&args.config)?;
    let config = Config::around_working_folder(&flags)?;
    config.warn(context);
    context.registries.configure(&config)?;
    context.registries.look_up();
    args.account.choose(context)?;
    let options = options(&config)?;
    let fail_on = fail_on(&config)?;
    let mut running = Running::default();
    let mut images = Vec::new();
    let mut gaps = Vec::new();
    if args.what.is_empty() && !args.account.is_asked() {
        return Err(CommandError::usage("nothing is named to look at")
            .help("name a cluster (--cluster), a document of ECS, - for stdin, or an image"));
    }
    for word in &args.what {
        match document(word, context)? {
            Some(bytes) => running.read(&bytes).map_err(|error| unread(word, &error))?,
            None => images.push(image(word, context)?),
        }
    }
    if args.account.is_asked() {
        let (found, unknown) = args.account.ask(context)?;
        running.join(found);
        gaps = unknown;
    }
    let groups = groups::of(&running);
    let until = Instant::now() + images::PATIENCE;
    let looked = judge::ask(&groups, args.check_images, &options, context, until)?;
    let judge = Judge::new(&options, &looked, &groups);
    let mut reports: Vec<GroupReport> = groups.iter().map(|group| judge.group(group)).collect();
    for image in &images {
        reports.extend(image.reports(&options));
    }
    let report = Report::new(reports, troubles(&looked), gaps, running.notes().to_vec());
    if !context.is_quiet() {
        match format {
            Format::Json => context.report_json(&report)?,
            Format::Markdown => context.report(&markdown::render(&report))?,
            Format::Html => context.report(&html::render(&report))?,
            _ => {
                let detailed = context.tells_details();
                context.report(&human::render(&report, detailed, context.columns()))?;
            }
        }
    }
    Ok(match report.fails(fail_on) {
        true => Exit::Findings,
        false => Exit::Done,
    })
}

/// Of the linter's settings those that are about what runs.
fn options(config: &Config) -> Result<Options, CommandError> {
    let configured = lint_options::configured(config)?;
    let options = Options {
        accept: configured.accept,
        sidecars: configured.sidecars,
        platform_version: configured.platform_version,
        launch_type: configured.launch_type,
        region: configured.region,
        ..Options::default()
    };
    options
        .check()
        .map_err(|error| CommandError::usage(error.to_string()))?;
    Ok(options)
}

/// The bytes of a document; `None` if the word means an image.
fn document(word: &str, context: &Context) -> Result<Option<Vec<u8>>, CommandError> {
    let mut bytes = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    let path = Path::new(word);
    if word == "-" {
        context.registries.leaves_stdin_to("the document")?;
        read(&mut std::io::stdin().lock()).or_fail(|| "cannot read stdin".to_owned())?;
        return Ok(Some(bytes));
    }
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    if !is_json && (!path.is_file() || word.ends_with(".tar")) {
        return Ok(None);
    }
    File::open(path)
        .and_then(|mut file| read(&mut file))
        .map_err(|error| crate::causes::of_file("read", path, &error))?;
    Ok(Some(bytes))
}

fn unread(word: &str, error: &soci_aws::running::ReadError) -> CommandError {
    let name = if word == "-" { "stdin" } else { word };
    let shown = CommandError::failed(format!("cannot use {name}: {error}"));
    match error.help() {
        Some(help) => shown.help(help),
        None => shown,
    }
}

fn troubles(images: &Images) -> Vec<RegistryReport> {
    images
        .troubles()
        .iter()
        .map(|(registry, trouble)| RegistryReport {
            registry: registry.clone(),
            problem: trouble.problem.clone(),
            help: trouble.help.clone().filter(|_| !trouble.is_told_by_api),
            told_by: trouble.is_told_by_api.then_some("ecr-api"),
            sentence: trouble.sentence(registry),
        })
        .collect()
}

/// An image by itself.
struct Alone {
    /// As the user wrote it, without the prefix of registries.
    name: String,
    /// The name that it is judged under: its own in a registry, one in ECR for what is on this machine.
    judged: String,
    facts: ImageFacts,
}

/// Stands for the private ECR repository that an image of this machine would be pushed to.
const IN_ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:latest";

fn image(word: &str, context: &Context) -> Result<Alone, CommandError> {
    let location = places::source(word, context)?;
    if let Location::Registry(reference) = &location {
        return Ok(Alone {
            name: reference.to_string(),
            judged: reference.to_string(),
            facts: images::facts_of(reference, context)?,
        });
    }
    let source = places::open(&location, context)?;
    let images =
        block_on(workflow::examine(&source, location.tag())).map_err(|error| places::failed(&error))?;
    let several = images.len();
    let Some(found) = images.into_iter().next().filter(|_| several == 1) else {
        return Err(CommandError::usage(format!("{location} holds {several} images"))
            .help(format!("name one of them: {location}:TAG")));
    };
    Ok(Alone {
        name: location.to_string(),
        judged: IN_ECR.to_owned(),
        facts: found.facts,
    })
}

impl Alone {
    /// A report for each platform, as if a task of Fargate started it now.
    fn reports(&self, options: &Options) -> Vec<GroupReport> {
        let is_local = self.judged == IN_ECR;
        let mut reports = Vec::new();
        for platform in &self.facts.platforms {
            let architecture =
                platform
                    .platform
                    .as_ref()
                    .map(|platform| match platform.architecture.as_str() {
                        "amd64" => "X86_64".to_owned(),
                        "arm64" => "ARM64".to_owned(),
                        other => other.to_owned(),
                    });
            let system = platform
                .platform
                .as_ref()
                .map(|platform| match platform.os.as_str() {
                    "windows" => "WINDOWS_SERVER_2022_CORE".to_owned(),
                    _ => "LINUX".to_owned(),
                });
            let group = Group {
                launch_type: Some("FARGATE".to_owned()),
                platform_version: Some("1.4.0".to_owned()),
                operating_system: system,
                architecture,
                containers: vec![GroupContainer {
                    name: "image".to_owned(),
                    image: Some(self.judged.clone()),
                    ..GroupContainer::default()
                }],
                document: Some(json!({"family": "image", "requiresCompatibilities": ["FARGATE"]})),
                ..Group::default()
            };
            let mut looked = Images::default();
            if let Some(reference) = group.containers[0].reference() {
                looked.tell(&reference, self.facts.clone());
            }
            let judge = Judge::new(options, &looked, &[]);
            let mut report = judge.group(&group);
            report.subject = Subject::Image;
            report.name.clone_from(&self.name);
            if is_local {
                report.chain.push(Step {
                    what: "place",
                    found: "this machine: judged as it would be in a private ECR repository".to_owned(),
                });
                for container in &mut report.containers {
                    container.image = Some(self.name.clone());
                    container.chain.retain(|step| step.what != "image");
                    if !container.remedies.is_empty() {
                        container.remedies = vec![Remedy {
                            why: "make the index".to_owned(),
                            commands: vec![format!("cargo soci convert {}", commands::word(&self.name))],
                        }];
                    }
                }
            }
            reports.push(report);
        }
        reports
    }
}
