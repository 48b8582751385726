//! `index.json`, the list of images of a layout, in a folder or an archive.
//!
//! Each entry is a descriptor; its annotations name the image. Two entries with one digest are two names of one
//! image. Several entries of which none has a name and each has a platform are the image index itself, which some
//! tools put in the place of the list; such a list is one image with the digest of the file.

use std::collections::HashMap;
use std::sync::OnceLock;

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
    /// What refers to what, once somebody has asked.
    referrers: OnceLock<Referrers>,
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
            referrers: OnceLock::new(),
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
            referrers: OnceLock::new(),
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
        let mut positions = Positions::default();
        for (position, entry) in index.manifests.iter().enumerate() {
            positions.add(entry, position);
        }
        let entries = &mut index.manifests;
        for image in images {
            let old = &image.root.descriptor.digest;
            // The image was the list itself: now the list names it.
            if *old == digest {
                entries.clear();
                positions = Positions::default();
            }
            for name in &image.root.names {
                let entry = entry_for(image, name);
                let position = positions.of(&entry, old).unwrap_or(entries.len());
                positions.add(&entry, position);
                match entries.get_mut(position) {
                    Some(there) => *there = entry,
                    None => entries.push(entry),
                }
            }
        }
        index.to_vec()
    }

    /// A name that led to the image when the list was read `before`, and leads to neither this one nor the new one
    /// now.
    #[cfg(feature = "native")]
    pub(crate) fn moved(&self, before: &Self, image: &Published) -> Option<String> {
        let old = &image.root.descriptor.digest;
        let new = &image.descriptor.digest;
        if before.digest == *old {
            let is_there =
                self.digest == *old || self.index.manifests.iter().any(|entry| entry.digest == *new);
            return (!is_there).then(|| "the image".to_owned());
        }
        let lists = |list: &Self, entry: &Descriptor, digest: &Digest| {
            let mut entries = list.index.manifests.iter();
            entries.any(|there| there.digest == *digest && names_of(there) == names_of(entry))
        };
        image.root.names.iter().find_map(|name| {
            let entry = entry_for(image, name);
            let is_moved =
                lists(before, &entry, old) && !lists(self, &entry, old) && !lists(self, &entry, new);
            is_moved.then(|| match names_of(&entry) {
                (Some(name), _) | (None, Some(name)) => name.to_owned(),
                (None, None) => old.to_string(),
            })
        })
    }

    /// Manifests of the list whose subject is the given one.
    pub(crate) async fn referrers(
        &self,
        source: &impl Source,
        subject: &Descriptor,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>> {
        if self.referrers.get().is_none() {
            // Each document once, however many subjects are asked for.
            let mut found: Referrers = HashMap::new();
            for (position, candidate) in self.index.manifests.iter().enumerate() {
                // What cannot be read refers to nothing; who reads that image itself is told.
                if candidate.size <= DOCUMENT_LIMIT
                    && let Ok(bytes) = source.document(candidate).await
                    && let Some((subject, kind)) = refers_to(&bytes)
                {
                    found.entry(subject).or_default().push((position, kind));
                }
            }
            // Another thread may have been first, with the same.
            let _ = self.referrers.set(found);
        }
        let known = self
            .referrers
            .get()
            .and_then(|known| known.get(subject.digest.as_str()));
        let of_type = known
            .into_iter()
            .flatten()
            .filter(|(_, kind)| kind.as_deref() == Some(artifact_type));
        Ok(of_type
            .map(|(position, _)| self.index.manifests[*position].clone())
            .collect())
    }
}

/// For each subject the positions of what refers to it, and its artifact type.
type Referrers = HashMap<String, Vec<(usize, Option<String>)>>;

/// Short and full name of an entry.
fn names_of(entry: &Descriptor) -> (Option<&str>, Option<&str>) {
    (entry.annotation(REF_NAME), entry.annotation(CONTAINERD_NAME))
}

/// Where an entry stands: found by its names, or by its digest if it has none.
#[derive(Default)]
struct Positions {
    named: HashMap<(Option<String>, Option<String>), usize>,
    unnamed: HashMap<Digest, usize>,
}

impl Positions {
    /// The first of several counts.
    fn add(&mut self, entry: &Descriptor, position: usize) {
        match names_of(entry) {
            (None, None) => {
                self.unnamed.entry(entry.digest.clone()).or_insert(position);
            }
            (short, full) => {
                let names = (short.map(String::from), full.map(String::from));
                self.named.entry(names).or_insert(position);
            }
        }
    }

    /// The entry that a new one takes the place of: of the same names, or without any and of the image before or after.
    fn of(&self, entry: &Descriptor, old: &Digest) -> Option<usize> {
        match names_of(entry) {
            (None, None) => {
                let places = [old, &entry.digest].map(|digest| self.unnamed.get(digest).copied());
                places.into_iter().flatten().min()
            }
            (short, full) => {
                let names = (short.map(String::from), full.map(String::from));
                self.named.get(&names).copied()
            }
        }
    }
}

/// The digest of the subject that a manifest has, and its artifact type.
fn refers_to(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let manifest = Json::parse(bytes).ok()?;
    let text = |json: Option<&Json>, key: &str| Some(json?.get(key)?.as_str()?.to_owned());
    let subject = text(manifest.get("subject"), "digest")?;
    let kind = text(Some(&manifest), "artifactType").or_else(|| text(manifest.get("config"), "mediaType"));
    Some((subject, kind))
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
