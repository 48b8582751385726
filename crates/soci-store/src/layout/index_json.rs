//! `index.json`, the list of images of a layout, in a folder or an archive.
//!
//! Each entry is a descriptor; its annotations name the image. Two entries with one digest are two names of one
//! image. Several entries of which none has a name and each has a platform are the image index itself, which some
//! tools put in the place of the list; such a list is one image with the digest of the file.

use soci_image::{Descriptor, Digest, Json, media_type};

use crate::store::{DOCUMENT_LIMIT, Published, Root, RootName, Source};
use crate::{Error, Result};

/// Annotation with the tag of an image, as the OCI image layout has it.
const TAG: &str = "org.opencontainers.image.ref.name";
/// Annotation with the full name of an image, as containerd and BuildKit write it.
const FULL_NAME: &str = "io.containerd.image.name";

/// The list, and the document that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct IndexJson {
    bytes: Vec<u8>,
    digest: Digest,
    fields: Vec<(String, Json)>,
    entries: Vec<Descriptor>,
}

impl IndexJson {
    /// A list without images.
    pub(crate) fn new() -> Self {
        let fields = vec![
            ("schemaVersion".to_owned(), Json::from(2)),
            ("mediaType".to_owned(), Json::from(media_type::OCI_INDEX)),
            ("manifests".to_owned(), Json::Array(Vec::new())),
        ];
        Self {
            bytes: Vec::new(),
            digest: Digest::sha256(b""),
            fields,
            entries: Vec::new(),
        }
    }

    /// Reads the file of the layout that messages call `place`.
    pub(crate) fn parse(place: &str, bytes: Vec<u8>) -> Result<Self> {
        let problem = |problem: String| Error::Place {
            place: place.to_owned(),
            problem,
        };
        let json = Json::parse(&bytes)
            .map_err(|error| problem(format!("its index.json cannot be read: {error}")))?;
        let Json::Object(fields) = json else {
            return Err(problem("its index.json is no JSON object".into()));
        };
        let mut entries = Vec::new();
        // The reference reads JSON with Go, which does not mind the case of keys.
        if let Some((_, list)) = fields
            .iter()
            .rev()
            .find(|(key, _)| key.eq_ignore_ascii_case("manifests"))
        {
            let list = match list {
                Json::Null => &[],
                other => other
                    .as_array()
                    .ok_or_else(|| problem("`manifests` in its index.json is no list".into()))?,
            };
            for (position, entry) in list.iter().enumerate() {
                let entry = Descriptor::parse(&entry.to_vec())
                    .map_err(|error| problem(format!("manifests[{position}] in its index.json: {error}")))?;
                entries.push(entry);
            }
        }
        Ok(Self {
            digest: Digest::sha256(&bytes),
            bytes,
            fields,
            entries,
        })
    }

    /// The images, each with all its names.
    pub(crate) fn roots(&self, place: &str) -> Result<Vec<Root>> {
        if self.is_one_image() {
            let descriptor = Descriptor::new(
                media_type::OCI_INDEX,
                self.digest.clone(),
                self.bytes.len() as u64,
            );
            return Ok(vec![Root {
                descriptor,
                names: vec![RootName::default()],
            }]);
        }
        let mut roots: Vec<Root> = Vec::new();
        for entry in self.images() {
            let name = RootName {
                tag: entry.annotation(TAG).map(String::from),
                full: entry.annotation(FULL_NAME).map(String::from),
                entry: Some(entry.clone()),
            };
            match roots
                .iter_mut()
                .find(|root| root.descriptor.digest == entry.digest)
            {
                Some(root) => root.names.push(name),
                None => roots.push(Root {
                    descriptor: entry.clone(),
                    names: vec![name],
                }),
            }
        }
        if roots.is_empty() {
            return Err(Error::Place {
                place: place.to_owned(),
                problem: "its index.json lists no images".into(),
            });
        }
        Ok(roots)
    }

    /// The file's own bytes, if the digest is theirs.
    pub(crate) fn itself(&self, digest: &Digest) -> Option<&[u8]> {
        (self.is_one_image() && *digest == self.digest).then_some(&self.bytes)
    }

    /// The list with new images in the place of those of the same names; other entries stay as they are.
    pub(crate) fn with(self, images: &[Published]) -> Vec<u8> {
        let Self {
            digest,
            mut fields,
            mut entries,
            ..
        } = self;
        for image in images {
            // The image was the list itself: now the list names it.
            if image.root.descriptor.digest == digest {
                entries.clear();
            }
            for name in &image.root.names {
                let entry = entry_for(image, name);
                let same = |old: &Descriptor| {
                    let names = [TAG, FULL_NAME];
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
        let list = entries
            .iter()
            .map(|entry| Json::parse(&entry.to_vec()).expect("it was written as JSON"));
        let list = Json::Array(list.collect());
        fields.retain(|(key, _)| key == "manifests" || !key.eq_ignore_ascii_case("manifests"));
        match fields.iter_mut().rev().find(|(key, _)| key == "manifests") {
            Some((_, manifests)) => *manifests = list,
            None => fields.push(("manifests".to_owned(), list)),
        }
        Json::Object(fields).to_vec()
    }

    /// Manifests of the list whose subject is the given one.
    pub(crate) async fn referrers(
        &self,
        source: &impl Source,
        subject: &Descriptor,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>> {
        let mut found = Vec::new();
        for candidate in &self.entries {
            if candidate.size > DOCUMENT_LIMIT || !source.contains(candidate).await? {
                continue;
            }
            if refers_to(&source.document(candidate).await?, subject, artifact_type) {
                found.push(candidate.clone());
            }
        }
        Ok(found)
    }

    /// Entries that are images, which leaves out SOCI indexes that stand beside them.
    fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().filter(|entry| {
            !matches!(
                entry.artifact_type.as_str(),
                media_type::SOCI_INDEX_V1 | media_type::SOCI_INDEX_V2
            )
        })
    }

    fn is_one_image(&self) -> bool {
        let Some(first) = self.entries.first() else {
            return false;
        };
        self.entries.iter().any(|entry| entry.digest != first.digest)
            && self.entries.iter().all(|entry| {
                entry.platform.is_some()
                    && entry.annotation(TAG).is_none()
                    && entry.annotation(FULL_NAME).is_none()
            })
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
                entry.annotations.insert(TAG.into(), tag.clone());
            }
            if let Some(full) = &name.full {
                entry.annotations.insert(FULL_NAME.into(), full.clone());
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
