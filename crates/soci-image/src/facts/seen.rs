//! What was found where the image lives, beyond what its documents say.

use std::collections::BTreeMap;

use super::{ImageFacts, Oddity, OtherKind, Totals, ZtocState};
use crate::digest::Digest;

/// What somebody saw who looked at the blobs themselves. What is not in it was not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Documents that are there and cannot be taken.
    pub faults: Vec<DocumentFault>,
    /// Layers and configs: whether they are there in their size.
    pub blobs: BTreeMap<Digest, bool>,
    /// zTOCs.
    pub ztocs: BTreeMap<Digest, SeenZtoc>,
    /// Layers that do not look the same lazily as unpacked, or of which that is unknown.
    pub views: Vec<SeenView>,
    /// A layer of which a part was asked for, and all of it came.
    pub ranges_ignored: Option<Digest>,
    /// Image manifests of which nobody told what refers to them, and why.
    pub referrers_unknown: Vec<(Digest, String)>,
}

/// A document that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFault {
    /// The digest by which it was asked for.
    pub digest: Digest,
    /// What is wrong with it, in words.
    pub detail: String,
}

/// What was seen of a zTOC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenZtoc {
    /// What there is of it.
    pub state: ZtocState,
    /// What is wrong, in words that go on "the zTOC …".
    pub detail: String,
}

/// How a layer looks to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenView {
    /// The image manifest.
    pub image: Digest,
    /// The layer.
    pub layer: Digest,
    /// What is the matter with it.
    pub kind: ViewKind,
    /// The same in words.
    pub detail: String,
}

/// What is the matter with the looks of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// A container sees other files than when it is unpacked.
    Different,
    /// The client does not take its zTOC and unpacks it.
    Refused,
    /// containerd cannot unpack it.
    CannotBeUnpacked,
    /// It depends on a layer that was not read.
    Unknown,
}

impl SeenView {
    fn oddity(&self, ztoc: Option<&Digest>) -> Option<Oddity> {
        let (image, layer, detail) = (self.image.clone(), self.layer.clone(), self.detail.clone());
        Some(match self.kind {
            ViewKind::Different => Oddity::LooksDifferent { image, layer, detail },
            ViewKind::CannotBeUnpacked => Oddity::CannotBeUnpacked { image, layer, detail },
            ViewKind::Unknown => Oddity::ViewUnknown { image, layer, detail },
            ViewKind::Refused => Oddity::UnreadableZtoc {
                ztoc: ztoc?.clone(),
                layer,
                detail,
            },
        })
    }
}

impl ImageFacts {
    /// The same facts with what was seen.
    #[must_use]
    pub fn with(mut self, seen: &Seen) -> Self {
        self.note_documents(seen);
        let mut oddities = Vec::new();
        for platform in &mut self.platforms {
            let image = &platform.manifest.digest;
            for layer in &mut platform.layers {
                layer.missing = !layer.foreign && seen.blobs.get(&layer.digest) == Some(&false);
                if layer.missing {
                    oddities.push(Oddity::MissingLayer {
                        image: image.clone(),
                        layer: layer.digest.clone(),
                    });
                }
                let views = seen.views.iter();
                let mut views = views.filter(|view| view.image == *image && view.layer == layer.digest);
                let ztoc = layer.ztoc.as_ref().map(|ztoc| &ztoc.digest);
                let view = views.next();
                oddities.extend(view.and_then(|view| view.oddity(ztoc)));
                let Some(ztoc) = &mut layer.ztoc else { continue };
                let Some(found) = seen.ztocs.get(&ztoc.digest) else {
                    continue;
                };
                ztoc.state = Some(match view.map(|view| view.kind) {
                    Some(ViewKind::Refused) if found.state == ZtocState::Read => ZtocState::Unreadable,
                    _ => found.state,
                });
                if found.state == ZtocState::Unreadable {
                    oddities.push(Oddity::UnreadableZtoc {
                        ztoc: ztoc.digest.clone(),
                        layer: layer.digest.clone(),
                        detail: found.detail.clone(),
                    });
                }
                if let (ZtocState::Missing, Some(soci)) = (found.state, &mut platform.soci) {
                    soci.usable = false;
                    oddities.push(Oddity::MissingZtoc {
                        soci_index: soci.digest.clone(),
                        ztoc: ztoc.digest.clone(),
                        detail: found.detail.clone(),
                    });
                }
            }
            if seen.blobs.get(&platform.config.digest) == Some(&false) {
                oddities.push(Oddity::MissingConfig {
                    image: image.clone(),
                    config: platform.config.digest.clone(),
                });
            }
            platform.totals = Totals::of(platform.soci.as_ref(), &platform.layers);
        }
        oddities.extend(
            seen.referrers_unknown
                .iter()
                .map(|(image, detail)| Oddity::ReferrersUnknown {
                    image: image.clone(),
                    detail: detail.clone(),
                }),
        );
        oddities.extend(
            seen.ranges_ignored
                .iter()
                .map(|layer| Oddity::RangesIgnored { layer: layer.clone() }),
        );
        for oddity in oddities {
            if !self.oddities.contains(&oddity) {
                self.oddities.push(oddity);
            }
        }
        self.totals = ImageFacts::sum(&self.platforms);
        self
    }

    /// What was taken for missing and is there, but not as it should be.
    fn note_documents(&mut self, seen: &Seen) {
        for oddity in &mut self.oddities {
            let fault = |digest: &Digest| seen.faults.iter().find(|fault| fault.digest == *digest);
            let replaced = match oddity {
                Oddity::MissingManifest {
                    manifest,
                    platform,
                    needed,
                } => fault(manifest).map(|fault| Oddity::DamagedManifest {
                    manifest: manifest.clone(),
                    platform: platform.clone(),
                    needed: *needed,
                    detail: fault.detail.clone(),
                }),
                Oddity::MissingIndex { image, named } => Digest::parse(named).ok().and_then(|named| {
                    fault(&named).map(|fault| Oddity::UnreadableIndex {
                        image: image.clone(),
                        soci_index: named.clone(),
                        detail: fault.detail.clone(),
                    })
                }),
                _ => None,
            };
            if let Some(replaced) = replaced {
                *oddity = replaced;
            }
        }
        for other in &mut self.others {
            let damaged = seen
                .faults
                .iter()
                .any(|fault| fault.digest == other.manifest.digest);
            if damaged && other.kind == OtherKind::Missing {
                other.kind = OtherKind::Damaged;
            }
        }
    }
}
