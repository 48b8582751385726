#![doc = include_str!("../README.md")]
//!
//! # From bytes to a report
//! [`lint`] takes files as bytes and gives a [`Report`]; [`render`] writes it. Nothing is read, written
//! or asked here, so the same code runs in a terminal, in an Action and in a browser.
#![forbid(unsafe_code)]

mod cfn;
mod data;
mod docs;
mod engine;
mod error;
mod facts;
mod fail_on;
mod kind;
mod model;
mod names;
mod options;
mod report;
mod rules;
mod source;
mod verdict;

pub use docs::docs;
pub use engine::lint;
pub use error::Error;
pub use facts::ImageFactsEntry;
pub use fail_on::FailOn;
pub use kind::Kind;
pub use names::is_common_name;
pub use options::{LaunchType, Options};
pub use report::{
    ContainerReport, Fargate, FileReport, Finding, Format, REPORT_VERSION, Reason, Related, RenderOptions,
    Report, Summary, TaskReport, Verdict, options_schema, render, schema,
};
pub use rules::{RuleInfo, Severity, explain, rules};
pub use source::{Location, MAX_BYTES, Position, Syntax, TextRange};

/// How text from files is made harmless for each place it is written to.
pub mod escape {
    pub use crate::report::{github_data, github_property, html, markdown, terminal};
}

/// A file to lint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path to show; nothing is opened.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}
