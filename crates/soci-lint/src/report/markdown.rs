//! Tables for a job summary or a comment on a pull request.

use std::fmt::Write;

use super::groups::{MOST_NAMES, Member, answers, grouped, members, name, outcome};
use super::short::summary_line;
use super::{Finding, RenderOptions, Report, Verdict, markdown};

/// Writes the verdicts first, then what to change.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = format!("### SOCI lint: {}\n\n", sign(report.summary.verdict));
    let _ = writeln!(out, "{}\n", markdown(&summary_line(report)));
    let members = members(report);
    if !members.is_empty() {
        out.push_str("| verdict | why | containers |\n|---|---|---|\n");
        for group in grouped(&members, &outcome) {
            row(&group, &mut out);
        }
    }
    let answers = answers(&members);
    if !answers.is_empty() {
        out.push_str("\n#### To know what is unknown\n\n");
        for answer in answers {
            let _ = writeln!(out, "* {}", markdown(&answer));
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

/// One row for containers with the same verdict and reason.
fn row(group: &[Member<'_>], out: &mut String) {
    let container = group[0].1;
    let accepted = if container.accepted.is_some() {
        ", accepted"
    } else {
        ""
    };
    let _ = write!(
        out,
        "| {}{accepted} | {} | ",
        sign(container.verdict),
        markdown(&container.why())
    );
    for (at, (task, container)) in group.iter().take(MOST_NAMES).enumerate() {
        let rest = format!(
            "{} {}:{}",
            container.image.as_deref().unwrap_or(""),
            container.file,
            container.location.start.line
        );
        let _ = write!(
            out,
            "{}**{}/{}** {}",
            if at == 0 { "" } else { "<br>" },
            markdown(&task.id),
            markdown(&name(container)),
            markdown(rest.trim_start())
        );
    }
    if let more @ 1.. = group.len().saturating_sub(MOST_NAMES) {
        let _ = write!(out, "<br>and {more} more");
    }
    out.push_str(" |\n");
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
