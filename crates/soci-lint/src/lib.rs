#![doc = include_str!("../README.md")]
//!
//! # From bytes to a report
//! [`lint`] takes files as bytes and gives a [`Report`]; [`render`] writes it. Nothing is read, written
//! or asked here, so the same code runs in a terminal, in an Action and in a browser.
#![forbid(unsafe_code)]

mod accept;
mod check;
mod data;
mod detect;
mod discover;
mod docs;
mod documents;
mod engine;
mod error;
mod expression;
mod facts;
mod fail_on;
mod fix;
mod kind;
mod look_up;
mod model;
mod names;
mod options;
mod report;
mod rules;
mod source;
mod table;
mod terms;
mod verdict;

pub use discover::{By, DiscoverError, Disk, Entry, EntryKind, Found, discover};
pub use docs::{RuleInfo, docs, explain, rules};
pub use engine::{lint, lint_beside};
pub use error::Error;
pub use facts::fits;
pub use fail_on::FailOn;
pub use fix::{Fixed, apply, fix_beside, fixes_of};
pub use kind::Kind;
pub use look_up::CheckImages;
pub use names::is_common_name;
pub use options::{Acceptance, ImageFactsEntry, Options, Sidecars};
pub use report::{
    ContainerReport, FileReport, Finding, Fix, Format, REPORT_VERSION, Reason, Related, RenderOptions,
    Report, Summary, TaskReport, options_schema, render, schema,
};
pub use source::{Location, MAX_BYTES, Position, Syntax, TextRange};
pub use terms::{Consumer, Fargate, LaunchType, Severity, Verdict};

/// How text from files is made harmless for each place it is written to.
pub mod escape {
    pub use crate::report::{
        github_data, github_property, html, is_treacherous, json_text, markdown, terminal,
    };
}

/// Texts and tables that are not wider than a terminal.
#[cfg(feature = "snippets")]
pub use report::columns;

/// A file to lint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path to show; nothing is opened.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Reads files that others name: a module's neighbours, a template. Called while the linter works.
pub trait Beside {
    /// The content of a file, unless there is none or it must not be read.
    fn file(&self, path: &str) -> Option<Vec<u8>>;
    /// Names of the files of a folder, without those of folders in it; the empty path is where the run is.
    fn folder(&self, path: &str) -> Vec<String>;
    /// Whether the caller named this file of the run itself, so that it has to be one that is read. What a
    /// folder was searched for, or a pattern matched, may turn out to be something else.
    fn is_named(&self, path: &str) -> bool {
        let _ = path;
        true
    }
}

/// Nothing but the files that were given.
pub struct Nothing;

impl Beside for Nothing {
    fn file(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn folder(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}
