//! GitHub's workflow commands, which become annotations on the lines of a pull request.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> (2026-11-23)

use std::fmt::Write;

use super::{Finding, Report, github_data, github_property, terminal};
use crate::terms::Severity;

/// GitHub shows this many annotations of each severity for a step and drops the others.
/// <https://docs.github.com/en/rest/checks/runs> and the runner's own limit (2026-11-24)
const SHOWN: usize = 10;

/// Writes a command for each finding that GitHub will show, the worst first, and counts the rest in words.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let mut written = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let command = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            _ => "notice",
        };
        let findings = report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity);
        for finding in findings.take(SHOWN) {
            written += 1;
            let _ = writeln!(
                out,
                "::{command} {}::{}",
                properties(finding),
                github_data(&terminal_lines(finding))
            );
        }
    }
    let rest = report.findings.len() - written;
    if rest > 0 {
        let findings = if rest == 1 { "finding has" } else { "findings have" };
        let _ = writeln!(
            out,
            "{rest} more {findings} no annotation: GitHub shows {SHOWN} of each severity for a step"
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
