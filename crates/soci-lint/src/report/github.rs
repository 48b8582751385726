//! GitHub's workflow commands, which become annotations on the lines of a pull request.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> (2026-11-23)

use std::fmt::Write;

use super::{ContainerReport, Finding, RenderOptions, Report, github_data, github_property, terminal};
use crate::source::Location;
use crate::terms::Severity;

/// GitHub shows this many annotations of each severity for a step and drops the others.
/// <https://docs.github.com/en/rest/checks/runs> and the runner's own limit (2026-11-24)
const SHOWN: usize = 10;

/// Writes a command for each finding that GitHub will show, the worst first, and counts the rest in words.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let failure = report.failure(options);
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
        // What made the run fail comes last, and has to be shown.
        let kept = usize::from(severity == Severity::Error && failure.is_some());
        for finding in findings.take(SHOWN - kept) {
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
    let notices = report.findings.iter();
    let notices = notices
        .filter(|finding| finding.severity == Severity::Info)
        .count();
    unknown(report, SHOWN.saturating_sub(notices), &mut out);
    if let Some(failure) = failure {
        let _ = writeln!(
            out,
            "::error title=soci-lint::{}",
            github_data(&terminal(&failure))
        );
    }
    out
}

/// Containers with an open verdict, and what would answer it.
fn unknown(report: &Report, shown: usize, out: &mut String) {
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    let open = tasks.flat_map(|task| task.containers.iter().map(move |container| (task, container)));
    let open: Vec<(_, &ContainerReport, &str)> = open
        .filter_map(|(task, container)| Some((task, container, container.answer()?)))
        .collect();
    for (task, container, answer) in open.iter().take(shown) {
        let text = format!(
            "{}/{}: unknown, {}\nto know: {}",
            terminal(&task.id),
            terminal(&container.name),
            terminal(&container.headline),
            terminal(answer)
        );
        let _ = writeln!(
            out,
            "::notice title={}{}::{}",
            github_property("verdict unknown"),
            place(&container.file, Some(&container.location)),
            github_data(&text)
        );
    }
    let rest = open.len().saturating_sub(shown);
    if rest > 0 {
        let _ = writeln!(
            out,
            "{rest} more with an unknown verdict: GitHub shows {SHOWN} notices for a step, the summary has all"
        );
    }
}

fn properties(finding: &Finding) -> String {
    let title = format!("{} {}", finding.code, finding.name);
    format!(
        "title={}{}",
        github_property(&title),
        place(&finding.file, finding.location.as_ref())
    )
}

/// File, lines and columns, each with a comma in front.
fn place(file: &str, location: Option<&Location>) -> String {
    let mut properties = String::new();
    if !file.is_empty() {
        let _ = write!(properties, ",file={}", github_property(&terminal(file)));
    }
    if let Some(location) = location {
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
