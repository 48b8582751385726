//! Comments that silence findings: `# soci-lint: allow SOCI401`, `// soci-lint: allow mutable-tag`.
//!
//! Behind a value the comment speaks of its own line, on a line of its own of the next line that is
//! no comment, and `allow-file` speaks of the whole file.

use super::{LineIndex, Syntax, TextRange};

const MARK: &str = "soci-lint:";

/// One `allow` of one rule.
#[derive(Debug, Clone)]
pub(crate) struct Allow {
    /// Code or name as written.
    pub(crate) rule: String,
    pub(crate) range: TextRange,
    /// 0-based line it speaks of; `None` is the whole file.
    pub(crate) line: Option<usize>,
}

/// All of a file, and the comments that could not be understood.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    pub(crate) allows: Vec<Allow>,
    pub(crate) odd: Vec<(TextRange, String)>,
}

/// Finds the comments of a file.
pub(crate) fn suppressions(text: &str, syntax: Syntax, lines: &LineIndex<'_>) -> Suppressions {
    let mut found = Suppressions::default();
    let mut from = 0;
    while let Some(at) = text[from..].find(MARK) {
        let mark = from + at;
        from = mark + MARK.len();
        let line = lines.line_of(mark);
        let line_start = lines.line_range(line).start;
        let before = &text[line_start..mark];
        let Some(own_line) = comment_before(before, syntax) else {
            continue;
        };
        let speaks_of = if own_line {
            next_line(text, syntax, lines, line)
        } else {
            line
        };
        let rest = text[from..].lines().next().unwrap_or("");
        read_comment(rest, from, speaks_of, &mut found);
    }
    found
}

/// Whether a comment opens right before the mark; `Some(true)` if nothing else is on its line.
fn comment_before(before: &str, syntax: Syntax) -> Option<bool> {
    let before = before.trim_end();
    let openers: &[&str] = match syntax {
        Syntax::Json => &["//", "/*"],
        _ => &["#"],
    };
    let code = openers.iter().find_map(|opener| before.strip_suffix(opener))?;
    let inside_string = syntax == Syntax::Json && code.matches('"').count() % 2 == 1;
    let glued = syntax != Syntax::Json && code.ends_with(|c: char| !c.is_whitespace());
    if inside_string || glued {
        return None;
    }
    Some(code.trim().is_empty())
}

fn next_line(text: &str, syntax: Syntax, lines: &LineIndex<'_>, line: usize) -> usize {
    let opener = if syntax == Syntax::Json { "//" } else { "#" };
    (line + 1..lines.lines())
        .find(|&next| {
            let written = lines.line_range(next).of(text).trim();
            !written.is_empty() && !written.starts_with(opener)
        })
        .unwrap_or(line)
}

fn read_comment(rest: &str, base: usize, line: usize, found: &mut Suppressions) {
    let rest = rest.split("*/").next().unwrap_or("");
    let (rules, _reason) = rest.split_once("--").unwrap_or((rest, ""));
    let mut words = words(rules, base);
    let whole_file = match words.next() {
        Some(("allow", _)) => false,
        Some(("allow-file", _)) => true,
        other => {
            let range = other.map_or(TextRange::new(base - MARK.len(), base), |(_, range)| range);
            let message = "write `soci-lint: allow CODE` or `soci-lint: allow-file CODE`".to_owned();
            found.odd.push((range, message));
            return;
        }
    };
    let before = found.allows.len();
    found.allows.extend(words.map(|(rule, range)| Allow {
        rule: rule.to_owned(),
        range,
        line: (!whole_file).then_some(line),
    }));
    if found.allows.len() == before {
        let message = "name the rule to allow, by code or name".to_owned();
        found.odd.push((TextRange::new(base - MARK.len(), base), message));
    }
}

/// Words between white space, commas and brackets, with their places.
fn words(text: &str, base: usize) -> impl Iterator<Item = (&str, TextRange)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .map(move |word| {
            let at = base + (word.as_ptr() as usize - start);
            (word, TextRange::new(at, at + word.len()))
        })
}
