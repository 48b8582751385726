//! Containers whose image is the empty text.

use super::{Sink, rule};
use crate::model::{Container, Image, Task};

rule! {
    /// The image is the empty text.
    ///
    /// ## Why
    ///
    /// ECS refuses a container without an image. Files that a pipeline fills in often hold an empty text there until they are rendered.
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
    ///     { "name": "web", "image": "" }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html> (2026-11-23)
    RULE = {
        code: "SOCI910",
        name: "empty-image",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if found.image == Image::Empty {
            sink.report(container.place(), "the image is empty")
                .help("name an image, or lint the rendered file")
                .case(at, &found.case);
        }
    }
}
