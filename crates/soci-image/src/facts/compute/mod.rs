//! The facts, from raw documents.

mod listed;
mod soci_index;

use self::soci_index::{Found, soci_facts};
use super::{
    DocumentFacts, ImageFacts, LayerFacts, NoZtoc, Oddity, PlatformFacts, PrefetchFacts, RepeatsFacts,
    SCHEMA, Totals, ZtocFacts,
};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::image::{Image, ImageEntry};
use crate::media_type::{LayerCompression, OCI_MANIFEST, is_foreign_layer};
use crate::platform::Platform;
use crate::soci_index::prefetch;

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

impl Compute<'_> {
    fn platform(&mut self, entry: &ImageEntry) -> PlatformFacts {
        let manifest = &entry.manifest;
        let image = &entry.descriptor.digest;
        let found = self.version2(entry).or_else(|| self.version1(entry));
        let layers: Vec<LayerFacts> = manifest
            .layers
            .iter()
            .enumerate()
            .map(|(position, layer)| {
                let is_highest = position + 1 == manifest.layers.len();
                let repeats = is_highest.then(|| self.repeats(entry)).flatten();
                self.layer(layer, found.as_ref(), repeats)
            })
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

    /// What the highest layer repeats, by its own mark or that of the config.
    fn repeats(&self, entry: &ImageEntry) -> Option<RepeatsFacts> {
        let top = entry.top_layer(self.documents)?;
        Some(RepeatsFacts {
            start: top.start.is_some(),
            directories: top.directories,
        })
    }

    fn layer(&self, layer: &Descriptor, found: Option<&Found>, repeats: Option<RepeatsFacts>) -> LayerFacts {
        let compression = LayerCompression::of(&layer.media_type);
        let ztoc = found.and_then(|found| found.index.ztoc_of(&layer.digest));
        let artifact = found.and_then(|found| found.index.prefetch.iter().find(|p| p.layer == layer.digest));
        let no_ztoc = match (found, compression) {
            _ if ztoc.is_some() => None,
            (None, _) => Some(NoZtoc::NoSociIndex),
            (Some(_), LayerCompression::Zstd) => Some(NoZtoc::Zstd),
            (Some(_), LayerCompression::Other) => Some(NoZtoc::UnsupportedCompression),
            (Some(_), LayerCompression::NotALayer) => Some(NoZtoc::NotALayer),
            (Some(_), LayerCompression::Gzip | LayerCompression::Uncompressed) if repeats.is_some() => {
                Some(NoZtoc::Repeats)
            }
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
                start_trace: ztoc.shaped.as_ref().map(|shaped| shaped.trace.clone()),
                state: None,
            }),
            no_ztoc,
            repeats,
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
