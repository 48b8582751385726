//! The tag `latest`, written or not.

use super::{Sink, rule};
use crate::model::{Container, Tag, Task};

rule! {
    /// The image has the tag `latest`, or none.
    ///
    /// ## Why
    ///
    /// A converted image has a digest of its own. Whoever pushes `latest` next, perhaps without converting, turns lazy loading off without a change in the
    /// task definition; and a tag that moves can bring a newly converted image into a running service at the next scale-out. Name the tag
    /// that your build converts, or the digest.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:latest" }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/considerations.md>, on mutable tags (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html>, version consistency (2026-11-23)
    RULE = {
        code: "SOCI401",
        name: "latest-tag",
        severity: Warning,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, located, case) in container.in_reach(task) {
        let message = match located.tag {
            Tag::Latest { written: true } => {
                "the tag `latest` moves: the next push decides whether the image is lazy"
            }
            Tag::Latest { written: false } => {
                "there is no tag, which means `latest`: the next push decides whether the image is lazy"
            }
            _ => continue,
        };
        sink.report(container.place(), message)
            .help("name the tag that your build converts, or the image's digest")
            .case(at, case);
    }
}
