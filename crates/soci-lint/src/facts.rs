//! What is known about images, and which containers it is about.

use soci_image::facts::{Effect, ImageFacts, PlatformFacts, SociFacts};
use soci_image::{Platform, Reference};

use crate::Options;
use crate::expression::Case;
use crate::model::Task;
use crate::options::ImageFactsEntry;

/// The image that a task gets, out of all platforms of the facts.
pub(crate) enum Chosen<'f> {
    Platform(&'f PlatformFacts),
    /// The image has none for the task.
    Missing,
    /// The task's architecture is not known and the platforms differ.
    Open,
}

/// Entries that are about an image, whether or not another one of them counts.
pub(crate) fn all_about<'o>(options: &'o Options, case: &Case) -> impl Iterator<Item = &'o ImageFactsEntry> {
    let written = case.value.display();
    let entries = options.image_facts.iter();
    entries.filter(move |entry| names(&entry.image, &written))
}

/// Whether a pattern or a name means an image.
pub(crate) fn names(pattern: &str, image: &str) -> bool {
    let full = || normalised(image);
    match pattern.contains('*') {
        true => fits(pattern, image) || full().is_some_and(|full| fits(pattern, &full)),
        false => pattern == image || full().is_some_and(|full| normalised(pattern) == Some(full)),
    }
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
        entries.find(|entry| entry.image.contains('*') && names(&entry.image, &written))
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
        several => same_for_all(facts, several).map_or(Chosen::Open, Chosen::Platform),
    }
}

/// One for all that the task can be, where whichever it is makes no difference: each has an index that is taken, or none
/// has any.
fn same_for_all<'f>(facts: &ImageFacts, platforms: &'f [PlatformFacts]) -> Option<&'f PlatformFacts> {
    if facts
        .oddities
        .iter()
        .any(|oddity| oddity.effect() >= Effect::ImageNotLazy)
    {
        return None;
    }
    let of = |architecture| {
        let wanted = Platform::new("linux", architecture);
        let has = |facts: &&PlatformFacts| facts.platform.as_ref().is_some_and(|have| wanted.matches(have));
        platforms.iter().find(has)
    };
    let (amd64, arm64) = (of("amd64")?, of("arm64")?);
    let state = |platform: &PlatformFacts| platform.soci.as_ref().map(SociFacts::is_taken);
    (state(amd64) == state(arm64) && state(amd64) != Some(false)).then_some(amd64)
}

fn normalised(image: &str) -> Option<String> {
    Reference::parse(image)
        .ok()
        .map(|reference| reference.to_string())
}

/// Whether `text` fits a pattern in which `*` is any text. Linear in the text for each star.
pub fn fits(pattern: &str, text: &str) -> bool {
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
