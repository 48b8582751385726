//! Indexes that a client cannot use.

use soci_image::facts::{Effect as OddityEffect, ImageFacts, Oddity, PlatformFacts};

use super::no_soci_index::each;
use super::{Check, Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image has a SOCI index that a client cannot use.
    ///
    /// ## Why
    ///
    /// Copying and converting can leave a SOCI index behind that is missing, unreadable, written in another form than the one whose digest clients check, or listed before
    /// the image it belongs to. Clients then pull the image whole, or fail to pull it. Converting the image once more mends it.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}], "soci": null, "totals": {"layerBytes": 629145600, "lazyBytes": 0, "ztocBytes": 0, "layers": 1, "lazyLayers": 0}}], "totals": {"layerBytes": 629145600, "lazyBytes": 0, "ztocBytes": 0, "layers": 1, "lazyLayers": 0}, "oddities": [{"kind": "missing-index", "image": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "named": "sha256:00000000000000000000000000000000000000000000000000000000000493e0"}]}}, {"image": "*/web:1.4.2-soci", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
    /// ```
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/soci/soci_index.go> (2026-08-11)
    /// * <https://github.com/containers/image/pull/2475>, a copy that lost the artifact type (2026-11-23)
    SOCI_INDEX_DAMAGED, "SOCI309", "soci-index-damaged", Error, NotLazy, Check::Container(check)
}

fn check(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        if let Some(oddity) = damage(image.facts, image.platform) {
            sink.report(image.place, oddity.to_string())
                .help("convert the image once more with `cargo soci convert`")
                .case(at, &image.condition);
        }
    });
}

/// What keeps a client from using the index of this platform.
pub(super) fn damage<'f>(facts: &'f ImageFacts, platform: &PlatformFacts) -> Option<&'f Oddity> {
    facts.oddities.iter().find(|oddity| {
        let severe = matches!(
            oddity.effect(),
            OddityEffect::ImageNotLazy | OddityEffect::PullFails
        );
        let own = &platform.manifest.digest;
        let about = match oddity {
            Oddity::IndexBeforeImage { image, .. }
            | Oddity::MissingIndex { image, .. }
            | Oddity::UnreadableIndex { image, .. } => image == own,
            Oddity::NonCanonicalIndex { soci_index } => platform
                .soci
                .as_ref()
                .is_some_and(|soci| soci.digest == *soci_index),
            _ => false,
        };
        severe && about
    })
}
