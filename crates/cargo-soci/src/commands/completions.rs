//! `completions SHELL`: a completion script on stdout.

use clap_complete::Shell;

use crate::cli;
use crate::commands::Outcome;
use crate::context::Context;
use crate::exit::Exit;
use crate::invocation::Caller;

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Bash:  cargo-soci completions bash > ~/.local/share/bash-completion/completions/cargo-soci
Zsh:   cargo-soci completions zsh > \"${fpath[1]}/_cargo-soci\"
Fish:  cargo-soci completions fish > ~/.config/fish/completions/cargo-soci.fish

`docker soci` needs no script of its own: docker's completion asks the plugin.")]
pub struct Args {
    /// Shell to write for
    pub shell: Shell,
}

/// Prints the script.
pub fn run(args: Args, context: &Context) -> Outcome {
    let mut command = cli::command(Caller::Direct);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "cargo-soci", &mut script);
    context.report_bytes(&script)?;
    Ok(Exit::Done)
}
