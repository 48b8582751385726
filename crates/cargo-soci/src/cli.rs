//! The command line: the flags that every command shares, and the way from words to an exit code.

use std::ffi::OsString;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::cancel;
use crate::commands::{self, Verb};
use crate::context::{Context, Format, Verbosity};
use crate::exit::Exit;
use crate::help;
use crate::invocation::{Caller, DockerFlags};
use crate::progress::{Progress, ProgressMode};
use crate::registries::{Registries, RegistryFlags};

/// Makes container images SOCI-enabled and checks that AWS Fargate will load them lazily
#[derive(Debug, Parser)]
#[command(
    name = "cargo-soci",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done or nothing found, 1 findings, 2 usage, 3 could not be done, 4 nothing to index, 130 interrupted."
)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub shared: Shared,
    /// The command.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags of every command, before or after its name.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct Shared {
    /// Format of the report: human or json; for `lint` also short, github, sarif and markdown, for `why` markdown and html, for `estimate` html [default: human]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub format: Option<Format>,
    /// Colours: auto, always or never [default: auto]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub color: Option<Color>,
    /// Only errors on stderr, and only the digest on stdout
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on stderr; twice for every decision
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Progress on stderr: auto (bars on a terminal, else lines), plain or none [default: auto]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        hide_possible_values = true
    )]
    pub progress: Option<ProgressMode>,
    /// About registries.
    #[command(flatten)]
    pub registries: RegistryFlags,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, following `NO_COLOR` and `CLICOLOR_FORCE`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Runs one command line and prints what goes wrong.
pub fn run(caller: Caller, arguments: Vec<OsString>, docker: DockerFlags) -> Exit {
    let cli = match parse(caller, arguments) {
        Ok(cli) => cli,
        Err(error) => return print_clap(&error),
    };
    let context = context(caller, &cli.shared, docker);
    conclude(&context, cli.verb.run(&context))
}

/// The command as clap knows it, named after the caller.
pub fn command(caller: Caller) -> clap::Command {
    let command = help::complete(Cli::command()).bin_name(caller.name());
    match caller {
        Caller::Docker => commands::for_docker(command),
        Caller::Cargo | Caller::Direct => command,
    }
}

/// Prints an error, if there is one, and gives the exit code.
pub fn conclude(context: &Context, outcome: commands::CommandResult) -> Exit {
    match outcome {
        Ok(exit) => exit,
        Err(error) => {
            context.progress.suspend(|| error.print());
            error.exit()
        }
    }
}

/// Sets up signals, colours and progress.
pub fn context(caller: Caller, shared: &Shared, docker: DockerFlags) -> Context {
    set_colors(shared.color);
    let verbosity = match (shared.quiet, shared.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) if is_true("CARGO_TERM_QUIET") && caller == Caller::Cargo => Verbosity::Quiet,
        (false, 0) if is_true("CARGO_TERM_VERBOSE") && caller == Caller::Cargo => Verbosity::Verbose,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Trace,
    };
    let mode = match shared.progress {
        _ if verbosity == Verbosity::Quiet => ProgressMode::None,
        Some(mode) => mode,
        None if std::env::var_os("CARGO_TERM_PROGRESS_WHEN").is_some_and(|when| when == "never") => {
            ProgressMode::None
        }
        None => ProgressMode::Auto,
    };
    Context {
        caller,
        format: shared.format,
        verbosity,
        cancel: cancel::listen(),
        progress: Arc::new(Progress::new(mode)),
        docker,
        registries: Registries::new(shared.registries.clone()),
    }
}

fn parse(caller: Caller, arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let words =
        std::iter::once(OsString::from(caller.name())).chain(commands::mark_buildx_words(caller, arguments));
    let mut matches = command(caller).try_get_matches_from(words)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// Help and version go to stdout with exit code 0, anything else is wrong usage.
fn print_clap(error: &clap::Error) -> Exit {
    // A reader that went away is not an error.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

/// `--color`, then `CARGO_TERM_COLOR`; `anstream` itself follows `NO_COLOR` and `CLICOLOR_FORCE`.
fn set_colors(flag: Option<Color>) {
    let from_environment = || match std::env::var("CARGO_TERM_COLOR").as_deref() {
        Ok("always") => Some(Color::Always),
        Ok("never") => Some(Color::Never),
        _ => None,
    };
    match flag.or_else(from_environment) {
        Some(Color::Always) => anstream::ColorChoice::Always.write_global(),
        Some(Color::Never) => anstream::ColorChoice::Never.write_global(),
        Some(Color::Auto) | None => {}
    }
}

fn is_true(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        for caller in [Caller::Cargo, Caller::Docker, Caller::Direct] {
            command(caller).debug_assert();
        }
    }
}
