//! Images without an index.

use soci_image::facts::LayerFacts;
use soci_image::media_type::LayerCompression;

use super::shared::changes::converted_tag;
use super::shared::known::{damage, each, is_small, referrers_unknown};
use super::{Sink, rule};
use crate::model::{Container, Task};
use crate::terms::Severity;

rule! {
    /// The image has no SOCI index.
    ///
    /// ## Why
    ///
    /// Fargate loads an image lazily if it finds a SOCI index for it. Nothing in the task definition turns this on: the index in the same repository is all. Make it
    /// with `cargo soci convert`, name the image it writes, and mind that the digest changes: a task definition with the digest from
    /// before the conversion never loads lazily.
    ///
    /// ## Other consumers
    ///
    /// SageMaker (`--for sagemaker`) and containerd with the SOCI snapshotter (`--for containerd`) need the index as well; SageMaker Studio takes it by the tag of the image index, which is
    /// what `cargo soci convert` writes.
    ///
    /// ## Example
    ///
    /// ```json facts:no-index
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
    /// ```json facts:no-index
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
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md> (2026-11-23)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/processing-job-soci-indexed-images.md>, for processing and training jobs (2026-11-28)
    RULE = {
        code: "SOCI302",
        name: "no-soci-index",
        severity: Error,
        effect: NotLazy,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let platforms = &image.facts.platforms;
        let any = platforms.iter().any(|platform| platform.soci.is_some());
        if any || damage(image.facts, image.platform).is_some() {
            return;
        }
        // There may be one of version 1, which is another rule's.
        if referrers_unknown(image.facts, image.platform).is_some() {
            return;
        }
        let layers = &image.platform.layers;
        let zstd = |layer: &LayerFacts| layer.compression == LayerCompression::Zstd;
        let change = converted_tag(sink.run, task, image.located, image.case);
        let found = sink.report(image.place, "the image has no SOCI index");
        if let Some(change) = change {
            found.help(change.description.clone()).fix(Some(change)).case(at, image.case);
            return;
        }
        if !layers.is_empty() && layers.iter().all(zstd) {
            found.help("build it with gzip layers, then make an index with `cargo soci convert`");
        } else if is_small(image.platform) {
            // Pulled whole it starts fast, and no index is made of it unless somebody insists.
            found
                .help("nothing: an image of small layers only starts fast by being pulled whole")
                .at_most(Severity::Info);
        } else {
            found.help("make one with `cargo soci convert` and name the image it writes");
        }
        found.case(at, image.case);
    });
}
