//! Reading files into trees with exact byte ranges, whatever they are written in.

mod json;
mod mask;
mod range;
mod suppress;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use range::{BOM, LineIndex};
pub use range::{Location, Position, TextRange};
pub(crate) use suppress::{Suppressions, suppressions};
use tree::{Entry, Text};
pub(crate) use tree::{Member, Node, Tree};

/// Larger files are not read. Real templates end at 1 MB, CloudFormation's own limit.
pub const MAX_BYTES: usize = 64 << 20;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// JSON, with or without comments.
    Json,
    /// YAML.
    Yaml,
    /// Neither, or not readable.
    Other,
}

/// What is wrong with a file before it is known to be a task definition.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    pub(crate) range: TextRange,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// Neither JSON nor YAML; the rest of the file may still have been read.
    Syntax,
    /// Comments, trailing commas and the like.
    NotPlainJson,
    /// Readable only because template words were taken for values.
    Template,
    DuplicateKey,
    /// Not UTF-8, or too large.
    Unreadable,
}

/// A file as far as it could be read.
pub(crate) struct Source<'t> {
    pub(crate) text: &'t str,
    pub(crate) syntax: Syntax,
    pub(crate) tree: Option<Tree<'t>>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads a file: JSON if it begins like JSON, YAML otherwise.
pub(crate) fn read(bytes: &[u8]) -> Source<'_> {
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(problem) => {
            return Source {
                text: "",
                syntax: Syntax::Other,
                tree: None,
                problems: vec![problem],
            };
        }
    };
    let base = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let body = &text[base..];
    if !crate::kind::may_be_data(body) {
        return Source {
            text,
            syntax: Syntax::Other,
            tree: None,
            problems: Vec::new(),
        };
    }
    let (syntax, read) = if begins_like_json(body) {
        (Syntax::Json, json::read(text, base))
    } else {
        (Syntax::Yaml, yaml::read(text, base))
    };
    Source {
        text,
        syntax,
        tree: read.tree,
        problems: read.problems,
    }
}

fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    let unreadable = |range, message: String| Problem {
        kind: ProblemKind::Unreadable,
        range,
        message,
    };
    if bytes.len() > MAX_BYTES {
        let message = format!(
            "{} bytes are more than the {} MiB that are read",
            bytes.len(),
            MAX_BYTES >> 20
        );
        return Err(unreadable(TextRange::default(), message));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let message = "the file is UTF-16, not UTF-8".to_owned();
        return Err(unreadable(TextRange::new(0, 2), message));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message = format!("the byte 0x{:02X} is no UTF-8", bytes[at]);
        unreadable(TextRange::new(at, at + 1), message)
    })
}

/// The first thing that is neither white space nor a comment opens an object or a list.
fn begins_like_json(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            break;
        }
        rest = rest.trim_start();
    }
    // `{{ x }}` and `{% if %}` begin a template, of JSON or of YAML.
    if rest.starts_with("{{") || rest.starts_with("{%") {
        let masked = mask::mask_yaml(rest).text;
        return masked.trim_start().starts_with(['{', '[']);
    }
    rest.starts_with(['{', '['])
}

/// Adds a problem for every key that a mapping has twice.
fn report_duplicates(text: &str, entries: &[Entry], problems: &mut Vec<Problem>) {
    const MOST: usize = 100;
    let key = |entry: &Entry| match &entry.key {
        Text::Slice(range) => range.of(text).to_owned(),
        Text::Owned(owned) => owned.to_string(),
    };
    if entries.len() < 2 {
        return;
    }
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        let name = key(entry);
        if name == "<<" {
            continue;
        }
        if seen.contains(&name) && problems.len() < MOST {
            problems.push(Problem {
                kind: ProblemKind::DuplicateKey,
                range: entry.key_range,
                message: format!("`{name}` is set twice in this object; the last one counts"),
            });
        }
        seen.insert(name);
    }
}
