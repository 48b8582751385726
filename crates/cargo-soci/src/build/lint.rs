//! Task definitions checked with the facts of the image that was just made.
//!
//! The facts are about that image and no other. A container gets them where its image is the reference that was made;
//! where a template fills in a part of the name and the rest fits, it is assumed to be, and the verdict says so. The
//! same repository with another tag, or in another registry, is another image: nothing is known about it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use soci_image::facts::ImageFacts;
use soci_lint::{FailOn, ImageFactsEntry, Input, RenderOptions, Report};

use super::stand_in::{self, Meant, Named};
use crate::config::Config;
use crate::documents::Documents;
use crate::error::CommandError;
use crate::lint_options;

/// An image that was made.
pub struct Built {
    /// What it is called.
    pub image: Named,
    /// What is known about it.
    pub facts: ImageFacts,
}

/// A lint report and the documents that it is about.
pub struct Linted {
    /// The report.
    pub report: Report,
    inputs: Vec<Input>,
    fail_on: FailOn,
    /// Whether the findings make the exit code 1.
    pub failed: bool,
    /// Whether any container of the task definitions has the image.
    pub is_used: bool,
    /// Images of containers that are nearly it, and what tells them apart.
    pub near: Vec<(String, String)>,
}

impl Linted {
    /// The report for a terminal.
    pub fn text(&self, color: bool, columns: usize) -> String {
        let rendering = RenderOptions {
            color,
            width: columns,
            fail_on: Some(self.fail_on),
            sources: &self.inputs,
        };
        soci_lint::render(&self.report, soci_lint::Format::Human, &rendering)
    }
}

/// Lints the task definitions with what is known about the image that was made, and about the `others` that were
/// pushed with it.
pub fn lint(
    paths: &[PathBuf],
    config: &Config,
    built: &Built,
    others: &[Built],
) -> Result<Linted, CommandError> {
    let usage = |error: soci_lint::Error| CommandError::usage(error.to_string());
    let words: Vec<String> = paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let documents = Documents::read(&words, || Ok(()))?;
    let mut options = lint_options::configured(config)?;
    options.check().map_err(usage)?;
    let images = images(&documents.lint(&options).0);
    let (mut is_used, mut near) = (false, Vec::new());
    let mut assumed = Vec::new();
    for image in images {
        let mut others = others.iter();
        if let Some(other) = others.find(|other| stand_in::meant(&image, &other.image) == Meant::It) {
            options.image_facts.push(entry(&image, other));
            if let Meant::Near(why) = stand_in::meant(&image, &built.image) {
                near.push((image, why));
            }
            continue;
        }
        match stand_in::meant(&image, &built.image) {
            Meant::It => is_used = true,
            Meant::Assumed(why) => {
                is_used = true;
                assumed.push((image.clone(), why));
            }
            Meant::Near(why) => {
                near.push((image, why));
                continue;
            }
            Meant::Another => continue,
        }
        options.image_facts.push(entry(&image, built));
    }
    let (mut report, beside) = documents.lint(&options);
    let containers = report.files.iter_mut().flat_map(|file| &mut file.tasks);
    for container in containers.flat_map(|task| &mut task.containers) {
        let names = |image: &str| {
            container
                .image
                .iter()
                .any(|all| cases(all).any(|case| case == image))
        };
        if let Some((_, why)) = assumed.iter().find(|(image, _)| names(image)) {
            container.headline = format!("{} (assumed: {why})", container.headline);
        }
    }
    let inputs = documents.into_inputs().into_iter().chain(beside).collect();
    let fail_on: FailOn = config
        .text("lint.fail-on")
        .unwrap_or("error")
        .parse()
        .map_err(usage)?;
    Ok(Linted {
        fail_on,
        failed: fail_on.is_met_by(&report.summary),
        is_used,
        near,
        report,
        inputs,
    })
}

fn entry(image: &str, built: &Built) -> ImageFactsEntry {
    ImageFactsEntry {
        image: image.to_owned(),
        facts: built.facts.clone(),
    }
}

/// The images that the containers have, as the documents write them.
fn images(report: &Report) -> BTreeSet<String> {
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    tasks
        .flat_map(|task| &task.containers)
        .filter_map(|container| container.image.as_deref())
        .flat_map(cases)
        .map(str::to_owned)
        .collect()
}

/// The images that a container has in each case: the report names them all.
fn cases(image: &str) -> impl Iterator<Item = &str> {
    image.split(" or ")
}
