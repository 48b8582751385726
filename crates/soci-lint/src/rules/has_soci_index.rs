//! Images that are loaded lazily.

use super::shared::known::{each, is_taken, mebibytes};
use super::{Sink, rule};
use crate::model::{Container, Task};
use crate::terms::Consumer;

rule! {
    /// The image has a SOCI index v2 for the platform that runs.
    ///
    /// ## Why
    ///
    /// This is the reason behind the verdict `lazy`. It is not listed among the findings unless it is selected. Whether Fargate did load a task lazily shows the task
    /// metadata endpoint: `Snapshotter: soci`.
    ///
    /// ## Other consumers
    ///
    /// For other consumers the index is not all: SageMaker Studio wants the tag of the image index in `BaseImage`, and containerd loads lazily where the SOCI snapshotter pulls, with
    /// snapshot annotations on, on a node that had it from its launch. The task definition shows none of that.
    ///
    /// ## Example
    ///
    /// ```json facts:lazy select:SOCI310
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html> (2026-11-23)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/getting-started.md>, for containerd (2026-11-28)
    RULE = {
        code: "SOCI310",
        name: "has-soci-index",
        severity: Off,
        effect: Lazy,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let totals = &image.platform.totals;
        if is_taken(image.facts, image.platform) {
            let pulled = match task.consumer {
                Consumer::Containerd => " where the SOCI snapshotter pulls",
                Consumer::Fargate | Consumer::SageMaker => "",
            };
            let message = format!(
                "loaded lazily{pulled}: SOCI index v2 with {} of {} layers, {}.{} % of {}",
                totals.lazy_layers,
                totals.layers,
                totals.lazy_permille() / 10,
                totals.lazy_permille() % 10,
                mebibytes(totals.layer_bytes)
            );
            sink.report(image.place, message).case(at, image.case);
        }
    });
}
