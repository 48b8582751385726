//! What belongs to the image of one platform: its config, its SOCI index, and which layers are to be read.

use soci_image::facts::{ImageFacts, Oddity, PlatformFacts};
use soci_image::media_type::PREFETCH;
use soci_image::soci_index::{SociIndex, prefetch};
use soci_image::{Descriptor, Digest, Json, Manifest};

use super::causes::{BUILD_AGAIN, CONVERT, CONVERT_FIRST};
use super::{Checks, Consequence, Task, Unknown, ZtocTask};
use crate::Result;
use crate::store::{AnySource, Stored};
use crate::store::{DOCUMENT_LIMIT, Source};
use crate::workflow::examine::Examined;
use crate::workflow::read::{in_words, is_about_bytes};

/// Checks config and SOCI index; the layers go to `tasks`.
pub(super) async fn check_platform(
    source: &AnySource,
    examined: &Examined,
    facts: &PlatformFacts,
    tasks: &mut Vec<Task>,
    report: &mut Checks,
) -> Result<()> {
    let platform = facts.platform.as_ref().map(ToString::to_string);
    let diff_ids = check_config(source, facts, platform.as_deref(), report).await?;
    let index = check_index(source, examined, facts, platform.as_deref(), report).await?;
    for (position, layer) in facts.layers.iter().enumerate() {
        let descriptor = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
        if !is_there(source, &descriptor, layer.foreign, platform.as_deref(), report).await? {
            continue;
        }
        let ztocs = index
            .iter()
            .flat_map(|index| &index.ztocs)
            .filter(|ztoc| ztoc.layer == layer.digest);
        let lists = index
            .iter()
            .flat_map(|index| &index.prefetch)
            .filter(|list| list.layer == layer.digest);
        let spans = lists.map(|list| {
            let spans = prefetch::parse(examined.documents.get(&list.digest)?).ok()?;
            Some((list.digest.clone(), spans))
        });
        let prefetch = spans.flatten().next();
        let ztocs: Vec<ZtocTask> = ztocs
            .map(|ztoc| ZtocTask {
                descriptor: ztoc.descriptor(),
                disable_xattrs: ztoc.disable_xattrs,
                prefetch: prefetch.clone(),
            })
            .collect();
        if let [first, .., last] = &ztocs[..] {
            let message = format!("the SOCI index has several zTOCs for the layer {}", layer.digest);
            let (consequence, subject) = (Consequence::LayerNotLazy, &last.descriptor.digest);
            // The same one twice does no harm.
            if first.descriptor.digest != last.descriptor.digest {
                report.find(
                    "several-ztocs",
                    consequence,
                    platform.as_deref(),
                    subject,
                    message,
                    CONVERT,
                );
            }
        }
        let task = |ztoc| Task {
            platform: platform.clone(),
            layer: descriptor.clone(),
            diff_id: diff_ids.get(position).cloned(),
            ztoc,
        };
        let new: Vec<Task> = match ztocs.is_empty() {
            true => vec![task(None)],
            false => ztocs.into_iter().map(|ztoc| task(Some(ztoc))).collect(),
        };
        for task in new {
            if !tasks.iter().any(|known| covers(known, &task)) {
                tasks.push(task);
            }
        }
    }
    Ok(())
}

/// A layer that several platforms share is read once if it has the same zTOC and the same diff_id in all of them.
fn covers(known: &Task, task: &Task) -> bool {
    let ztoc = |task: &Task| {
        task.ztoc
            .as_ref()
            .map(|ztoc| (ztoc.descriptor.clone(), ztoc.prefetch.clone()))
    };
    known.layer.digest == task.layer.digest
        && known.layer.size == task.layer.size
        && known.diff_id == task.diff_id
        && ztoc(known) == ztoc(task)
}

/// Whether a layer is there in its size; if not, that is told.
async fn is_there(
    source: &AnySource,
    layer: &Descriptor,
    foreign: bool,
    platform: Option<&str>,
    report: &mut Checks,
) -> Result<bool> {
    let digest = &layer.digest;
    let (cause, message) = match source.stored(layer).await? {
        Stored::Missing if foreign => {
            report.unknown.push(Unknown {
                subject: digest.clone(),
                message: format!("the layer {digest} is foreign and only at its URL"),
                asked_for: false,
            });
            return Ok(false);
        }
        Stored::Missing => ("missing-layer", format!("layer {digest} is missing")),
        Stored::There(Some(size)) if size != layer.size => (
            "wrong-layer-size",
            format!(
                "layer {digest} has {size} bytes, the manifest says {}",
                layer.size
            ),
        ),
        Stored::There(_) => return Ok(true),
    };
    report.find(
        cause,
        Consequence::PullFails,
        platform,
        digest,
        message,
        BUILD_AGAIN,
    );
    Ok(false)
}

/// The diff_ids of a good config; none of another, which is told.
async fn check_config(
    source: &AnySource,
    facts: &PlatformFacts,
    platform: Option<&str>,
    report: &mut Checks,
) -> Result<Vec<Digest>> {
    let config = Descriptor::new(
        &facts.config.media_type,
        facts.config.digest.clone(),
        facts.config.size,
    );
    let digest = &config.digest;
    let mut bad = |cause, message| {
        report.find(
            cause,
            Consequence::PullFails,
            platform,
            digest,
            message,
            BUILD_AGAIN,
        );
        Ok(Vec::new())
    };
    if source.stored(&config).await? == Stored::Missing {
        return bad("missing-config", format!("config {digest} is missing"));
    }
    let bytes = match source.document(&config).await {
        Ok(bytes) => bytes,
        Err(error) if is_about_bytes(&error) => {
            return bad("wrong-config", format!("config {digest}: {}", in_words(&error)));
        }
        Err(error) => return Err(error),
    };
    match diff_ids(&bytes) {
        Err(problem) => bad("wrong-config", format!("config {digest} {problem}")),
        Ok(diff_ids) if diff_ids.len() != facts.layers.len() => bad(
            "wrong-config",
            format!(
                "config {digest} has {} diff_ids for {} layers",
                diff_ids.len(),
                facts.layers.len()
            ),
        ),
        Ok(diff_ids) => Ok(diff_ids),
    }
}

/// What a config says about the uncompressed layers.
fn diff_ids(config: &[u8]) -> Result<Vec<Digest>, String> {
    let json = Json::parse(config).map_err(|error| format!("is not JSON: {error}"))?;
    if json.as_object().is_none() {
        return Err("is JSON, but not an object".into());
    }
    let Some(items) = json
        .get("rootfs")
        .and_then(|rootfs| rootfs.get("diff_ids")?.as_array())
    else {
        return Err("has no rootfs.diff_ids".into());
    };
    let digest = |item: &Json| {
        let text = item.as_str().ok_or("has a diff_id that is not text")?;
        Digest::parse(text).map_err(|error| format!("has a wrong diff_id: {error}"))
    };
    items.iter().map(digest).collect()
}

/// The SOCI index of the platform, if it can be read; what is wrong with it as a whole is told.
async fn check_index(
    source: &AnySource,
    examined: &Examined,
    facts: &PlatformFacts,
    platform: Option<&str>,
    report: &mut Checks,
) -> Result<Option<SociIndex>> {
    let manifest = &facts.manifest.digest;
    let Some(soci) = &facts.soci else {
        if !names_an_index(&examined.facts, manifest) {
            let message = "the image has no SOCI index".to_owned();
            report.find(
                "no-soci-index",
                Consequence::ImageNotLazy,
                platform,
                manifest,
                message,
                CONVERT_FIRST,
            );
        }
        return Ok(None);
    };
    let Some(bytes) = examined.documents.get(&soci.digest) else {
        return Ok(None);
    };
    let Ok(index) = SociIndex::parse(bytes) else {
        return Ok(None);
    };
    let mut blobs = vec![(
        "missing-soci-config",
        Manifest::parse(bytes).map_err(crate::Error::from)?.config,
        "registries refuse such an index",
    )];
    blobs.extend(index.prefetch.iter().map(|list| {
        let blob = Descriptor::new(PREFETCH, list.digest.clone(), list.size);
        (
            "missing-prefetch-list",
            blob,
            "clients then take none of the index",
        )
    }));
    for (cause, blob, effect) in blobs {
        let problem = match source.stored(&blob).await? {
            Stored::Missing => "is missing".to_owned(),
            Stored::There(Some(size)) if size != blob.size => {
                format!("has {size} bytes, the SOCI index says {}", blob.size)
            }
            Stored::There(_) if blob.size > DOCUMENT_LIMIT => {
                format!("has {} bytes, more than anybody reads", blob.size)
            }
            Stored::There(_) => continue,
        };
        let message = format!("{} of the SOCI index {problem}: {effect}", blob.digest);
        report.find(
            cause,
            Consequence::ImageNotLazy,
            platform,
            &soci.digest,
            message,
            CONVERT,
        );
    }
    if index.ztocs.is_empty() {
        let message = format!("the SOCI index {} has no zTOC", soci.digest);
        report.find(
            "empty-index",
            Consequence::ImageNotLazy,
            platform,
            &soci.digest,
            message,
            CONVERT,
        );
    }
    Ok(Some(index))
}

/// Whether an oddity tells already why the image has no SOCI index that can be used.
fn names_an_index(facts: &ImageFacts, manifest: &Digest) -> bool {
    facts.oddities.iter().any(|oddity| {
        matches!(oddity, Oddity::MissingIndex { image, .. } | Oddity::UnreadableIndex { image, .. } if image == manifest)
    })
}
