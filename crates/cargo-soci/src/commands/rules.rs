//! `rules`: every rule of `lint`, by code.

use std::fmt::Write as _;

use soci_lint::columns::wrap;
use soci_lint::{RuleInfo, Severity};

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::exit::Exit;

/// Flags of `rules`.
#[derive(Debug, clap::Args)]
#[command(after_help = "`cargo soci explain CODE` prints the page of a rule.")]
pub struct Args {}

/// Prints the rules.
pub fn run(_args: Args, context: &Context) -> CommandResult {
    let rules = soci_lint::rules();
    match context.format(&[Format::Human, Format::Short, Format::Json, Format::Markdown])? {
        Format::Json => context.report_json(&rules)?,
        Format::Short => context.report(&short(&rules))?,
        Format::Markdown => context.report(&markdown(&rules))?,
        _ => context.report(&human(&rules, context.columns()))?,
    }
    Ok(Exit::Done)
}

fn short(rules: &[RuleInfo]) -> String {
    let mut text = String::new();
    for rule in rules {
        let _ = writeln!(text, "{} {} {}", rule.code, rule.severity.as_str(), rule.name);
    }
    text
}

fn human(rules: &[RuleInfo], columns: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    let mut group = "";
    for rule in rules {
        let heading = heading(&rule.code);
        if heading != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{bold}{heading}{bold:#}");
            group = heading;
        }
        let style = match rule.severity {
            Severity::Error => anstyle::AnsiColor::Red.on_default(),
            Severity::Warning => anstyle::AnsiColor::Yellow.on_default(),
            Severity::Info | Severity::Off => anstyle::Style::new(),
        };
        let severity = format!("{:7}", rule.severity.as_str());
        let _ = writeln!(text, "  {}  {style}{severity}{style:#}  {}", rule.code, rule.name);
        for line in wrap(&rule.summary, columns - INDENT.len(), false) {
            let _ = writeln!(text, "{INDENT}{line}");
        }
    }
    text
}

/// Summaries stand below the names.
const INDENT: &str = "                    ";

fn markdown(rules: &[RuleInfo]) -> String {
    let mut text = "| code | name | severity | |\n|---|---|---|---|\n".to_owned();
    for rule in rules {
        let _ = writeln!(
            text,
            "| [{}]({}) | `{}` | {} | {} |",
            rule.code,
            rule.url,
            rule.name,
            rule.severity.as_str(),
            rule.summary
        );
    }
    text
}

/// What the first digit of a code stands for.
fn heading(code: &str) -> &'static str {
    match code.as_bytes().get(4) {
        Some(b'1') => "Where it runs",
        Some(b'2') => "Where the image lives",
        Some(b'3') => "What the image is",
        Some(b'4') => "How it is deployed",
        _ => "The document",
    }
}
