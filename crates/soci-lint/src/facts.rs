//! What is known about images, and which containers it is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use soci_image::facts::{ImageFacts, PlatformFacts};
use soci_image::{Platform, Reference};

use crate::Options;
use crate::error::Error;
use crate::expression::Case;
use crate::model::Task;

/// What is known about one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFactsEntry {
    /// The image as task definitions name it; `*` stands for any text, so that `*/web:*` is about the
    /// repository `web` of any registry.
    pub image: String,
    /// Its facts, as `cargo soci inspect --format json` prints them.
    #[schemars(with = "serde_json::Value")]
    pub facts: ImageFacts,
}

/// The image that a task gets, out of all platforms of the facts.
pub(crate) enum Chosen<'f> {
    Platform(&'f PlatformFacts),
    /// The image has none for the task.
    Missing,
    /// The task's architecture is not known and the platforms differ.
    Open,
}

/// Objects to names that are none, to names that are there twice and to facts of another form.
pub(crate) fn check(entries: &[ImageFactsEntry]) -> Result<(), Error> {
    for (at, entry) in entries.iter().enumerate() {
        let name = &entry.image;
        if name.trim().is_empty() {
            return Err(Error::FactsImage {
                reason: "an entry has an empty `image`".to_owned(),
            });
        }
        if entry.facts.schema != soci_image::facts::SCHEMA {
            return Err(Error::FactsImage {
                reason: format!(
                    "`{name}`: the form is `{}`, not `{}`",
                    entry.facts.schema,
                    soci_image::facts::SCHEMA
                ),
            });
        }
        if entries[..at].iter().any(|other| other.image == *name) {
            return Err(Error::FactsTwice { image: name.clone() });
        }
    }
    Ok(())
}

/// The facts about an image: those under its exact name, or else the first under a pattern that fits.
pub(crate) fn about<'o>(options: &'o Options, case: &Case) -> Option<&'o ImageFacts> {
    if options.image_facts.is_empty() {
        return None;
    }
    let written = case.value.display();
    let full = normalised(&written);
    let exact = options
        .image_facts
        .iter()
        .find(|entry| entry.image == written || full.is_some() && normalised(&entry.image) == full);
    let fitting = || {
        let mut entries = options.image_facts.iter();
        entries.find(|entry| entry.image.contains('*') && fits(&entry.image, &written))
    };
    exact.or_else(fitting).map(|entry| &entry.facts)
}

/// The image for the task's platform.
pub(crate) fn choose<'f>(task: &Task, facts: &'f ImageFacts) -> Chosen<'f> {
    if let Some((architecture, _)) = task.oci_architecture() {
        let platform = Platform::new("linux", architecture);
        let alone = match facts.platforms.as_slice() {
            // An image by itself need not say its platform.
            [only] if only.platform.is_none() => Some(only),
            _ => None,
        };
        return facts
            .platform(&platform)
            .or(alone)
            .map_or(Chosen::Missing, Chosen::Platform);
    }
    match facts.platforms.as_slice() {
        [only] => Chosen::Platform(only),
        _ => Chosen::Open,
    }
}

fn normalised(image: &str) -> Option<String> {
    Reference::parse(image)
        .ok()
        .map(|reference| reference.to_string())
}

/// Whether `text` fits a pattern in which `*` is any text. Linear in the text for each star.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_are_any_text() {
        assert!(fits("*", ""));
        assert!(fits("*/web:*", "123.dkr.ecr.x/web:1"));
        assert!(fits("a*b*c", "a1b2b3c"));
        assert!(!fits("a*b", "ab1"));
        assert!(!fits("a*ba", "aba1"));
        assert!(!fits("ab*b", "ab"));
    }
}
