//! Images that start fast anyway.

use super::shared::known::{each, mebibytes};
use super::{Sink, rule};
use crate::model::{Container, Task};

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
    RULE = {
        code: "SOCI306",
        name: "image-small-for-lazy-loading",
        severity: Info,
        effect: None,
        check: Container(check),
        consumers: super::ECS,
    }
}

/// What AWS recommends lazy loading from (the page above, 2026-08-14).
const RECOMMENDED: u64 = 250 << 20;

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let size = image.platform.totals.layer_bytes;
        if size < RECOMMENDED {
            let message = format!(
                "the image has {} compressed: lazy loading gains little below 250 MiB",
                mebibytes(size)
            );
            sink.report(image.place, message)
                .help("nothing: an image of this size starts fast by being pulled whole")
                .case(at, image.case);
        }
    });
}
