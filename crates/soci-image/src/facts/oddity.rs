//! What is odd about an image, and what that does to a client.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Something about an image that is wrong, lost or surprising.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[serde(try_from = "super::oddity_form::Form")]
pub enum Oddity {
    /// A SOCI index stands before an image of its platform: clients take it for the image.
    IndexBeforeImage {
        /// The SOCI index manifest.
        soci_index: Digest,
        /// The image manifest behind it.
        image: Digest,
    },
    /// The image manifest names a SOCI index that is not there.
    MissingIndex {
        /// The image manifest.
        image: Digest,
        /// What its annotation says.
        named: String,
    },
    /// The manifest that the image names is not a SOCI index manifest v2 that can be read.
    UnreadableIndex {
        /// The image manifest.
        image: Digest,
        /// What it names.
        soci_index: Digest,
        /// What is wrong.
        detail: String,
    },
    /// The SOCI index is not spelled the way the client writes it, which it checks by digest.
    NonCanonicalIndex {
        /// The SOCI index manifest.
        soci_index: Digest,
    },
    /// The descriptor of a SOCI index says no artifact type, as after a copy by an old skopeo.
    ArtifactTypeLost {
        /// The SOCI index manifest.
        soci_index: Digest,
    },
    /// The SOCI index that the image names is not listed beside it: it may be expired by the registry
    /// and is not copied along.
    IndexNotListed {
        /// The image manifest.
        image: Digest,
        /// The SOCI index manifest.
        soci_index: Digest,
    },
    /// A SOCI index is listed for an image that is not there, as after a copy or a second conversion.
    UnusedIndex {
        /// The SOCI index manifest.
        soci_index: Digest,
        /// The image manifest that its descriptor names.
        names: Option<String>,
    },
    /// The image names another SOCI index than the one that is listed for it.
    OtherIndexListed {
        /// The image manifest.
        image: Digest,
        /// What it names.
        named: Digest,
        /// What is listed.
        listed: Digest,
    },
    /// A zTOC belongs to a layer that the image does not have.
    ZtocOfOtherLayer {
        /// The SOCI index manifest.
        soci_index: Digest,
        /// The layer.
        layer: Digest,
    },
    /// Two images are listed for one platform; clients take the first.
    DuplicatePlatform {
        /// The platform.
        platform: String,
        /// The image manifest that clients take.
        first: Digest,
        /// The other one.
        second: Digest,
    },
    /// An attestation is about an image that is not there: tools do not show it.
    AttestationWithoutImage {
        /// The attestation manifest.
        attestation: Digest,
        /// The image manifest that its descriptor names.
        names: Option<String>,
    },
    /// A listed manifest is not there.
    MissingManifest {
        /// The manifest.
        manifest: Digest,
        /// Its platform, where stated.
        platform: Option<String>,
        /// Whether clients of some platform take it.
        needed: bool,
    },
    /// A listed manifest is there and cannot be taken: other bytes than its descriptor says, or another kind.
    DamagedManifest {
        /// The manifest.
        manifest: Digest,
        /// Its platform, where stated.
        platform: Option<String>,
        /// Whether clients of some platform take it.
        needed: bool,
        /// What is wrong.
        detail: String,
    },
    /// An image (or an index of images) is listed without a platform beside a SOCI index that has one: clients take
    /// the SOCI index for the image.
    ImageWithoutPlatform {
        /// What has no platform.
        image: Digest,
        /// The SOCI index manifest.
        soci_index: Digest,
    },
    /// The image has a SOCI index v1 only, which clients of today do not ask for unless somebody turns that on.
    SociIndexV1 {
        /// The image manifest.
        image: Digest,
        /// The SOCI index manifest.
        soci_index: Digest,
    },
    /// A layer is not there, or has another size than its descriptor says.
    MissingLayer {
        /// The image manifest.
        image: Digest,
        /// The layer.
        layer: Digest,
    },
    /// The config of an image is not there.
    MissingConfig {
        /// The image manifest.
        image: Digest,
        /// The config.
        config: Digest,
    },
    /// A zTOC is not there or has other bytes than the SOCI index says: clients then take none of that index.
    MissingZtoc {
        /// The SOCI index manifest.
        soci_index: Digest,
        /// The zTOC.
        ztoc: Digest,
        /// What is wrong.
        detail: String,
    },
    /// A zTOC cannot be read.
    UnreadableZtoc {
        /// The zTOC.
        ztoc: Digest,
        /// The layer.
        layer: Digest,
        /// What is wrong.
        detail: String,
    },
    /// A container sees other files when the layer is loaded lazily than when it is unpacked.
    LooksDifferent {
        /// The image manifest.
        image: Digest,
        /// The layer.
        layer: Digest,
        /// Which files, and how they differ.
        detail: String,
    },
    /// containerd cannot unpack a layer.
    CannotBeUnpacked {
        /// The image manifest.
        image: Digest,
        /// The layer.
        layer: Digest,
        /// Why not.
        detail: String,
    },
    /// Whether a layer looks the same lazily as unpacked depends on a layer that was not read.
    ViewUnknown {
        /// The image manifest.
        image: Digest,
        /// The layer.
        layer: Digest,
        /// What depends on it.
        detail: String,
    },
    /// Whether the image has a SOCI index of version 1 could not be found out: what refers to it was not told.
    ReferrersUnknown {
        /// The image manifest.
        image: Digest,
        /// Why not.
        detail: String,
    },
    /// A zTOC is larger than its layer: clients fetch it whole before they start.
    LargeZtoc {
        /// The zTOC.
        ztoc: Digest,
        /// The layer.
        layer: Digest,
    },
    /// A prefetch list cannot be read.
    UnreadablePrefetchList {
        /// The prefetch artifact.
        artifact: Digest,
        /// The layer.
        layer: Digest,
    },
    /// The registry answers requests for a part of a blob with all of it.
    RangesIgnored {
        /// The layer that was asked for.
        layer: Digest,
    },
    /// An OCI manifest has layers of Docker's media types, which some tools refuse to convert.
    DockerLayersInOciManifest {
        /// The image manifest.
        image: Digest,
    },
}

/// What an oddity does to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing while the image runs.
    None,
    /// Files to fetch at once are fetched when they are read.
    NotPrefetched,
    /// A layer is loaded whole.
    LayerNotLazy,
    /// The image is loaded whole.
    ImageNotLazy,
    /// The image is mounted and reading fails.
    ReadsFail,
    /// The image is mounted, and a container sees other files than it should.
    WrongContents,
    /// The image cannot be pulled.
    PullFails,
}

impl Oddity {
    /// What it does to a client.
    pub fn effect(&self) -> Effect {
        match self {
            Self::IndexBeforeImage { .. }
            | Self::ImageWithoutPlatform { .. }
            | Self::MissingLayer { .. }
            | Self::MissingConfig { .. }
            | Self::CannotBeUnpacked { .. }
            | Self::MissingManifest { needed: true, .. }
            | Self::DamagedManifest { needed: true, .. } => Effect::PullFails,
            Self::MissingIndex { .. }
            | Self::UnreadableIndex { .. }
            | Self::NonCanonicalIndex { .. }
            | Self::SociIndexV1 { .. }
            | Self::MissingZtoc { .. } => Effect::ImageNotLazy,
            Self::ZtocOfOtherLayer { .. } | Self::UnreadableZtoc { .. } => Effect::LayerNotLazy,
            Self::RangesIgnored { .. } => Effect::ReadsFail,
            Self::LooksDifferent { .. } => Effect::WrongContents,
            Self::UnreadablePrefetchList { .. } => Effect::NotPrefetched,
            Self::ArtifactTypeLost { .. }
            | Self::IndexNotListed { .. }
            | Self::UnusedIndex { .. }
            | Self::OtherIndexListed { .. }
            | Self::DuplicatePlatform { .. }
            | Self::AttestationWithoutImage { .. }
            | Self::MissingManifest { .. }
            | Self::DamagedManifest { .. }
            | Self::LargeZtoc { .. }
            | Self::ViewUnknown { .. }
            | Self::ReferrersUnknown { .. }
            | Self::DockerLayersInOciManifest { .. } => Effect::None,
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IndexBeforeImage { soci_index, image } => write!(
                f,
                "the SOCI index {soci_index} is listed before the image {image} of its platform; clients take it for the image and the pull fails"
            ),
            Self::MissingIndex { image, named } => write!(
                f,
                "the image {image} names the SOCI index {named}, which is not there; it is loaded whole"
            ),
            Self::UnreadableIndex {
                image,
                soci_index,
                detail,
            } => write!(
                f,
                "the image {image} names {soci_index} as its SOCI index, which cannot be read as one ({detail}); it is loaded whole"
            ),
            Self::NonCanonicalIndex { soci_index } => write!(
                f,
                "the SOCI index {soci_index} is not spelled as the client writes it (blanks, key order or unknown fields); the image is loaded whole"
            ),
            Self::ArtifactTypeLost { soci_index } => write!(
                f,
                "the descriptor of the SOCI index {soci_index} has lost its artifact type, as after a copy by skopeo before 1.17"
            ),
            Self::IndexNotListed { image, soci_index } => write!(
                f,
                "the SOCI index {soci_index} of the image {image} is not listed beside it; the registry may expire it, and copies leave it behind"
            ),
            Self::UnusedIndex { soci_index, names } => match names {
                Some(names) => write!(
                    f,
                    "the SOCI index {soci_index} is listed for the image {names}, which is not there or does not use it"
                ),
                None => write!(f, "the SOCI index {soci_index} is listed and no image uses it"),
            },
            Self::OtherIndexListed { image, named, listed } => write!(
                f,
                "the image {image} names the SOCI index {named}, but {listed} is listed for it"
            ),
            Self::ZtocOfOtherLayer { soci_index, layer } => write!(
                f,
                "the SOCI index {soci_index} has a zTOC for {layer}, which is not a layer of the image"
            ),
            Self::DuplicatePlatform {
                platform,
                first,
                second,
            } => write!(
                f,
                "two images are listed for {platform}: clients take {first} and never {second}"
            ),
            Self::AttestationWithoutImage { attestation, names } => write!(
                f,
                "the attestation {attestation} is about {}, which is not in the image; tools do not show it",
                names.as_deref().unwrap_or("no image")
            ),
            Self::MissingManifest {
                manifest,
                platform,
                needed,
            } => {
                listed(f, manifest, platform.as_deref())?;
                f.write_str(" is listed and not there")?;
                cannot_be_pulled(f, *needed)
            }
            Self::DamagedManifest {
                manifest,
                platform,
                needed,
                detail,
            } => {
                listed(f, manifest, platform.as_deref())?;
                write!(f, " is listed and cannot be taken: {detail}")?;
                cannot_be_pulled(f, *needed)
            }
            Self::ImageWithoutPlatform { image, soci_index } => write!(
                f,
                "{image} is listed without a platform beside the SOCI index {soci_index}, which has one; clients take that for the image and the pull fails"
            ),
            Self::SociIndexV1 { image, soci_index } => write!(
                f,
                "the image {image} has a SOCI index v1 only ({soci_index}); clients load it whole unless v1 is turned on, which it is not by default since soci-snapshotter 0.10"
            ),
            Self::MissingLayer { image, layer } => write!(
                f,
                "the layer {layer} of the image {image} is missing or has another size; the image cannot be pulled"
            ),
            Self::MissingConfig { image, config } => write!(
                f,
                "the config {config} of the image {image} is missing; the image cannot be pulled"
            ),
            Self::MissingZtoc {
                soci_index,
                ztoc,
                detail,
            } => write!(
                f,
                "the zTOC {ztoc} of the SOCI index {soci_index} {detail}; clients then load every layer whole"
            ),
            Self::UnreadableZtoc { ztoc, layer, detail } => write!(
                f,
                "clients do not take the zTOC {ztoc} ({detail}); the layer {layer} is loaded whole"
            ),
            Self::LooksDifferent { layer, detail, .. } => write!(
                f,
                "loaded lazily, a container sees other files of the layer {layer} than unpacked: {detail}"
            ),
            Self::CannotBeUnpacked { layer, detail, .. } => write!(
                f,
                "containerd cannot pull the image, lazily or not (docker may), because it cannot unpack the layer {layer}: {detail}"
            ),
            Self::ViewUnknown { layer, detail, .. } => write!(
                f,
                "whether the layer {layer} looks the same lazily as unpacked is unknown: {detail}"
            ),
            Self::ReferrersUnknown { image, detail } => write!(
                f,
                "whether the image {image} has a SOCI index v1 is unknown: {detail}"
            ),
            Self::LargeZtoc { ztoc, layer } => write!(
                f,
                "the zTOC {ztoc} is larger than its layer {layer}; loading that layer whole would be faster"
            ),
            Self::UnreadablePrefetchList { artifact, layer } => write!(
                f,
                "the prefetch list {artifact} of the layer {layer} is missing or cannot be read; nothing of it is fetched at once"
            ),
            Self::RangesIgnored { layer } => write!(
                f,
                "the registry ignores requests for parts of a blob (asked for one byte of {layer}, it sends all): clients mount the image and reading fails, so containers do not start"
            ),
            Self::DockerLayersInOciManifest { image } => write!(
                f,
                "the OCI manifest {image} has layers of Docker's media types; some tools cannot copy that to other formats"
            ),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, manifest: &Digest, platform: Option<&str>) -> fmt::Result {
    write!(f, "the manifest {manifest}")?;
    match platform {
        Some(platform) => write!(f, " of {platform}"),
        None => Ok(()),
    }
}

fn cannot_be_pulled(f: &mut fmt::Formatter<'_>, needed: bool) -> fmt::Result {
    f.write_str(if needed { "; it cannot be pulled" } else { "" })
}
