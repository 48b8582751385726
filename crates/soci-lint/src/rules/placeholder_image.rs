//! Words in the place of images.

use super::{Sink, rule};
use crate::model::{Container, Image, Task};

rule! {
    /// A word stands in the place of the image.
    ///
    /// ## Why
    ///
    /// `IMAGE_PLACEHOLDER` or `REPOSITORY_URI:IMAGE_TAG` is replaced by a script before the file is used. Where the image lives is known only then: lint
    /// the rendered file.
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
    ///     { "name": "web", "image": "IMAGE_PLACEHOLDER" }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>, what an image is (2026-11-23)
    RULE = {
        code: "SOCI912",
        name: "placeholder-image",
        severity: Info,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if let Image::Placeholder { why } = &found.image {
            sink.report(container.place(), why.clone())
                .help("lint the rendered file")
                .case(at, &found.case);
        }
    }
}
