//! Tags instead of digests.

use super::{Sink, rule};
use crate::model::{Container, Tag, Task};

rule! {
    /// The image is named by a tag, not by its digest.
    ///
    /// ## Why
    ///
    /// A tag can be moved unless its repository has immutable tags, which a task definition does not show; this rule is therefore off until it is selected.
    /// A digest cannot move: use the digest of the converted image index. A digest from before the conversion never loads lazily.
    ///
    /// ## Example
    ///
    /// ```json select:SOCI402
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
    /// ```json select:SOCI402
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html> (2026-11-23)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/considerations.md> (2026-11-23)
    RULE = {
        code: "SOCI402",
        name: "tag-not-pinned",
        severity: Off,
        effect: None,
        check: Container(check),
        opt_in: true,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, located, case) in container.in_reach(task) {
        if let Tag::Named(tag) = &located.tag {
            sink.report(
                container.place(),
                format!("the tag `{tag}` can be moved to another image"),
            )
            .help("name the digest of the converted image, or make the repository's tags immutable")
            .case(at, case);
        }
    }
}
