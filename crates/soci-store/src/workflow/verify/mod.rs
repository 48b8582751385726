//! Checking an image the way a lazy-loading client would meet it, and beyond: a client hashes no file contents, so a
//! zTOC with wrong windows gives wrong files in silence. Here every span is opened and every file compared.
//!
//! What a client does about each fault was seen on a real one: containerd 1.6.20 with soci-snapshotter of the 0.15
//! line, 2026-11-24.

mod causes;
mod layers;
mod platform;
mod views;
mod whole;

use std::collections::BTreeMap;

use serde::Serialize;
use soci_image::facts::{Oddity, PlatformFacts};
use soci_image::media_type::PREFETCH;
use soci_image::{Descriptor, Digest};

use super::examine::Examined;
use super::options::{Observer, Options};
use super::sample::Consequence;
use crate::store::{AnySource, Source};
use crate::{Result, block_on};

use causes::{BUILD_AGAIN, of_document, of_oddity};
use layers::check_layers;
use platform::check_platform;
use views::check_views;

/// Something that is wrong with an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A word for the cause, which never changes its meaning.
    pub cause: &'static str,
    /// What it does.
    pub consequence: Consequence,
    /// The platform, where it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The blob that is wrong.
    pub subject: Digest,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

/// Something that was not looked at: it may be right or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    /// What it is about.
    pub subject: Digest,
    /// What was not looked at and why, in words.
    pub message: String,
    /// Whether that is what was asked for, by a sample or a choice of platforms.
    pub asked_for: bool,
}

/// What was checked, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedImage {
    /// Digest of the image's manifest or index.
    pub digest: Digest,
    /// Its names.
    pub names: Vec<String>,
    /// Layers that were read, whole or in a sample.
    pub layers: usize,
    /// Spans that were opened.
    pub spans: usize,
    /// Files whose bytes are right when read through their spans.
    pub files: usize,
    /// What is wrong, platform by platform in the order of the layers.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub unknown: Vec<Unknown>,
}

impl VerifiedImage {
    /// Whether nothing was found that somebody who runs the image would meet, and everything was looked at that was
    /// to be looked at.
    pub fn is_good(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.consequence == Consequence::None)
            && self.unknown.iter().all(|unknown| unknown.asked_for)
            && self.layers > 0
    }
}

/// Checks one image. Every layer is read once; with [`Options::sample`], only some spans of those with a zTOC.
pub fn verify(
    source: &AnySource,
    examined: &Examined,
    options: &Options,
    observer: Observer<'_>,
) -> Result<VerifiedImage> {
    let facts = &examined.facts;
    let mut report = Checks::default();
    report.findings.extend(documents(examined));
    for oddity in &facts.oddities {
        // A list that is not there at all is found below; a hint is not a fault.
        let is_left_out = match oddity {
            Oddity::LargeZtoc { .. } => true,
            // Looked at below, when all layers are read.
            Oddity::ViewUnknown { .. } | Oddity::LooksDifferent { .. } | Oddity::CannotBeUnpacked { .. } => {
                true
            }
            Oddity::UnreadablePrefetchList { artifact, .. } => {
                !block_on(source.contains(&Descriptor::new(PREFETCH, artifact.clone(), 0)))?
            }
            _ => false,
        };
        if !is_left_out {
            report.findings.push(of_oddity(oddity));
        }
    }
    if facts.platforms.is_empty()
        && report
            .findings
            .iter()
            .all(|found| found.consequence < Consequence::PullFails)
    {
        report.find(
            "no-image",
            Consequence::PullFails,
            None,
            &facts.root.digest,
            "no image is listed for any platform".into(),
            BUILD_AGAIN,
        );
    }
    let mut tasks = Vec::new();
    let (asked_for, others): (Vec<&PlatformFacts>, Vec<_>) =
        (facts.platforms.iter()).partition(|platform| is_asked_for(platform, options));
    for platform in &asked_for {
        block_on(check_platform(
            source,
            examined,
            platform,
            &mut tasks,
            &mut report,
        ))?;
    }
    for platform in others {
        report.unknown.push(Unknown {
            subject: platform.manifest.digest.clone(),
            message: format!("the image of {} is another platform", name(platform)),
            asked_for: true,
        });
    }
    check_ranges(source, &tasks, &mut report)?;
    let ranges = report.ranges;
    let digests: Vec<Digest> = tasks.iter().map(|task| task.layer.digest.clone()).collect();
    let mut checked = check_layers(source, tasks, ranges, options, observer)?;
    let mut views = BTreeMap::new();
    for (digest, layer) in digests.into_iter().zip(&mut checked) {
        report.findings.append(&mut layer.findings);
        report.unknown.append(&mut layer.unknown);
        views.extend(layer.view.take().map(|view| (digest, view)));
    }
    for platform in asked_for {
        check_views(platform, &views, options.sample.is_some(), &mut report);
    }
    let mut verdict = VerifiedImage {
        digest: facts.root.digest.clone(),
        names: examined
            .root
            .names
            .iter()
            .filter_map(|name| name.full.clone().or_else(|| name.tag.clone()))
            .collect(),
        layers: 0,
        spans: 0,
        files: 0,
        findings: report.findings,
        unknown: report.unknown,
    };
    for layer in checked {
        verdict.layers += usize::from(layer.was_read);
        verdict.spans += layer.spans;
        verdict.files += layer.files;
    }
    Ok(verdict)
}

fn is_asked_for(platform: &PlatformFacts, options: &Options) -> bool {
    options.platforms.is_empty()
        || platform
            .platform
            .as_ref()
            .is_some_and(|have| options.platforms.iter().any(|wanted| wanted.matches(have)))
}

fn name(platform: &PlatformFacts) -> String {
    let known = platform.platform.as_ref();
    known.map_or_else(|| "an unknown platform".into(), ToString::to_string)
}

/// Documents that are not what their descriptors say, and that no oddity tells already.
fn documents(examined: &Examined) -> Vec<Finding> {
    let told = |digest: &Digest| {
        examined.facts.oddities.iter().any(|oddity| match oddity {
            Oddity::DamagedManifest { manifest, .. } => manifest == digest,
            Oddity::UnreadableIndex { soci_index, .. } => soci_index == digest,
            Oddity::UnreadablePrefetchList { artifact, .. } => artifact == digest,
            _ => false,
        })
    };
    // A config is read again with its platform.
    let is_config = |digest: &Digest| {
        let mut platforms = examined.facts.platforms.iter();
        platforms.any(|platform| platform.config.digest == *digest)
    };
    let damaged = examined
        .faults
        .iter()
        .filter(|fault| !told(&fault.digest) && !is_config(&fault.digest))
        .map(|fault| of_document("damaged-document", fault, examined));
    let mislabelled = examined
        .mislabelled
        .iter()
        .map(|fault| of_document("other-media-type", fault, examined));
    damaged.chain(mislabelled).collect()
}

/// Clients read spans by ranges, and take whatever comes for the range.
fn check_ranges(source: &AnySource, tasks: &[Task], report: &mut Checks) -> Result<()> {
    for task in tasks.iter().filter(|task| task.ztoc.is_some()) {
        match block_on(source.ignores_ranges(&task.layer)) {
            Ok(Some(true)) => {
                report.findings.push(of_oddity(&Oddity::RangesIgnored {
                    layer: task.layer.digest.clone(),
                }));
                report.ranges = Ranges::Ignored;
                return Ok(());
            }
            Ok(Some(false)) => return Ok(()),
            Ok(None) => {}
            // The layer is not there, which its own check says.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether parts of layers can be had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Ranges {
    #[default]
    Answered,
    Ignored,
}

/// Findings while they come together.
#[derive(Default)]
struct Checks {
    findings: Vec<Finding>,
    unknown: Vec<Unknown>,
    ranges: Ranges,
}

impl Checks {
    fn find(
        &mut self,
        cause: &'static str,
        consequence: Consequence,
        platform: Option<&str>,
        subject: &Digest,
        message: String,
        help: &'static str,
    ) {
        self.findings.push(Finding {
            cause,
            consequence,
            platform: platform.map(String::from),
            subject: subject.clone(),
            message,
            help,
        });
    }
}

/// A layer and what it should be.
struct Task {
    platform: Option<String>,
    layer: Descriptor,
    /// What the config says its uncompressed bytes are; `None` if that is not known, which was told.
    diff_id: Option<Digest>,
    ztoc: Option<ZtocTask>,
}

/// A zTOC of a layer and what the SOCI index says about it.
struct ZtocTask {
    descriptor: Descriptor,
    disable_xattrs: bool,
    /// Ranges of spans to fetch at once, and where they stand.
    prefetch: Option<(Digest, Vec<soci_image::soci_index::prefetch::SpanRange>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_consequences_compare_greater() {
        use Consequence::*;
        let mut sorted = [
            PullFails,
            None,
            WrongContents,
            LayerNotLazy,
            ReadsFail,
            ImageNotLazy,
            NotPrefetched,
        ];
        sorted.sort();
        assert_eq!(
            sorted,
            [
                None,
                NotPrefetched,
                LayerNotLazy,
                ImageNotLazy,
                ReadsFail,
                WrongContents,
                PullFails
            ]
        );
    }
}
