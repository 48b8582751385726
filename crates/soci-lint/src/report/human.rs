//! What was found, in snippets of the files, and a table of verdicts.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::short::ending;
#[cfg(feature = "snippets")]
use super::snippets::findings;
use super::{ContainerReport, RenderOptions, Report, Verdict, terminal};

/// Writes the report.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let mut out = String::new();
    findings(report, options, &mut out);
    table(report, options.color, &mut out);
    answers(report, &mut out);
    ending(report, options, &mut out);
    out
}

/// A finding without its line of the file, where the renderer of snippets is left out.
#[cfg(not(feature = "snippets"))]
fn findings(report: &Report, _: &RenderOptions<'_>, out: &mut String) {
    for finding in &report.findings {
        super::short::finding(finding, out);
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "  help: {}", terminal(help));
        }
        let _ = writeln!(out, "  {}\n", finding.url);
    }
}

/// What would answer the open verdicts, equal answers once.
fn answers(report: &Report, out: &mut String) {
    let mut answers: Vec<(&str, Vec<String>)> = Vec::new();
    for task in report.files.iter().flat_map(|file| &file.tasks) {
        for container in &task.containers {
            let Some(answer) = container.answer() else {
                continue;
            };
            let name = format!("{}/{}", terminal(&task.id), terminal(&name(container)));
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, names)) => names.push(name),
                None => answers.push((answer, vec![name])),
            }
        }
    }
    if answers.is_empty() {
        return;
    }
    out.push_str("To know what is unknown:\n");
    for (answer, names) in answers {
        let more = match names.len() {
            0..=MOST_NAMES => String::new(),
            all => format!(" and {} more", all - MOST_NAMES),
        };
        let names = &names[..names.len().min(MOST_NAMES)];
        let _ = writeln!(out, "  {}{more}: {}", names.join(", "), terminal(answer));
    }
    out.push('\n');
}

/// More containers with one answer are counted.
const MOST_NAMES: usize = 5;

/// One row a container.
fn table(report: &Report, color: bool, out: &mut String) {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut verdicts = Vec::new();
    for file in &report.files {
        for task in &file.tasks {
            for container in &task.containers {
                rows.push([
                    terminal(&task.id),
                    terminal(&name(container)),
                    container.verdict_text(),
                    terminal(&container.why()),
                ]);
                verdicts.push(container.verdict);
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    let head = ["task", "container", "verdict", "why"].map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| columns(&row[column]));
        cells.max().unwrap_or(0).min(WIDEST)
    };
    let widths = [width(0), width(1), width(2)];
    line(&head, widths, None, out);
    for (row, verdict) in rows.iter().zip(verdicts) {
        line(row, widths, color.then_some(verdict), out);
    }
    out.push('\n');
}

/// Columns in a terminal, letter by letter: few terminals draw letters that are joined into one as one.
fn columns(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// Wider cells push the rest of their line to the right.
const WIDEST: usize = 40;

fn name(container: &ContainerReport) -> String {
    match &container.condition {
        Some(condition) => format!("{} (if {condition})", container.name),
        None => container.name.clone(),
    }
}

fn line(cells: &[String; 4], widths: [usize; 3], verdict: Option<Verdict>, out: &mut String) {
    for (at, width) in widths.into_iter().enumerate() {
        let cell = &cells[at];
        let pad = width.saturating_sub(columns(cell)) + 2;
        match (at, verdict) {
            (2, Some(verdict)) => {
                let _ = write!(out, "\x1b[1;{}m{cell}\x1b[0m", ansi(verdict));
            }
            _ => out.push_str(cell),
        }
        out.extend(std::iter::repeat_n(' ', pad));
    }
    out.push_str(&cells[3]);
    out.push('\n');
}

fn ansi(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Lazy => 32,
        Verdict::NotLazy => 31,
        Verdict::Unknown => 33,
    }
}
