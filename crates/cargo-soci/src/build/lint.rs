//! Task definitions checked with the facts of the image that was just made.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use soci_image::Reference;
use soci_image::facts::ImageFacts;
use soci_lint::{FailOn, ImageFactsEntry, Input, RenderOptions};

use crate::beside::OnDisk;
use crate::causes::AtPath;
use crate::config::Config;
use crate::documents;
use crate::error::CommandError;
use crate::lint_options;

/// A lint report and the documents that it is about.
pub struct Linted {
    /// The report.
    pub report: soci_lint::Report,
    inputs: Vec<Input>,
    fail_on: FailOn,
    /// Whether the findings make the exit code 1.
    pub failed: bool,
}

impl Linted {
    /// The report for a terminal.
    pub fn text(&self, color: bool) -> String {
        let rendering = RenderOptions {
            color,
            fail_on: Some(self.fail_on),
            sources: &self.inputs,
            ..RenderOptions::default()
        };
        soci_lint::render(&self.report, soci_lint::Format::Human, &rendering)
    }
}

/// Lints the task definitions; `names` are those of the image that the facts are about.
pub fn lint(
    paths: &[PathBuf],
    config: &Config,
    names: &[Reference],
    facts: &ImageFacts,
) -> Result<Linted, CommandError> {
    let usage = |error: soci_lint::Error| CommandError::usage(error.to_string());
    let words: Vec<String> = paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let mut inputs = Vec::new();
    for found in documents::find(&words, soci_lint::is_common_name)? {
        let mut bytes = Vec::new();
        File::open(&found.name)
            .and_then(|file| file.take(soci_lint::MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
            .at("read", &found.name)?;
        inputs.push(Input {
            path: found.name,
            bytes,
        });
    }
    let mut options = soci_lint::Options {
        image_facts: image_facts(names, facts),
        ..lint_options::configured(config)?
    };
    // One image goes by several names here, and a definition uses one of them at most.
    options.ignore.push("unused-image-facts".to_owned());
    options.check().map_err(usage)?;
    let beside = OnDisk::new(&inputs);
    let report = soci_lint::lint_beside(&inputs, &beside, &options);
    inputs.extend(beside.into_read());
    let fail_on: FailOn = config
        .text("lint.fail-on")
        .unwrap_or("error")
        .parse()
        .map_err(usage)?;
    Ok(Linted {
        fail_on,
        failed: fail_on.is_met_by(&report.summary),
        report,
        inputs,
    })
}

/// The facts under each name, and under the repository's name at any registry with any tag: a task definition
/// is often written for another stage than the one that is built for.
fn image_facts(names: &[Reference], facts: &ImageFacts) -> Vec<ImageFactsEntry> {
    let exact = names.iter().map(ToString::to_string);
    let patterns = names.iter().map(|name| format!("*/{}:*", name.repository()));
    let mut images: Vec<String> = exact.chain(patterns).collect();
    let mut seen = std::collections::BTreeSet::new();
    images.retain(|image| seen.insert(image.clone()));
    images
        .into_iter()
        .map(|image| ImageFactsEntry {
            image,
            facts: facts.clone(),
        })
        .collect()
}
