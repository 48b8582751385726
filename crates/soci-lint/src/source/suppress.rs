//! Comments that silence findings: `# soci-lint: allow SOCI401`, `// soci-lint: allow mutable-tag`.
//!
//! Behind a value the comment speaks of its own line, on a line of its own of the next line that is
//! no comment, and `allow-file` speaks of the whole file. `# soci-lint: accept -- REASON` accepts the verdict
//! on the container that it speaks of.

use super::{LineIndex, Syntax, TextRange};
use crate::table::Table;

const MARK: &str = "soci-lint:";

/// One `allow` of one rule.
#[derive(Debug, Clone)]
pub(crate) struct Allow {
    /// Code or name as written.
    pub(crate) rule: String,
    pub(crate) range: TextRange,
    /// From the first rule of the comment to the last.
    pub(crate) list: TextRange,
    /// What goes when the comment goes: with its line where it has one of its own. `None` where the comment goes
    /// on behind its line.
    pub(crate) comment: Option<TextRange>,
}

/// One `accept`: the container on its line need not be loaded lazily.
#[derive(Debug, Clone)]
pub(crate) struct Accept {
    pub(crate) reason: String,
    pub(crate) range: TextRange,
}

/// All of a file, and the comments that could not be understood.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    pub(crate) whole_file: Vec<Allow>,
    /// By the 0-based line they speak of.
    pub(crate) by_line: Table<usize, Vec<Allow>>,
    /// By the 0-based line they speak of.
    pub(crate) accepts: Table<usize, Accept>,
    pub(crate) odd: Vec<(TextRange, String)>,
}

impl Suppressions {
    /// Those that speak of a line; of a finding without a line only the file's.
    pub(crate) fn about(&self, line: Option<usize>) -> impl Iterator<Item = &Allow> {
        let on_line = line.and_then(|line| self.by_line.get(&line));
        self.whole_file.iter().chain(on_line.into_iter().flatten())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Allow> {
        self.whole_file.iter().chain(self.by_line.values().flatten())
    }
}

/// Finds the comments of a file.
pub(crate) fn suppressions(text: &str, syntax: Syntax, lines: &LineIndex<'_>) -> Suppressions {
    let mut found = Suppressions::default();
    let mut next = NextLine::default();
    let mut count = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find(MARK) {
        let line = lines.line_of(from + at);
        let range = lines.line_range(line);
        from = range.end.max(from + at + MARK.len());
        count += 1;
        if count > MOST {
            break;
        }
        let Some((mark, opening)) = comment(range, text, syntax) else {
            continue;
        };
        let speaks_of = match opening.own_line {
            true => next.after(line, text, syntax, lines),
            false => line,
        };
        let start = mark + MARK.len();
        let rest = text[start..range.end].trim_end_matches(['\r', '\n']);
        let whole = opening.whole(range, start + rest.len(), text);
        read_comment(rest, start, speaks_of, whole, &mut found);
    }
    found
}

/// More comments of a file than this are not read.
const MOST: usize = 10_000;
/// More rules of a comment than this are not read.
const MOST_RULES: usize = 32;
/// A line may say the mark in a string before it says it in a comment.
const MOST_ON_LINE: usize = 4;

/// How a comment begins.
struct Opening {
    /// Bytes of its line before it.
    at: usize,
    /// Whether it is `/*`, which an end of its own closes.
    is_block: bool,
    /// Whether nothing else stands before it on its line.
    own_line: bool,
}

impl Opening {
    /// What goes with the comment; `end` is where its line's text ends.
    fn whole(&self, line: TextRange, end: usize, text: &str) -> Option<TextRange> {
        let start = line.start + self.at;
        let end_of_comment = match self.is_block {
            true => start + text[start..end].find("*/")? + 2,
            false => end,
        };
        let is_last = text[end_of_comment..end].trim().is_empty();
        let before = &text[line.start..start];
        Some(match (self.own_line, is_last) {
            (true, true) => line,
            (true, false) => {
                let space = text[end_of_comment..end].len() - text[end_of_comment..end].trim_start().len();
                TextRange::new(start, end_of_comment + space)
            }
            (false, _) => TextRange::new(line.start + before.trim_end().len(), end_of_comment),
        })
    }
}

/// The first mark of a line that stands in a comment, and how that begins.
fn comment(range: TextRange, text: &str, syntax: Syntax) -> Option<(usize, Opening)> {
    let line = range.of(text);
    let marks = line.match_indices(MARK).take(MOST_ON_LINE);
    marks
        .filter_map(|(at, _)| Some((range.start + at, comment_before(&line[..at], syntax)?)))
        .next()
}

/// The comment that opens right before the mark.
fn comment_before(before: &str, syntax: Syntax) -> Option<Opening> {
    let before = before.trim_end();
    let openers: &[&str] = match syntax {
        Syntax::Json => &["//", "/*"],
        _ => &["#"],
    };
    let (code, opener) = openers
        .iter()
        .find_map(|opener| Some((before.strip_suffix(opener)?, *opener)))?;
    let inside_string = syntax == Syntax::Json && code.matches('"').count() % 2 == 1;
    let glued = syntax != Syntax::Json && code.ends_with(|c: char| !c.is_whitespace());
    if inside_string || glued {
        return None;
    }
    Some(Opening {
        at: code.len(),
        is_block: opener == "/*",
        own_line: code.trim().is_empty(),
    })
}

/// The next line that is no comment. The last answer is kept: in a run of comments it is the same for all.
#[derive(Default)]
struct NextLine {
    last: Option<(usize, usize)>,
}

impl NextLine {
    fn after(&mut self, line: usize, text: &str, syntax: Syntax, lines: &LineIndex<'_>) -> usize {
        if let Some((from, next)) = self.last
            && (from..next).contains(&line)
        {
            return next;
        }
        let opener = if syntax == Syntax::Json { "//" } else { "#" };
        let next = (line + 1..lines.lines()).find(|&next| {
            let written = lines.line_range(next).of(text).trim();
            !written.is_empty() && !written.starts_with(opener)
        });
        let next = next.unwrap_or(lines.lines());
        self.last = Some((line, next));
        next
    }
}

fn read_comment(rest: &str, base: usize, line: usize, comment: Option<TextRange>, found: &mut Suppressions) {
    let rest = rest.split("*/").next().unwrap_or("");
    let (rules, reason) = rest.split_once("--").unwrap_or((rest, ""));
    let mut words = words(rules, base);
    let whole_file = match words.next() {
        Some(("allow", _)) => false,
        Some(("allow-file", _)) => true,
        Some(("accept", range)) => {
            match (words.next(), reason.trim()) {
                (Some((_, odd)), _) => {
                    let message =
                        "write `soci-lint: accept -- REASON`: it speaks of the container on its line";
                    found.odd.push((odd, message.to_owned()));
                }
                (None, "") => found
                    .odd
                    .push((range, "say why: `soci-lint: accept -- REASON`".to_owned())),
                (None, reason) => {
                    let reason = reason.to_owned();
                    found.accepts.insert(line, Accept { reason, range });
                }
            }
            return;
        }
        other => {
            let range = other.map_or(TextRange::new(base - MARK.len(), base), |(_, range)| range);
            let message =
                "write `soci-lint: allow CODE`, `soci-lint: allow-file CODE` or `soci-lint: accept -- REASON`"
                    .to_owned();
            found.odd.push((range, message));
            return;
        }
    };
    let words: Vec<(&str, TextRange)> = words.take(MOST_RULES).collect();
    let ends = words.first().zip(words.last());
    let list = ends.map_or_else(TextRange::default, |(first, last)| first.1.cover(last.1));
    let allows: Vec<Allow> = words
        .into_iter()
        .map(|(rule, range)| Allow {
            rule: rule.to_owned(),
            range,
            list,
            comment,
        })
        .collect();
    if allows.is_empty() {
        let message = "name the rule to allow, by code or name".to_owned();
        found.odd.push((TextRange::new(base - MARK.len(), base), message));
    } else if whole_file {
        found.whole_file.extend(allows);
    } else {
        found.by_line.or_insert(line, Vec::new()).extend(allows);
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
