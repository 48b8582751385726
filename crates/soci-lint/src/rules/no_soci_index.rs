//! Images without an index.

use super::shared::known::{damage, each};
use super::{Check, Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image has no SOCI index.
    ///
    /// ## Why
    ///
    /// Fargate loads an image lazily if it finds a SOCI index for it. Nothing in the task definition turns this on: the index in the same repository is all. Make it
    /// with `cargo soci convert`, name the image it writes, and mind that the digest changes: a task definition with the digest from
    /// before the conversion never loads lazily.
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
    NO_SOCI_INDEX, "SOCI302", "no-soci-index", Error, NotLazy, Check::Container(check)
}

fn check(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let any = image
            .facts
            .platforms
            .iter()
            .any(|platform| platform.soci.is_some());
        let damaged = damage(image.facts, image.platform).is_some();
        if image.platform.soci.is_none() && !any && !damaged {
            sink.report(image.place, "the image has no SOCI index")
                .help("make one with `cargo soci convert` and name the image it writes")
                .case(at, &image.condition);
        }
    });
}
