//! One file per verb. Each has `Args`, its flags, and `run(args, &Context) -> Outcome`.
//!
//! A new verb needs its module, a variant of [`Verb`] and an arm of [`Verb::run`], in alphabetical
//! order; help, completion and `docs/cli.md` follow from the variant's first doc line.

pub mod completions;
pub mod convert;
pub mod explain;
pub mod init;
pub mod inspect;
mod layer_progress;
pub mod lint;
pub mod rules;
pub mod verify;
pub mod ztoc;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// What a command ends with.
pub type Outcome = Result<Exit, CommandError>;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Make an image SOCI-enabled, in one pass over each layer
    Convert(convert::Args),
    /// Print the page of a rule
    Explain(explain::Args),
    /// Write a starting block of settings after looking at what is there
    Init(init::Args),
    /// Show what an image is made of and what of it can be loaded lazily
    Inspect(inspect::Args),
    /// Check task definitions: will Fargate load each container lazily?
    Lint(lint::Args),
    /// List the rules of `lint`
    Rules(rules::Args),
    /// Check everything about a SOCI-enabled image that a client would trip over
    Verify(verify::Args),
    /// Build, show, list, check and read zTOCs of single layers
    Ztoc(ztoc::Args),
}

impl Verb {
    /// Runs the command.
    pub fn run(self, context: &Context) -> Outcome {
        match self {
            Verb::Completions(args) => completions::run(args, context),
            Verb::Convert(args) => convert::run(args, context),
            Verb::Explain(args) => explain::run(args, context),
            Verb::Init(args) => init::run(args, context),
            Verb::Inspect(args) => inspect::run(args, context),
            Verb::Lint(args) => lint::run(args, context),
            Verb::Rules(args) => rules::run(args, context),
            Verb::Verify(args) => verify::run(args, context),
            Verb::Ztoc(args) => ztoc::run(args, context),
        }
    }
}
