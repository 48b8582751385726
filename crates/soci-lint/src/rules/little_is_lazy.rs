//! Images of which little is lazy.

use soci_image::facts::SociFacts;

use super::shared::known::{each, mebibytes};
use super::{Sink, rule};
use crate::model::{Container, Task};

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
    RULE = {
        code: "SOCI308",
        name: "little-is-lazy",
        severity: Info,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let totals = &image.platform.totals;
        // What keeps a client from the whole index has rules of its own.
        let is_taken = image.platform.soci.as_ref().is_some_and(SociFacts::is_taken);
        if is_taken && totals.lazy_permille() < 500 {
            let message = format!(
                "{} of {} can be loaded lazily ({} of {} layers)",
                mebibytes(totals.lazy_bytes),
                mebibytes(totals.layer_bytes),
                totals.lazy_layers,
                totals.layers
            );
            sink.report(image.place, message)
                .help("convert with a smaller `--min-layer-size`, or build fewer and larger gzip layers")
                .case(at, image.case);
        }
    });
}
