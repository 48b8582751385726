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
    /// ```json facts:zstd
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
    /// ```json facts:zstd
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
    /// ```json facts:small
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
    /// ```json facts:small
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
    /// ```json facts:small-layers
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
    /// ```json facts:small-layers
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
    /// ```json facts:little-lazy
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
    /// ```json facts:little-lazy
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
