//! Media types: what is a manifest, an index, a layer, and how a layer is compressed.

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The empty OCI config, `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// A zTOC in a SOCI index manifest.
pub const ZTOC: &str = "application/octet-stream";
/// Artifact type (and config media type) of a SOCI index manifest v1.
pub const SOCI_INDEX_V1: &str = "application/vnd.amazon.soci.index.v1+json";
/// Artifact type (and config media type) of a SOCI index manifest v2.
pub const SOCI_INDEX_V2: &str = "application/vnd.amazon.soci.index.v2+json";
/// A prefetch artifact in a SOCI index manifest.
pub const PREFETCH: &str = "application/vnd.amazon.soci.prefetch.v1+json";
/// An in-toto statement in an attestation manifest.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// Artifact type of BuildKit's attestation manifests in their newer form.
pub const DOCKER_ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";

/// Whether it names an image manifest, OCI or Docker.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// Whether it names an image index, OCI or Docker.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// Whether it names one of Docker's own document types.
pub fn is_docker(media_type: &str) -> bool {
    matches!(media_type, DOCKER_MANIFEST | DOCKER_LIST | DOCKER_CONFIG)
}

/// What a media type says about a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerCompression {
    /// A gzip'd tar.
    Gzip,
    /// A tar.
    Uncompressed,
    /// A zstd'd tar, which SOCI cannot index.
    Zstd,
    /// A layer in a compression that SOCI cannot index (or an encrypted one).
    Other,
    /// No layer of a file system at all.
    NotALayer,
}

impl LayerCompression {
    /// The compression of a layer of this media type. Docker's `diff.tar` without a suffix is a plain
    /// tar; what is encrypted (`+encrypted`) cannot be read.
    pub fn of(media_type: &str) -> Self {
        const OCI: &str = "application/vnd.oci.image.layer.";
        const DOCKER: &str = "application/vnd.docker.image.rootfs.";
        let layer = media_type
            .strip_prefix(OCI)
            .map(|rest| rest.strip_prefix("nondistributable.").unwrap_or(rest))
            .and_then(|rest| rest.strip_prefix("v1."))
            .or_else(|| {
                let rest = media_type.strip_prefix(DOCKER)?;
                let rest = rest.strip_prefix("foreign.").unwrap_or(rest);
                rest.strip_prefix("diff.")
            });
        let Some(suffix) = layer.and_then(|rest| rest.strip_prefix("tar")) else {
            return Self::NotALayer;
        };
        match suffix {
            "" => Self::Uncompressed,
            "+gzip" | ".gzip" => Self::Gzip,
            "+zstd" | ".zstd" => Self::Zstd,
            _ if suffix.starts_with(['+', '.']) => Self::Other,
            _ => Self::NotALayer,
        }
    }

    /// Whether a zTOC can be built for it.
    pub fn can_be_indexed(self) -> bool {
        matches!(self, Self::Gzip | Self::Uncompressed)
    }

    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Uncompressed => "uncompressed",
            Self::Zstd => "zstd",
            Self::Other => "other",
            Self::NotALayer => "not-a-layer",
        }
    }
}

impl std::fmt::Display for LayerCompression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a layer of this type need not be in the registry: its descriptor's `urls` say where it is.
pub fn is_foreign_layer(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_known_by_their_type() {
        use LayerCompression::*;
        for (media_type, compression, foreign) in [
            ("application/vnd.oci.image.layer.v1.tar", Uncompressed, false),
            ("application/vnd.oci.image.layer.v1.tar+gzip", Gzip, false),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Zstd, false),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                Gzip,
                true,
            ),
            (
                "application/vnd.docker.image.rootfs.diff.tar",
                Uncompressed,
                false,
            ),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Gzip, false),
            ("application/vnd.docker.image.rootfs.diff.tar.zstd", Zstd, false),
            (
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                Gzip,
                true,
            ),
            (
                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                Other,
                false,
            ),
            ("application/vnd.oci.image.layer.v1.tar+xz", Other, false),
            ("application/vnd.oci.image.layer.v1.tarball", NotALayer, false),
            ("application/vnd.in-toto+json", NotALayer, false),
            ("application/octet-stream", NotALayer, false),
            ("", NotALayer, false),
        ] {
            assert_eq!(LayerCompression::of(media_type), compression, "{media_type}");
            assert_eq!(is_foreign_layer(media_type), foreign, "{media_type}");
            assert_eq!(
                compression.can_be_indexed(),
                matches!(compression, Gzip | Uncompressed)
            );
        }
    }
}
