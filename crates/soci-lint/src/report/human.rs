//! What was found, in snippets of the files, and a table of verdicts.

use std::fmt::Write;

use super::columns::{self, Shape, wrap};
use super::groups::{Member, answers, by_task, grouped, members, outcome};
use super::short::summary_line;
use super::snippets::findings;
use super::{RenderOptions, Report, Verdict};

/// Writes the report.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = String::new();
    let width = options.columns();
    let members = members(report);
    findings(report, options, &mut out);
    table(&members, width, options.color, &mut out);
    to_know(&members, width, &mut out);
    let summary = summary_line(report);
    match options.width {
        0 => out.extend([&summary, "\n"]),
        width => indented(&summary, "", "  ", width, &mut out),
    }
    // Who looks for what made the run fail finds it in the last line.
    if let Some(failure) = report.failure(options) {
        out.extend([&failure, "\n"]);
    }
    out
}

/// What would answer the open verdicts, equal answers once.
fn to_know(members: &[Member<'_>], width: usize, out: &mut String) {
    let answers = answers(members);
    if answers.is_empty() {
        return;
    }
    out.push_str("To know what is unknown:\n");
    for answer in answers {
        indented(&answer, "  ", "    ", width, out);
    }
    out.push('\n');
}

/// A text in lines, of which all but the first begin further in.
fn indented(text: &str, first: &str, more: &str, width: usize, out: &mut String) {
    for (at, line) in wrap(text, width.saturating_sub(more.len()), false)
        .iter()
        .enumerate()
    {
        let _ = writeln!(out, "{}{line}", if at == 0 { first } else { more });
    }
}

/// One row for containers with the same verdict and reason: those of a task together, and tasks of which the same is
/// said.
fn table(members: &[Member<'_>], width: usize, color: bool, out: &mut String) {
    if members.is_empty() {
        return;
    }
    let mut rows = vec![
        ["task", "container", "verdict", "why"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut verdicts = Vec::new();
    for group in grouped(members, &outcome) {
        let container = group[0].1;
        for (tasks, containers) in by_task(&group) {
            rows.push(vec![tasks, containers, container.verdict_text(), container.why()]);
            verdicts.push(container.verdict);
        }
    }
    let paint = |row: usize, column: usize| {
        let verdict = row.checked_sub(1).and_then(|row| verdicts.get(row));
        verdict.filter(|_| column == 2).map(|verdict| ansi(*verdict))
    };
    let shape = Shape {
        width,
        color: color.then_some(&paint),
        ..Shape::default()
    };
    columns::table(&rows, shape, out);
    out.push('\n');
}

fn ansi(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Lazy => 32,
        Verdict::NotLazy => 31,
        Verdict::Unknown => 33,
    }
}
