//! YAML with exact byte ranges. `saphyr-parser` gives events with character offsets; this builds the tree.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::json::Read;
use super::lenient::{join_brackets, words_are_in_values};
use super::mask::{Masked, mask_yaml};
use super::tree::{Content, Entry, NodeId, Text, Tree};
use super::{Problem, ProblemKind, TextRange};
use crate::table::Table;

/// Deeper documents are refused; ECS and CloudFormation documents stay below 30.
const MAX_DEPTH: usize = 256;

/// Reads `text`, whose first byte is byte `base` of `whole`. All ranges are those of `whole`.
///
/// Four readings: as it is, where all template words are in values; with template words masked; and
/// both again with what stands in brackets on one line, because the parser is stricter there than others.
pub(crate) fn read<'t>(whole: &'t str, base: usize) -> Read<'t> {
    let text = &whole[base..];
    let marked = text.contains("{{") || text.contains("{%") || text.contains("{#") || text.contains("%{");
    let (plain, plain_problem) = match attempt(whole, base, text, Masked::default()) {
        Ok(read) if !marked || words_are_in_values(text, base, &read) => return read,
        Ok(read) => (Some(read), None),
        Err(problem) => (None, Some(problem)),
    };
    let masked = marked
        .then(|| mask_yaml(text))
        .filter(|masked| !masked.holes.is_empty());
    if let Some(Masked {
        text: masked,
        holes,
        arms,
        loops,
    }) = masked
    {
        let problem = template_problem(holes[0], text, base);
        let keep = || Masked {
            text: String::new(),
            holes: holes.clone(),
            arms: arms.clone(),
            loops: loops.clone(),
        };
        let read = attempt(whole, base, &masked, keep())
            .or_else(|_| attempt(whole, base, &join_brackets(&masked), keep()));
        return match read {
            Ok(mut read) => {
                read.problems.push(problem);
                read
            }
            // What is wrong with the masked text says little about the template.
            Err(_) => plain.unwrap_or(Read {
                tree: None,
                problems: vec![problem],
            }),
        };
    }
    match (plain, plain_problem) {
        (Some(read), _) => read,
        (None, Some(problem)) => {
            attempt(whole, base, &join_brackets(text), Masked::default()).unwrap_or(Read {
                tree: None,
                problems: vec![problem],
            })
        }
        (None, None) => unreachable!("an attempt gives one of the two"),
    }
}

fn attempt<'t>(whole: &'t str, base: usize, text: &str, masked: Masked) -> Result<Read<'t>, Problem> {
    let mut builder = Builder::new(whole, base, text, masked.shifted(base));
    builder.run(text)?;
    Ok(Read {
        tree: Some(builder.tree),
        problems: builder.problems,
    })
}

fn template_problem(first: TextRange, text: &str, base: usize) -> Problem {
    Problem {
        kind: ProblemKind::Template,
        range: TextRange::new(first.start + base, first.end + base),
        message: format!(
            "no YAML until it is rendered: `{}`",
            super::json::shorten(first.of(text))
        ),
    }
}

struct Builder<'t> {
    tree: Tree<'t>,
    offsets: CharOffsets,
    base: usize,
    open: Vec<Open>,
    anchors: Table<usize, NodeId>,
    problems: Vec<Problem>,
    holes: Vec<TextRange>,
}

/// A collection whose end has not come yet.
struct Open {
    range: TextRange,
    /// Whether it stands in brackets.
    bracketed: bool,
    tag: Option<Box<str>>,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    Sequence(Vec<NodeId>),
    Mapping {
        entries: Vec<Entry>,
        key: Option<(Text, TextRange)>,
    },
}

impl<'t> Builder<'t> {
    fn new(whole: &'t str, base: usize, text: &str, masked: Masked) -> Self {
        let mut tree = Tree::new(whole);
        tree.arms = masked.arms;
        tree.loops = masked.loops;
        Self {
            tree,
            offsets: CharOffsets::new(text),
            base,
            open: Vec::new(),
            anchors: Table::default(),
            problems: Vec::new(),
            holes: masked.holes,
        }
    }

    fn run(&mut self, text: &str) -> Result<(), Problem> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let at = self.byte(text, error.marker().index());
                let end = text[at - self.base..]
                    .chars()
                    .next()
                    .map_or(at, |c| at + c.len_utf8());
                Problem {
                    kind: ProblemKind::Syntax,
                    range: TextRange::new(at, end),
                    message: error.info().to_owned(),
                }
            })?;
            self.event(text, event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, text: &str, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) => self.anchors = Table::default(),
            Event::Scalar(value, style, anchor, tag) => {
                let range = self.token(text, span, style);
                let tag = tag_name(tag.as_deref());
                let value_text = self.scalar_text(&value, style, range);
                let content = scalar_content(value_text, &value, style, tag.as_deref());
                let id = self.tree.push_tagged(range, tag, content);
                self.place(id, anchor, Some(&value));
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(text, span, anchor, tag_name(tag.as_deref()), true)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.start(text, span, anchor, tag_name(tag.as_deref()), false)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(text, span),
            Event::Alias(anchor) => {
                let start = self.byte(text, span.start.index());
                let end = self.byte(text, span.end.index());
                let range = TextRange::new(start, end);
                match self.anchors.get(&anchor) {
                    Some(&id) => self.place_at(id, None, range),
                    None => {
                        return Err(Problem {
                            kind: ProblemKind::Syntax,
                            range,
                            message: "an alias inside the value it stands for".to_owned(),
                        });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(
        &mut self,
        text: &str,
        span: Span,
        anchor: usize,
        tag: Option<Box<str>>,
        sequence: bool,
    ) -> Result<(), Problem> {
        let start = self.byte(text, span.start.index());
        let end = self.byte(text, span.end.index());
        let range = self.trim(TextRange::new(start, end));
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem {
                kind: ProblemKind::Syntax,
                range,
                message: "nested too deeply to be read".to_owned(),
            });
        }
        let content = if sequence {
            OpenContent::Sequence(Vec::new())
        } else {
            OpenContent::Mapping {
                entries: Vec::new(),
                key: None,
            }
        };
        self.open.push(Open {
            range,
            bracketed: range.of(self.tree.text).ends_with(['[', '{']),
            tag,
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self, text: &str, span: Span) {
        let Some(mut open) = self.open.pop() else {
            return;
        };
        if open.bracketed {
            // The event's span may go on over white space behind the bracket.
            open.range.end = self.byte(text, span.start.index()) + 1;
        }
        let content = match open.content {
            OpenContent::Sequence(items) => Content::Sequence(items),
            OpenContent::Mapping { entries, .. } => {
                super::report_duplicates(&self.tree, &entries, &mut self.problems);
                Content::Mapping(entries)
            }
        };
        let id = self.tree.push_tagged(open.range, open.tag, content);
        self.place(id, open.anchor, None);
    }

    fn place(&mut self, id: NodeId, anchor: usize, scalar: Option<&str>) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        let range = self.tree.nodes[id as usize].range;
        self.place_at(id, scalar, range);
    }

    /// Puts a value where it belongs: as a root, an item, a key or the value of the key before it.
    fn place_at(&mut self, id: NodeId, scalar: Option<&str>, range: TextRange) {
        let Some(open) = self.open.last_mut() else {
            self.tree.roots.push(id);
            return;
        };
        open.range = open.range.cover(range);
        match &mut open.content {
            OpenContent::Sequence(items) => items.push(id),
            OpenContent::Mapping { entries, key } => match key.take() {
                Some((key, key_range)) => entries.push(Entry {
                    key,
                    key_range,
                    value: id,
                }),
                None => {
                    let text = match &self.tree.nodes[id as usize].content {
                        Content::String(text) | Content::Number(text) => text.clone(),
                        _ => Text::Owned(scalar.unwrap_or("").into()),
                    };
                    *key = Some((text, range));
                }
            },
        }
    }

    /// The bytes of a scalar: quotes and tag included, an anchor before it and what follows it excluded.
    fn token(&self, text: &str, span: Span, style: ScalarStyle) -> TextRange {
        let start = self.byte(text, span.start.index());
        let end = self.byte(text, span.end.index());
        let range = TextRange::new(start, end);
        let written = range.of(self.tree.text);
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                TextRange::new(start, start + written.trim_end().len())
            }
            // An empty value is given the place of what follows it.
            ScalarStyle::Plain if matches!(written, "}" | "]" | "," | ":") => TextRange::new(start, start),
            ScalarStyle::Plain => self.trim(range),
            // The event's span may go on over white space and comments behind the quote.
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let quote = start + properties(written);
                let end = quote + quoted_length(text.get(quote - self.base..).unwrap_or(""));
                self.trim(TextRange::new(start, end))
            }
        }
    }

    /// Without an anchor in front and white space behind.
    fn trim(&self, range: TextRange) -> TextRange {
        let written = range.of(self.tree.text).trim_end();
        let anchor = match written.starts_with('&') {
            true => property(written),
            false => 0,
        };
        TextRange::new(range.start + anchor, range.start + written.len())
    }

    fn scalar_text(&self, value: &str, style: ScalarStyle, range: TextRange) -> Text {
        let whole = self.tree.text;
        let written = range.of(whole);
        let mut inner = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => range,
            _ => TextRange::new(range.start + properties(written), range.end),
        };
        if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
            && inner.end - inner.start >= 2
        {
            inner = TextRange::new(inner.start + 1, inner.end - 1);
        }
        let written = inner.of(whole);
        // A masked template differs from its text, and the text is what counts.
        let masked = written.len() == value.len() && super::mask::touches(&self.holes, inner);
        if written == value || masked {
            Text::Slice(inner)
        } else {
            Text::Owned(value.into())
        }
    }

    /// The byte offset in the whole file of a character offset in `text`.
    fn byte(&self, text: &str, chars: usize) -> usize {
        self.base + self.offsets.byte(text, chars)
    }
}

/// Bytes of the tags and anchors before a value, with the white space behind them.
fn properties(written: &str) -> usize {
    let mut at = 0;
    while written[at..].starts_with(['&', '!']) {
        let length = property(&written[at..]);
        if length == 0 {
            break;
        }
        at += length;
    }
    at
}

/// Bytes of the one tag or anchor at the start, with the white space behind it.
fn property(written: &str) -> usize {
    let word = written.find(char::is_whitespace).unwrap_or(written.len());
    let rest = &written[word..];
    word + rest.len() - rest.trim_start().len()
}

/// Bytes of the quoted scalar at the start, both quotes included.
pub(super) fn quoted_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let Some(&quote) = bytes.first() else {
        return 0;
    };
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && bytes.get(at) == Some(&b'\'') => at += 1,
            _ if byte == quote => break,
            _ => {}
        }
    }
    at.min(bytes.len())
}

fn tag_name(tag: Option<&Tag>) -> Option<Box<str>> {
    let tag = tag?;
    (tag.handle == "!").then(|| tag.suffix.as_str().into())
}

/// The core schema's view of a plain scalar; anything quoted, tagged or in a block is a string.
fn scalar_content(text: Text, value: &str, style: ScalarStyle, tag: Option<&str>) -> Content {
    if style != ScalarStyle::Plain || tag.is_some() {
        return Content::String(text);
    }
    match value {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        _ if is_number(value) => Content::Number(text),
        _ => Content::String(text),
    }
}

/// A decimal number. Written out, because the standard library's own reader brings tables that make a
/// tenth of the WASM module.
fn is_number(value: &str) -> bool {
    let value = unsigned(value);
    let (mantissa, exponent) = match value.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (value, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| digits(exponent) && !exponent.is_empty())
}

fn unsigned(number: &str) -> &str {
    number.strip_prefix(['-', '+']).unwrap_or(number)
}

/// Character offset → byte offset: a byte offset for every [`STRIDE`]-th character, none for ASCII.
struct CharOffsets {
    every: Option<Vec<u32>>,
}

const STRIDE: usize = 128;

impl CharOffsets {
    fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self { every: None };
        }
        let every = text
            .char_indices()
            .step_by(STRIDE)
            .map(|(at, _)| u32::try_from(at).expect("files above 64 MiB are not read"))
            .collect();
        Self { every: Some(every) }
    }

    fn byte(&self, text: &str, chars: usize) -> usize {
        let Some(every) = &self.every else {
            return chars.min(text.len());
        };
        let Some(&start) = every.get(chars / STRIDE) else {
            return text.len();
        };
        let start = start as usize;
        text[start..]
            .char_indices()
            .nth(chars % STRIDE)
            .map_or(text.len(), |(at, _)| start + at)
    }
}
