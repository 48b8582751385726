//! What is known about an image and its SOCI index, as one value: `inspect` prints it, the linter
//! reads it back from JSON.
//!
//! It is computed from the raw documents alone ([`ImageFacts::of`]). The JSON form is stable: fields
//! are added with a default, never renamed; [`ImageFacts::schema`] tells the form. In WASM, without the
//! feature `all-facts`, what no rule asks for is not read back: each field costs the linter's module bytes that a visitor
//! waits for.

mod compute;
mod oddity;
mod oddity_form;
mod seen;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::media_type::LayerCompression;
use crate::platform::Platform;
use crate::soci_index::SociVersion;
use crate::soci_index::prefetch::SpanRange;

pub use oddity::{Effect, Oddity};
pub use seen::{DocumentFault, Seen, SeenView, SeenZtoc, ViewKind};

/// The value of [`ImageFacts::schema`].
pub const SCHEMA: &str = "soci-image-facts/1";

/// What is known about one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageFacts {
    /// The form of this value: `soci-image-facts/1`.
    pub schema: String,
    /// What the name stands for.
    pub root: DocumentFacts,
    /// The runnable images, in the order of the index.
    pub platforms: Vec<PlatformFacts>,
    /// Attestations, in the order of the index.
    #[serde(default)]
    #[cfg_attr(
        all(target_family = "wasm", not(feature = "all-facts")),
        serde(skip_deserializing)
    )]
    pub attestations: Vec<AttestationFacts>,
    /// Manifests that are listed and are none of the above, or were not there.
    #[serde(default)]
    #[cfg_attr(
        all(target_family = "wasm", not(feature = "all-facts")),
        serde(skip_deserializing)
    )]
    pub others: Vec<OtherFacts>,
    /// Whatever is odd.
    #[serde(default)]
    pub oddities: Vec<Oddity>,
    /// Sums over all platforms, each layer counted once.
    pub totals: Totals,
}

/// Digest, size and type of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentFacts {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
}

/// What is known about the image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformFacts {
    /// The platform; `null` if neither the index nor a config that was given says it.
    pub platform: Option<Platform>,
    /// The image manifest.
    pub manifest: DocumentFacts,
    /// The image config.
    pub config: DocumentFacts,
    /// The layers, lowest first.
    pub layers: Vec<LayerFacts>,
    /// The SOCI index that a client finds.
    pub soci: Option<SociFacts>,
    /// Sums over its layers.
    pub totals: Totals,
}

/// What is known about a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerFacts {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, compressed if it is.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// Its compression, by its media type.
    pub compression: LayerCompression,
    /// Whether it need not be in the registry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// Its zTOC: a client can load it lazily, if the SOCI index is usable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ztoc: Option<ZtocFacts>,
    /// Why it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        all(target_family = "wasm", not(feature = "all-facts")),
        serde(skip_deserializing)
    )]
    pub no_ztoc: Option<NoZtoc>,
    /// What a client should fetch of it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        all(target_family = "wasm", not(feature = "all-facts")),
        serde(skip_deserializing)
    )]
    pub prefetch: Option<PrefetchFacts>,
    /// What it repeats of the layers below; only of the highest layer, if it was put on top for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        all(target_family = "wasm", not(feature = "all-facts")),
        serde(skip_deserializing)
    )]
    pub repeats: Option<RepeatsFacts>,
    /// Whether somebody looked and it is not there, or not in its size.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// What a layer on top repeats of the layers below, by the marks of the tool that put it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepeatsFacts {
    /// Files that a start needs: it is a start layer.
    pub start: bool,
    /// Directories whose attributes a lazy client would lose.
    pub directories: bool,
}

impl LayerFacts {
    /// Whether a client that takes the SOCI index loads it lazily.
    pub fn is_lazy(&self) -> bool {
        let usable =
            |ztoc: &ZtocFacts| !matches!(ztoc.state, Some(ZtocState::Missing | ZtocState::Unreadable));
        !self.missing && self.ztoc.as_ref().is_some_and(usable)
    }
}

/// A layer's zTOC, as the SOCI index describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZtocFacts {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The span size it was built with, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_size: Option<u64>,
    /// Whether the client is told that there are no extended attributes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_xattrs: bool,
    /// Digest of the trace of the start that its spans are cut for; not read back, as no rule asks for it.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub start_trace: Option<Digest>,
    /// What was found when somebody looked; absent if nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ZtocState>,
}

/// What there is of a zTOC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZtocState {
    /// It has its digest and its size and can be read.
    Read,
    /// It is there in its size; it was too large to be read by the way.
    There,
    /// It is not there, or has other bytes than the SOCI index says.
    Missing,
    /// It is there and cannot be read as a zTOC.
    Unreadable,
}

/// A layer's prefetch artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefetchFacts {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its spans; `null` if the artifact was not given or cannot be read.
    pub spans: Option<Vec<SpanRange>>,
}

/// Why a layer has no zTOC, as far as the documents tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoZtoc {
    /// The image has no SOCI index.
    NoSociIndex,
    /// It is compressed with zstd, which SOCI cannot index.
    Zstd,
    /// Its media type is a compression that SOCI cannot index.
    UnsupportedCompression,
    /// Its media type is not a layer's.
    NotALayer,
    /// It repeats what lies in layers below and comes whole during the pull, on purpose.
    Repeats,
    /// It could have one and the SOCI index leaves it out: most often it was below the minimum size.
    LeftOut,
}

impl NoZtoc {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSociIndex => "the image has no SOCI index",
            Self::Zstd => "zstd cannot be indexed",
            Self::UnsupportedCompression => "its compression cannot be indexed",
            Self::NotALayer => "no layer by its media type",
            Self::Repeats => "repeats what lies below, comes whole",
            Self::LeftOut => "left out when the index was made, most often for its size",
        }
    }
}

/// The SOCI index of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SociFacts {
    /// Its version.
    pub version: SociVersion,
    /// Whether a client that asks for this version takes it; `false` when its spelling is not the client's own or one
    /// of its zTOCs is not there, and then no layer counts as lazy in the sums.
    pub usable: bool,
    /// Digest of the SOCI index manifest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The tool that made it; empty when not stated.
    pub build_tool: String,
    /// The span size of all its zTOCs; `null` when they differ or do not say.
    pub span_size: Option<u64>,
    /// Number of zTOCs.
    pub ztocs: u64,
    /// Size of the smallest layer with a zTOC, in bytes.
    pub smallest_indexed: Option<u64>,
    /// Size of the largest layer that could have a zTOC and has none, in bytes. The minimum layer
    /// size that was used lies between the two.
    pub largest_left_out: Option<u64>,
}

impl SociFacts {
    /// Whether a client with its default settings takes it: version 2, and usable. Version 1 is off by default since
    /// soci-snapshotter 0.10.
    pub fn is_taken(&self) -> bool {
        self.usable && self.version == SociVersion::V2
    }
}

/// Sums of bytes. "Lazy" is a layer with a zTOC in a SOCI index that the client takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Bytes of all layers as they are stored.
    pub layer_bytes: u64,
    /// Bytes of the layers that can be loaded lazily.
    pub lazy_bytes: u64,
    /// Bytes of the zTOCs, which a client fetches before it starts the container.
    pub ztoc_bytes: u64,
    /// Number of layers.
    pub layers: u64,
    /// Number of layers that can be loaded lazily.
    pub lazy_layers: u64,
}

impl Totals {
    /// The lazy share in tenths of a percent, rounded down; 0 for an image without layers.
    pub fn lazy_permille(&self) -> u64 {
        let permille = u128::from(self.lazy_bytes) * 1000 / u128::from(self.layer_bytes.max(1));
        u64::try_from(permille).unwrap_or(1000)
    }
}

/// What is known about an attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationFacts {
    /// Its manifest.
    pub manifest: DocumentFacts,
    /// The image manifest that its descriptor names; this is what tools go by.
    pub refers_to: Option<Digest>,
    /// Whether that manifest is in the image.
    pub refers_to_present: bool,
    /// The platform of that manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The image manifest that its `subject` names, in BuildKit's newer form; a conversion leaves it
    /// at the image before conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Digest>,
    /// Predicate types of its statements.
    pub statements: Vec<String>,
}

/// A manifest that is listed and is not an image, SOCI index or attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherFacts {
    /// The manifest.
    pub manifest: DocumentFacts,
    /// What it is.
    pub kind: OtherKind,
    /// Its platform, where stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// Why a manifest is listed under [`ImageFacts::others`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherKind {
    /// Its document was not there.
    Missing,
    /// Its document was there and could not be taken.
    Damaged,
    /// A SOCI index that no image uses.
    UnusedSociIndex,
    /// Something else.
    Other,
}

impl ImageFacts {
    /// The facts as JSON, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("facts have string keys only");
        text.push('\n');
        text
    }

    /// Reads facts that [`ImageFacts::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self> {
        let facts: Self =
            serde_json::from_str(text).map_err(|error| Error::field("image facts", error.to_string()))?;
        if facts.schema != SCHEMA {
            return Err(Error::Kind {
                expected: SCHEMA,
                found: format!("image facts of the form `{}`", facts.schema),
            });
        }
        Ok(facts)
    }

    /// The image that a client of this platform takes: the first one that matches.
    pub fn platform(&self, platform: &Platform) -> Option<&PlatformFacts> {
        self.platforms
            .iter()
            .find(|facts| facts.platform.as_ref().is_some_and(|have| platform.matches(have)))
    }

    /// Sums in which a layer that several platforms share counts once.
    fn sum(platforms: &[PlatformFacts]) -> Totals {
        let mut layers: BTreeMap<&Digest, (&LayerFacts, bool)> = BTreeMap::new();
        let mut ztocs: BTreeMap<&Digest, u64> = BTreeMap::new();
        for platform in platforms {
            let usable = platform.soci.as_ref().is_some_and(SociFacts::is_taken);
            for layer in &platform.layers {
                let entry = layers.entry(&layer.digest).or_insert((layer, false));
                if let Some(ztoc) = &layer.ztoc {
                    entry.1 |= usable && layer.is_lazy();
                    ztocs.insert(&ztoc.digest, ztoc.size);
                }
            }
        }
        let mut totals = Totals::default();
        for (layer, lazy) in layers.values() {
            totals.add(layer.size, *lazy);
        }
        totals.ztoc_bytes = ztocs.values().fold(0, |sum, size| sum.saturating_add(*size));
        totals
    }
}

impl Totals {
    /// The sums of one platform.
    fn of(soci: Option<&SociFacts>, layers: &[LayerFacts]) -> Self {
        let taken = soci.is_some_and(SociFacts::is_taken);
        let mut totals = Self::default();
        for layer in layers {
            totals.add(layer.size, taken && layer.is_lazy());
            let ztoc = layer.ztoc.as_ref().map_or(0, |ztoc| ztoc.size);
            totals.ztoc_bytes = totals.ztoc_bytes.saturating_add(ztoc);
        }
        totals
    }

    fn add(&mut self, size: u64, lazy: bool) {
        self.layers += 1;
        self.layer_bytes = self.layer_bytes.saturating_add(size);
        if lazy {
            self.lazy_layers += 1;
            self.lazy_bytes = self.lazy_bytes.saturating_add(size);
        }
    }
}
