//! The report for a job summary or a comment.

use std::fmt::Write as _;

use soci_lint::escape::markdown;

use super::pull::bytes;
use super::report::Report;

/// Writes the table, then what to do for each container that is not lazy or open.
pub fn render(report: &Report) -> String {
    let summary = &report.summary;
    let mut out = format!(
        "### Why is it not lazy: {}\n\n{}\n\n",
        summary.verdict.as_str(),
        markdown(&summary.sentence())
    );
    if let Some(gain) = summary.gain() {
        let _ = writeln!(out, "{}\n", markdown(&gain));
    }
    if !report.groups.is_empty() {
        out.push_str("| service | container | verdict | tasks | bytes | why |\n|---|---|---|--:|--:|---|\n");
    }
    for group in &report.groups {
        if group.containers.is_empty() {
            let _ = writeln!(
                out,
                "| {} | – | unknown | {} | – | its containers are not known |",
                markdown(&group.name),
                group.tasks
            );
        }
        for container in &group.containers {
            let size = container.bytes.map_or_else(|| "–".to_owned(), bytes);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {size} | {} |",
                markdown(&group.name),
                markdown(&container.name),
                markdown(&container.verdict_text()),
                group.tasks,
                markdown(&container.headline)
            );
        }
    }
    let mut heading = "\n#### What to do\n";
    for group in &report.groups {
        for container in group
            .containers
            .iter()
            .filter(|container| !container.remedies.is_empty())
        {
            let _ = writeln!(
                out,
                "{heading}\n**{}**, {}:",
                markdown(&group.name),
                markdown(&container.name)
            );
            heading = "";
            for remedy in &container.remedies {
                let _ = writeln!(out, "* {}", markdown(&remedy.why));
                for command in &remedy.commands {
                    let _ = writeln!(out, "  <br><code>{}</code>", markdown(command));
                }
            }
        }
    }
    for registry in &report.registries {
        let _ = writeln!(out, "\n{}", markdown(&registry.sentence));
    }
    for gap in &report.gaps {
        let _ = writeln!(out, "\n{}", markdown(&gap.sentence()));
    }
    for note in &report.notes {
        let _ = writeln!(out, "\nNote: {}", markdown(note));
    }
    out
}
