//! `explain CODE`: the page of a rule.

use soci_lint::RuleInfo;

use crate::commands::CommandResult;
use crate::config::keys;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;

/// Flags of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "`cargo soci rules` lists all rules.")]
pub struct Args {
    /// Code or name of a rule
    #[arg(value_name = "RULE")]
    pub rule: String,
}

/// Prints the page, which is Markdown and reads well as it is.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let rules = soci_lint::rules();
    let wanted = args.rule.trim();
    let is_meant = |rule: &&RuleInfo| rule.name == wanted || rule.code.eq_ignore_ascii_case(wanted);
    let Some(rule) = rules.iter().find(is_meant) else {
        let error = CommandError::usage(format!("there is no rule {wanted}"));
        let names = rules
            .iter()
            .flat_map(|rule| [rule.code.as_str(), rule.name.as_str()]);
        return Err(match keys::nearest(wanted, names) {
            Some(meant) => error.help(format!("did you mean {meant}?")),
            None => error.help("`cargo soci rules` lists all rules"),
        });
    };
    match context.format(&[Format::Human, Format::Markdown, Format::Json])? {
        Format::Json => context.report_json(rule)?,
        _ => context.report(&rule.documentation)?,
    }
    Ok(Exit::Done)
}
