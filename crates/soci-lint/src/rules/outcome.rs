//! What came of the findings: what was accepted, and which comments silenced something.

use super::{Emitted, Run};
use crate::source::{Allow, LineIndex, Place, Suppressions, TextRange};

/// What came of the findings of a run.
pub(crate) struct Outcome<'o> {
    pub(crate) run: &'o Run<'o>,
    /// Entries of `accept` that accept nothing, and whether they met a container.
    pub(crate) idle_entries: &'o [(usize, bool)],
    /// The same of comments.
    pub(crate) idle_accepts: &'o [(Place, bool)],
    /// Comments that silence nothing: file and entry.
    pub(crate) idle: Vec<(usize, &'o Allow)>,
}

impl<'o> Outcome<'o> {
    pub(crate) fn of(
        run: &'o Run<'o>,
        idle_entries: &'o [(usize, bool)],
        idle_accepts: &'o [(Place, bool)],
        emitted: &[Emitted],
        comments: &[Suppressions],
        lines: &[LineIndex<'_>],
    ) -> Self {
        Self {
            run,
            idle_entries,
            idle_accepts,
            idle: idle(run, emitted, comments, lines),
        }
    }
}

/// The comments that no finding meets, listed or not, where all rules that they mean could have found something.
fn idle<'o>(
    run: &'o Run<'o>,
    emitted: &[Emitted],
    comments: &[Suppressions],
    lines: &[LineIndex<'_>],
) -> Vec<(usize, &'o Allow)> {
    if comments.iter().all(|file| file.all().next().is_none()) {
        return Vec::new();
    }
    let mut met = Vec::<(usize, TextRange)>::new();
    for found in emitted {
        let Some(file) = found.file else {
            continue;
        };
        let line = found.range.map(|range| lines[file].line_of(range.start));
        let allows = comments[file].about(line);
        for allow in allows.filter(|allow| found.rule.is_named(&allow.rule)) {
            if !met.contains(&(file, allow.range)) {
                met.push((file, allow.range));
            }
        }
    }
    let mut idle = Vec::new();
    for file in run.files.iter().filter(|file| file.was_judged()) {
        for allow in file.suppressions.all() {
            let mut rules = super::matching(&allow.rule).peekable();
            let could_find = rules.peek().is_some()
                && rules.all(|rule| {
                    let runs = rule.severity_in(run.options).is_some();
                    let knows = !rule.needs_facts() || !run.options.image_facts.is_empty();
                    runs && knows && !matches!(rule.check, super::Check::Outcome(_))
                });
            if could_find && !met.contains(&(file.at, allow.range)) {
                idle.push((file.at, allow));
            }
        }
    }
    idle
}
