//! Snippets of the files with what was found in them, and a table of verdicts.

use std::borrow::Cow;
use std::fmt::Write;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::short::summary_line;
use super::{ContainerReport, Finding, RenderOptions, Report, Verdict, terminal};
use crate::Input;
use crate::rules::Severity;
use crate::source::{BOM, Location};

/// Writes the report.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let width = if options.width == 0 { 100 } else { options.width };
    let renderer = match options.color {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&snippet(finding, options, &renderer));
        out.push_str("\n\n");
    }
    table(report, options.color, &mut out);
    out.push_str(&summary_line(report));
    out.push('\n');
    out
}

fn snippet(finding: &Finding, options: &RenderOptions<'_>, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        _ => Level::INFO,
    };
    let title = level
        .primary_title(terminal(&finding.message))
        .id(finding.code.clone());
    let title = match options.color {
        true => title.id_url(finding.url.clone()),
        false => title,
    };
    let mut group = Group::with_title(title);
    let path = terminal(&finding.file);
    let label = match &finding.container {
        Some(container) => format!("container `{}`", terminal(container)),
        None => String::new(),
    };
    match (&finding.location, window(options.sources, finding)) {
        (Some(_), Some(window)) => {
            let primary = AnnotationKind::Primary.span(window.primary.clone()).label(label);
            let mut snippet = Snippet::source(window.text)
                .path(path)
                .line_start(window.line)
                .fold(true)
                .annotation(primary);
            for (range, message) in window.related {
                snippet = snippet.annotation(AnnotationKind::Context.span(range).label(terminal(&message)));
            }
            group = group.element(snippet);
        }
        (Some(location), None) => {
            group = group.element(
                Origin::path(path)
                    .line(location.start.line as usize)
                    .char_column(location.start.column_utf16 as usize),
            );
        }
        (None, _) if !path.is_empty() => group = group.element(Origin::path(path)),
        (None, _) => {}
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(terminal(help)));
    }
    group = group.element(Level::NOTE.message(finding.url.clone()));
    renderer.render(&[group])
}

/// The lines of a file that a finding needs. Only these are given to the renderer: it reads its
/// whole text, which for a large file would be slow for each finding.
struct Window<'s> {
    text: Cow<'s, str>,
    line: usize,
    primary: std::ops::Range<usize>,
    related: Vec<(std::ops::Range<usize>, String)>,
}

/// Longer lines are cut around the finding.
const LONGEST_LINE: usize = 2000;
/// A related place further away than this is left out of the snippet.
const FARTHEST: u32 = 2000;

fn window<'s>(sources: &'s [Input], finding: &Finding) -> Option<Window<'s>> {
    let location = finding.location.as_ref()?;
    let bytes = &sources.iter().find(|source| source.path == finding.file)?.bytes;
    let text = std::str::from_utf8(bytes).ok()?;
    let near = |other: &Location| other.start.line.abs_diff(location.start.line) <= FARTHEST;
    let related: Vec<_> = finding
        .related
        .iter()
        .filter(|related| related.file == finding.file && near(&related.location))
        .collect();
    let places = || std::iter::once(location).chain(related.iter().map(|related| &related.location));
    let first = places().map(|place| place.start.byte as usize).min()?;
    let last = places().map(|place| place.end.byte as usize).max()?;
    let mut start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let mut end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    if start == 0 && bytes.starts_with(BOM) {
        start = BOM.len();
    }
    if first - start > LONGEST_LINE {
        start = text.floor_char_boundary(first - LONGEST_LINE / 10);
    }
    if end - last > LONGEST_LINE {
        end = text.floor_char_boundary(last + LONGEST_LINE / 10);
    }
    let line = places().map(|place| place.start.line).min()? as usize;
    let lines = text.get(start..end)?;
    let range = |place: &Location| {
        let from = (place.start.byte as usize).saturating_sub(start);
        let to = (place.end.byte as usize).saturating_sub(start);
        from.min(lines.len())..to.min(lines.len())
    };
    Some(Window {
        primary: range(location),
        related: related
            .iter()
            .map(|related| (range(&related.location), related.message.clone()))
            .collect(),
        text: Cow::Borrowed(lines),
        line,
    })
}

/// One row a container, one line of what to do for those that are not lazy.
fn table(report: &Report, color: bool, out: &mut String) {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut verdicts = Vec::new();
    for file in &report.files {
        for task in &file.tasks {
            for container in &task.containers {
                rows.push([
                    terminal(&task.id),
                    terminal(&name(container)),
                    container.verdict.as_str().to_owned(),
                    terminal(&container.headline),
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
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).min(WIDEST)
    };
    let widths = [width(0), width(1), width(2)];
    line(&head, widths, None, out);
    for (row, verdict) in rows.iter().zip(verdicts) {
        line(row, widths, color.then_some(verdict), out);
    }
    out.push('\n');
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
        let pad = width.saturating_sub(cell.chars().count()) + 2;
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
