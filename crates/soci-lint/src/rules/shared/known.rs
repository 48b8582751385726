//! Images whose facts are known, for the rules that judge them.

use soci_image::facts::{Effect, ImageFacts, Oddity, PlatformFacts, SociFacts};

use crate::expression::Case;
use crate::facts::{Chosen, about, choose};
use crate::model::{Container, Located, Task};
use crate::rules::Sink;
use crate::source::Place;

/// An image whose facts are known, for the platform that runs.
pub(in crate::rules) struct Known<'f> {
    pub(in crate::rules) facts: &'f ImageFacts,
    pub(in crate::rules) platform: &'f PlatformFacts,
    pub(in crate::rules) place: Place,
    pub(in crate::rules) located: &'f Located,
    pub(in crate::rules) case: &'f Case,
}

/// Calls `check` for each case of an eligible container's image whose facts are known.
pub(in crate::rules) fn each<'s>(
    task: &Task,
    container: &Container,
    sink: &mut Sink<'s>,
    mut check: impl FnMut(&mut Sink<'s>, usize, &Known<'_>),
) {
    let options = sink.options;
    for (at, located, case) in container.in_reach(task) {
        let Some(facts) = about(options, case) else {
            continue;
        };
        if let Chosen::Platform(platform) = choose(task, facts) {
            let known = Known {
                facts,
                platform,
                place: container.place(),
                located,
                case,
            };
            check(sink, at, &known);
        }
    }
}

/// Whether clients load the image of this platform lazily.
pub(in crate::rules) fn is_taken(facts: &ImageFacts, platform: &PlatformFacts) -> bool {
    let is_taken = platform.soci.as_ref().is_some_and(SociFacts::is_taken);
    is_taken && platform.totals.lazy_layers > 0 && damage(facts, platform).is_none()
}

/// Why it is not known whether the image of this platform has an index of version 1, where that is so.
pub(in crate::rules) fn referrers_unknown<'f>(
    facts: &'f ImageFacts,
    platform: &PlatformFacts,
) -> Option<&'f str> {
    facts.oddities.iter().find_map(|oddity| match oddity {
        Oddity::ReferrersUnknown { image, detail } if *image == platform.manifest.digest => {
            Some(detail.as_str())
        }
        _ => None,
    })
}

/// What keeps a client from using the index of this platform, and what helps.
pub(in crate::rules) fn damage(
    facts: &ImageFacts,
    platform: &PlatformFacts,
) -> Option<(String, &'static str)> {
    let own = &platform.manifest.digest;
    let found = facts.oddities.iter().find(|oddity| {
        let severe = oddity.effect() >= Effect::ImageNotLazy;
        let about = match oddity {
            Oddity::IndexBeforeImage { image, .. }
            | Oddity::ImageWithoutPlatform { image, .. }
            | Oddity::MissingLayer { image, .. }
            | Oddity::MissingConfig { image, .. }
            | Oddity::CannotBeUnpacked { image, .. }
            | Oddity::LooksDifferent { image, .. }
            | Oddity::MissingIndex { image, .. }
            | Oddity::UnreadableIndex { image, .. } => image == own,
            Oddity::NonCanonicalIndex { soci_index } | Oddity::MissingZtoc { soci_index, .. } => platform
                .soci
                .as_ref()
                .is_some_and(|soci| soci.digest == *soci_index),
            Oddity::RangesIgnored { .. } => true,
            // Version 1 has a rule of its own.
            _ => false,
        };
        severe && about
    });
    let unusable = || {
        let soci = platform.soci.as_ref().filter(|soci| !soci.usable)?;
        let message = format!("clients do not take the SOCI index {}", soci.digest);
        Some((message, CONVERT))
    };
    let help = |oddity: &Oddity| match oddity {
        Oddity::MissingLayer { .. } | Oddity::MissingConfig { .. } | Oddity::CannotBeUnpacked { .. } => {
            "build or copy the image again"
        }
        Oddity::RangesIgnored { .. } => "put the image into a registry that answers range requests",
        _ => CONVERT,
    };
    found
        .map(|oddity| (oddity.to_string(), help(oddity)))
        .or_else(unusable)
}

const CONVERT: &str = "convert the image once more with `cargo soci convert`";

/// `12.3 MiB`, rounded down.
pub(in crate::rules) fn mebibytes(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// The reference tool's smallest indexed layer (`soci_index.go`, 2026-08-11).
const MIN_LAYER: u64 = 10 << 20;

/// Whether no layer is large enough to be indexed by default.
pub(in crate::rules) fn is_small(platform: &PlatformFacts) -> bool {
    let layers = &platform.layers;
    !layers.is_empty() && layers.iter().all(|layer| layer.size < MIN_LAYER)
}
