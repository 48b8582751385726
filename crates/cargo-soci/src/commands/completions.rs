//! `completions SHELL`: a completion script on stdout.

use clap_complete::Shell;

use crate::cli;
use crate::commands::CommandResult;
use crate::completion;
use crate::context::Context;
use crate::exit::Exit;
use crate::invocation::Caller;

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Bash:  eval \"$(cargo-soci completions bash)\"        in ~/.bashrc
Zsh:   eval \"$(cargo-soci completions zsh)\"         in ~/.zshrc, behind compinit
Fish:  cargo-soci completions fish | source         in ~/.config/fish/config.fish

These complete `cargo-soci` and `cargo soci`; those of elvish and powershell `cargo-soci` alone. `docker soci` needs
no script of its own: docker's completion asks the plugin.")]
pub struct Args {
    /// Shell to write for
    pub shell: Shell,
}

/// Prints the script.
pub fn run(args: Args, context: &Context) -> CommandResult {
    if let Some(script) = completion::script(args.shell) {
        context.report_bytes(script.as_bytes())?;
        return Ok(Exit::Done);
    }
    let mut command = cli::command(Caller::Direct);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "cargo-soci", &mut script);
    context.report_bytes(&script)?;
    Ok(Exit::Done)
}
