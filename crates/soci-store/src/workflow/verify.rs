//! Checking an image the way a lazy-loading client would meet it, and beyond: a client hashes no file contents, so a
//! zTOC with wrong windows gives wrong files in silence. Here every span is opened and every file compared.
//!
//! What a client does about each fault was seen on a real one: containerd 1.6.20 with soci-snapshotter of the 0.15
//! line, 2026-11-24.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use soci_image::facts::{Effect, ImageFacts, Oddity, PlatformFacts};
use soci_image::soci_index::EMPTY_CONFIG;
use soci_image::{Descriptor, Digest, SociIndex, media_type};
use soci_ztoc::ztoc::{Fault, Verifier, Ztoc};

use super::examine::Examined;
use super::options::{Event, Observer, Options};
use crate::store::{AnySource, Blob, Source};
use crate::{Error, Result, block_on};

/// zTOCs larger than this are refused: the format ends at 2 GiB.
const ZTOC_LIMIT: u64 = 2 << 30;

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

/// Checks one image. Every layer with a zTOC is read once.
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
                "layer-missing",
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
            "config-missing",
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
                CONVERT,
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
            "soci-config-missing",
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
                "prefetch-missing",
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

/// What reading one layer showed.
#[derive(Default)]
struct Checked {
    was_read: bool,
    spans: usize,
    files: usize,
    findings: Vec<Finding>,
}

/// Checks layers on several threads; the results are in the order of the tasks.
fn check_layers(
    source: &AnySource,
    tasks: Vec<Task>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Vec<Checked>> {
    let jobs = options.jobs.get().min(tasks.len());
    let results: Vec<Mutex<Option<Result<Checked>>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|task| tasks[*task].layer.size);
    let open = Mutex::new(order);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(task) = open.lock().unwrap_or_else(PoisonError::into_inner).pop() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let checked = block_on(check_layer(source, &tasks[task], options, observer));
                    if checked.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    *results[task].lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
                }
            });
        }
    });
    let results = results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.collect()
}

async fn check_layer(
    source: &AnySource,
    task: &Task,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut find = |cause, consequence, subject: &Digest, message: String, help| {
        checked.findings.push(Finding {
            cause,
            consequence,
            platform: task.platform.clone(),
            subject: subject.clone(),
            message,
            help,
        });
    };
    let bytes = match read_ztoc(source, &task.ztoc).await? {
        Ok(bytes) => bytes,
        Err((cause, message)) => {
            // One zTOC that cannot be fetched makes the client give up the whole index.
            find(
                cause,
                Consequence::ImageNotLazy,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
            return Ok(checked);
        }
    };
    let ztoc = match Ztoc::from_bytes(&bytes) {
        Ok(ztoc) => ztoc,
        Err(error) => {
            let message = format!("the zTOC of layer {} cannot be read: {error}", task.layer.digest);
            find(
                "ztoc-unreadable",
                Consequence::LayerNotLazy,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
            return Ok(checked);
        }
    };
    drop(bytes);
    if !source.contains(&task.layer).await? {
        return Ok(checked);
    }
    let mut verifier = Verifier::new(&ztoc);
    let mut blob = source.open(&task.layer).await?;
    observer(Event::LayerStarted {
        digest: task.layer.digest.clone(),
        size: task.layer.size,
    });
    let mut buffer = vec![0; 256 << 10];
    let mut hasher = task.layer.digest.algorithm().hasher();
    let mut damage = None;
    loop {
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        if damage.is_none() {
            damage = verifier.push(&buffer[..count]).err();
        }
        observer(Event::LayerAdvanced {
            digest: task.layer.digest.clone(),
            bytes: count as u64,
        });
    }
    observer(Event::LayerFinished {
        digest: task.layer.digest.clone(),
        indexed: true,
    });
    let layer = &task.layer.digest;
    let found = hasher.finish();
    if found != *layer {
        let message = format!("layer {layer} has the digest {found}: its bytes were changed or damaged");
        find(
            "layer-digest",
            Consequence::PullFails,
            layer,
            message,
            BUILD_AGAIN,
        );
        return Ok(checked);
    }
    let verification = match damage {
        Some(error) => Err(error),
        None => verifier.finish(),
    };
    let verification = match verification {
        Ok(verification) => verification,
        Err(error) => {
            let message = format!("layer {layer} is damaged, although its digest is right: {error}");
            find(
                "layer-damaged",
                Consequence::PullFails,
                layer,
                message,
                BUILD_AGAIN,
            );
            return Ok(checked);
        }
    };
    let misplaced = verification
        .faults
        .iter()
        .any(|fault| matches!(fault, Fault::LayerSize { .. }));
    if misplaced {
        let message = format!("the zTOC is for another layer than {layer}");
        find(
            "ztoc-misplaced",
            Consequence::ReadsFail,
            &task.ztoc.digest,
            message,
            CONVERT,
        );
    } else {
        for fault in &verification.faults {
            let (cause, consequence) = of_fault(fault);
            find(
                cause,
                consequence,
                &task.ztoc.digest,
                format!("layer {layer}: {fault}"),
                CONVERT,
            );
        }
        let untold = verification.fault_count.saturating_sub(verification.faults.len());
        if untold > 0 {
            let message = format!("layer {layer}: {untold} more faults of this zTOC are not listed");
            find(
                "more-faults",
                Consequence::ReadsFail,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
        }
    }
    if let Some(told) = span_size_told(&task.ztoc)
        && told != ztoc.span_size()
    {
        let message = format!(
            "the SOCI index tells a span size of {told}, the zTOC has {}",
            ztoc.span_size()
        );
        find(
            "span-size-differs",
            Consequence::None,
            &task.ztoc.digest,
            message,
            CONVERT,
        );
    }
    checked.was_read = true;
    checked.spans = verification.spans;
    checked.files = verification.files;
    Ok(checked)
}

/// The bytes of a zTOC, or why there are none that a client would take.
async fn read_ztoc(
    source: &AnySource,
    descriptor: &Descriptor,
) -> Result<std::result::Result<Vec<u8>, (&'static str, String)>> {
    let digest = &descriptor.digest;
    if !source.contains(descriptor).await? {
        return Ok(Err(("ztoc-missing", format!("zTOC {digest} is missing"))));
    }
    if descriptor.size > ZTOC_LIMIT {
        let message = format!(
            "zTOC {digest} has {} bytes, more than the format can hold",
            descriptor.size
        );
        return Ok(Err(("ztoc-too-large", message)));
    }
    let mut blob = source.open(descriptor).await?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() as u64 > descriptor.size {
            break;
        }
    }
    if bytes.len() as u64 != descriptor.size {
        let message = format!(
            "zTOC {digest} has another size than the SOCI index says ({} bytes)",
            descriptor.size
        );
        return Ok(Err(("ztoc-wrong-size", message)));
    }
    let found = Digest::sha256(&bytes);
    if found != *digest {
        return Ok(Err((
            "ztoc-wrong-digest",
            format!("zTOC {digest} has the digest {found}"),
        )));
    }
    Ok(Ok(bytes))
}

fn span_size_told(ztoc: &Descriptor) -> Option<u64> {
    ztoc.annotation(soci_image::annotation::SPAN_SIZE)?.parse().ok()
}

/// The cause that a fault of a zTOC stands for, and what a client does.
fn of_fault(fault: &Fault) -> (&'static str, Consequence) {
    match fault {
        Fault::Refused(_) => ("ztoc-refused", Consequence::LayerNotLazy),
        Fault::LayerSize { .. } => ("ztoc-misplaced", Consequence::ReadsFail),
        Fault::SpanDigest { .. } => ("span-digest", Consequence::ReadsFail),
        Fault::SpanUnreadable { .. } => ("span-unreadable", Consequence::ReadsFail),
        Fault::SpanContents { .. } => ("wrong-window", Consequence::WrongContents),
        Fault::Entry { .. } => ("toc-entry-differs", Consequence::ReadsFail),
        Fault::MissingEntries { .. } => ("toc-entries-missing", Consequence::WrongContents),
        Fault::ExtraEntries { .. } => ("toc-entries-extra", Consequence::ReadsFail),
        _ => ("ztoc-wrong", Consequence::ReadsFail),
    }
}

fn of_oddity(oddity: &Oddity) -> Finding {
    let (cause, subject) = match oddity {
        Oddity::IndexBeforeImage { soci_index, .. } => ("index-before-image", soci_index),
        Oddity::MissingIndex { image, .. } => ("soci-index-missing", image),
        Oddity::UnreadableIndex { soci_index, .. } => ("soci-index-unreadable", soci_index),
        Oddity::NonCanonicalIndex { soci_index } => ("soci-index-not-canonical", soci_index),
        Oddity::ArtifactTypeLost { soci_index } => ("artifact-type-lost", soci_index),
        Oddity::IndexNotListed { soci_index, .. } => ("soci-index-not-listed", soci_index),
        Oddity::UnusedIndex { soci_index, .. } => ("soci-index-unused", soci_index),
        Oddity::OtherIndexListed { named, .. } => ("other-soci-index-listed", named),
        Oddity::ZtocOfOtherLayer { soci_index, .. } => ("ztoc-of-other-layer", soci_index),
        Oddity::DuplicatePlatform { second, .. } => ("duplicate-platform", second),
        Oddity::AttestationWithoutImage { attestation, .. } => ("attestation-without-image", attestation),
        Oddity::MissingManifest { manifest, .. } => ("manifest-missing", manifest),
        Oddity::DockerLayersInOciManifest { image } => ("docker-layers-in-oci-manifest", image),
    };
    let consequence = match oddity.effect() {
        Effect::None => Consequence::None,
        Effect::LayerNotLazy => Consequence::LayerNotLazy,
        Effect::ImageNotLazy => Consequence::ImageNotLazy,
        Effect::PullFails => Consequence::PullFails,
    };
    let help = match oddity {
        Oddity::MissingManifest { .. } | Oddity::AttestationWithoutImage { .. } => BUILD_AGAIN,
        _ => CONVERT,
    };
    Finding {
        cause,
        consequence,
        platform: None,
        subject: subject.clone(),
        message: oddity.to_string(),
        help,
    }
}

const CONVERT: &str = "convert the image again";
const BUILD_AGAIN: &str = "build or copy the image again";

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
