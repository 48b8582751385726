//! Every blob of an image, in the order in which it is best written: children before parents, a layer
//! and its zTOC side by side.

use std::collections::BTreeMap;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, Documents};
use crate::error::Result;
use crate::image::{Entry, Image, ImageEntry, IndexTree, Tree};
use crate::media_type::{SOCI_INDEX_V1, SOCI_INDEX_V2};
use crate::soci_index::SociIndex;

/// A blob of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its descriptor where it is first used.
    pub descriptor: Descriptor,
    /// What it is.
    pub role: Role,
    /// Whether the image could do without: what belongs to a manifest that lies elsewhere, or a
    /// foreign layer.
    pub optional: bool,
}

/// What a blob is to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A layer of an image.
    Layer,
    /// The config of a manifest.
    Config,
    /// A zTOC.
    Ztoc,
    /// A prefetch artifact.
    Prefetch,
    /// Any other blob of an artifact, an attestation's statement for instance.
    Blob,
    /// An image manifest.
    Manifest,
    /// A SOCI index manifest.
    SociIndex,
    /// A manifest of another kind.
    OtherManifest,
    /// An image index.
    Index,
}

impl Role {
    /// Whether registries store it as a manifest rather than as a blob.
    pub fn is_manifest(self) -> bool {
        matches!(
            self,
            Self::Manifest | Self::SociIndex | Self::OtherManifest | Self::Index
        )
    }
}

/// Lists the blobs of an image, each once. Every document that `documents` has is walked into; of the
/// others only the descriptor is listed.
pub fn inventory(image: &Image, documents: &Documents) -> Result<Vec<Item>> {
    let mut list = List {
        documents,
        items: Vec::new(),
        seen: BTreeMap::new(),
        ztocs: BTreeMap::new(),
    };
    for soci in image.soci_indexes() {
        if let Some(index) = &soci.index {
            list.learn(index);
        }
    }
    for entry in image.images() {
        if let Some(bytes) = entry
            .manifest
            .soci_index_digest()
            .and_then(|digest| documents.get(&digest))
            && let Ok(index) = SociIndex::parse(bytes)
        {
            list.learn(&index);
        }
    }
    match &image.tree {
        Tree::Manifest(entry) => list.image(entry)?,
        Tree::Index(tree) => {
            list.index(tree)?;
            list.push(&image.root, Role::Index, false);
        }
    }
    Ok(list.items)
}

struct List<'a> {
    documents: &'a Documents,
    items: Vec<Item>,
    /// Place in `items` of each digest.
    seen: BTreeMap<Digest, usize>,
    /// zTOCs by layer.
    ztocs: BTreeMap<Digest, Vec<Descriptor>>,
}

impl List<'_> {
    fn learn(&mut self, index: &SociIndex) {
        for ztoc in &index.ztocs {
            self.ztocs
                .entry(ztoc.layer.clone())
                .or_default()
                .push(ztoc.descriptor());
        }
    }

    fn push(&mut self, descriptor: &Descriptor, role: Role, optional: bool) {
        if let Some(at) = self.seen.get(&descriptor.digest) {
            self.items[*at].optional &= optional;
            return;
        }
        self.seen.insert(descriptor.digest.clone(), self.items.len());
        self.items.push(Item {
            descriptor: descriptor.clone(),
            role,
            optional,
        });
    }

    fn index(&mut self, tree: &IndexTree) -> Result<()> {
        for (descriptor, entry) in tree.index.manifests.iter().zip(&tree.entries) {
            match entry {
                Entry::Image(image) => self.image(image)?,
                Entry::Index(inner) => {
                    self.index(inner)?;
                    self.push(descriptor, Role::Index, false);
                }
                Entry::Missing => self.push(descriptor, Role::OtherManifest, true),
                Entry::Soci(_) | Entry::Attestation(_) | Entry::Other => self.artifact(descriptor)?,
            }
        }
        Ok(())
    }

    fn image(&mut self, entry: &ImageEntry) -> Result<()> {
        let manifest = &entry.manifest;
        for layer in &manifest.layers {
            let foreign = crate::media_type::is_foreign_layer(&layer.media_type);
            self.push(layer, Role::Layer, foreign);
            for ztoc in self.ztocs.get(&layer.digest).cloned().unwrap_or_default() {
                self.push(&ztoc, Role::Ztoc, false);
            }
        }
        self.push(&manifest.config, Role::Config, false);
        if let Some(named) = manifest.soci_index_digest()
            && let Some(bytes) = self.documents.get(&named)
        {
            let descriptor = Descriptor::new(crate::media_type::OCI_MANIFEST, named, bytes.len() as u64);
            self.artifact(&descriptor)?;
        }
        self.push(&entry.descriptor, Role::Manifest, false);
        Ok(())
    }

    /// A manifest that is not an image: its blobs, then itself.
    fn artifact(&mut self, descriptor: &Descriptor) -> Result<()> {
        let Some(bytes) = self.documents.get(&descriptor.digest) else {
            self.push(descriptor, Role::OtherManifest, true);
            return Ok(());
        };
        let mut role = Role::OtherManifest;
        if let Document::Manifest(manifest) = Document::parse(bytes, &descriptor.media_type)? {
            if matches!(&*manifest.config.media_type, SOCI_INDEX_V1 | SOCI_INDEX_V2) {
                role = Role::SociIndex;
            }
            self.push(&manifest.config, Role::Config, false);
            for layer in &manifest.layers {
                let of_layer = layer.annotations.contains_key(annotation::LAYER_DIGEST);
                let kind = match (role, &*layer.media_type) {
                    (Role::SociIndex, crate::media_type::ZTOC) if of_layer => Role::Ztoc,
                    (Role::SociIndex, crate::media_type::PREFETCH) => Role::Prefetch,
                    _ => Role::Blob,
                };
                self.push(layer, kind, false);
            }
        }
        self.push(descriptor, role, false);
        Ok(())
    }
}
