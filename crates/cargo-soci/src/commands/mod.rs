//! One file per verb. Each has `Args`, its flags, and `run(args, &Context) -> CommandResult`.
//!
//! A new verb needs its module, a variant of [`Verb`] and an arm of [`Verb::run`], in alphabetical
//! order; help, completion and `docs/cli.md` follow from the variant's first doc line.

pub mod backfill;
pub mod build;
pub mod cat;
pub mod completions;
pub mod convert;
pub mod create;
pub mod docker;
pub mod estimate;
pub mod explain;
pub mod init;
pub mod inspect;
pub(crate) mod layer_progress;
pub mod lint;
pub mod mount;
pub mod remove;
pub mod rules;
pub mod trace;
pub mod verify;
pub mod why;
pub mod ztoc;

use std::ffi::OsString;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Caller;

/// What a command ends with.
pub type CommandResult = Result<Exit, CommandError>;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make the images of a repository SOCI-enabled, all tags or some
    Backfill(Box<backfill::Args>),
    /// Build the image of a package, make it SOCI-enabled, push it, lint its task definitions
    Build(Box<build::Args>),
    /// Print a file of a SOCI-enabled image, fetching only the spans that hold it
    Cat(cat::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Make an image SOCI-enabled, in one pass over each layer
    Convert(Box<convert::Args>),
    /// Make a SOCI index v1 that refers to an image and leaves it as it is
    Create(create::Args),
    /// Install as `docker soci`, and build through docker buildx
    Docker(docker::Args),
    /// Say how long a start takes, lazily or not, and what the image carries for nothing
    Estimate(estimate::Args),
    /// Print the page of a rule
    Explain(explain::Args),
    /// Write a starting block of settings after looking at what is there
    Init(init::Args),
    /// Show what an image is made of and what of it can be loaded lazily
    Inspect(inspect::Args),
    /// Check task definitions: will Fargate load each container lazily?
    Lint(lint::Args),
    /// Mount an image lazily on this machine
    Mount(mount::Args),
    /// Remove SOCI from an image
    Remove(remove::Args),
    /// List the rules of `lint`
    Rules(rules::Args),
    /// Run a lazily mounted image on this machine until it is ready, and record what it needs
    Trace(Box<trace::Args>),
    /// Check everything about a SOCI-enabled image that a client would trip over
    Verify(verify::Args),
    /// Say of what runs, or of an image: is it loaded lazily, and if not, why
    Why(why::Args),
    /// Build, show, list, check and read zTOCs of single layers
    Ztoc(ztoc::Args),
}

/// The commands as docker's users get them: `build` hands its arguments to buildx.
pub fn for_docker(command: clap::Command) -> clap::Command {
    command.mut_subcommand("build", |_| {
        let command = clap::Command::new("build").disable_help_flag(true);
        <docker::BuildArgs as clap::Args>::augment_args(command)
            .about("Build with `docker buildx build` and make the image SOCI-enabled")
    })
}

/// Marks the words that are for buildx, so that none is taken for a flag of ours: `docker soci build ARGS`
/// and `cargo soci docker build ARGS`.
pub fn mark_buildx_words(caller: Caller, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is = |position: usize, word: &str| arguments.get(position).is_some_and(|found| found == word);
    if caller == Caller::Docker && is(0, "build") {
        arguments.splice(0..1, ["docker", "build", "--"].map(OsString::from));
    } else if is(0, "docker") && is(1, "build") && !is(2, "--") {
        arguments.insert(2, "--".into());
    }
    arguments
}

impl Verb {
    /// Runs the command.
    pub fn run(self, context: &Context) -> CommandResult {
        match self {
            Verb::Backfill(args) => backfill::run(*args, context),
            Verb::Build(args) => build::run(*args, context),
            Verb::Cat(args) => cat::run(args, context),
            Verb::Completions(args) => completions::run(args, context),
            Verb::Convert(args) => convert::run(*args, context),
            Verb::Create(args) => create::run(args, context),
            Verb::Docker(args) => docker::run(args, context),
            Verb::Estimate(args) => estimate::run(args, context),
            Verb::Explain(args) => explain::run(args, context),
            Verb::Init(args) => init::run(args, context),
            Verb::Inspect(args) => inspect::run(args, context),
            Verb::Lint(args) => lint::run(args, context),
            Verb::Mount(args) => mount::run(args, context),
            Verb::Remove(args) => remove::run(args, context),
            Verb::Rules(args) => rules::run(args, context),
            Verb::Trace(args) => trace::run(*args, context),
            Verb::Verify(args) => verify::run(args, context),
            Verb::Why(args) => why::run(args, context),
            Verb::Ztoc(args) => ztoc::run(args, context),
        }
    }
}
