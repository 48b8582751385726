//! Looking at an image without changing it: every document that says something about its SOCI index.

use std::collections::BTreeMap;

use soci_image::facts::ImageFacts;
use soci_image::media_type::{SOCI_INDEX_V1, ZTOC};
use soci_image::{Descriptor, Digest, Documents, Image, SociIndex};
use soci_ztoc::ztoc::Ztoc;

use super::plan::{read_documents, select};
use crate::Result;
use crate::store::{AnySource, DOCUMENT_LIMIT, Root, Source};

/// An image and what is known about it.
#[derive(Debug)]
pub struct Examined {
    /// How the source lists it.
    pub root: Root,
    /// Its tree of documents.
    pub image: Image,
    /// The bytes of all documents that are there.
    pub documents: Documents,
    /// What they say.
    pub facts: ImageFacts,
}

/// Reads the documents of the images that `tag` chooses: manifests, configs, SOCI indexes and prefetch lists.
pub async fn examine(source: &AnySource, tag: Option<&str>) -> Result<Vec<Examined>> {
    let mut images = Vec::new();
    for root in select(source.roots().await?, tag)? {
        images.push(examine_image(source, root).await?);
    }
    Ok(images)
}

async fn examine_image(source: &AnySource, root: Root) -> Result<Examined> {
    let mut documents = read_documents(source, &root.descriptor).await?;
    let image = Image::read(&root.descriptor, &documents)?;
    let mut referrers = Vec::new();
    let mut indexes: Vec<Digest> = Vec::new();
    for entry in image.images() {
        if let Some(digest) = entry.manifest.soci_index_digest() {
            // The annotation tells no size, so neither does the client know one.
            if documents.get(&digest).is_none()
                && let Some(bytes) = source.manifest(&digest).await?
            {
                documents.add(bytes);
            }
            indexes.push(digest);
        } else {
            let found = source.referrers(&entry.descriptor, SOCI_INDEX_V1).await?;
            for descriptor in &found {
                if add(source, descriptor, &mut documents).await? {
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
            let descriptor = Descriptor::new("", artifact.digest.clone(), artifact.size);
            add(source, &descriptor, &mut documents).await?;
        }
    }
    let facts = ImageFacts::of(&image, &documents, &referrers);
    Ok(Examined {
        root,
        image,
        documents,
        facts,
    })
}

/// Adds a document if the source has it; false if not.
async fn add(source: &AnySource, descriptor: &Descriptor, documents: &mut Documents) -> Result<bool> {
    if documents.get(&descriptor.digest).is_some() {
        return Ok(true);
    }
    if descriptor.size > DOCUMENT_LIMIT || !source.contains(descriptor).await? {
        return Ok(false);
    }
    let bytes = source.document(descriptor).await?;
    documents.insert(descriptor, bytes)?;
    Ok(true)
}

/// How many spans each zTOC has, by its digest. The number is in the zTOC alone, so those are read; one that is larger
/// than `limit` bytes, missing or unreadable is left out.
pub async fn span_counts(
    source: &AnySource,
    facts: &ImageFacts,
    limit: u64,
) -> Result<BTreeMap<Digest, u64>> {
    let mut counts = BTreeMap::new();
    for ztoc in facts
        .platforms
        .iter()
        .flat_map(|platform| &platform.layers)
        .filter_map(|layer| layer.ztoc.as_ref())
    {
        let descriptor = Descriptor::new(ZTOC, ztoc.digest.clone(), ztoc.size);
        if counts.contains_key(&ztoc.digest) || ztoc.size > limit || !source.contains(&descriptor).await? {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(ztoc.size).unwrap_or(0)];
        let read = source.read_at(&descriptor, 0, &mut bytes).await;
        if read.is_ok()
            && let Ok(parsed) = Ztoc::from_bytes(&bytes)
        {
            counts.insert(ztoc.digest.clone(), parsed.span_count() as u64);
        }
    }
    Ok(counts)
}
