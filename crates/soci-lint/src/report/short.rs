//! One line a finding, one line a container: for editors, `grep` and diffs.

use std::fmt::Write;

use super::{Consumer, Finding, RenderOptions, Report, count, terminal};

/// Writes the report.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        self::finding(finding, &mut out);
    }
    for file in &report.files {
        for task in &file.tasks {
            for container in &task.containers {
                let _ = write!(
                    out,
                    "{}:{}:{}: {} {}/{}: {}",
                    terminal(&container.file),
                    container.location.start.line,
                    container.location.start.column_utf16,
                    container.verdict_text(),
                    terminal(&task.id),
                    terminal(&container.name),
                    terminal(&container.why())
                );
                match container.answer() {
                    Some(answer) => {
                        let _ = writeln!(out, "; to know: {}", terminal(answer));
                    }
                    None => out.push('\n'),
                }
            }
        }
    }
    ending(report, options, &mut out);
    out
}

/// `file:line:column: severity[code] message`.
pub(super) fn finding(finding: &Finding, out: &mut String) {
    let place = match &finding.location {
        Some(location) => format!(
            "{}:{}:{}",
            finding.file, location.start.line, location.start.column_utf16
        ),
        None if finding.file.is_empty() => "(options)".to_owned(),
        None => finding.file.clone(),
    };
    let _ = writeln!(
        out,
        "{}: {}[{}] {}",
        terminal(&place),
        finding.severity.as_str(),
        finding.code,
        terminal(&finding.message)
    );
}

/// The counts, and what made the run fail if it did.
pub(super) fn ending(report: &Report, options: &RenderOptions<'_>, out: &mut String) {
    let _ = writeln!(out, "{}", summary_line(report));
    if let Some(failure) = report.failure(options) {
        let _ = writeln!(out, "{failure}");
    }
}

/// `2 containers: 1 lazy, 1 not-lazy, 0 unknown; 1 error, 0 warnings`.
pub(super) fn summary_line(report: &Report) -> String {
    let summary = &report.summary;
    let consumer = match report.consumer {
        Consumer::Fargate => String::new(),
        other => format!(" for {}", other.as_str()),
    };
    let mut line = format!(
        "{}{consumer}: {} lazy, {} not-lazy, {} unknown; {}, {}",
        count(summary.containers, "container"),
        summary.lazy,
        summary.not_lazy,
        summary.unknown,
        count(summary.errors, "error"),
        count(summary.warnings, "warning"),
    );
    if summary.accepted > 0 {
        let _ = write!(line, "; {} accepted", count(summary.accepted, "container"));
    }
    if summary.suppressed > 0 {
        let _ = write!(line, "; {} silenced by comments", summary.suppressed);
    }
    line
}
