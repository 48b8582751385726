//! Looking at an image without changing it: every document that says something about its SOCI index, and whether what
//! they point at is there.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use soci_image::facts::{
    DocumentFault, ImageFacts, LayerFacts, PlatformFacts, Seen, SeenView, SeenZtoc, ViewKind, ZtocState,
};
use soci_image::media_type::{PREFETCH, SOCI_INDEX_V1, ZTOC};
use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest, Documents, Image, SociIndex};
use soci_ztoc::ztoc::Ztoc;

use super::read::{ReadDocuments, in_words, is_about_bytes, read_good_documents, select};
use super::tables::Tables;
use super::views::{self, CHEAP, Contents, Look, View, contents};
use crate::checked::{self, Mismatch};
use crate::store::{AnySource, DOCUMENT_LIMIT, Root, Source, Stored};
use crate::{Result, block_on};

/// An image and what is known about it.
#[derive(Debug)]
pub struct Examined {
    /// How the source lists it.
    pub root: Root,
    /// Its tree of documents.
    pub image: Image,
    /// The bytes of all documents that are there.
    pub documents: Documents,
    /// Documents that are there and were left out, because they are not what their descriptors say.
    pub faults: Vec<DocumentFault>,
    /// Documents of another media type than their descriptors say, of the same kind.
    pub mislabelled: Vec<DocumentFault>,
    /// What they say.
    pub facts: ImageFacts,
    /// How many spans each zTOC has, by its digest: of those that were read.
    pub spans: BTreeMap<Digest, u64>,
}

/// zTOCs up to this size are read to know whether they can be; of larger ones only the size is asked for.
pub const ZTOC_READ: u64 = 64 << 20;

/// All zTOCs of an image together are read up to this size.
pub const ZTOCS_READ: u64 = 256 << 20;

/// Layers without a zTOC are read up to this size together, to know how they look.
const LAYERS_READ: u64 = 64 << 20;

/// Reads the documents of the images that `tag` chooses (manifests, configs, SOCI indexes and prefetch lists), looks
/// whether layers and zTOCs are there, reads the zTOCs, and asks a registry for one byte of a layer.
pub async fn examine(source: &AnySource, tag: Option<&str>) -> Result<Vec<Examined>> {
    let mut images = examine_documents(source, tag).await?;
    let tables = Tables::default();
    for image in &mut images {
        let (mut seen, mut views) = look(source, &image.facts, &mut image.spans, Some(&tables)).await?;
        seen.faults.clone_from(&image.faults);
        seen.views = looks(source, &image.facts, &mut views, &tables)?;
        image.facts = image.facts.clone().with(&seen);
    }
    Ok(images)
}

/// The documents, and whether layers and zTOCs are there in their sizes; no blob is read.
pub async fn examine_presence(source: &AnySource, tag: Option<&str>) -> Result<Vec<Examined>> {
    let mut images = examine_documents(source, tag).await?;
    for image in &mut images {
        let (mut seen, _) = look(source, &image.facts, &mut image.spans, None).await?;
        seen.faults.clone_from(&image.faults);
        image.facts = image.facts.clone().with(&seen);
    }
    Ok(images)
}

/// The documents alone.
pub async fn examine_documents(source: &AnySource, tag: Option<&str>) -> Result<Vec<Examined>> {
    let mut images = Vec::new();
    for root in select(source.roots().await?, tag)? {
        images.push(examine_image(source, root).await?);
    }
    Ok(images)
}

async fn examine_image(source: &AnySource, root: Root) -> Result<Examined> {
    let read = read_good_documents(source, &root.descriptor).await?;
    let ReadDocuments {
        mut documents,
        mut faults,
        mislabelled,
    } = read;
    let image = Image::read(&root.descriptor, &documents)?;
    let mut referrers = Vec::new();
    let mut referrers_unknown = Vec::new();
    let mut indexes: Vec<Digest> = Vec::new();
    for entry in image.images() {
        if let Some(digest) = entry.manifest.soci_index_digest() {
            // The annotation tells no size, so neither does the client know one.
            if documents.get(&digest).is_none() {
                match source.manifest(&digest).await {
                    // Kept under the name that it was asked for: that may be a SHA-512.
                    Ok(Some(bytes)) => {
                        documents.insert(&Descriptor::new("", digest.clone(), bytes.len() as u64), bytes)?;
                    }
                    Ok(None) => {}
                    Err(error) => fault(&mut faults, &digest, error)?,
                }
            }
            indexes.push(digest);
        } else {
            let found = match source.referrers(&entry.descriptor, SOCI_INDEX_V1).await {
                Err(crate::Error::Interrupted) => return Err(crate::Error::Interrupted),
                Err(error) => {
                    referrers_unknown.push((entry.descriptor.digest.clone(), error.to_string()));
                    continue;
                }
                Ok(found) => found,
            };
            for descriptor in &found {
                if add(source, descriptor, &mut documents, &mut faults).await? {
                    indexes.push(descriptor.digest.clone());
                }
            }
            referrers.extend(found);
        }
    }
    for digest in indexes {
        let Some(index) = documents
            .get(&digest)
            .and_then(|bytes| SociIndex::parse(bytes).ok())
        else {
            continue;
        };
        for artifact in &index.prefetch {
            let descriptor = Descriptor::new(PREFETCH, artifact.digest.clone(), artifact.size);
            add(source, &descriptor, &mut documents, &mut faults).await?;
        }
    }
    let seen = Seen {
        faults: faults.clone(),
        referrers_unknown,
        ..Seen::default()
    };
    let facts = ImageFacts::of(&image, &documents, &referrers).with(&seen);
    Ok(Examined {
        root,
        image,
        documents,
        faults,
        mislabelled,
        facts,
        spans: BTreeMap::new(),
    })
}

/// Adds a document if the source has it; false if not, or if it is not the one.
async fn add(
    source: &AnySource,
    descriptor: &Descriptor,
    documents: &mut Documents,
    faults: &mut Vec<DocumentFault>,
) -> Result<bool> {
    if documents.get(&descriptor.digest).is_some() {
        return Ok(true);
    }
    if descriptor.size > DOCUMENT_LIMIT || !source.contains(descriptor).await? {
        return Ok(false);
    }
    match source.document(descriptor).await {
        Ok(bytes) => documents.insert(descriptor, bytes)?,
        Err(error) => {
            fault(faults, &descriptor.digest, error)?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn fault(faults: &mut Vec<DocumentFault>, digest: &Digest, error: crate::Error) -> Result<()> {
    if !is_about_bytes(&error) {
        return Err(error);
    }
    faults.push(DocumentFault {
        digest: digest.clone(),
        detail: in_words(&error),
    });
    Ok(())
}

/// How each layer looks that was read, by its digest; none if there was no room to keep it.
type Views = BTreeMap<Digest, Option<View>>;

/// What is there of layers, configs and zTOCs; with tables to read into, also what zTOCs say.
async fn look(
    source: &AnySource,
    facts: &ImageFacts,
    spans: &mut BTreeMap<Digest, u64>,
    read_into: Option<&Tables>,
) -> Result<(Seen, Views)> {
    let mut views = Views::new();
    let mut seen = Seen::default();
    let mut budget = if read_into.is_some() { ZTOCS_READ } else { 0 };
    for platform in &facts.platforms {
        let config = &platform.config;
        let blob = Descriptor::new(&config.media_type, config.digest.clone(), config.size);
        there(source, &blob, &mut seen).await?;
        for layer in &platform.layers {
            let blob = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
            if !layer.foreign {
                there(source, &blob, &mut seen).await?;
            }
            let Some(ztoc) = &layer.ztoc else { continue };
            if !seen.ztocs.contains_key(&ztoc.digest) {
                let blob = Descriptor::new(ZTOC, ztoc.digest.clone(), ztoc.size);
                let (found, read) = ztoc_at(source, &blob, &mut budget, spans).await?;
                seen.ztocs.insert(ztoc.digest.clone(), found);
                // Of a zTOC for another layer there is nothing to say here.
                let read = read.filter(|read| read.compressed_size() == layer.size);
                if let (Some(read), Some(tables)) = (read, read_into) {
                    views.insert(layer.digest.clone(), View::mounted(read, false, &[], tables));
                }
            }
            if read_into.is_some()
                && seen.ranges_ignored.is_none()
                && seen.blobs.get(&layer.digest) == Some(&true)
                && source.ignores_ranges(&blob).await? == Some(true)
            {
                seen.ranges_ignored = Some(layer.digest.clone());
            }
        }
    }
    Ok((seen, views))
}

/// How the layers look that are known by their zTOCs. Others are read where that is cheap: small ones, of a place
/// on this machine all of them, else those that another layer depends on.
fn looks(
    source: &AnySource,
    facts: &ImageFacts,
    views: &mut Views,
    tables: &Tables,
) -> Result<Vec<SeenView>> {
    let mut seen = Vec::new();
    let mut budget = LAYERS_READ;
    let mut odd = BTreeMap::new();
    for platform in &facts.platforms {
        // Without a SOCI index that a client takes, all layers are unpacked.
        let lazy = platform.soci.as_ref().is_some_and(|soci| soci.usable);
        let open = |found: &[Option<Look>]| found.iter().any(|look| matches!(look, Some(Look::Unknown(_))));
        let mut found = look_at(platform, views, lazy);
        if !source.is_remote() || open(&found) {
            for layer in &platform.layers {
                let known = views.contains_key(&layer.digest) || odd.contains_key(&layer.digest);
                let blob = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
                if known || layer.size > CHEAP.min(budget) || !block_on(source.stored(&blob))?.fits(&blob) {
                    continue;
                }
                budget -= layer.size;
                match contents(source, &blob, &AtomicBool::new(false))? {
                    Contents::Known(toc) => {
                        drop(views.insert(layer.digest.clone(), View::unpacked(toc, tables)));
                    }
                    Contents::Odd(reason) => drop(odd.insert(layer.digest.clone(), reason)),
                    Contents::Damaged => {}
                }
            }
            found = look_at(platform, views, lazy);
        }
        for (layer, look) in platform.layers.iter().zip(found) {
            let has_no_room = matches!(views.get(&layer.digest), Some(None));
            let untold = has_no_room.then(|| Look::Unknown(Tables::NO_ROOM.into()));
            let odd = odd.get(&layer.digest).cloned().map(Look::Wrong).or(untold);
            seen.extend(look.or(odd).and_then(|look| view(platform, layer, look)));
        }
    }
    Ok(seen)
}

fn look_at(platform: &PlatformFacts, views: &Views, lazy: bool) -> Vec<Option<Look>> {
    let known: Vec<Option<View>> = platform
        .layers
        .iter()
        .map(|layer| {
            let view = views.get(&layer.digest)?.as_ref()?;
            let mounted = lazy && layer.ztoc.is_some();
            Some(if mounted {
                view.clone()
            } else {
                view.without_ztoc()
            })
        })
        .collect();
    let known: Vec<Option<&View>> = known.iter().map(Option::as_ref).collect();
    views::look(&known)
}

fn view(platform: &PlatformFacts, layer: &LayerFacts, look: Look) -> Option<SeenView> {
    let (kind, detail) = match look {
        Look::Wrong(SkipReason::LooksDifferent { detail }) => (ViewKind::Different, detail),
        Look::Wrong(SkipReason::CannotBeUnpacked { detail }) => (ViewKind::CannotBeUnpacked, detail),
        Look::Wrong(SkipReason::SnapshotterRefuses { detail }) => (ViewKind::Refused, detail),
        Look::Wrong(_) => return None,
        Look::Unknown(detail) => (ViewKind::Unknown, detail),
    };
    Some(SeenView {
        image: platform.manifest.digest.clone(),
        layer: layer.digest.clone(),
        kind,
        detail,
    })
}

async fn there(source: &AnySource, blob: &Descriptor, seen: &mut Seen) -> Result<()> {
    if !seen.blobs.contains_key(&blob.digest) {
        let fits = source.stored(blob).await?.fits(blob);
        seen.blobs.insert(blob.digest.clone(), fits);
    }
    Ok(())
}

async fn ztoc_at(
    source: &AnySource,
    blob: &Descriptor,
    budget: &mut u64,
    spans: &mut BTreeMap<Digest, u64>,
) -> Result<(SeenZtoc, Option<Ztoc>)> {
    let found = |state, detail: String| Ok((SeenZtoc { state, detail }, None));
    match source.stored(blob).await? {
        Stored::Missing => return found(ZtocState::Missing, "is not there".into()),
        Stored::There(Some(size)) if size != blob.size => {
            let detail = format!("has {size} bytes, the index says {}", blob.size);
            return found(ZtocState::Missing, detail);
        }
        Stored::There(_) => {}
    }
    if blob.size > ZTOC_READ.min(*budget) {
        return found(ZtocState::There, String::new());
    }
    *budget -= blob.size;
    match checked::read(source, blob).await? {
        Err(Mismatch::Size(size)) => {
            let detail = format!("has {size} bytes, the index says {}", blob.size);
            found(ZtocState::Missing, detail)
        }
        Err(Mismatch::Digest(digest)) => {
            found(ZtocState::Missing, format!("has bytes of the digest {digest}"))
        }
        Ok(bytes) => match Ztoc::from_bytes(&bytes) {
            Ok(ztoc) => {
                spans.insert(blob.digest.clone(), ztoc.span_count() as u64);
                match ztoc.refusal() {
                    Some(refusal) => found(ZtocState::Unreadable, refusal.to_string()),
                    None => Ok((found(ZtocState::Read, String::new())?.0, Some(ztoc))),
                }
            }
            Err(error) => found(ZtocState::Unreadable, error.to_string()),
        },
    }
}
