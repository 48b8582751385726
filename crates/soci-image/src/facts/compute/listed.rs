//! What an image lists besides images, and in which order.

use std::collections::BTreeMap;

use super::{Compute, document, plain};
use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::facts::{AttestationFacts, Oddity, OtherFacts, OtherKind};
use crate::image::{AttestationEntry, Entry, IndexTree, Tree};
use crate::platform::Platform;

impl Compute<'_> {
    pub(super) fn attestation(&mut self, entry: &AttestationEntry) -> AttestationFacts {
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

    pub(super) fn others(&mut self) -> Vec<OtherFacts> {
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
    pub(super) fn order(&mut self) {
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
