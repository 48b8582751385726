//! What became of each image.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use indicatif::HumanBytes;
use serde::Serialize;
use soci_image::{Digest, Reference};

use crate::escape;
use crate::plural::count;

/// What became of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// It is SOCI-enabled now.
    Converted {
        /// The name that has it.
        name: String,
        /// Its digest.
        digest: Digest,
        /// Layers that were read.
        indexed: usize,
        /// Layers whose zTOC was there.
        reused: usize,
    },
    /// It was converted in the same way before; all of it was looked at.
    Already {
        /// The name that has it.
        name: String,
        /// Its digest.
        digest: Digest,
    },
    /// It has SOCI indexes that another tool made; it stays as it is, and was not verified.
    OfAnotherTool {
        /// The tool, as it calls itself.
        tool: String,
    },
    /// With `--dry-run`: layers that would be read; those of an image before it that has the same not counted.
    WouldConvert {
        /// Layers that would be read.
        layers: usize,
        /// Their compressed bytes.
        bytes: u64,
    },
    /// With `--queue`: it is in the queue, and nothing else was done with it.
    Queued {
        /// The queue's URL.
        queue: String,
        /// The message there.
        message: String,
    },
    /// No layer of it can or need be indexed.
    NothingToIndex {
        /// Why.
        reason: String,
    },
    /// The tag names something that is no image.
    NoImage {
        /// What.
        reason: String,
    },
    /// It could not be converted, and is as it was.
    Failed {
        /// Why.
        reason: String,
        /// What to do about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
}

impl Outcome {
    /// Its place in the table, and what the table calls it.
    fn line(&self) -> (u8, &'static str) {
        match self {
            Self::Converted { .. } => (0, "converted"),
            Self::WouldConvert { .. } => (1, "to convert"),
            Self::Queued { .. } => (1, "in the queue"),
            Self::Already { .. } => (2, "converted before"),
            Self::OfAnotherTool { .. } => (3, "with an index of another tool, left as they are"),
            Self::NothingToIndex { .. } => (4, "with nothing to index"),
            Self::NoImage { .. } => (5, "that name no image"),
            Self::Failed { .. } => (6, "FAILED"),
        }
    }
}

/// One image and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name in the registry.
    pub image: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What was left out in one repository, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// The repository.
    pub repository: String,
    /// All its tags.
    pub tags: usize,
    /// Left out by `--tags` and `--except`.
    pub not_meant: usize,
    /// Signatures, lists of referrers, siblings of ours.
    pub not_images: usize,
    /// Of other shards.
    pub other_shards: usize,
    /// Left out by `--since` and `--newest`.
    pub older: usize,
    /// Chosen although they say no date that `--since` or `--newest` could look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undated: Vec<String>,
}

/// The whole run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Every image that was chosen, in the order of the repositories and of their tags.
    pub images: Vec<Row>,
    /// Per repository what was not.
    pub repositories: Vec<LeftOut>,
    /// Chosen images that it did not come to, because the run was stopped.
    pub not_reached: usize,
    /// Bytes that came from registries.
    pub received: u64,
    /// Bytes that went to registries.
    pub sent: u64,
}

impl Report {
    /// Whether an image could not be converted.
    pub fn has_failures(&self) -> bool {
        let mut outcomes = self.images.iter().map(|row| &row.outcome);
        outcomes.any(|outcome| matches!(outcome, Outcome::Failed { .. }))
    }

    /// The table at the end, at most 80 columns but for names and reasons of others.
    pub fn human(&self) -> String {
        let mut text = String::new();
        for repository in &self.repositories {
            line(&mut text, &repository_line(repository));
        }
        let mut numbers: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        for row in &self.images {
            *numbers.entry(row.outcome.line()).or_default() += 1;
        }
        for ((_, heading), number) in numbers {
            line(&mut text, &format!("{number:>8}  {heading}"));
        }
        if self.not_reached > 0 {
            let number = self.not_reached;
            line(
                &mut text,
                &format!("{number:>8}  not reached: run it again to go on"),
            );
        }
        let (mut indexed, mut reused, mut to_read) = (0, 0, 0);
        for row in &self.images {
            match &row.outcome {
                Outcome::Converted {
                    indexed: read,
                    reused: there,
                    ..
                } => {
                    indexed += read;
                    reused += there;
                }
                Outcome::WouldConvert { bytes, .. } => to_read += bytes,
                _ => {}
            }
        }
        if indexed + reused > 0 {
            let (indexed, reused) = (count(indexed as u64, "layer"), count(reused as u64, "zTOC"));
            line(
                &mut text,
                &format!("{indexed} indexed, {reused} taken from other images"),
            );
        }
        if to_read > 0 {
            line(&mut text, &format!("{} of layers to read", HumanBytes(to_read)));
        }
        let (received, sent) = (HumanBytes(self.received), HumanBytes(self.sent));
        line(&mut text, &format!("{received} received, {sent} sent"));
        for row in &self.images {
            if let Outcome::Failed { reason, help } = &row.outcome {
                line(&mut text, &format!("failed: {}: {reason}", row.image));
                if let Some(help) = help {
                    line(&mut text, &format!("  help: {help}"));
                }
            }
        }
        text
    }
}

/// What became of one image, as it is told while the run goes on.
pub(super) fn told(image: &Reference, outcome: &Outcome) -> String {
    let what = match outcome {
        Outcome::Converted {
            name,
            indexed,
            reused,
            ..
        } => {
            let there = if *name == image.to_string() {
                String::new()
            } else {
                format!(" as {name}")
            };
            format!("converted{there}: {indexed} layers indexed, {reused} reused")
        }
        Outcome::Already { .. } => "was converted before".to_owned(),
        Outcome::OfAnotherTool { tool } => format!("has an index of {tool}"),
        Outcome::WouldConvert { layers, bytes } => {
            format!(
                "{} to index, {}",
                count(*layers as u64, "layer"),
                HumanBytes(*bytes)
            )
        }
        Outcome::Queued { message, .. } => format!("in the queue as {message}"),
        Outcome::NothingToIndex { reason } | Outcome::NoImage { reason } => reason.clone(),
        Outcome::Failed { reason, .. } => format!("FAILED: {reason}"),
    };
    escape::terminal(&format!("{image}: {what}")).into_owned()
}

fn repository_line(repository: &LeftOut) -> String {
    let mut left = Vec::new();
    for (number, why) in [
        (repository.not_meant, "not asked for"),
        (repository.not_images, "beside an image"),
        (repository.other_shards, "of other shards"),
        (repository.older, "older"),
    ] {
        if number > 0 {
            left.push(format!("{number} {why}"));
        }
    }
    let mut text = format!(
        "{}: {}",
        repository.repository,
        count(repository.tags as u64, "tag")
    );
    if !left.is_empty() {
        let _ = write!(text, ", left out: {}", left.join(", "));
    }
    if !repository.undated.is_empty() {
        let _ = write!(text, "; {} chosen without a date", repository.undated.len());
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", escape::terminal(line)).expect("writing to a string never fails");
}
