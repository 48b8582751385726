//! GitHub's workflow commands, which become annotations on the lines of a pull request.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> (2026-11-23)

use std::fmt::Write;

use super::{Finding, Report, github_data, github_property, terminal};
use crate::rules::Severity;

/// Writes one command a finding. GitHub shows ten of each severity and step; whoever needs all of
/// them reads the summary.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            _ => "notice",
        };
        let _ = writeln!(
            out,
            "::{command} {}::{}",
            properties(finding),
            github_data(&terminal_lines(finding))
        );
    }
    out
}

fn properties(finding: &Finding) -> String {
    let title = format!("{} {}", finding.code, finding.name);
    let mut properties = format!("title={}", github_property(&title));
    if !finding.file.is_empty() {
        let _ = write!(properties, ",file={}", github_property(&terminal(&finding.file)));
    }
    if let Some(location) = &finding.location {
        let (start, end) = (&location.start, &location.end);
        let _ = write!(properties, ",line={},endLine={}", start.line, end.line);
        // Columns count only within one line.
        if start.line == end.line {
            let _ = write!(
                properties,
                ",col={},endColumn={}",
                start.column_utf16, end.column_utf16
            );
        }
    }
    properties
}

/// The message and the help on lines of their own.
fn terminal_lines(finding: &Finding) -> String {
    let mut text = terminal(&finding.message);
    if let Some(help) = &finding.help {
        text.push('\n');
        text.push_str(&terminal(help));
    }
    text
}
