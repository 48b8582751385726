//! Task definitions checked with the facts of the image that was just made.

use std::path::PathBuf;

use soci_image::Reference;
use soci_image::facts::ImageFacts;
use soci_lint::{FailOn, ImageFactsEntry, Input, RenderOptions};

use crate::config::Config;
use crate::documents::Documents;
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
    /// Whether any container of the task definitions has the image.
    pub is_used: bool,
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
    let documents = Documents::read(&words, || Ok(()))?;
    let mut options = soci_lint::Options {
        image_facts: image_facts(names, facts),
        ..lint_options::configured(config)?
    };
    let entries = options.image_facts.len();
    let unused = soci_lint::Options {
        select: vec![UNUSED_FACTS.to_owned()],
        ..options.clone()
    };
    let (unused, _) = documents.lint(&unused);
    let unused = unused
        .findings
        .iter()
        .filter(|found| found.name == UNUSED_FACTS)
        .count();
    // One image goes by several names here, and a definition uses one of them at most.
    options.ignore.push(UNUSED_FACTS.to_owned());
    options.check().map_err(usage)?;
    let (report, beside) = documents.lint(&options);
    let inputs = documents.into_inputs().into_iter().chain(beside).collect();
    let fail_on: FailOn = config
        .text("lint.fail-on")
        .unwrap_or("error")
        .parse()
        .map_err(usage)?;
    Ok(Linted {
        fail_on,
        failed: fail_on.is_met_by(&report.summary),
        is_used: unused < entries,
        report,
        inputs,
    })
}

/// The rule about facts that no container asks for.
const UNUSED_FACTS: &str = "unused-image-facts";

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
