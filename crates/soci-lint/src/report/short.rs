//! One line a finding, one line a container: for editors, `grep` and diffs.

use std::fmt::Write;

use super::{Report, count, terminal};

/// Writes the report.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
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
    for file in &report.files {
        for task in &file.tasks {
            for container in &task.containers {
                let _ = writeln!(
                    out,
                    "{}:{}:{}: {} {}/{}: {}",
                    terminal(&container.file),
                    container.location.start.line,
                    container.location.start.column_utf16,
                    container.verdict.as_str(),
                    terminal(&task.id),
                    terminal(&container.name),
                    terminal(&container.headline)
                );
            }
        }
    }
    let _ = writeln!(out, "{}", summary_line(report));
    out
}

/// `2 containers: 1 lazy, 1 not-lazy, 0 unknown; 1 error, 0 warnings`.
pub(super) fn summary_line(report: &Report) -> String {
    let summary = &report.summary;
    let mut line = format!(
        "{}: {} lazy, {} not-lazy, {} unknown; {}, {}",
        count(summary.containers, "container"),
        summary.lazy,
        summary.not_lazy,
        summary.unknown,
        count(summary.errors, "error"),
        count(summary.warnings, "warning"),
    );
    if summary.suppressed > 0 {
        let _ = write!(line, "; {} silenced by comments", summary.suppressed);
    }
    line
}
