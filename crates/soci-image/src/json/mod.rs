//! JSON as image documents need it: order, repeated keys and the text of numbers are kept, and what
//! is written back has the form that the reference (Go's `encoding/json`) gives it.
//!
//! `{"b":1e2,"a":"\ud800<"}` is read as an object of two entries, `b` with the number text `1e2` and
//! `a` with the string U+FFFD, `<`; it is written as `{"b":1e2,"a":"�\u003c"}`.

mod entries;
mod fields;
mod read;
mod write;

use crate::error::Result;

pub(crate) use entries::Entries;
pub(crate) use fields::{Fields, same_but_for_case};

/// The largest document that is read, in bytes: what the distribution specification asks registries
/// to accept (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>,
/// 2026-11-24).
pub const MAX_DOCUMENT: usize = 4 << 20;

/// Values of all kinds in one document, so that a few bytes do not become many: an image of a thousand
/// layers needs about ten thousand.
pub const MAX_VALUES: usize = 500_000;

/// Arrays and objects inside each other; image documents need about seven.
pub const MAX_DEPTH: usize = 128;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written.
    Number(Box<str>),
    /// A string without its escapes. What is no UTF-8 and what is half of a surrogate pair was
    /// replaced by U+FFFD, as Go does.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: entries in their order, repeated keys kept.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value and nothing after it but blanks.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        read::parse(bytes)
    }

    /// Writes the value compactly with Go's escapes.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write::value(self, &mut out);
        out
    }

    /// Writes the value with two blanks of indentation, as BuildKit does.
    pub fn to_indented(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write::indented(self, 0, &mut out);
        out
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The last entry of that name, if it is an object that has one.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let entries = self.as_object()?;
        entries.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string().into())
    }
}
