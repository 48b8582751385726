//! Which images are worth a question to their registry. Who asks, and how, is the caller's.

use std::collections::BTreeMap;

use soci_image::{EcrHost, Reference};

use crate::options::Options;
use crate::report::Report;
use crate::terms::Verdict;

/// Which images are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckImages {
    /// None.
    #[default]
    Off,
    /// Those whose verdict hangs on it, in private ECR registries.
    Auto,
    /// All.
    On,
}

impl CheckImages {
    /// Whether to look up an image on which the linter gave this verdict without knowing it.
    pub fn wants(self, image: &Reference, verdict: Verdict) -> bool {
        match self {
            Self::Off => false,
            Self::Auto => verdict == Verdict::Unknown && EcrHost::parse(image.registry()).is_some(),
            Self::On => true,
        }
    }

    /// The images that a report under `options` names outright and that are to be looked up, by their names in the
    /// documents: facts about each belong into [`Options::image_facts`] under that name.
    pub fn wanted<'r>(self, report: &'r Report, options: &Options) -> BTreeMap<&'r str, Reference> {
        let mut wanted = BTreeMap::new();
        let tasks = report.files.iter().flat_map(|file| &file.tasks);
        for container in tasks.flat_map(|task| &task.containers) {
            let Some(image) = container.image.as_deref() else {
                continue;
            };
            let is_told = options.image_facts.iter().any(|entry| entry.image == image);
            if let Ok(reference) = Reference::parse(image)
                && !is_told
                && self.wants(&reference, container.verdict)
            {
                wanted.insert(image, reference);
            }
        }
        wanted
    }
}
