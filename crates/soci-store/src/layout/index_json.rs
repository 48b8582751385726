//! `index.json`, the list of images of a layout, in a folder or an archive.
//!
//! Each entry is a descriptor; its annotations name the image. Two entries with one digest are two names of one
//! image. Several entries of which none has a name and each has a platform are the image index itself, which some
//! tools put in the place of the list; such a list is one image with the digest of the file.

use soci_image::annotation::{CONTAINERD_NAME, REF_NAME};
use soci_image::media_type::OCI_INDEX;
use soci_image::{Descriptor, Digest, Index, Json, Layout};

use crate::store::{DOCUMENT_LIMIT, Published, Root, RootName, Source};
use crate::{Error, Result};

/// The list, and the document that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct IndexJson {
    bytes: Vec<u8>,
    digest: Digest,
    index: Index,
    layout: Layout,
}

impl IndexJson {
    /// A list without images.
    pub(crate) fn new() -> Self {
        let layout = Layout {
            images: Vec::new(),
            soci_indexes: Vec::new(),
            is_image_index: false,
        };
        Self {
            bytes: Vec::new(),
            digest: Digest::sha256(b""),
            index: Index::of(OCI_INDEX, Vec::new()),
            layout,
        }
    }

    /// Reads the file of the layout that messages call `place`.
    pub(crate) fn parse(place: &str, bytes: Vec<u8>) -> Result<Self> {
        let problem = |error: soci_image::Error| Error::Place {
            place: place.to_owned(),
            problem: format!("its index.json cannot be read: {error}"),
        };
        let index = Index::parse(&bytes).map_err(problem)?;
        let layout = Layout::parse(&bytes).map_err(problem)?;
        Ok(Self {
            digest: Digest::sha256(&bytes),
            bytes,
            index,
            layout,
        })
    }

    /// The images, each with all its names.
    pub(crate) fn roots(&self, place: &str) -> Result<Vec<Root>> {
        if self.layout.images.is_empty() {
            return Err(Error::Place {
                place: place.to_owned(),
                problem: "its index.json lists no images".into(),
            });
        }
        let name = |entry: &Descriptor| RootName {
            tag: entry.annotation(REF_NAME).map(String::from),
            full: entry.annotation(CONTAINERD_NAME).map(String::from),
            // The entry for a list that is an image was made up: there is nothing to keep of it.
            entry: (!self.layout.is_image_index).then(|| entry.clone()),
        };
        let images = self.layout.images.iter();
        let root = images.map(|image| Root {
            descriptor: image.descriptor.clone(),
            names: image.entries.iter().map(name).collect(),
        });
        Ok(root.collect())
    }

    /// The file's own bytes, if the digest is theirs and they are an image.
    pub(crate) fn itself(&self, digest: &Digest) -> Option<&[u8]> {
        (self.layout.is_image_index && *digest == self.digest).then_some(&self.bytes)
    }

    /// The list with new images in the place of those of the same names; other entries stay as they are.
    pub(crate) fn with(self, images: &[Published]) -> Vec<u8> {
        let Self {
            digest, mut index, ..
        } = self;
        let entries = &mut index.manifests;
        for image in images {
            // The image was the list itself: now the list names it.
            if image.root.descriptor.digest == digest {
                entries.clear();
            }
            for name in &image.root.names {
                let entry = entry_for(image, name);
                let same = |old: &Descriptor| {
                    let names = [REF_NAME, CONTAINERD_NAME];
                    let named = names.iter().any(|key| entry.annotation(key).is_some());
                    let same_names = names
                        .iter()
                        .all(|key| old.annotation(key) == entry.annotation(key));
                    let same_image = old.digest == image.root.descriptor.digest || old.digest == entry.digest;
                    same_names && (named || same_image)
                };
                match entries.iter().position(same) {
                    Some(position) => entries[position] = entry,
                    None => entries.push(entry),
                }
            }
        }
        index.to_vec()
    }

    /// Manifests of the list whose subject is the given one.
    pub(crate) async fn referrers(
        &self,
        source: &impl Source,
        subject: &Descriptor,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>> {
        let mut found = Vec::new();
        for candidate in &self.index.manifests {
            if candidate.size > DOCUMENT_LIMIT || !source.contains(candidate).await? {
                continue;
            }
            if refers_to(&source.document(candidate).await?, subject, artifact_type) {
                found.push(candidate.clone());
            }
        }
        Ok(found)
    }
}

/// Whether a manifest has this subject and this artifact type.
fn refers_to(bytes: &[u8], subject: &Descriptor, artifact_type: &str) -> bool {
    let Ok(manifest) = Json::parse(bytes) else {
        return false;
    };
    let text = |json: Option<&Json>, key: &str| Some(json?.get(key)?.as_str()?.to_owned());
    let kind = text(Some(&manifest), "artifactType").or_else(|| text(manifest.get("config"), "mediaType"));
    text(manifest.get("subject"), "digest").as_deref() == Some(subject.digest.as_str())
        && kind.as_deref() == Some(artifact_type)
}

/// The entry for a new image: names and annotations of the old one, but no platform, because that is now in the
/// index below.
fn entry_for(image: &Published, name: &RootName) -> Descriptor {
    let mut entry = match &name.entry {
        Some(old) if old.digest == image.descriptor.digest => return old.clone(),
        Some(old) => old.clone(),
        None => {
            let mut entry = image.descriptor.clone();
            if let Some(tag) = &name.tag {
                entry.annotations.insert(REF_NAME.into(), tag.clone());
            }
            if let Some(full) = &name.full {
                entry.annotations.insert(CONTAINERD_NAME.into(), full.clone());
            }
            entry
        }
    };
    entry.media_type.clone_from(&image.descriptor.media_type);
    entry.digest = image.descriptor.digest.clone();
    entry.size = image.descriptor.size;
    entry.artifact_type.clone_from(&image.descriptor.artifact_type);
    entry.platform.clone_from(&image.descriptor.platform);
    entry.urls.clear();
    entry.data.clear();
    entry
}

/// The `oci-layout` file says version 1.
pub(crate) fn check_marker(place: &str, bytes: &[u8]) -> Result<()> {
    let problem = |problem: String| {
        Err(Error::Place {
            place: place.to_owned(),
            problem,
        })
    };
    let marker = match Json::parse(bytes) {
        Ok(marker) => marker,
        Err(error) => return problem(format!("its oci-layout file cannot be read: {error}")),
    };
    match marker.get("imageLayoutVersion").and_then(Json::as_str) {
        Some("1.0.0") => Ok(()),
        Some(version) => problem(format!(
            "its layout version is {version:?}, only 1.0.0 can be read"
        )),
        None => problem("its oci-layout file names no imageLayoutVersion".into()),
    }
}

/// `index.json` and `oci-layout` are documents, with the limit of such.
pub(crate) fn check_size(place: &str, name: &str, size: u64) -> Result<()> {
    if size > DOCUMENT_LIMIT {
        let problem = format!("its {name} has {size} bytes, at most {DOCUMENT_LIMIT} are read");
        return Err(Error::Place {
            place: place.to_owned(),
            problem,
        });
    }
    Ok(())
}
