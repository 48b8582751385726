//! Tables for a job summary or a comment on a pull request.

use std::fmt::Write;

use super::short::summary_line;
use super::{ContainerReport, Finding, RenderOptions, Report, TaskReport, Verdict, markdown};

/// Writes the verdicts first, then what to change.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = format!("### SOCI lint: {}\n\n", sign(report.summary.verdict));
    let _ = writeln!(out, "{}\n", markdown(&summary_line(report)));
    if report.summary.containers > 0 {
        out.push_str("| task | container | image | verdict | why |\n|---|---|---|---|---|\n");
        for file in &report.files {
            for task in &file.tasks {
                rows(task, &mut out);
            }
        }
    }
    if !report.findings.is_empty() {
        out.push_str("\n#### What to look at\n\n");
        for finding in &report.findings {
            item(finding, &mut out);
        }
    }
    if let Some(failure) = report.failure(options) {
        let _ = writeln!(out, "\n**{}**", markdown(&failure));
    }
    out
}

fn rows(task: &TaskReport, out: &mut String) {
    for container in &task.containers {
        let place = format!("{}:{}", container.file, container.location.start.line);
        let _ = writeln!(
            out,
            "| {}<br>{} | {} | {} | {} | {} |",
            markdown(&task.id),
            markdown(&place),
            markdown(&container.name),
            markdown(container.image.as_deref().unwrap_or("")),
            verdict(container),
            why(container)
        );
    }
}

fn verdict(container: &ContainerReport) -> String {
    let accepted = if container.accepted.is_some() {
        ", accepted"
    } else {
        ""
    };
    format!("{}{accepted}", sign(container.verdict))
}

fn why(container: &ContainerReport) -> String {
    let why = markdown(&container.why());
    match container.answer() {
        Some(answer) => format!("{why}<br>To know: {}", markdown(answer)),
        None => why,
    }
}

fn item(finding: &Finding, out: &mut String) {
    let place = match &finding.location {
        Some(location) => format!("{}:{}", finding.file, location.start.line),
        None => finding.file.clone(),
    };
    let _ = write!(
        out,
        "* **{}** [{}]({}) {}: {}",
        finding.severity.as_str(),
        finding.code,
        finding.url,
        markdown(&place),
        markdown(&finding.message)
    );
    if let Some(help) = &finding.help {
        let _ = write!(out, "<br>{}", markdown(help));
    }
    out.push('\n');
}

/// A sign and the word, so that colour is never all there is.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Lazy => "✅ lazy",
        Verdict::NotLazy => "❌ not lazy",
        Verdict::Unknown => "❔ unknown",
    }
}
