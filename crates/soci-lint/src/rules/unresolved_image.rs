//! Images that something else decides.

use super::{Sink, rule};
use crate::model::{Container, Image, Task};

rule! {
    /// Where the image lives is decided by something that is not known here.
    ///
    /// ## Why
    ///
    /// A parameter without a default, a value of another stack, or a template word decides which registry the image comes from. The help says what would
    /// answer it: most often `--param NAME=VALUE`, or linting the rendered file. A name proves nothing: `EcrImage` may hold `nginx`.
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
    ///     { "name": "web", "image": "${IMAGE}" }
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
    /// * <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html> (2026-11-23)
    RULE = {
        code: "SOCI913",
        name: "unresolved-image",
        severity: Info,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if let Image::Open { why, help } = &found.image {
            sink.report(container.place(), format!("the image is not known: {why}"))
                .help(help.clone())
                .case(at, &found.case);
        }
    }
}
