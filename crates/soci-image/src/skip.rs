//! Why a layer is left without a zTOC.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reason that a layer stays without a zTOC; the image works all the same, that layer is pulled
/// whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[serde(try_from = "Form")]
pub enum SkipReason {
    /// Compressed size below the minimum.
    TooSmall {
        /// Its size in bytes.
        size: u64,
        /// The minimum in bytes.
        minimum: u64,
    },
    /// A small layer on top that repeats what lies below: it is meant to come whole.
    Repeats,
    /// Compressed with zstd, which has no zTOC format.
    Zstd,
    /// Another compression, or encryption, by its media type.
    UnsupportedCompression {
        /// The media type.
        media_type: String,
    },
    /// A media type that is not a layer's.
    NotALayer {
        /// The media type.
        media_type: String,
    },
    /// A foreign layer whose blob is only at its URLs.
    Foreign,
    /// The content is not what the media type says.
    OtherContent {
        /// What it is.
        found: String,
    },
    /// A tar that the zTOC format cannot hold.
    UnsupportedTar {
        /// What is in it.
        detail: String,
    },
    /// A zTOC can be built, but the snapshotter would refuse to read it.
    SnapshotterRefuses {
        /// Why it would.
        detail: String,
    },
    /// A container would not see the same files as when the layer is unpacked.
    LooksDifferent {
        /// Which, and how.
        detail: String,
    },
    /// containerd cannot unpack the layer: the image cannot be pulled by it, with or without a zTOC.
    CannotBeUnpacked {
        /// Why not.
        detail: String,
    },
}

impl SkipReason {
    /// Whether the media type alone rules a layer out.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        use crate::media_type::LayerCompression::*;
        let media_type_owned = || media_type.to_owned();
        match crate::media_type::LayerCompression::of(media_type) {
            Gzip | Uncompressed => None,
            Zstd => Some(Self::Zstd),
            Other => Some(Self::UnsupportedCompression {
                media_type: media_type_owned(),
            }),
            NotALayer => Some(Self::NotALayer {
                media_type: media_type_owned(),
            }),
        }
    }

    /// Whether the layer was left out by choice, which `--strict` accepts.
    pub fn is_by_choice(&self) -> bool {
        matches!(self, Self::TooSmall { .. } | Self::Repeats)
    }

    /// A word for it, as in JSON reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooSmall { .. } => "too-small",
            Self::Repeats => "repeats",
            Self::Zstd => "zstd",
            Self::UnsupportedCompression { .. } => "unsupported-compression",
            Self::NotALayer { .. } => "not-a-layer",
            Self::Foreign => "foreign",
            Self::OtherContent { .. } => "other-content",
            Self::UnsupportedTar { .. } => "unsupported-tar",
            Self::SnapshotterRefuses { .. } => "snapshotter-refuses",
            Self::LooksDifferent { .. } => "looks-different",
            Self::CannotBeUnpacked { .. } => "cannot-be-unpacked",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { size, minimum } => {
                write!(f, "smaller than the minimum ({size} of {minimum} bytes)")
            }
            Self::Repeats => f.write_str(
                "it repeats what lies in layers below, and is small: it comes whole during the pull",
            ),
            Self::Zstd => f.write_str("compressed with zstd, which SOCI cannot index"),
            Self::UnsupportedCompression { media_type } => {
                write!(
                    f,
                    "media type {media_type} is a compression that SOCI cannot index"
                )
            }
            Self::NotALayer { media_type } => write!(f, "media type {media_type} is not a layer's"),
            Self::Foreign => f.write_str("a foreign layer that is only at its URL"),
            Self::OtherContent { found } => write!(f, "its media type is wrong: the content is {found}"),
            Self::UnsupportedTar { detail } => {
                write!(f, "a tar that the zTOC format cannot hold: {detail}")
            }
            Self::SnapshotterRefuses { detail } => {
                write!(f, "the snapshotter would refuse its zTOC: {detail}")
            }
            Self::LooksDifferent { detail } => {
                write!(
                    f,
                    "loaded lazily, a container would see other files than unpacked: {detail}"
                )
            }
            Self::CannotBeUnpacked { detail } => {
                write!(
                    f,
                    "containerd cannot pull an image with this layer, lazily or not (docker may): {detail}"
                )
            }
        }
    }
}

/// The fields of all variants, for reading: serde's own reader of enums with the tag inside is compiled once
/// per variant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    reason: String,
    size: Option<u64>,
    minimum: Option<u64>,
    media_type: Option<String>,
    found: Option<String>,
    detail: Option<String>,
}

impl TryFrom<Form> for SkipReason {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let reason = form.reason.as_str();
        let missing = |field: &str| format!("the reason `{reason}` has no `{field}`");
        Ok(match reason {
            "too-small" => Self::TooSmall {
                size: form.size.ok_or_else(|| missing("size"))?,
                minimum: form.minimum.ok_or_else(|| missing("minimum"))?,
            },
            "repeats" => Self::Repeats,
            "zstd" => Self::Zstd,
            "unsupported-compression" => Self::UnsupportedCompression {
                media_type: form.media_type.ok_or_else(|| missing("mediaType"))?,
            },
            "not-a-layer" => Self::NotALayer {
                media_type: form.media_type.ok_or_else(|| missing("mediaType"))?,
            },
            "foreign" => Self::Foreign,
            "other-content" => Self::OtherContent {
                found: form.found.ok_or_else(|| missing("found"))?,
            },
            "unsupported-tar" => Self::UnsupportedTar {
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "snapshotter-refuses" => Self::SnapshotterRefuses {
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "looks-different" => Self::LooksDifferent {
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "cannot-be-unpacked" => Self::CannotBeUnpacked {
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            _ => return Err(format!("there is no reason `{reason}`")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_json_form() {
        for reason in [
            SkipReason::TooSmall { size: 1, minimum: 2 },
            SkipReason::Repeats,
            SkipReason::Zstd,
            SkipReason::of_media_type("application/vnd.oci.image.layer.v1.tar+xz").unwrap(),
            SkipReason::of_media_type("text/plain").unwrap(),
            SkipReason::Foreign,
            SkipReason::OtherContent { found: "zstd".into() },
            SkipReason::UnsupportedTar { detail: "x".into() },
            SkipReason::SnapshotterRefuses { detail: "x".into() },
            SkipReason::LooksDifferent { detail: "x".into() },
            SkipReason::CannotBeUnpacked { detail: "x".into() },
        ] {
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json["reason"], reason.code());
            assert_eq!(serde_json::from_value::<SkipReason>(json).unwrap(), reason);
            assert!(!reason.to_string().is_empty());
            assert_eq!(
                reason.is_by_choice(),
                matches!(reason.code(), "too-small" | "repeats")
            );
        }
        assert_eq!(
            SkipReason::of_media_type("application/vnd.oci.image.layer.v1.tar+zstd"),
            Some(SkipReason::Zstd)
        );
        assert_eq!(
            SkipReason::of_media_type("application/vnd.oci.image.layer.v1.tar"),
            None
        );
    }
}
