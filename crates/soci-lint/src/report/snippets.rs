//! Findings as rustc shows them, in snippets of the files.

use std::borrow::Cow;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::columns::wrap;
use super::{Finding, Related, RenderOptions, Report, snippet_text, terminal};
use crate::Input;
use crate::source::{BOM, Location};
use crate::table::Table;
use crate::terms::Severity;

/// Writes all findings.
pub(super) fn findings(report: &Report, options: &RenderOptions<'_>, out: &mut String) {
    let width = options.columns();
    let renderer = match options.color {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let writer = Writer {
        texts: texts(report, options.sources),
        renderer: renderer.decor_style(DecorStyle::Ascii).term_width(width),
        color: options.color,
        width,
    };
    for finding in &report.findings {
        out.push_str(&writer.snippet(finding));
        out.push_str("\n\n");
    }
}

/// The files that are text, by path; what is sensitive in them is made unreadable.
fn texts<'s>(report: &Report, sources: &'s [Input]) -> Table<&'s str, Cow<'s, str>> {
    let mut texts = Table::default();
    for source in sources {
        let Ok(text) = std::str::from_utf8(&source.bytes) else {
            continue;
        };
        let mut text = Cow::Borrowed(text);
        for (_, range) in report.hidden.iter().filter(|(path, _)| *path == source.path) {
            if let Some(secret) = text.get(range.clone()) {
                // As many bytes, so that places stay.
                let stars = secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' });
                let stars: String = stars.collect();
                text.to_mut().replace_range(range.clone(), &stars);
            }
        }
        texts.insert(source.path.as_str(), text);
    }
    texts
}

struct Writer<'s> {
    texts: Table<&'s str, Cow<'s, str>>,
    renderer: Renderer,
    color: bool,
    width: usize,
}

impl Writer<'_> {
    fn snippet(&self, finding: &Finding) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            _ => Level::INFO,
        };
        let prefix = finding.severity.as_str().len() + finding.code.len() + "[]: ".len();
        let title = level
            .primary_title(self.wrapped(&finding.message, prefix))
            .id(finding.code.clone());
        let title = match self.color {
            true => title.id_url(finding.url.clone()),
            false => title,
        };
        let mut group = Group::with_title(title);
        let path = terminal(&finding.file);
        let origin = |location: &Location| {
            Origin::path(path.clone())
                .line(location.start.line as usize)
                .char_column(location.start.column_utf16 as usize)
        };
        match (&finding.location, self.window(finding)) {
            (Some(location), Some(window)) => {
                let mut snippet = Snippet::source(window.text).line_start(window.line).fold(true);
                // The renderer counts columns from where its text begins.
                match window.is_cut {
                    true => group = group.element(origin(location)),
                    false => snippet = snippet.path(path.clone()),
                }
                let label = match &finding.container {
                    Some(container) => format!("container `{}`", terminal(container)),
                    None => String::new(),
                };
                snippet = snippet.annotation(AnnotationKind::Primary.span(window.primary).label(label));
                for (range, message) in window.related {
                    snippet =
                        snippet.annotation(AnnotationKind::Context.span(range).label(terminal(message)));
                }
                group = group.element(snippet);
                for related in window.elsewhere {
                    let note = self.wrapped(&elsewhere(related), MARGIN);
                    group = group.element(Level::NOTE.message(note));
                }
            }
            (Some(location), None) => group = group.element(origin(location)),
            (None, _) if !path.is_empty() => group = group.element(Origin::path(path)),
            (None, _) => {}
        }
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(self.wrapped(help, MARGIN)));
        }
        group = group.element(Level::NOTE.message(finding.url.clone()));
        snippet_text(&self.renderer.render(&[group]))
    }

    /// In lines that leave room for what the renderer writes before them.
    fn wrapped(&self, text: &str, before: usize) -> String {
        wrap(text, self.width.saturating_sub(before), false).join("\n")
    }

    fn window<'f>(&self, finding: &'f Finding) -> Option<Window<'_, 'f>> {
        let location = finding.location.as_ref()?;
        let text: &str = self.texts.get(finding.file.as_str())?;
        let near = |related: &&Related| {
            let distance = related.location.start.byte.abs_diff(location.start.byte);
            related.file == finding.file && distance <= FARTHEST
        };
        let (related, elsewhere): (Vec<&Related>, Vec<&Related>) = finding.related.iter().partition(near);
        let places = || std::iter::once(location).chain(related.iter().map(|related| &related.location));
        let first = places().map(|place| place.start.byte as usize).min()?;
        let last = places().map(|place| place.end.byte as usize).max()?;
        let begin = text.floor_char_boundary(first.saturating_sub(LONGEST_LINE));
        let mut start = match text[begin..first].rfind('\n') {
            Some(at) => begin + at + 1,
            None => begin,
        };
        let is_cut = start > 0 && !text[..start].ends_with('\n');
        if start == 0 && text.as_bytes().starts_with(BOM) {
            start = BOM.len();
        }
        let limit = text.floor_char_boundary((last + LONGEST_LINE).min(text.len()));
        let end = text[last..limit].find('\n').map_or(limit, |at| last + at);
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
                .map(|related| (range(&related.location), related.message.as_str()))
                .collect(),
            elsewhere,
            text: lines,
            line: places().map(|place| place.start.line).min()? as usize,
            is_cut,
        })
    }
}

/// A related place that is too far away for the snippet, or in another file.
fn elsewhere(related: &Related) -> String {
    let start = related.location.start;
    let place = format!("{}:{}:{}", related.file, start.line, start.column_utf16);
    format!("{place}: {}", related.message)
}

/// The lines of a file that a finding needs. Only these are given to the renderer: it reads its
/// whole text, which for a large file would be slow for each finding.
struct Window<'s, 'f> {
    text: &'s str,
    line: usize,
    primary: std::ops::Range<usize>,
    related: Vec<(std::ops::Range<usize>, &'f str)>,
    elsewhere: Vec<&'f Related>,
    /// Whether the text begins within a line.
    is_cut: bool,
}

/// What stands before a help or a note: the width of a line number, and `= note: `.
const MARGIN: usize = 15;
/// Longer lines are cut around the finding, in bytes.
const LONGEST_LINE: usize = 2000;
/// A related place further away, in bytes, gets a line instead of a mark in the snippet.
const FARTHEST: u32 = 16 << 10;
