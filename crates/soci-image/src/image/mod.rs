//! An image as a tree: the root, what its indexes list, and what each entry is.

mod owners;
mod read;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::manifest::Manifest;
use crate::media_type::OCI_INDEX;
use crate::platform::Platform;
use crate::soci_index::{SociIndex, SociVersion};
use crate::top_layer::{self, TopLayer};

/// Indexes inside each other.
pub const MAX_INDEX_DEPTH: usize = 8;

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

impl ImageEntry {
    /// What its highest layer repeats, if it was put on top for that: by the mark of the layer or, where that got lost,
    /// by that of the config, if the documents have it.
    pub fn top_layer(&self, documents: &Documents) -> Option<TopLayer> {
        let layer = self.manifest.layers.last()?;
        TopLayer::of_descriptor(layer).or_else(|| {
            let config = documents.get(&self.manifest.config.digest)?;
            TopLayer::of_config(config)
        })
    }

    /// The manifest and the config without that layer.
    ///
    /// # Errors
    /// If the documents do not have the config, or it is not one.
    pub fn without_top_layer(&self, documents: &Documents) -> Result<(Manifest, Vec<u8>)> {
        let mut manifest = self.manifest.clone();
        let config = documents.require(&manifest.config.digest)?;
        let Some(layer) = manifest.layers.pop() else {
            return Err(Error::field("layers", "there is none"));
        };
        let config = top_layer::take_from_config(config, &layer)?;
        manifest.set_config(&config);
        Ok((manifest, config))
    }
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
}

/// The media type that an index gets when it is changed: Docker's own becomes OCI's.
pub(crate) fn index_type(current: &str) -> &str {
    if current.is_empty() || crate::media_type::is_docker(current) {
        OCI_INDEX
    } else {
        current
    }
}
