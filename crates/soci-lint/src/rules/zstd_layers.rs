//! Layers in zstd.

use soci_image::media_type::LayerCompression;

use super::shared::known::each;
use super::{Effect, Sink, rule};
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
    RULE = {
        code: "SOCI305",
        name: "zstd-layers",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
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
            .case(at, image.case);
    });
}
