//! New manifests in, the indexes above them written again.
//!
//! Everything that did not change is carried over: an index whose entries are the same keeps its
//! bytes, a descriptor keeps all fields but those that describe the new content.

use std::collections::BTreeMap;

use super::{BlobRole, Conversion, ConvertedPlatform, NewBlob};
use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::image::{Entry, Image, ImageEntry, IndexTree, SociEntry, Tree, index_type};
use crate::index::Index;
use crate::json::Json;
use crate::manifest::Manifest;
use crate::media_type::{OCI_INDEX, OCI_MANIFEST};
use crate::platform::Platform;
use crate::soci_index::SociVersion;

/// What an image becomes.
pub(super) struct NewManifest {
    pub(super) manifest: Manifest,
    /// Its SOCI index and the platform to list it by; `None` when SOCI is taken out.
    pub(super) soci: Option<(Descriptor, Platform)>,
    pub(super) spelling: Spelling,
}

pub(super) struct Rewrite<'a> {
    image: &'a Image,
    documents: &'a Documents,
    blobs: Vec<NewBlob>,
    /// By id of the image.
    replaced: BTreeMap<usize, Replaced>,
    /// Ids of the images in the order in which they were replaced.
    order: Vec<usize>,
    /// Digests of manifests before and after.
    moved: BTreeMap<Digest, Digest>,
    /// Whether all SOCI indexes v2 go.
    pub(super) drop_soci: bool,
    /// How indexes are spelled.
    pub(super) spelling: Spelling,
}

/// How a document is spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Without blanks.
    Compact,
    /// With line ends and two blanks of indentation.
    Indented,
}

impl Spelling {
    pub(super) fn write(self, document: &Json) -> Vec<u8> {
        match self {
            Self::Compact => document.to_vec(),
            Self::Indented => document.to_indented(),
        }
    }
}

struct Replaced {
    new: NewManifest,
    digest: Digest,
    bytes: Vec<u8>,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(image: &'a Image, documents: &'a Documents) -> Self {
        Self {
            image,
            documents,
            blobs: Vec::new(),
            replaced: BTreeMap::new(),
            order: Vec::new(),
            moved: BTreeMap::new(),
            drop_soci: false,
            spelling: Spelling::Compact,
        }
    }

    /// Adds a document unless the source or an earlier step has it.
    pub(super) fn add(&mut self, blob: NewBlob) {
        let digest = &blob.descriptor.digest;
        let known = self.documents.get(digest).is_some()
            || self.blobs.iter().any(|have| have.descriptor.digest == *digest);
        if !known {
            self.blobs.push(blob);
        }
    }

    /// Puts a manifest in the place of an image's; one that says the same keeps its bytes.
    pub(super) fn replace(&mut self, entry: &ImageEntry, new: NewManifest) -> Descriptor {
        let old = &entry.descriptor.digest;
        let bytes = match self.documents.get(old) {
            Some(bytes) if new.manifest == entry.manifest => bytes.to_vec(),
            _ => new.spelling.write(&new.manifest.to_json()),
        };
        let blob = NewBlob::of(BlobRole::Manifest, OCI_MANIFEST, bytes.clone());
        let digest = if old.matches(&bytes) {
            old.clone()
        } else {
            blob.descriptor.digest.clone()
        };
        let descriptor = Descriptor::new(OCI_MANIFEST, digest.clone(), bytes.len() as u64);
        if digest != *old {
            self.add(blob);
        }
        self.moved.insert(old.clone(), digest.clone());
        self.order.push(entry.id);
        self.replaced.insert(entry.id, Replaced { new, digest, bytes });
        descriptor
    }

    /// Writes the indexes and the root.
    pub(super) fn finish(mut self, platforms: Vec<ConvertedPlatform>) -> Conversion {
        let image = self.image;
        let root = match &image.tree {
            Tree::Manifest(entry) => self.root_of_manifest(entry),
            Tree::Index(tree) => self.root_of_index(tree),
        };
        Conversion {
            changed: root.digest != image.root.digest,
            root,
            blobs: self.blobs,
            platforms,
        }
    }

    /// A manifest at the root gets an index around it, which lists it by the platform of its config.
    fn root_of_manifest(&mut self, entry: &ImageEntry) -> Descriptor {
        let Some(replaced) = self.replaced.get(&entry.id) else {
            return entry.descriptor.clone();
        };
        let Some((soci, platform)) = &replaced.new.soci else {
            return Descriptor {
                digest: replaced.digest.clone(),
                size: replaced.bytes.len() as u64,
                ..entry.descriptor.clone()
            };
        };
        let bare = Descriptor {
            platform: entry.platform.clone(),
            annotations: replaced.new.manifest.annotations.clone(),
            ..Descriptor::new(OCI_MANIFEST, replaced.digest.clone(), replaced.bytes.len() as u64)
        };
        let listed = listed(soci, platform, &replaced.digest);
        let blob = NewBlob::of(
            BlobRole::Index,
            OCI_INDEX,
            Index::of(OCI_INDEX, vec![bare, listed]).to_vec(),
        );
        let root = Descriptor {
            annotations: entry.descriptor.annotations.clone(),
            unknown: entry.descriptor.unknown.clone(),
            ..blob.descriptor.clone()
        };
        self.add(blob);
        root
    }

    fn root_of_index(&mut self, tree: &IndexTree) -> Descriptor {
        let image = self.image;
        let index = self.index(tree);
        if self.drop_soci
            && index != tree.index
            && let Some(only) = sole_image(&index)
            && self.is_platform_of_config(only)
        {
            return Descriptor {
                annotations: image.root.annotations.clone(),
                unknown: image.root.unknown.clone(),
                ..Descriptor::new(&only.media_type, only.digest.clone(), only.size)
            };
        }
        self.written(tree, index, &image.root)
    }

    /// Whether a bare manifest would say as much: conversion took the platform from the config.
    fn is_platform_of_config(&self, only: &Descriptor) -> bool {
        let images = self.image.images();
        let is_it = |image: &&&ImageEntry| match self.replaced.get(&image.id) {
            Some(replaced) => replaced.digest == only.digest,
            None => image.descriptor.digest == only.digest,
        };
        let config = images
            .iter()
            .find(is_it)
            .map(|image| &image.manifest.config.digest);
        match config.and_then(|digest| self.documents.get(digest)) {
            Some(bytes) => Platform::from_config(bytes).ok() == only.platform,
            None => true,
        }
    }

    /// The descriptor of an index after its entries were rewritten.
    fn written(&mut self, tree: &IndexTree, mut index: Index, descriptor: &Descriptor) -> Descriptor {
        if index == tree.index {
            return descriptor.clone();
        }
        index.media_type = index_type(&index.media_type).to_owned();
        let blob = NewBlob::of(
            BlobRole::Index,
            &index.media_type,
            self.spelling.write(&index.to_json()),
        );
        let mut new = descriptor.clone();
        new.media_type.clone_from(&index.media_type);
        point_at(&mut new, &blob.descriptor.digest, &blob.bytes);
        self.add(blob);
        new
    }

    fn index(&mut self, tree: &IndexTree) -> Index {
        let mut index = tree.index.clone();
        let mut listed = Listing::default();
        for (descriptor, entry) in tree.index.manifests.iter().zip(&tree.entries) {
            match entry {
                Entry::Image(image) => listed.push(self.image(image), Kind::Image),
                Entry::Soci(soci) => self.soci(tree, soci, &mut listed),
                Entry::Attestation(_) => listed.push(self.attestation(descriptor), Kind::Other),
                Entry::Index(inner) => {
                    let rewritten = self.index(inner);
                    let new = self.written(inner, rewritten, descriptor);
                    listed.push(new, Kind::Image);
                }
                Entry::Other | Entry::Missing => listed.push(descriptor.clone(), Kind::Other),
            }
        }
        for id in self.order.iter().filter(|id| tree.lists_image(**id)) {
            if let Some(descriptor) = self.soci_of(*id)
                && !listed.has(&descriptor)
            {
                listed.push(descriptor, Kind::Soci);
            }
        }
        index.manifests = if self.drop_soci {
            listed.into_descriptors()
        } else {
            listed.images_first()
        };
        index
    }

    fn image(&self, entry: &ImageEntry) -> Descriptor {
        let Some(replaced) = self.replaced.get(&entry.id) else {
            return entry.descriptor.clone();
        };
        let mut new = entry.descriptor.clone();
        OCI_MANIFEST.clone_into(&mut new.media_type);
        point_at(&mut new, &replaced.digest, &replaced.bytes);
        let own = own_annotations(&entry.descriptor, &entry.manifest);
        new.annotations = if replaced.new.soci.is_some() {
            // Clients that find an entry without platform look for one with a platform first, which
            // would be the SOCI index.
            new.platform = new.platform.or_else(|| entry.platform.clone());
            with_manifest_annotations(own, &replaced.new.manifest)
        } else {
            own
        };
        new
    }

    /// A SOCI index stays unless its image has a new one, which then takes its place, or SOCI is taken
    /// out.
    fn soci(&self, tree: &IndexTree, soci: &SociEntry, listed: &mut Listing) {
        if soci.version == SociVersion::V1 {
            listed.push(soci.descriptor.clone(), Kind::Soci);
            return;
        }
        if self.drop_soci {
            return;
        }
        let owner = soci.owner.filter(|id| self.soci_of(*id).is_some());
        let Some(owner) = owner else {
            listed.push(soci.descriptor.clone(), Kind::Soci);
            return;
        };
        if let Some(new) = self.soci_of(owner).filter(|_| tree.lists_image(owner))
            && !listed.has(&new)
        {
            // The same content keeps its descriptor, whatever else that says.
            let same = soci.descriptor.digest == new.digest
                && soci.descriptor.size == new.size
                && soci.descriptor.artifact_type == new.artifact_type
                && soci.descriptor.platform == new.platform
                && new
                    .annotations
                    .iter()
                    .all(|(k, v)| soci.descriptor.annotation(k) == Some(v));
            listed.push(if same { soci.descriptor.clone() } else { new }, Kind::Soci);
        }
    }

    /// The descriptor by which the new SOCI index of an image is listed.
    fn soci_of(&self, id: usize) -> Option<Descriptor> {
        let replaced = self.replaced.get(&id)?;
        let (soci, platform) = replaced.new.soci.as_ref()?;
        Some(listed(soci, platform, &replaced.digest))
    }

    /// An attestation follows the image it is about by its descriptor; its bytes stay.
    fn attestation(&self, descriptor: &Descriptor) -> Descriptor {
        let mut new = descriptor.clone();
        if let Some(text) = new.annotations.get_mut(annotation::REFERENCE_DIGEST)
            && let Ok(old) = Digest::parse(text)
            && let Some(digest) = self.moved.get(&old)
        {
            *text = digest.to_string();
        }
        new
    }
}

/// Entries of an index in the making.
#[derive(Default)]
struct Listing(Vec<(Descriptor, Kind)>);

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Image,
    Soci,
    Other,
}

impl Listing {
    fn push(&mut self, descriptor: Descriptor, kind: Kind) {
        self.0.push((descriptor, kind));
    }

    /// Whether this SOCI index is listed for the same image already.
    fn has(&self, soci: &Descriptor) -> bool {
        let image = |d: &Descriptor| d.annotation(annotation::IMAGE_MANIFEST_DIGEST).map(str::to_owned);
        self.0.iter().any(|(have, kind)| {
            *kind == Kind::Soci
                && have.digest == soci.digest
                && image(have) == image(soci)
                && have.platform.as_ref().map(Platform::key) == soci.platform.as_ref().map(Platform::key)
        })
    }

    fn into_descriptors(self) -> Vec<Descriptor> {
        self.0.into_iter().map(|(descriptor, _)| descriptor).collect()
    }

    /// Clients take the first entry of their platform: a SOCI index ahead of an image breaks every
    /// pull, so those move to the end.
    fn images_first(self) -> Vec<Descriptor> {
        let last_image = self.0.iter().rposition(|(_, kind)| *kind == Kind::Image);
        let first_soci = self.0.iter().position(|(_, kind)| *kind == Kind::Soci);
        let in_order = match (first_soci, last_image) {
            (Some(soci), Some(image)) => soci > image,
            _ => true,
        };
        if in_order {
            return self.into_descriptors();
        }
        let (soci, rest): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(_, kind)| *kind == Kind::Soci);
        rest.into_iter()
            .chain(soci)
            .map(|(descriptor, _)| descriptor)
            .collect()
    }
}

/// The annotations that a descriptor has of its own: not those that conversion copied to it.
fn own_annotations(descriptor: &Descriptor, manifest: &Manifest) -> BTreeMap<String, String> {
    let mut own = descriptor.annotations.clone();
    let copied = own.contains_key(annotation::INDEX_DIGEST) && own == manifest.annotations;
    if copied {
        own.clear();
    }
    own.remove(annotation::INDEX_DIGEST);
    own
}

/// A descriptor without annotations gets a copy of the manifest's, as the reference has it; one with
/// its own keeps them and gets the SOCI annotation beside them. Where its own are just those that the
/// manifest had before, nothing is added: else removal could not tell them from a copy.
fn with_manifest_annotations(
    mut own: BTreeMap<String, String>,
    manifest: &Manifest,
) -> BTreeMap<String, String> {
    if own.is_empty() {
        return manifest.annotations.clone();
    }
    let mut before = manifest.annotations.clone();
    let soci = before.remove(annotation::INDEX_DIGEST);
    if let Some(soci) = soci
        && own != before
    {
        own.insert(annotation::INDEX_DIGEST.to_owned(), soci);
    }
    own
}

/// Sets digest and size, and embedded content where there was some.
fn point_at(descriptor: &mut Descriptor, digest: &Digest, bytes: &[u8]) {
    descriptor.digest = digest.clone();
    descriptor.size = bytes.len() as u64;
    if !descriptor.data.is_empty() {
        descriptor.data = bytes.to_vec();
    }
}

/// The entry of a SOCI index in an image index.
fn listed(soci: &Descriptor, platform: &Platform, image: &Digest) -> Descriptor {
    Descriptor {
        annotations: BTreeMap::from([(annotation::IMAGE_MANIFEST_DIGEST.to_owned(), image.to_string())]),
        platform: Some(platform.clone()),
        ..soci.clone()
    }
}

/// The one image of an index that says nothing beyond it: what conversion makes of a manifest.
fn sole_image(index: &Index) -> Option<&Descriptor> {
    let [only] = &index.manifests[..] else {
        return None;
    };
    let plain = Descriptor {
        platform: only.platform.clone(),
        ..Descriptor::new(OCI_MANIFEST, only.digest.clone(), only.size)
    };
    (*only == plain && *index == Index::of(OCI_INDEX, vec![plain])).then_some(only)
}
