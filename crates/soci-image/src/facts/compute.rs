//! The facts, from raw documents.

use std::collections::BTreeMap;

use super::{
    AttestationFacts, DocumentFacts, ImageFacts, LayerFacts, NoZtoc, Oddity, OtherFacts, OtherKind,
    PlatformFacts, PrefetchFacts, SCHEMA, SociFacts, Totals, ZtocFacts,
};
use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::image::{AttestationEntry, Entry, Image, ImageEntry, IndexTree, SociEntry, Tree};
use crate::media_type::{LayerCompression, OCI_MANIFEST, is_foreign_layer};
use crate::platform::Platform;
use crate::soci_index::{SociIndex, SociVersion, prefetch};

impl ImageFacts {
    /// The facts about an image. `documents` holds what could be had: manifests, configs, the SOCI
    /// indexes that manifests name, prefetch artifacts; what is not in it counts as missing.
    /// `referrers` are descriptors of SOCI indexes v1 that refer to the image's manifests.
    pub fn of(image: &Image, documents: &Documents, referrers: &[Descriptor]) -> Self {
        let mut compute = Compute {
            image,
            documents,
            referrers,
            oddities: Vec::new(),
            used: Vec::new(),
        };
        let platforms: Vec<PlatformFacts> = image
            .images()
            .into_iter()
            .map(|entry| compute.platform(entry))
            .collect();
        let attestations = image
            .attestations()
            .into_iter()
            .map(|entry| compute.attestation(entry))
            .collect();
        let others = compute.others();
        compute.order();
        let mut oddities = compute.oddities;
        oddities.dedup();
        Self {
            schema: SCHEMA.to_owned(),
            root: document(&image.root),
            totals: ImageFacts::sum(&platforms),
            platforms,
            attestations,
            others,
            oddities,
        }
    }
}

struct Compute<'a> {
    image: &'a Image,
    documents: &'a Documents,
    referrers: &'a [Descriptor],
    oddities: Vec<Oddity>,
    /// Digests of SOCI indexes that an image uses.
    used: Vec<Digest>,
}

/// A SOCI index that a client would find for an image.
struct Found {
    digest: Digest,
    size: u64,
    index: SociIndex,
    canonical: bool,
}

impl Compute<'_> {
    fn platform(&mut self, entry: &ImageEntry) -> PlatformFacts {
        let manifest = &entry.manifest;
        let image = &entry.descriptor.digest;
        let found = self.version2(entry).or_else(|| self.version1(entry));
        let layers: Vec<LayerFacts> = manifest
            .layers
            .iter()
            .map(|layer| self.layer(layer, found.as_ref()))
            .collect();
        if let Some(found) = &found {
            for ztoc in &found.index.ztocs {
                if manifest.layers.iter().all(|layer| layer.digest != ztoc.layer) {
                    self.oddities.push(Oddity::ZtocOfOtherLayer {
                        soci_index: found.digest.clone(),
                        layer: ztoc.layer.clone(),
                    });
                }
            }
        }
        let docker = |layer: &Descriptor| layer.media_type.starts_with("application/vnd.docker.");
        if manifest.media_type == OCI_MANIFEST && manifest.layers.iter().any(docker) {
            self.oddities
                .push(Oddity::DockerLayersInOciManifest { image: image.clone() });
        }
        if let Some(found) = &found {
            self.hints(&layers, found);
        }
        let soci = found.map(|found| soci_facts(&found, &layers));
        PlatformFacts {
            platform: plain(entry.platform.as_ref()),
            manifest: DocumentFacts {
                media_type: if manifest.media_type.is_empty() {
                    entry.descriptor.media_type.clone()
                } else {
                    manifest.media_type.clone()
                },
                ..document(&entry.descriptor)
            },
            config: document(&manifest.config),
            totals: Totals::of(soci.as_ref(), &layers),
            soci,
            layers,
        }
    }

    /// The SOCI index that the manifest's annotation names, as a client resolves it.
    fn version2(&mut self, entry: &ImageEntry) -> Option<Found> {
        let image = &entry.descriptor.digest;
        let named = entry.manifest.soci_index_annotation()?;
        let missing = || Oddity::MissingIndex {
            image: image.clone(),
            named: named.to_owned(),
        };
        let Some(digest) = entry.manifest.soci_index_digest() else {
            self.oddities.push(missing());
            return None;
        };
        self.used.push(digest.clone());
        let Some(bytes) = self.documents.get(&digest) else {
            self.oddities.push(missing());
            return None;
        };
        let index = match SociIndex::parse(bytes) {
            Ok(index) if index.version == SociVersion::V2 => index,
            other => {
                let detail = match other {
                    Ok(_) => "it is a SOCI index v1".to_owned(),
                    Err(error) => error.to_string(),
                };
                self.oddities.push(Oddity::UnreadableIndex {
                    image: image.clone(),
                    soci_index: digest,
                    detail,
                });
                return None;
            }
        };
        let canonical = self.canonical(&digest, bytes);
        if !self.image.is_single_manifest() {
            self.listing(entry, &digest);
        }
        Some(Found {
            digest,
            size: bytes.len() as u64,
            index,
            canonical,
        })
    }

    /// What is not wrong, or only for prefetching.
    fn hints(&mut self, layers: &[LayerFacts], found: &Found) {
        for layer in layers {
            if let Some(ztoc) = layer.ztoc.as_ref().filter(|ztoc| ztoc.size > layer.size) {
                self.oddities.push(Oddity::LargeZtoc {
                    ztoc: ztoc.digest.clone(),
                    layer: layer.digest.clone(),
                });
            }
        }
        for artifact in &found.index.prefetch {
            let bytes = self.documents.get(&artifact.digest);
            if bytes.is_none_or(|bytes| prefetch::parse(bytes).is_err()) {
                self.oddities.push(Oddity::UnreadablePrefetchList {
                    artifact: artifact.digest.clone(),
                    layer: artifact.layer.clone(),
                });
            }
        }
    }

    fn canonical(&mut self, digest: &Digest, bytes: &[u8]) -> bool {
        let canonical = SociIndex::is_canonical(bytes);
        if !canonical {
            self.oddities.push(Oddity::NonCanonicalIndex {
                soci_index: digest.clone(),
            });
        }
        canonical
    }

    /// Whether the SOCI index that an image names is also the one that is listed for it.
    fn listing(&mut self, entry: &ImageEntry, digest: &Digest) {
        let image = &entry.descriptor.digest;
        let all = self.image.soci_indexes();
        let listed: Vec<&&SociEntry> = all
            .iter()
            .filter(|soci| soci.version == SociVersion::V2 && soci.descriptor.digest == *digest)
            .collect();
        for soci in &listed {
            if soci.descriptor.artifact_type != soci.version.artifact_type() {
                self.oddities.push(Oddity::ArtifactTypeLost {
                    soci_index: digest.clone(),
                });
            }
        }
        if !listed.is_empty() {
            return;
        }
        let owned = all.iter().find(|soci| {
            soci.version == SociVersion::V2
                && soci.descriptor.annotation(annotation::IMAGE_MANIFEST_DIGEST) == Some(image.as_str())
        });
        self.oddities.push(match owned {
            Some(other) => {
                self.used.push(other.descriptor.digest.clone());
                Oddity::OtherIndexListed {
                    image: image.clone(),
                    named: digest.clone(),
                    listed: other.descriptor.digest.clone(),
                }
            }
            None => Oddity::IndexNotListed {
                image: image.clone(),
                soci_index: digest.clone(),
            },
        });
    }

    /// The first SOCI index v1 whose subject is the image.
    fn version1(&mut self, entry: &ImageEntry) -> Option<Found> {
        let image = &entry.descriptor.digest;
        let (digest, bytes, index) = self.referrers.iter().find_map(|descriptor| {
            let bytes = self.documents.get(&descriptor.digest)?;
            let index = SociIndex::parse(bytes).ok()?;
            let about = index.subject.as_ref().map(|subject| &subject.digest);
            let fits = index.version == SociVersion::V1 && about == Some(image);
            fits.then(|| (descriptor.digest.clone(), bytes, index))
        })?;
        let canonical = self.canonical(&digest, bytes);
        self.used.push(digest.clone());
        self.oddities.push(Oddity::SociIndexV1 {
            image: image.clone(),
            soci_index: digest.clone(),
        });
        Some(Found {
            digest,
            size: bytes.len() as u64,
            index,
            canonical,
        })
    }

    fn layer(&self, layer: &Descriptor, found: Option<&Found>) -> LayerFacts {
        let compression = LayerCompression::of(&layer.media_type);
        let ztoc = found.and_then(|found| found.index.ztoc_of(&layer.digest));
        let artifact = found.and_then(|found| found.index.prefetch.iter().find(|p| p.layer == layer.digest));
        let no_ztoc = match (found, compression) {
            _ if ztoc.is_some() => None,
            (None, _) => Some(NoZtoc::NoSociIndex),
            (Some(_), LayerCompression::Zstd) => Some(NoZtoc::Zstd),
            (Some(_), LayerCompression::Other) => Some(NoZtoc::UnsupportedCompression),
            (Some(_), LayerCompression::NotALayer) => Some(NoZtoc::NotALayer),
            (Some(_), LayerCompression::Gzip | LayerCompression::Uncompressed) => Some(NoZtoc::LeftOut),
        };
        LayerFacts {
            digest: layer.digest.clone(),
            size: layer.size,
            media_type: layer.media_type.clone(),
            compression,
            foreign: is_foreign_layer(&layer.media_type),
            ztoc: ztoc.map(|ztoc| ZtocFacts {
                digest: ztoc.digest.clone(),
                size: ztoc.size,
                span_size: ztoc.span_size,
                disable_xattrs: ztoc.disable_xattrs,
                state: None,
            }),
            no_ztoc,
            missing: false,
            prefetch: artifact.map(|artifact| PrefetchFacts {
                digest: artifact.digest.clone(),
                size: artifact.size,
                spans: self
                    .documents
                    .get(&artifact.digest)
                    .and_then(|bytes| prefetch::parse(bytes).ok()),
            }),
        }
    }

    fn attestation(&mut self, entry: &AttestationEntry) -> AttestationFacts {
        let refers_to = entry.reference();
        let images = self.image.images();
        let about = images
            .iter()
            .find(|image| Some(&image.descriptor.digest) == refers_to.as_ref());
        if about.is_none() {
            self.oddities.push(Oddity::AttestationWithoutImage {
                attestation: entry.descriptor.digest.clone(),
                names: entry
                    .descriptor
                    .annotation(annotation::REFERENCE_DIGEST)
                    .map(str::to_owned),
            });
        }
        let manifest = entry.manifest.as_ref();
        let statements = manifest.map_or(&[][..], |manifest| &manifest.layers).iter();
        AttestationFacts {
            manifest: document(&entry.descriptor),
            refers_to_present: about.is_some(),
            platform: about.and_then(|image| plain(image.platform.as_ref())),
            refers_to,
            subject: manifest
                .and_then(|manifest| manifest.subject.as_ref())
                .map(|subject| subject.digest.clone()),
            statements: statements
                .filter_map(|layer| layer.annotation(annotation::PREDICATE_TYPE))
                .map(str::to_owned)
                .collect(),
        }
    }

    fn others(&mut self) -> Vec<OtherFacts> {
        let other = |descriptor: &Descriptor, kind| OtherFacts {
            manifest: document(descriptor),
            kind,
            platform: plain(descriptor.platform.as_ref()),
        };
        let mut others = Vec::new();
        for soci in self.image.soci_indexes() {
            let names = soci.descriptor.annotation(annotation::IMAGE_MANIFEST_DIGEST);
            let images = self.image.images();
            let is_used = self.used.contains(&soci.descriptor.digest)
                && names.is_none_or(|names| images.iter().any(|i| i.descriptor.digest.as_str() == names));
            if !is_used {
                self.oddities.push(Oddity::UnusedIndex {
                    soci_index: soci.descriptor.digest.clone(),
                    names: names.map(str::to_owned),
                });
                others.push(other(&soci.descriptor, OtherKind::UnusedSociIndex));
            }
        }
        let mut missing = Vec::new();
        let mut platforms: Vec<String> = Vec::new();
        self.image.walk(&mut |descriptor, entry| match entry {
            Entry::Image(_) => platforms.extend(descriptor.platform.as_ref().map(Platform::key)),
            Entry::Missing => {
                // Clients take the first entry of their platform, and look into what states none.
                let needed = descriptor
                    .platform
                    .as_ref()
                    .is_none_or(|platform| !platform.is_unknown() && !platforms.contains(&platform.key()));
                missing.push((descriptor, needed));
            }
            _ => {}
        });
        for (descriptor, needed) in missing {
            self.oddities.push(Oddity::MissingManifest {
                manifest: descriptor.digest.clone(),
                platform: descriptor.platform.as_ref().map(ToString::to_string),
                needed,
            });
            others.push(other(descriptor, OtherKind::Missing));
        }
        for descriptor in self.image.others() {
            others.push(other(descriptor, OtherKind::Other));
        }
        others
    }

    /// What the order of the entries does to clients, which take the first of their platform.
    fn order(&mut self) {
        let mut soci: BTreeMap<String, &Digest> = BTreeMap::new();
        let mut images: BTreeMap<String, &Digest> = BTreeMap::new();
        let mut oddities = Vec::new();
        self.image.walk(&mut |descriptor, entry| {
            let Some(platform) = &descriptor.platform else {
                return;
            };
            let key = format!("{} {}", platform.key(), platform.os_version);
            let digest = &descriptor.digest;
            match entry {
                Entry::Soci(_) => {
                    soci.entry(key).or_insert(digest);
                }
                Entry::Image(_) => match (images.get(&key), soci.get(&key)) {
                    (Some(first), _) if *first != digest => oddities.push(Oddity::DuplicatePlatform {
                        platform: platform.to_string(),
                        first: (*first).clone(),
                        second: digest.clone(),
                    }),
                    (Some(_), _) => {}
                    (None, before) => {
                        if let Some(soci_index) = before {
                            oddities.push(Oddity::IndexBeforeImage {
                                soci_index: (*soci_index).clone(),
                                image: digest.clone(),
                            });
                        }
                        images.insert(key, digest);
                    }
                },
                _ => {}
            }
        });
        self.oddities.extend(oddities);
        if let Tree::Index(tree) = &self.image.tree {
            self.without_platform(tree);
        }
    }

    /// Of entries in one index, clients prefer those that state a platform: an image without one comes
    /// behind a SOCI index with one, unless another image states that platform and is taken anyway.
    fn without_platform(&mut self, tree: &IndexTree) {
        let entries = || tree.index.manifests.iter().zip(&tree.entries);
        let is_image = |entry: &Entry| matches!(entry, Entry::Image(_) | Entry::Index(_));
        let has_image = |wanted: &Platform| {
            entries().filter(|(_, entry)| is_image(entry)).any(|(image, _)| {
                let platform = image.platform.as_ref();
                platform.is_some_and(|p| (&p.os, &p.architecture) == (&wanted.os, &wanted.architecture))
            })
        };
        let soci = entries().find(|(descriptor, entry)| {
            let platform = descriptor
                .platform
                .as_ref()
                .filter(|platform| !platform.is_unknown());
            matches!(entry, Entry::Soci(_)) && platform.is_some_and(|platform| !has_image(platform))
        });
        for (descriptor, entry) in entries() {
            if let Some((soci, _)) = soci
                && is_image(entry)
                && descriptor.platform.is_none()
            {
                self.oddities.push(Oddity::ImageWithoutPlatform {
                    image: descriptor.digest.clone(),
                    soci_index: soci.digest.clone(),
                });
            }
            if let Entry::Index(tree) = entry {
                self.without_platform(tree);
            }
        }
    }
}

fn soci_facts(found: &Found, layers: &[LayerFacts]) -> SociFacts {
    let indexed = layers.iter().filter(|layer| layer.ztoc.is_some());
    let left_out = layers
        .iter()
        .filter(|layer| layer.no_ztoc == Some(NoZtoc::LeftOut));
    SociFacts {
        version: found.index.version,
        usable: found.canonical,
        digest: found.digest.clone(),
        size: found.size,
        build_tool: found.index.build_tool.clone(),
        span_size: found.index.span_size(),
        ztocs: found.index.ztocs.len() as u64,
        smallest_indexed: indexed.map(|layer| layer.size).min(),
        largest_left_out: left_out.map(|layer| layer.size).max(),
    }
}

/// A platform without the fields that facts do not have.
fn plain(platform: Option<&Platform>) -> Option<Platform> {
    let mut platform = platform?.clone();
    platform.unknown.clear();
    Some(platform)
}

fn document(descriptor: &Descriptor) -> DocumentFacts {
    DocumentFacts {
        digest: descriptor.digest.clone(),
        size: descriptor.size,
        media_type: descriptor.media_type.clone(),
    }
}
