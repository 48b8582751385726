//! Images for which lazy loading does little.

use soci_image::media_type::LayerCompression;

use super::no_soci_index::each;
use super::{Check, Effect, Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image has layers compressed with zstd.
    ///
    /// ## Why
    ///
    /// A SOCI index is made of layers that are gzip-compressed or not compressed. zstd makes pulling a whole image faster (up to 27 % by a measurement of AWS), and it
    /// excludes lazy loading: choose one. An image whose layers are partly zstd can have an index for the rest; what Fargate makes of it is
    /// not documented.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", "compression": "zstd"}], "soci": null, "totals": {"layerBytes": 629145600, "lazyBytes": 0, "ztocBytes": 0, "layers": 1, "lazyLayers": 0}}], "totals": {"layerBytes": 629145600, "lazyBytes": 0, "ztocBytes": 0, "layers": 1, "lazyLayers": 0}}}, {"image": "*/web:1.4.2-soci", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://github.com/awslabs/soci-snapshotter/issues/519>, open since 2023 (2026-11-23)
    /// * <https://aws.amazon.com/blogs/containers/reducing-aws-fargate-startup-times-with-zstd-compressed-container-images/> (2022-10-13)
    ZSTD_LAYERS, "SOCI305", "zstd-layers", Warning, Unknown, Check::Container(check_zstd)
}

rule! {
    /// The image is smaller than what AWS recommends lazy loading for.
    ///
    /// ## Why
    ///
    /// AWS recommends SOCI for images above 250 MiB compressed; smaller ones are "less likely to see a reduction". A small image starts fast by being pulled whole.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 41943040, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 41943040, "lazyBytes": 41943040, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 41943040, "lazyBytes": 41943040, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}, {"image": "*/web:1.4.2-soci", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    IMAGE_TOO_SMALL, "SOCI306", "image-small-for-lazy-loading", Info, None, Check::Container(check_small)
}

rule! {
    /// Every layer is below the size from which layers are indexed.
    ///
    /// ## Why
    ///
    /// By default layers of less than 10 MiB are left out of a SOCI index. Where all layers are smaller, no index is made at all: the image is loaded whole, which
    /// for such an image is quick. A smaller `--min-layer-size` makes an index nevertheless.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000002", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000003", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000004", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000005", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000006", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000007", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000008", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000009", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000a", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000b", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000c", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000d", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000e", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000000f", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000010", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000011", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000012", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000013", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000014", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000015", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000016", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000017", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000018", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000019", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000001a", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000001b", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000001c", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000001d", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}, {"digest": "sha256:000000000000000000000000000000000000000000000000000000000000001e", "size": 9437184, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}], "soci": null, "totals": {"layerBytes": 283115520, "lazyBytes": 0, "ztocBytes": 0, "layers": 30, "lazyLayers": 0}}], "totals": {"layerBytes": 283115520, "lazyBytes": 0, "ztocBytes": 0, "layers": 30, "lazyLayers": 0}}}, {"image": "*/web:1.4.2-soci", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
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
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/soci/soci_index.go>, `defaultMinLayerSize` and `ErrEmptyIndex` (2026-08-11)
    LAYERS_BELOW_MINIMUM, "SOCI307", "every-layer-below-minimum", Warning, None, Check::Container(check_layers)
}

rule! {
    /// Less than half of the image can be loaded lazily.
    ///
    /// ## Why
    ///
    /// Only layers with a zTOC in the index are loaded lazily; the others are pulled whole before the container starts. Layers are left out for being small, or for a
    /// compression that cannot be indexed. Fewer, larger layers or a smaller `--min-layer-size` raise the share.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 314572800, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}, {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000002", "size": 524288000, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip"}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 838860800, "lazyBytes": 314572800, "ztocBytes": 0, "layers": 2, "lazyLayers": 1}}], "totals": {"layerBytes": 838860800, "lazyBytes": 314572800, "ztocBytes": 0, "layers": 2, "lazyLayers": 1}}}, {"image": "*/web:1.4.2-soci", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 629145600, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 629145600, "lazyBytes": 629145600, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
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
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md> (2026-11-23)
    LITTLE_IS_LAZY, "SOCI308", "little-is-lazy", Info, None, Check::Container(check_share)
}

/// What AWS recommends lazy loading from (the page above, 2026-08-14).
const RECOMMENDED: u64 = 250 << 20;
/// The reference tool's smallest indexed layer (`soci_index.go`, 2026-08-11).
const MIN_LAYER: u64 = 10 << 20;

fn check_zstd(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let layers = &image.platform.layers;
        let zstd = layers
            .iter()
            .filter(|layer| layer.compression == LayerCompression::Zstd)
            .count();
        if zstd == 0 {
            return;
        }
        let message = format!(
            "{zstd} of {} layers are compressed with zstd, which SOCI cannot index",
            layers.len()
        );
        let effect = match image.platform.soci {
            Some(_) => Effect::Unknown,
            None => Effect::None,
        };
        sink.report(image.place, message)
            .help("build with gzip layers (`--output type=image,compression=gzip,force-compression=true`)")
            .effect(effect)
            .case(at, &image.condition);
    });
}

fn check_small(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let size = image.platform.totals.layer_bytes;
        if size < RECOMMENDED {
            let message = format!(
                "the image has {} compressed: lazy loading gains little below 250 MiB",
                mebibytes(size)
            );
            sink.report(image.place, message)
                .help("nothing: an image of this size starts fast by being pulled whole")
                .case(at, &image.condition);
        }
    });
}

fn check_layers(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let layers = &image.platform.layers;
        let small = layers.iter().all(|layer| layer.size < MIN_LAYER);
        if small && !layers.is_empty() && image.platform.soci.is_none() {
            let largest = layers.iter().map(|layer| layer.size).max().unwrap_or(0);
            let message = format!(
                "the largest layer has {}: no index is made of layers below 10 MiB",
                mebibytes(largest)
            );
            sink.report(image.place, message)
                .help("nothing, or convert with a smaller `--min-layer-size`")
                .case(at, &image.condition);
        }
    });
}

fn check_share(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let totals = &image.platform.totals;
        if image.platform.soci.is_some() && totals.lazy_permille() < 500 {
            let message = format!(
                "{} of {} can be loaded lazily ({} of {} layers)",
                mebibytes(totals.lazy_bytes),
                mebibytes(totals.layer_bytes),
                totals.lazy_layers,
                totals.layers
            );
            sink.report(image.place, message)
                .help("convert with a smaller `--min-layer-size`, or build fewer and larger gzip layers")
                .case(at, &image.condition);
        }
    });
}

/// `12.3 MiB`, rounded down.
pub(super) fn mebibytes(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
