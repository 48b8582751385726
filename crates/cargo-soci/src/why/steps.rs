//! What was found on the way to a verdict: how a group runs, and what its images are in the registry.

use soci_image::facts::{ImageFacts, Oddity, PlatformFacts, SociFacts, ZtocState};
use soci_image::{Digest, Platform, SociVersion};

use super::groups::{Group, Start};
use super::pull::{Pull, bytes, seconds};
use super::report::Step;
use crate::plural::count;

/// The image for the platform that runs.
pub(super) fn platform_of<'f>(group: &Group, facts: &'f ImageFacts) -> Option<&'f PlatformFacts> {
    if let [only] = facts.platforms.as_slice() {
        return Some(only);
    }
    let platform = Platform::parse(&group.platform()?).ok()?;
    facts.platform(&platform)
}

/// `SOCI index v2: 4 of 5 layers lazy, 380.1 MB of 407.6 MB`
pub(super) fn in_registry(facts: &ImageFacts, chosen: Option<&PlatformFacts>) -> String {
    let Some(platform) = chosen else {
        return format!("an index of {} platforms", facts.platforms.len());
    };
    let totals = &platform.totals;
    let size = format!("{}, {}", count(totals.layers, "layer"), bytes(totals.layer_bytes));
    let mut text = match &platform.soci {
        None if is_v1_open(facts, platform) => {
            format!("no SOCI index v2, and whether there is a v1 is unknown; {size}")
        }
        None => format!("no SOCI index; {size}"),
        Some(soci) if soci.is_taken() => format!(
            "SOCI index {}: {} of {} lazy, {} of {}",
            soci.version,
            totals.lazy_layers,
            count(totals.layers, "layer"),
            bytes(totals.lazy_bytes),
            bytes(totals.layer_bytes)
        ),
        Some(soci) if soci.version == SociVersion::V1 => format!("SOCI index v1 only; {size}"),
        Some(soci) => format!("SOCI index {}, which clients do not take; {size}", soci.version),
    };
    if let Some(soci) = platform.soci.as_ref().filter(|soci| SociFacts::is_taken(soci)) {
        let states = platform
            .layers
            .iter()
            .filter_map(|layer| layer.ztoc.as_ref())
            .map(|ztoc| ztoc.state);
        let read = states.filter(|state| *state == Some(ZtocState::Read)).count() as u64;
        text += &match soci.ztocs == read {
            true => ", zTOCs there and readable".to_owned(),
            false => format!(", {read} of {} zTOCs read", soci.ztocs),
        };
    }
    text
}

/// Whether nobody told what refers to the image.
fn is_v1_open(facts: &ImageFacts, platform: &PlatformFacts) -> bool {
    let own = &platform.manifest.digest;
    let mut oddities = facts.oddities.iter();
    oddities.any(|oddity| matches!(oddity, Oddity::ReferrersUnknown { image, .. } if image == own))
}

/// The same, and which document is taken of an index.
pub(super) fn taken(facts: &ImageFacts, chosen: Option<&PlatformFacts>) -> String {
    let text = in_registry(facts, chosen);
    match chosen {
        Some(platform) if platform.manifest.digest != facts.root.digest => format!(
            "{text}; of the image index {} the manifest {}",
            facts.root.digest, platform.manifest.digest
        ),
        _ => text,
    }
}

/// What a tag names that names another image than the one that runs.
pub(super) fn moved(group: &Group, tag: &ImageFacts, running: Option<&PlatformFacts>) -> String {
    let now = platform_of(group, tag);
    let layers = |platform: &PlatformFacts| -> Vec<Digest> {
        platform.layers.iter().map(|layer| layer.digest.clone()).collect()
    };
    let how = match (now, running) {
        (Some(now), Some(running)) if layers(now) == layers(running) => {
            match now.soci.is_some() && running.soci.is_none() {
                true => "the same layers, converted since",
                false => "the same layers with other documents",
            }
        }
        (Some(_), Some(_)) => "another build",
        _ => "another image",
    };
    format!("names {} now, {how}: {}", tag.root.digest, in_registry(tag, now))
}

pub(super) fn group_chain(group: &Group, pull: Option<&Pull>) -> Vec<Step> {
    let mut chain = Vec::new();
    let mut step = |what, found: String| chain.push(Step { what, found });
    let mut runs = vec![match &group.launch_type {
        Some(launch) => launch.clone(),
        None => "the launch type is not said".to_owned(),
    }];
    if let Some(version) = &group.platform_version {
        runs.push(format!("platform version {version}"));
    }
    runs.push(match group.platform() {
        Some(platform) => platform,
        None => "the architecture is not said".to_owned(),
    });
    step(
        if group.is_seen() {
            "runs on"
        } else {
            "would run on"
        },
        runs.join(", "),
    );
    if let Some(pull) = pull {
        step("pull", pull.sentence());
    }
    let moments = |pick: fn(&Start) -> Option<soci_aws::moment::Moment>| {
        let found: Vec<_> = group.starts.iter().filter_map(pick).collect();
        Some((*found.iter().min()?, *found.iter().max()?))
    };
    if let Some((first, last)) = moments(|start| start.started) {
        let took = group
            .starts
            .iter()
            .filter_map(|start| start.started?.since(start.created?));
        let took: Vec<u64> = took.collect();
        let mut text = match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        };
        if let (Some(least), Some(most)) = (took.iter().min(), took.iter().max()) {
            text += &match least == most {
                true => format!(", {} after it was made", seconds(*least)),
                false => format!(", {} to {} after they were made", seconds(*least), seconds(*most)),
            };
        }
        step("started", text);
    }
    chain
}
