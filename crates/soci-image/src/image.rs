//! An image as a tree: the root, what its indexes list, and what each entry is.

use std::collections::BTreeMap;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, Documents};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::manifest::Manifest;
use crate::media_type::{DOCKER_ATTESTATION, OCI_INDEX};
use crate::platform::Platform;
use crate::soci_index::{SociIndex, SociVersion};

/// Indexes inside each other.
pub const MAX_INDEX_DEPTH: usize = 8;

/// What the media types of Docker's first manifests begin with.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";

/// Entries of all indexes of one image together.
pub const MAX_ENTRIES: usize = 2_000;

/// An image: what one name stands for.
#[derive(Debug, Clone)]
pub struct Image {
    /// Descriptor of the root, as it was given.
    pub root: Descriptor,
    pub(crate) tree: Tree,
}

/// What the root is.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Manifest(Box<ImageEntry>),
    Index(Box<IndexTree>),
}

/// An index and what its entries are, in its order.
#[derive(Debug, Clone)]
pub(crate) struct IndexTree {
    pub(crate) index: Index,
    pub(crate) entries: Vec<Entry>,
}

/// What a descriptor in an index points at.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Image(Box<ImageEntry>),
    Soci(Box<SociEntry>),
    Attestation(Box<AttestationEntry>),
    Index(Box<IndexTree>),
    /// An artifact of another kind.
    Other,
    /// Its document was not given.
    Missing,
}

/// A runnable image in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageEntry {
    /// Its number in the tree, from 0 in the order of the documents.
    pub id: usize,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its manifest.
    pub manifest: Manifest,
    /// The platform of its descriptor or, where that has none, of its config; `None` if neither was
    /// given.
    pub platform: Option<Platform>,
}

/// A SOCI index manifest in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SociEntry {
    /// Its number among the SOCI indexes of the tree, from 0.
    pub id: usize,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its version, by its document or, where that was not given, by its descriptor.
    pub version: SociVersion,
    /// What it says; `None` if the document was not given or cannot be read.
    pub index: Option<SociIndex>,
    /// The image ([`ImageEntry::id`]) that it belongs to.
    pub owner: Option<usize>,
}

/// A statement about an image in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationEntry {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its manifest, if it was given.
    pub manifest: Option<Manifest>,
}

impl AttestationEntry {
    /// The image manifest that the descriptor says it is about.
    pub fn reference(&self) -> Option<Digest> {
        let text = self.descriptor.annotation(annotation::REFERENCE_DIGEST)?;
        Digest::parse(text).ok()
    }
}

/// An image to work on, and the platform by which its SOCI index will be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// [`ImageEntry::id`]
    pub id: usize,
    /// As the user asked for it; where nobody asked, the platform of the image itself.
    pub platform: Platform,
}

impl Image {
    /// Reads the tree below `root`. The root's document must be given; what else is missing is an
    /// entry of which only the descriptor is known.
    pub fn read(root: &Descriptor, documents: &Documents) -> Result<Self> {
        let mut reader = Reader {
            documents,
            images: 0,
            soci: 0,
            entries: 0,
        };
        let bytes = documents.require(&root.digest)?;
        let tree = match Document::parse(bytes, &root.media_type)? {
            Document::Index(index) => Tree::Index(Box::new(reader.index(*index, &root.digest, 1)?)),
            Document::Manifest(manifest) if manifest.is_image() => {
                Tree::Manifest(Box::new(reader.image(root.clone(), *manifest)?))
            }
            Document::Manifest(manifest) => {
                let config = &manifest.config.media_type;
                return Err(Error::Kind {
                    expected: "an image",
                    found: match SociVersion::of(config) {
                        Some(version) => format!(
                            "a SOCI index {version}, which only belongs to an image; name the image instead"
                        ),
                        None => format!("an artifact whose config is `{config}`"),
                    },
                });
            }
            Document::Other { media_type } if media_type.starts_with(SCHEMA_1) => {
                return Err(Error::Kind {
                    expected: "an image manifest or an image index",
                    found: "a manifest of Docker's schema 1, which clients of today do not pull; push the image again"
                        .to_owned(),
                });
            }
            Document::Other { media_type } => {
                return Err(Error::Kind {
                    expected: "an image manifest or an image index",
                    found: format!("a document of type `{media_type}`"),
                });
            }
        };
        let mut image = Self {
            root: root.clone(),
            tree,
        };
        image.find_owners();
        Ok(image)
    }

    /// The runnable images, in the order of their ids.
    pub fn images(&self) -> Vec<&ImageEntry> {
        let mut found = Vec::new();
        match &self.tree {
            Tree::Manifest(entry) => found.push(&**entry),
            Tree::Index(tree) => tree.walk(&mut |_, entry| {
                if let Entry::Image(image) = entry {
                    found.push(&**image);
                }
            }),
        }
        found
    }

    /// The SOCI index manifests that the image lists, in the order of their ids.
    pub fn soci_indexes(&self) -> Vec<&SociEntry> {
        let mut found = Vec::new();
        self.walk(&mut |_, entry| {
            if let Entry::Soci(soci) = entry {
                found.push(&**soci);
            }
        });
        found
    }

    /// The attestations that the image lists.
    pub fn attestations(&self) -> Vec<&AttestationEntry> {
        let mut found = Vec::new();
        self.walk(&mut |_, entry| {
            if let Entry::Attestation(attestation) = entry {
                found.push(&**attestation);
            }
        });
        found
    }

    /// Descriptors of entries whose document was not given.
    pub fn missing(&self) -> Vec<&Descriptor> {
        let mut found = Vec::new();
        self.walk(&mut |descriptor, entry| {
            if matches!(entry, Entry::Missing) {
                found.push(descriptor);
            }
        });
        found
    }

    /// Descriptors of entries that are neither image, SOCI index, attestation nor index.
    pub fn others(&self) -> Vec<&Descriptor> {
        let mut found = Vec::new();
        self.walk(&mut |descriptor, entry| {
            if matches!(entry, Entry::Other) {
                found.push(descriptor);
            }
        });
        found
    }

    /// Whether the root is a manifest rather than an index.
    pub fn is_single_manifest(&self) -> bool {
        matches!(self.tree, Tree::Manifest(_))
    }

    /// The images of these platforms, or all when none is named. A platform stands for the first
    /// image that matches it, and for other entries of that same image; named twice, it counts once.
    pub fn select(&self, platforms: &[Platform]) -> Result<Vec<Choice>> {
        let images = self.images();
        let mut chosen: Vec<Choice> = Vec::new();
        if platforms.is_empty() {
            for image in images {
                chosen.push(Choice {
                    id: image.id,
                    platform: image.require_platform()?.clone(),
                });
            }
            return Ok(chosen);
        }
        for platform in platforms {
            let matches =
                |image: &&&ImageEntry| image.platform.as_ref().is_some_and(|have| platform.matches(have));
            let Some(first) = images.iter().find(matches) else {
                return Err(self.no_such_platform(platform, &images));
            };
            for image in images
                .iter()
                .filter(|i| i.descriptor.digest == first.descriptor.digest)
            {
                if chosen.iter().all(|choice| choice.id != image.id) {
                    chosen.push(Choice {
                        id: image.id,
                        platform: platform.clone(),
                    });
                }
            }
        }
        Ok(chosen)
    }

    fn no_such_platform(&self, platform: &Platform, images: &[&ImageEntry]) -> Error {
        if let Some(missing) = self.missing().into_iter().find(|descriptor| {
            descriptor
                .platform
                .as_ref()
                .is_some_and(|have| platform.matches(have))
        }) {
            return Error::MissingDocument {
                digest: missing.digest.clone(),
            };
        }
        let present: Vec<String> = images
            .iter()
            .map(|image| {
                image
                    .platform
                    .as_ref()
                    .map_or("an unknown one".to_owned(), Platform::to_string)
            })
            .collect();
        Error::NoSuchPlatform {
            platform: platform.to_string(),
            present: if present.is_empty() {
                "none".to_owned()
            } else {
                present.join(", ")
            },
        }
    }

    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Descriptor, &'a Entry)) {
        if let Tree::Index(tree) = &self.tree {
            tree.walk(visit);
        }
    }

    /// Finds the image of each SOCI index: the one its descriptor names, else one that names it,
    /// else one of its platform.
    fn find_owners(&mut self) {
        let images = self.images();
        let mut by_digest: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_index: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_platform: BTreeMap<String, usize> = BTreeMap::new();
        for image in &images {
            by_digest
                .entry(image.descriptor.digest.as_str())
                .or_default()
                .push(image.id);
            if let Some(named) = image.manifest.soci_index_annotation() {
                by_index.entry(named).or_default().push(image.id);
            }
            if let Some(platform) = &image.platform {
                by_platform.entry(platform.key()).or_insert(image.id);
            }
        }
        let owner = |soci: &&SociEntry| {
            let key = soci.descriptor.platform.as_ref().map(Platform::key);
            // Of several entries of one image, the one of the SOCI index's platform.
            let best = |ids: &Vec<usize>| {
                let fits = |id: &&usize| images[**id].platform.as_ref().map(Platform::key) == key;
                ids.iter().find(fits).or(ids.first()).copied()
            };
            let named = soci.descriptor.annotation(annotation::IMAGE_MANIFEST_DIGEST);
            named
                .and_then(|named| by_digest.get(named))
                .and_then(best)
                .or_else(|| by_index.get(soci.descriptor.digest.as_str()).and_then(best))
                .or_else(|| by_platform.get(key.as_ref()?).copied())
        };
        let owners: Vec<Option<usize>> = self.soci_indexes().iter().map(owner).collect();
        if let Tree::Index(tree) = &mut self.tree {
            tree.set_owners(&owners);
        }
    }
}

impl ImageEntry {
    /// The platform; without one, the config would have to be given.
    pub fn require_platform(&self) -> Result<&Platform> {
        self.platform.as_ref().ok_or_else(|| Error::MissingDocument {
            digest: self.manifest.config.digest.clone(),
        })
    }
}

impl IndexTree {
    fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Descriptor, &'a Entry)) {
        for (descriptor, entry) in self.index.manifests.iter().zip(&self.entries) {
            visit(descriptor, entry);
            if let Entry::Index(tree) = entry {
                tree.walk(visit);
            }
        }
    }

    /// Whether the index itself, not one inside it, lists this image.
    pub(crate) fn lists_image(&self, id: usize) -> bool {
        let is_it = |entry: &Entry| matches!(entry, Entry::Image(image) if image.id == id);
        self.entries.iter().any(is_it)
    }

    fn set_owners(&mut self, owners: &[Option<usize>]) {
        for entry in &mut self.entries {
            match entry {
                Entry::Soci(soci) => soci.owner = owners[soci.id],
                Entry::Index(tree) => tree.set_owners(owners),
                _ => {}
            }
        }
    }
}

struct Reader<'a> {
    documents: &'a Documents,
    images: usize,
    soci: usize,
    entries: usize,
}

impl Reader<'_> {
    fn index(&mut self, index: Index, digest: &Digest, depth: usize) -> Result<IndexTree> {
        if depth > MAX_INDEX_DEPTH {
            return Err(Error::IndexDepth {
                digest: digest.clone(),
                limit: MAX_INDEX_DEPTH,
            });
        }
        self.entries += index.manifests.len();
        if self.entries > MAX_ENTRIES {
            return Err(Error::TooManyEntries { limit: MAX_ENTRIES });
        }
        let entries = index
            .manifests
            .iter()
            .map(|descriptor| self.entry(descriptor, depth))
            .collect::<Result<_>>()?;
        Ok(IndexTree { index, entries })
    }

    fn entry(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Entry> {
        let bytes = self.documents.get(&descriptor.digest);
        let parsed = bytes.map(|bytes| Document::parse(bytes, &descriptor.media_type));
        if is_attestation(
            descriptor,
            parsed.as_ref().and_then(|document| document.as_ref().ok()),
        ) {
            return Ok(Entry::Attestation(Box::new(AttestationEntry {
                descriptor: descriptor.clone(),
                manifest: match parsed {
                    Some(Ok(Document::Manifest(manifest))) => Some(*manifest),
                    _ => None,
                },
            })));
        }
        let by_descriptor = SociVersion::of(&descriptor.artifact_type);
        let document = match (parsed, by_descriptor) {
            (Some(Err(_)), Some(version)) => return Ok(self.soci(descriptor, version, None)),
            (parsed, _) => parsed
                .transpose()
                .map_err(|error| Error::field(descriptor.digest.as_str(), error.to_string()))?,
        };
        Ok(match document {
            None => match by_descriptor {
                Some(version) => self.soci(descriptor, version, None),
                None => Entry::Missing,
            },
            Some(Document::Index(index)) => {
                Entry::Index(Box::new(self.index(*index, &descriptor.digest, depth + 1)?))
            }
            Some(Document::Manifest(manifest)) => {
                match SociVersion::of(&manifest.config.media_type).or(by_descriptor) {
                    Some(version) => self.soci(descriptor, version, Some(&manifest)),
                    None if manifest.is_image()
                        && !descriptor.platform.as_ref().is_some_and(Platform::is_unknown) =>
                    {
                        Entry::Image(Box::new(self.image(descriptor.clone(), *manifest)?))
                    }
                    None => Entry::Other,
                }
            }
            Some(Document::Other { .. }) => Entry::Other,
        })
    }

    fn soci(&mut self, descriptor: &Descriptor, version: SociVersion, manifest: Option<&Manifest>) -> Entry {
        let id = self.soci;
        self.soci += 1;
        Entry::Soci(Box::new(SociEntry {
            id,
            descriptor: descriptor.clone(),
            version,
            index: manifest.and_then(|manifest| SociIndex::from_manifest(manifest).ok()),
            owner: None,
        }))
    }

    fn image(&mut self, descriptor: Descriptor, manifest: Manifest) -> Result<ImageEntry> {
        let id = self.images;
        self.images += 1;
        let config = &manifest.config.digest;
        let platform = match (&descriptor.platform, self.documents.get(config)) {
            (Some(platform), _) => Some(platform.clone()),
            (None, Some(bytes)) => Some(
                Platform::from_config(bytes)
                    .map_err(|error| Error::field(format!("config {config}"), error.to_string()))?,
            ),
            (None, None) => None,
        };
        Ok(ImageEntry {
            id,
            descriptor,
            manifest,
            platform,
        })
    }
}

/// BuildKit marks the descriptor; where that was lost, its newer form still says it by artifact type.
fn is_attestation(descriptor: &Descriptor, document: Option<&Document>) -> bool {
    descriptor.annotation(annotation::REFERENCE_TYPE) == Some("attestation-manifest")
        || matches!(document, Some(Document::Manifest(m)) if m.artifact_type == DOCKER_ATTESTATION)
}

/// The media type that an index gets when it is changed: Docker's own becomes OCI's.
pub(crate) fn index_type(current: &str) -> &str {
    if current.is_empty() || crate::media_type::is_docker(current) {
        OCI_INDEX
    } else {
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::OCI_MANIFEST;

    #[test]
    fn what_is_no_image_is_told_as_what_it_is() {
        let told = |bytes: &[u8], media_type: &str| {
            let mut documents = Documents::new();
            documents.add(bytes.to_vec());
            let root = Descriptor::of(media_type, bytes);
            Image::read(&root, &documents).unwrap_err().to_string()
        };
        let soci = SociIndex {
            version: SociVersion::V2,
            ztocs: Vec::new(),
            prefetch: Vec::new(),
            subject: None,
            build_tool: String::new(),
        };
        let message = told(&soci.to_vec(), OCI_MANIFEST);
        assert!(
            message.contains("found a SOCI index v2, which only belongs to an image"),
            "{message}"
        );
        let signed =
            r#"{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#;
        assert!(told(signed.as_bytes(), "").contains("Docker's schema 1"));
    }
}
