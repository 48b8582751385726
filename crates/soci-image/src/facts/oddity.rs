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
    /// The manifest that the image names is no SOCI index manifest v2 that can be read.
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
    /// A layer is loaded whole.
    LayerNotLazy,
    /// The image is loaded whole.
    ImageNotLazy,
    /// The image can not be pulled.
    PullFails,
}

impl Oddity {
    /// What it does to a client.
    pub fn effect(&self) -> Effect {
        match self {
            Self::IndexBeforeImage { .. } => Effect::PullFails,
            Self::MissingIndex { .. } | Self::UnreadableIndex { .. } | Self::NonCanonicalIndex { .. } => {
                Effect::ImageNotLazy
            }
            Self::ZtocOfOtherLayer { .. } => Effect::LayerNotLazy,
            Self::ArtifactTypeLost { .. }
            | Self::IndexNotListed { .. }
            | Self::UnusedIndex { .. }
            | Self::OtherIndexListed { .. }
            | Self::DuplicatePlatform { .. }
            | Self::AttestationWithoutImage { .. }
            | Self::MissingManifest { .. }
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
                "the image {image} names {soci_index} as its SOCI index, which can not be read as one ({detail}); it is loaded whole"
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
                "the SOCI index {soci_index} has a zTOC for {layer}, which is no layer of the image"
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
            Self::MissingManifest { manifest, platform } => {
                write!(f, "the manifest {manifest}")?;
                if let Some(platform) = platform {
                    write!(f, " of {platform}")?;
                }
                f.write_str(" is listed and not there")
            }
            Self::DockerLayersInOciManifest { image } => write!(
                f,
                "the OCI manifest {image} has layers of Docker's media types; some tools can not copy that to other formats"
            ),
        }
    }
}
