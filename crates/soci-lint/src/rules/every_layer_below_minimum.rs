//! Images of small layers only.

use super::shared::known::{each, is_small, mebibytes};
use super::{Sink, rule};
use crate::model::{Container, Task};

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
    RULE = {
        code: "SOCI307",
        name: "every-layer-below-minimum",
        severity: Warning,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let layers = &image.platform.layers;
        if is_small(image.platform) && image.platform.soci.is_none() {
            let largest = layers.iter().map(|layer| layer.size).max().unwrap_or(0);
            let message = format!(
                "the largest layer has {}: no index is made of layers below 10 MiB",
                mebibytes(largest)
            );
            sink.report(image.place, message)
                .help("nothing, or convert with a smaller `--min-layer-size`")
                .case(at, image.case);
        }
    });
}
