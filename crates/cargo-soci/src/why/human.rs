//! The report for a terminal.

use anstyle::{AnsiColor, Style};
use soci_lint::Verdict;

use super::pull::bytes;
use super::report::{ContainerReport, GroupReport, Outlook, Remedy, Report, Step, Subject};
use crate::escape::terminal;
use crate::lines::{Lines, row};
use crate::plural::count;

/// With more groups than this, only the table is printed unless details are asked for.
const DETAILED: usize = 8;

/// Writes the report in lines of so many columns; `detailed` prints the chain of every container, however many there
/// are.
pub fn render(report: &Report, detailed: bool, columns: usize) -> String {
    let mut lines = Lines::new(columns);
    let is_short = report.groups.len() > DETAILED && !detailed;
    if report.groups.len() > 1 {
        table(report, &mut lines);
        lines.gap();
    }
    if !is_short {
        for group in &report.groups {
            write_group(group, &mut lines);
            lines.gap();
        }
    }
    for registry in &report.registries {
        lines.add(0, &registry.sentence);
        for words in registry.help.iter().flat_map(|help| help.lines()) {
            lines.add(2, words);
        }
    }
    for gap in &report.gaps {
        lines.add(0, &gap.sentence());
    }
    for note in &report.notes {
        lines.add(0, &format!("note: {note}"));
    }
    lines.add(0, &report.summary.sentence());
    if let Some(gain) = report.summary.gain() {
        lines.add(0, &gain);
    }
    if is_short {
        lines.add(
            0,
            "-v prints what decides for each; --format html is a page that can be sorted",
        );
    }
    lines.finish()
}

fn table(report: &Report, lines: &mut Lines) {
    let mut rows = vec![row(["SERVICE", "CONTAINER", "VERDICT", "TASKS", "BYTES", "WHY"])];
    for group in &report.groups {
        for container in &group.containers {
            rows.push(vec![
                group.name.clone(),
                container.name.clone(),
                container.verdict_text(),
                group.tasks.to_string(),
                container.bytes.map_or_else(|| "-".to_owned(), bytes),
                container.headline.clone(),
            ]);
        }
    }
    lines.table(0, &[3, 4], &rows);
}

fn write_group(group: &GroupReport, lines: &mut Lines) {
    let tasks = match (group.subject, group.tasks) {
        (Subject::Image, _) => "as Fargate would start it".to_owned(),
        (_, 0) => "no task seen".to_owned(),
        (_, number) => count(number, "task"),
    };
    let definition = match &group.definition {
        Some(definition) if group.service.is_some() => format!(", task definition {definition}"),
        _ => String::new(),
    };
    let name = terminal(&group.name);
    lines.paint(0, &format!("{}: {tasks}{definition}", group.name), &|line| {
        styled(line, &name, Style::new().bold(), "", Style::new())
    });
    steps(&group.chain, 2, lines);
    for container in &group.containers {
        write_container(container, lines);
    }
    if group.containers.is_empty() {
        lines.add(2, "its containers are not known");
    }
    remedies(&group.remedies, lines);
}

fn write_container(container: &ContainerReport, lines: &mut Lines) {
    let style = match container.verdict {
        _ if container.accepted.is_some() => Style::new(),
        Verdict::Lazy => AnsiColor::Green.on_default().bold(),
        Verdict::NotLazy => AnsiColor::Red.on_default().bold(),
        Verdict::Unknown => AnsiColor::Yellow.on_default().bold(),
    };
    let (name, verdict) = (terminal(&container.name), container.verdict_text());
    lines.paint(
        2,
        &format!("{}: {verdict}: {}", container.name, container.headline),
        &|line| styled(line, &name, Style::new().bold(), &verdict, style),
    );
    steps(&container.chain, 4, lines);
    if let Some(reason) = &container.accepted {
        lines.add(4, &format!("accepted: {reason}"));
    }
    if container.outlook == Outlook::GainsNothing {
        lines.add(
            4,
            "lazy loading would gain little or nothing: it is for Linux on Fargate and pays above 250 MiB",
        );
    }
    remedies(&container.remedies, lines);
}

/// A line that begins with a name, and a verdict if there is one, in their colours; where the name alone fills the line
/// it is as it was.
fn styled(line: &str, name: &str, of_name: Style, verdict: &str, of_verdict: Style) -> String {
    let Some(rest) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')) else {
        return line.to_owned();
    };
    let name = format!("{of_name}{name}{of_name:#}:");
    match rest.strip_prefix(' ').and_then(|rest| rest.strip_prefix(verdict)) {
        Some(rest) if !verdict.is_empty() => format!("{name} {of_verdict}{verdict}{of_verdict:#}{rest}"),
        _ => format!("{name}{rest}"),
    }
}

fn remedies(remedies: &[Remedy], lines: &mut Lines) {
    for remedy in remedies {
        lines.add(4, &format!("-> {}", remedy.why));
        for command in &remedy.commands {
            lines.as_it_is(&format!("       {}", terminal(command)));
        }
    }
}

fn steps(steps: &[Step], indent: usize, lines: &mut Lines) {
    let rows: Vec<_> = steps
        .iter()
        .map(|step| vec![step.what.to_owned(), with_short_digests(&step.found)])
        .collect();
    lines.table(indent, &[], &rows);
}

/// The beginning of a digest tells it from any other; the JSON form has all of it.
fn with_short_digests(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split(SHA256).enumerate() {
        let length = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        match (at, length) {
            (0, _) => out.push_str(part),
            (_, 64) => out.extend([SHA256, &part[..12], "…", &part[64..]]),
            _ => out.extend([SHA256, part]),
        }
    }
    out
}

const SHA256: &str = "sha256:";
