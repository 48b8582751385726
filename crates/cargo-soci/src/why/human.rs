//! The report for a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use soci_lint::Verdict;

use super::pull::bytes;
use super::report::{ContainerReport, GroupReport, Outlook, Remedy, Report, Step, Subject};
use crate::escape::terminal;
use crate::plural::count;

/// With more groups than this, only the table is printed unless details are asked for.
const DETAILED: usize = 8;

/// Writes the report; `detailed` prints the chain of every container, however many there are.
pub fn render(report: &Report, detailed: bool) -> String {
    let mut out = String::new();
    let is_short = report.groups.len() > DETAILED && !detailed;
    if report.groups.len() > 1 {
        table(report, &mut out);
        out.push('\n');
    }
    if !is_short {
        for group in &report.groups {
            write_group(group, &mut out);
            out.push('\n');
        }
    }
    for registry in &report.registries {
        line(
            &mut out,
            &format!(
                "{} was not asked: {}",
                terminal(&registry.registry),
                terminal(&registry.problem)
            ),
        );
        if let Some(help) = &registry.help {
            for words in help.lines() {
                line(&mut out, &format!("  {}", terminal(words)));
            }
        }
    }
    for gap in &report.gaps {
        line(&mut out, &terminal(&gap.sentence()));
    }
    for note in &report.notes {
        line(&mut out, &format!("note: {}", terminal(note)));
    }
    line(&mut out, &report.summary.sentence());
    if let Some(gain) = report.summary.gain() {
        line(&mut out, &gain);
    }
    if is_short {
        line(
            &mut out,
            "-v prints what decides for each; --format html is a page that can be sorted",
        );
    }
    out
}

fn table(report: &Report, out: &mut String) {
    let mut rows = vec![["SERVICE", "CONTAINER", "VERDICT", "TASKS", "BYTES", "WHY"].map(String::from)];
    for group in &report.groups {
        for container in &group.containers {
            rows.push([
                terminal(&group.name).into_owned(),
                terminal(&container.name).into_owned(),
                container.verdict_text(),
                group.tasks.to_string(),
                container.bytes.map_or_else(|| "-".to_owned(), bytes),
                terminal(&container.headline).into_owned(),
            ]);
        }
    }
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [a, b, c, d, e, _] = widths;
    for [name, container, verdict, tasks, size, why] in rows {
        line(
            out,
            &format!("{name:a$}  {container:b$}  {verdict:c$}  {tasks:>d$}  {size:>e$}  {why}"),
        );
    }
}

fn write_group(group: &GroupReport, out: &mut String) {
    let tasks = match (group.subject, group.tasks) {
        (Subject::Image, _) => "as Fargate would start it".to_owned(),
        (_, 0) => "no task seen".to_owned(),
        (_, number) => count(number, "task"),
    };
    let bold = Style::new().bold();
    let definition = match &group.definition {
        Some(definition) if group.service.is_some() => format!(", task definition {}", terminal(definition)),
        _ => String::new(),
    };
    line(
        out,
        &format!("{bold}{}{bold:#}: {tasks}{definition}", terminal(&group.name)),
    );
    steps(&group.chain, 2, out);
    for container in &group.containers {
        write_container(container, out);
    }
    if group.containers.is_empty() {
        line(out, "  its containers are not known");
    }
    remedies(&group.remedies, out);
}

fn write_container(container: &ContainerReport, out: &mut String) {
    let style = match container.verdict {
        _ if container.accepted.is_some() => Style::new(),
        Verdict::Lazy => AnsiColor::Green.on_default().bold(),
        Verdict::NotLazy => AnsiColor::Red.on_default().bold(),
        Verdict::Unknown => AnsiColor::Yellow.on_default().bold(),
    };
    let bold = Style::new().bold();
    line(
        out,
        &format!(
            "  {bold}{}{bold:#}: {style}{}{style:#}: {}",
            terminal(&container.name),
            container.verdict_text(),
            terminal(&container.headline)
        ),
    );
    steps(&container.chain, 4, out);
    if let Some(reason) = &container.accepted {
        line(out, &format!("    accepted: {}", terminal(reason)));
    }
    if container.outlook == Outlook::GainsNothing {
        line(
            out,
            "    lazy loading would gain little or nothing: it is for Linux on Fargate and pays above 250 MiB",
        );
    }
    remedies(&container.remedies, out);
}

fn remedies(remedies: &[Remedy], out: &mut String) {
    for remedy in remedies {
        line(out, &format!("    -> {}", terminal(&remedy.why)));
        for command in &remedy.commands {
            line(out, &format!("       {}", terminal(command)));
        }
    }
}

fn steps(steps: &[Step], indent: usize, out: &mut String) {
    let width = steps.iter().map(|step| step.what.len()).max().unwrap_or(0);
    for step in steps {
        line(
            out,
            &format!("{:indent$}{:width$}  {}", "", step.what, terminal(&step.found)),
        );
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string never fails");
}
