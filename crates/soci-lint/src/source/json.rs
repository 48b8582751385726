//! JSON, and what people write in its place: comments, trailing commas, unrendered templates.
//!
//! Readings from strict to generous; the first that succeeds wins, and what the stricter ones
//! objected to becomes a problem with its place:
//! plain JSON → comments and trailing commas → template words masked as strings, and as white space where members
//! of objects stand → missing commas forgiven.

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::mask::{Masked, mask_json, mask_json_members};
use super::tree::{Content, Entry, NodeId, Text, Tree};
use super::{Problem, ProblemKind, TextRange};

/// What reading a JSON file gave: a tree if it could be read somehow, and what was wrong.
pub(crate) struct Read<'t> {
    pub(crate) tree: Option<Tree<'t>>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads `text`, whose first byte is byte `base` of `whole`. All ranges are those of `whole`.
pub(crate) fn read<'t>(whole: &'t str, base: usize) -> Read<'t> {
    let text = &whole[base..];
    let strict = match attempt(text, &strict_options()) {
        Ok(value) => return finish(whole, base, value, Masked::default(), Vec::new()),
        Err(error) => error,
    };
    if let Ok(value) = attempt(text, &relaxed_options()) {
        let problem = problem(ProblemKind::NotPlainJson, &strict, text, base);
        return finish(whole, base, value, Masked::default(), vec![problem]);
    }
    let generous = ParseOptions::default();
    let mut masked = mask_json(text);
    if !masked.holes.is_empty()
        && let Ok(value) = attempt(&std::mem::take(&mut masked.text), &generous)
    {
        let problem = template_problem(&masked.holes, text, base);
        return finish(whole, base, value, masked, vec![problem]);
    }
    // Words may stand for members of objects too.
    let mut members = mask_json_members(text);
    if !members.holes.is_empty()
        && let Ok(value) = attempt(&std::mem::take(&mut members.text), &generous)
    {
        let problem = template_problem(&members.holes, text, base);
        return finish(whole, base, value, members, vec![problem]);
    }
    let holes = masked.holes;
    // A bare word may be a slip of the pen; a marker is no accident.
    let marked = |hole: &TextRange| hole.of(text).contains(['{', '$', '<', '%']);
    if let Some(first) = holes.iter().position(marked) {
        return Read {
            tree: None,
            problems: vec![template_problem(&holes[first..], text, base)],
        };
    }
    let relaxed = attempt(text, &relaxed_options()).err().unwrap_or(strict);
    let syntax = problem(ProblemKind::Syntax, &relaxed, text, base);
    match attempt(text, &generous) {
        Ok(value) => finish(whole, base, value, Masked::default(), vec![syntax]),
        Err(_) => Read {
            tree: None,
            problems: vec![syntax],
        },
    }
}

fn attempt<'s>(text: &'s str, options: &ParseOptions) -> Result<Option<Value<'s>>, ParseError> {
    parse_to_ast(text, &CollectOptions::default(), options).map(|parsed| parsed.value)
}

fn finish<'t>(
    whole: &'t str,
    base: usize,
    value: Option<Value<'_>>,
    masked: Masked,
    mut problems: Vec<Problem>,
) -> Read<'t> {
    let mut tree = Tree::new(whole);
    let masked = masked.shifted(base);
    tree.arms = masked.arms;
    tree.loops = masked.loops;
    if let Some(value) = value {
        let mut builder = Builder {
            tree: &mut tree,
            base,
            holes: &masked.holes,
            problems: &mut problems,
        };
        let root = builder.node(value);
        tree.roots.push(root);
    }
    Read {
        tree: Some(tree),
        problems,
    }
}

struct Builder<'b, 't> {
    tree: &'b mut Tree<'t>,
    base: usize,
    holes: &'b [TextRange],
    problems: &'b mut Vec<Problem>,
}

impl Builder<'_, '_> {
    /// Recursion is bounded by the parser's own nesting limit of 512.
    fn node(&mut self, value: Value<'_>) -> NodeId {
        let range = self.range(value.range());
        let content = match value {
            Value::NullKeyword(_) => Content::Null,
            Value::BooleanLit(literal) => Content::Bool(literal.value),
            Value::NumberLit(_) => Content::Number(Text::Slice(range)),
            Value::StringLit(literal) => Content::String(self.string(&literal.value, range)),
            Value::Array(array) => {
                let items = array.elements.into_iter();
                Content::Sequence(items.map(|item| self.node(item)).collect())
            }
            Value::Object(object) => {
                let mut entries = Vec::with_capacity(object.properties.len());
                for property in object.properties {
                    entries.push(self.entry(property.name, property.value));
                }
                super::report_duplicates(self.tree, &entries, self.problems);
                Content::Mapping(entries)
            }
        };
        self.tree.push(range, content)
    }

    fn entry(&mut self, name: ObjectPropName<'_>, value: Value<'_>) -> Entry {
        let (key, key_range) = match name {
            ObjectPropName::String(literal) => {
                let range = self.range(literal.range);
                (self.string(&literal.value, range), range)
            }
            ObjectPropName::Word(word) => {
                let range = self.range(word.range);
                (Text::Slice(range), range)
            }
        };
        Entry {
            key,
            key_range,
            value: self.node(value),
        }
    }

    /// The text between the quotes when nothing in it was escaped; a masked template word without quotes.
    fn string(&self, value: &str, range: TextRange) -> Text {
        let written = range.of(self.tree.text);
        let quoted = written.len() >= 2
            && (written.starts_with('"') && written.ends_with('"')
                || written.starts_with('\'') && written.ends_with('\''));
        if !quoted {
            return Text::Slice(range);
        }
        let inner = TextRange::new(range.start + 1, range.end - 1);
        // A masked template differs from its text, and the text is what counts.
        if inner.of(self.tree.text) == value || super::mask::touches(self.holes, inner) {
            Text::Slice(inner)
        } else {
            Text::Owned(value.into())
        }
    }

    fn range(&self, range: jsonc_parser::common::Range) -> TextRange {
        TextRange::new(range.start + self.base, range.end + self.base)
    }
}

fn template_problem(holes: &[TextRange], text: &str, base: usize) -> Problem {
    let first = holes[0];
    let word = first.of(text).trim();
    let more = match holes.len() - 1 {
        0 => String::new(),
        1 => " and one more".to_owned(),
        more => format!(" and {more} more"),
    };
    Problem {
        kind: ProblemKind::Template,
        range: TextRange::new(first.start + base, first.end + base),
        message: format!("no JSON until it is rendered: `{}`{more}", shorten(word)),
    }
}

fn problem(kind: ProblemKind, error: &ParseError, text: &str, base: usize) -> Problem {
    let range = error.range();
    let mut range = TextRange::new(range.start.min(text.len()), range.end.min(text.len()));
    if matches!(
        error.kind(),
        ParseErrorKind::UnterminatedArray
            | ParseErrorKind::UnterminatedObject
            | ParseErrorKind::ExpectedComma
    ) {
        // The parser covers all that is open; the end of it is where something is missing.
        range = token_before(text, range);
    }
    if matches!(error.kind(), ParseErrorKind::NestingDepthExceeded) {
        range = TextRange::new(range.start, range.start + 1);
    }
    Problem {
        kind,
        range: TextRange::new(range.start + base, range.end + base),
        message: describe(error.kind()),
    }
}

/// The last bytes that are no white space at or before the end of `range`.
fn token_before(text: &str, range: TextRange) -> TextRange {
    let before = text[..range.end].trim_end();
    let start = before.char_indices().next_back().map_or(0, |(at, _)| at);
    TextRange::new(start, before.len())
}

fn describe(kind: &ParseErrorKind) -> String {
    use ParseErrorKind as Kind;
    match kind {
        Kind::CommentsNotAllowed => "a comment is not plain JSON".to_owned(),
        Kind::TrailingCommasNotAllowed => "a comma before the closing bracket is not plain JSON".to_owned(),
        Kind::SingleQuotedStringsNotAllowed => "a string in single quotes is not plain JSON".to_owned(),
        Kind::ExpectedStringObjectProperty => "a key without quotes is not plain JSON".to_owned(),
        Kind::ExpectedComma => "a comma is missing after this".to_owned(),
        Kind::UnterminatedObject => "the file ends before the object is closed with `}`".to_owned(),
        Kind::UnterminatedArray => "the file ends before the list is closed with `]`".to_owned(),
        Kind::NestingDepthExceeded => "nested too deeply to be read".to_owned(),
        Kind::MultipleRootJsonValues => "there is more after the end of the JSON value".to_owned(),
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            match letters.next() {
                Some(first) => std::iter::once(first.to_ascii_lowercase())
                    .chain(letters)
                    .collect(),
                None => text,
            }
        }
    }
}

/// A template word as it may be quoted in a message: on one line and not too long.
pub(super) fn shorten(word: &str) -> String {
    const LONGEST: usize = 60;
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    match word.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word,
    }
}

fn strict_options() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn relaxed_options() -> ParseOptions {
    ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    }
}
