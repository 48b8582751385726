//! `docker install|uninstall|build`: the Docker CLI plugin, and builds through buildx.

pub mod build;
mod install;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::commands::CommandResult;
use crate::context::Context;

/// Flags of `docker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: DockerVerb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum DockerVerb {
    /// Install this program as `docker soci`
    Install(InstallArgs),
    /// Remove `docker soci` again
    Uninstall(UninstallArgs),
    /// Build with `docker buildx build` and make the image SOCI-enabled
    #[command(disable_help_flag = true)]
    Build(BuildArgs),
}

/// Flags of `docker install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    /// Folder of the plugin [default: cli-plugins in docker's configuration folder]
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// Copy the program instead of linking to it
    #[arg(long)]
    pub copy: bool,
    /// Replace another program that is already there
    #[arg(long)]
    pub force: bool,
}

/// Flags of `docker uninstall`.
#[derive(Debug, clap::Args)]
pub struct UninstallArgs {
    /// Folder of the plugin [default: cli-plugins in docker's configuration folder]
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}

/// The words of `docker build`, which go to buildx as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = build::AFTER_HELP)]
pub struct BuildArgs {
    /// Arguments of `docker buildx build`, and our own, which begin with `--soci-`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub words: Vec<OsString>,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> CommandResult {
    match args.verb {
        DockerVerb::Install(args) => install::install(args, context),
        DockerVerb::Uninstall(args) => install::uninstall(args, context),
        DockerVerb::Build(args) => build::run(args.words, context),
    }
}
