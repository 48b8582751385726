//! Checking an image the way a lazy-loading client would meet it, and beyond: a client hashes no file contents, so a
//! zTOC with wrong windows gives wrong files in silence. Here every span is opened and every file compared.
//!
//! What a client does about each fault was seen on a real one: containerd 1.6.20 with soci-snapshotter of the 0.15
//! line, 2026-11-24.

mod causes;
mod layers;
mod sample;

use serde::Serialize;
use soci_image::facts::{ImageFacts, Oddity, PlatformFacts};
use soci_image::soci_index::EMPTY_CONFIG;
use soci_image::{Descriptor, Digest, SociIndex, media_type};

use super::examine::Examined;
use super::options::{Observer, Options};
use crate::store::{AnySource, Source};
use crate::{Result, block_on};

use causes::{BUILD_AGAIN, CONVERT, CONVERT_FIRST, of_oddity};
use layers::check_layers;
pub use sample::Sample;

/// What a fault does to whoever runs the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// Nothing while the image runs.
    None,
    /// A layer is loaded whole, the others lazily.
    LayerNotLazy,
    /// The image is loaded whole. Nobody is told.
    ImageNotLazy,
    /// The image is mounted, and reading some files fails.
    ReadsFail,
    /// The image is mounted, and some files have wrong contents. Nobody is told.
    WrongContents,
    /// The image cannot be pulled.
    PullFails,
}

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

/// What was checked, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Digest of the image's manifest or index.
    pub digest: Digest,
    /// Its names.
    pub names: Vec<String>,
    /// Layers that were read and whose zTOC was compared with them.
    pub layers: usize,
    /// Spans that were opened.
    pub spans: usize,
    /// Files whose bytes are right when read through their spans.
    pub files: usize,
    /// What is wrong, platform by platform in the order of the layers.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether something is wrong that somebody who runs the image would meet.
    pub fn is_good(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.consequence == Consequence::None)
    }
}

/// Checks one image. Every layer with a zTOC is read once; with [`Options::sample`], only some spans of each.
pub fn verify(
    source: &AnySource,
    examined: &Examined,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Verdict> {
    let facts = &examined.facts;
    let mut findings: Vec<Finding> = facts.oddities.iter().map(of_oddity).collect();
    let mut tasks = Vec::new();
    for platform in facts
        .platforms
        .iter()
        .filter(|platform| is_asked_for(platform, options))
    {
        findings.extend(block_on(check_platform(source, examined, platform, &mut tasks))?);
    }
    let checked = check_layers(source, tasks, options, observer)?;
    let mut verdict = Verdict {
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
        findings,
    };
    for layer in checked {
        verdict.layers += usize::from(layer.was_read);
        verdict.spans += layer.spans;
        verdict.files += layer.files;
        verdict.findings.extend(layer.findings);
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

/// A layer and the zTOC to compare it with.
struct Task {
    platform: Option<String>,
    layer: Descriptor,
    ztoc: Descriptor,
}

/// What belongs to the SOCI index of a platform as a whole; the layers go to `tasks`.
async fn check_platform(
    source: &AnySource,
    examined: &Examined,
    facts: &PlatformFacts,
    tasks: &mut Vec<Task>,
) -> Result<Vec<Finding>> {
    let platform = facts.platform.as_ref().map(ToString::to_string);
    let mut findings = Vec::new();
    let mut find = |cause, consequence, subject: &Digest, message: String, help| {
        findings.push(Finding {
            cause,
            consequence,
            platform: platform.clone(),
            subject: subject.clone(),
            message,
            help,
        });
    };
    let manifest = &facts.manifest.digest;
    for layer in facts.layers.iter().filter(|layer| !layer.foreign) {
        let descriptor = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
        if !source.contains(&descriptor).await? {
            let message = format!("layer {} is missing", layer.digest);
            find(
                "missing-layer",
                Consequence::PullFails,
                &layer.digest,
                message,
                BUILD_AGAIN,
            );
        }
    }
    let config = Descriptor::new(
        &facts.config.media_type,
        facts.config.digest.clone(),
        facts.config.size,
    );
    if !source.contains(&config).await? {
        let message = format!("config {} is missing", config.digest);
        find(
            "missing-config",
            Consequence::PullFails,
            &config.digest,
            message,
            BUILD_AGAIN,
        );
    }
    let Some(soci) = &facts.soci else {
        let named = facts_name_an_index(&examined.facts, manifest);
        if !named {
            let message = "the image has no SOCI index".to_owned();
            find(
                "no-soci-index",
                Consequence::ImageNotLazy,
                manifest,
                message,
                CONVERT_FIRST,
            );
        }
        return Ok(findings);
    };
    let Some(index) = examined
        .documents
        .get(&soci.digest)
        .and_then(|bytes| SociIndex::parse(bytes).ok())
    else {
        return Ok(findings);
    };
    let empty = Descriptor::of(index.version.artifact_type(), EMPTY_CONFIG);
    if !source.contains(&empty).await? {
        let message = format!(
            "config {} of the SOCI index is missing: registries refuse such an index",
            empty.digest
        );
        find(
            "missing-soci-config",
            Consequence::ImageNotLazy,
            &soci.digest,
            message,
            CONVERT,
        );
    }
    for artifact in &index.prefetch {
        let descriptor = Descriptor::new(media_type::PREFETCH, artifact.digest.clone(), artifact.size);
        if !source.contains(&descriptor).await? {
            let message = format!("prefetch list {} is missing", artifact.digest);
            find(
                "missing-prefetch-list",
                Consequence::ImageNotLazy,
                &artifact.digest,
                message,
                CONVERT,
            );
        }
    }
    for layer in &facts.layers {
        let Some(ztoc) = index.ztoc_of(&layer.digest) else {
            continue;
        };
        let task = Task {
            platform: platform.clone(),
            layer: Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size),
            ztoc: ztoc.descriptor(),
        };
        // A layer that several platforms share has one zTOC in all of them, or is checked with each.
        let known =
            |other: &Task| other.layer.digest == task.layer.digest && other.ztoc.digest == task.ztoc.digest;
        if !tasks.iter().any(known) {
            tasks.push(task);
        }
    }
    Ok(findings)
}

/// Whether an oddity tells already why the image has no SOCI index that can be used.
fn facts_name_an_index(facts: &ImageFacts, manifest: &Digest) -> bool {
    facts.oddities.iter().any(|oddity| {
        matches!(oddity, Oddity::MissingIndex { image, .. } | Oddity::UnreadableIndex { image, .. } if image == manifest)
    })
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
        ];
        sorted.sort();
        assert_eq!(
            sorted,
            [
                None,
                LayerNotLazy,
                ImageNotLazy,
                ReadsFail,
                WrongContents,
                PullFails
            ]
        );
    }
}
