//! Reading files into trees with exact byte ranges, whatever they are written in.

mod blocks;
mod hcl;
mod json;
mod lenient;
mod mask;
mod range;
mod store;
mod suppress;
#[cfg(test)]
mod tests;
mod text_kind;
mod tree;
mod yaml;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Kind;

pub(crate) use blocks::{Block, BlockKind, balanced_end, block};
pub(crate) use hcl::is_hcl_path;
pub(crate) use range::{BOM, LineIndex, Place};
pub use range::{Location, Position, TextRange};
pub(crate) use store::{Store, join, normal, parent};
pub(crate) use suppress::{Allow, Suppressions, suppressions};
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
    /// HCL, Terraform's own language.
    Hcl,
    /// None of these, or not readable.
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
    pub(crate) hcl: Option<hcl_edit::structure::Body>,
    /// What the text itself says it is, where that is neither JSON nor YAML.
    pub(crate) text_kind: Option<Kind>,
    pub(crate) problems: Vec<Problem>,
}

impl Source<'_> {
    /// Whether what looks like a comment at a place may be part of a text, such as a script in a block of YAML.
    pub(crate) fn may_be_text(&self, at: usize) -> bool {
        match (&self.tree, self.syntax) {
            (Some(tree), _) => tree.nodes.iter().any(|node| {
                matches!(node.content, tree::Content::String(_))
                    && node.range.start < at
                    && at < node.range.end
            }),
            // Heredocs are the only texts of several lines.
            (None, Syntax::Hcl) => self.text.contains("<<"),
            (None, _) => true,
        }
    }
}

/// Reads a file: HCL by its name, JSON if it begins like JSON, YAML otherwise.
pub(crate) fn read<'t>(path: &str, bytes: &'t [u8]) -> Source<'t> {
    let nothing = Source {
        text: "",
        syntax: Syntax::Other,
        tree: None,
        hcl: None,
        text_kind: None,
        problems: Vec::new(),
    };
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(problem) => {
            return Source {
                problems: vec![problem],
                ..nothing
            };
        }
    };
    let nothing = Source { text, ..nothing };
    let base = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let body = &text[base..];
    let text_kind = text_kind::of_text(body);
    let is_hcl = is_hcl_path(path) || matches!(text_kind, Some(Kind::Terraform | Kind::Terragrunt));
    if is_hcl && !body.trim().is_empty() {
        let (hcl, problems) = match hcl::read(text, base) {
            Ok(body) => (Some(body), Vec::new()),
            Err(problem) => (None, vec![problem]),
        };
        return Source {
            syntax: Syntax::Hcl,
            hcl,
            text_kind,
            problems,
            ..nothing
        };
    }
    if text_kind.is_some() {
        return Source { text_kind, ..nothing };
    }
    let (syntax, read) = if begins_like_json(body) {
        (Syntax::Json, json::read(text, base))
    } else {
        (Syntax::Yaml, yaml::read(text, base))
    };
    Source {
        syntax,
        tree: read.tree,
        problems: read.problems,
        ..nothing
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
fn report_duplicates(tree: &Tree<'_>, entries: &[Entry], problems: &mut Vec<Problem>) {
    const MOST: usize = 100;
    let key = |entry: &Entry| match &entry.key {
        Text::Slice(range) => range.of(tree.text).to_owned(),
        Text::Owned(owned) => owned.to_string(),
    };
    if entries.len() < 2 {
        return;
    }
    let mut seen = crate::table::Table::default();
    for entry in entries {
        let name = key(entry);
        if name == "<<" {
            continue;
        }
        let at = entry.key_range.start;
        let before = seen.insert(name.clone(), at);
        // Two branches of a condition are no doubles.
        let double = before.is_some_and(|before| !tree::exclude(&tree.arms, before, at));
        if double && problems.len() < MOST {
            problems.push(Problem {
                kind: ProblemKind::DuplicateKey,
                range: entry.key_range,
                message: format!("`{name}` is set twice in this object; the last one counts"),
            });
        }
    }
}
