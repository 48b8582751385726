//! The SOCI index of an image, as a client finds it.

use super::Compute;
use crate::annotation;
use crate::digest::Digest;
use crate::facts::{LayerFacts, NoZtoc, Oddity, SociFacts};
use crate::image::{ImageEntry, SociEntry};
use crate::soci_index::{SociIndex, SociVersion, prefetch};

/// A SOCI index that a client would find for an image.
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) index: SociIndex,
    pub(super) canonical: bool,
}

impl Compute<'_> {
    /// The SOCI index that the manifest's annotation names, as a client resolves it.
    pub(super) fn version2(&mut self, entry: &ImageEntry) -> Option<Found> {
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
    pub(super) fn hints(&mut self, layers: &[LayerFacts], found: &Found) {
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
    pub(super) fn version1(&mut self, entry: &ImageEntry) -> Option<Found> {
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
}

/// What is told of it.
pub(super) fn soci_facts(found: &Found, layers: &[LayerFacts]) -> SociFacts {
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
