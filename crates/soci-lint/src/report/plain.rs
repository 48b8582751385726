//! What was found, for people, where there are neither lines of files nor a terminal: the log of a workflow.

use std::fmt::Write;

use super::groups::{answers, grouped, members, names, outcome};
use super::short::{ending, finding};
use super::{RenderOptions, Report, terminal};

/// Writes the report.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = String::new();
    for found in &report.findings {
        finding(found, &mut out);
        if let Some(help) = &found.help {
            let _ = writeln!(out, "  help: {}", terminal(help));
        }
        let _ = writeln!(out, "  {}\n", found.url);
    }
    let members = members(report);
    for group in grouped(&members, &outcome) {
        let container = group[0].1;
        let _ = writeln!(
            out,
            "{}: {}\n  {}",
            container.verdict_text(),
            terminal(&container.why()),
            terminal(&names(&group))
        );
    }
    out.push('\n');
    for answer in answers(&members) {
        let _ = writeln!(out, "To know: {}", terminal(&answer));
    }
    ending(report, options, &mut out);
    out
}
