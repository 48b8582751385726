//! What a conversion did, as a value: commands print it, tests and other programs read it as JSON.

use serde::Serialize;
use soci_image::Digest;
use soci_image::skip::SkipReason;

use super::start::{LayerStart, SpanSums, StartReport};

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The images, in the order of the source.
    pub images: Vec<ImageReport>,
    /// Files to prefetch that no layer has.
    pub missing_prefetch_files: Vec<String>,
    /// The start that spans were cut for, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<StartReport>,
    /// What crossed the network, if a registry took part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficReport>,
}

/// What crossed the network and what did not have to, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficReport {
    /// What came from registries, documents included.
    pub received: u64,
    /// What went to registries, documents included.
    pub sent: u64,
    /// The layers of the image, each counted once: what a pull and a push would have moved each.
    pub layers: u64,
    /// Bytes of layers that did not have to come; 0 if the image was not in a registry.
    pub not_received: u64,
    /// Bytes of layers that did not have to go; 0 if the image did not go to a registry.
    pub not_sent: u64,
}

/// What was done with one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReport {
    /// Its names in the destination.
    pub names: Vec<String>,
    /// Digest of its manifest or index in the source.
    pub source_digest: Digest,
    /// Digest of its index in the destination.
    pub digest: Digest,
    /// Media type of that.
    pub media_type: String,
    /// Size of that in bytes.
    pub size: u64,
    /// `false` if it was converted in the same way before; what of that had been lost is in `repaired`.
    pub changed: bool,
    /// SOCI indexes and zTOCs that the image named before and the source did not have; they are there again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<Digest>,
    /// The platforms that were worked on.
    pub platforms: Vec<PlatformReport>,
}

/// What was done for one platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformReport {
    /// Its name, as in `linux/arm64`.
    pub platform: String,
    /// Digest of the image manifest in the source.
    pub source_manifest: Digest,
    /// Digest of the image manifest in the destination.
    pub manifest: Digest,
    /// Digest of its SOCI index; none if nothing could be indexed.
    pub soci_index: Option<Digest>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerReport>,
    /// Prefetch artifacts in the SOCI index.
    pub prefetch_artifacts: usize,
}

/// What was done with one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerReport {
    /// The layer.
    pub digest: Digest,
    /// Its compressed bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: LayerOutcome,
    /// What the start needs of it that spans were cut for; absent if nothing, or nothing that has a zTOC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<LayerStart>,
    /// What it repeats of the layers below, if it was put on top for that in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RepeatedLayer>,
    /// What is wrong with it, or could not be found out, although it has a zTOC or was left out for another reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
}

/// What was put on top of the image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepeatedLayer {
    /// The platform, as in `linux/arm64`.
    pub platform: String,
    /// Whether a layer of an earlier run was taken off.
    pub replaced: bool,
    /// Digest of the layer; none if there is nothing to repeat.
    pub digest: Option<Digest>,
    /// Its compressed bytes.
    pub size: u64,
    /// Bytes of its tar.
    pub unpacked_size: u64,
    /// Whether it is so small that it comes whole during the pull, without a zTOC.
    pub comes_whole: bool,
    /// Files that it repeats.
    pub files: usize,
    /// Directories that it lists because a lazy client would lose their attributes.
    pub directories: usize,
    /// Bytes of the layers below, as they are stored.
    pub image_size: u64,
    /// The spans of the layers below that the start would need without it, as far as their zTOCs were at hand.
    pub spared: SpanSums,
    /// Files of the start that stay below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_below: Vec<LeftFile>,
}

/// A file of the start that is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftFile {
    /// Its path.
    pub path: String,
    /// Why not, in words.
    pub reason: String,
}

/// Something about a layer that whoever runs the image should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// A word for it: the code of a [`SkipReason`], or `view-unknown`.
    pub code: &'static str,
    /// The same in words.
    pub message: String,
}

impl Remark {
    /// The code of a layer of which it is not known whether it looks the same.
    pub const VIEW_UNKNOWN: &str = "view-unknown";

    /// What a reason says of a layer that was indexed all the same.
    pub fn of(reason: &SkipReason) -> Self {
        Self {
            code: reason.code(),
            message: reason.to_string(),
        }
    }
}

/// What became of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LayerOutcome {
    /// It was read and has a zTOC.
    Indexed {
        /// The zTOC.
        ztoc: Digest,
        /// Bytes of the zTOC.
        ztoc_size: u64,
        /// Stretches that can be loaded by themselves.
        spans: u64,
        /// gzip members, 0 for a plain tar; readers before soci-snapshotter 0.14 take only the first one.
        members: u64,
    },
    /// It was not read: a zTOC of it was there already.
    Reused {
        /// The zTOC.
        ztoc: Digest,
        /// Bytes of the zTOC.
        ztoc_size: u64,
        /// Who made it.
        tool: String,
        /// Where it was.
        from: String,
    },
    /// It stays without a zTOC.
    Skipped {
        /// Why, as a value.
        #[serde(flatten)]
        reason: SkipReason,
        /// Why, in words.
        message: String,
    },
}

impl Report {
    /// Every layer once, whatever number of platforms have it.
    pub fn layers(&self) -> Vec<&LayerReport> {
        let mut seen = std::collections::BTreeSet::new();
        self.images
            .iter()
            .flat_map(|image| &image.platforms)
            .flat_map(|platform| &platform.layers)
            .filter(|layer| seen.insert(&layer.digest))
            .collect()
    }
}
