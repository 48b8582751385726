//! Containers without an image.

use super::{Sink, rule};
use crate::model::{Container, ImageField, Task};

rule! {
    /// The container has no image.
    ///
    /// ## Why
    ///
    /// ECS refuses a container without an image. Some pipelines add it when they render the file, such as the action `amazon-ecs-render-task-definition`; lint
    /// what it writes.
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
    ///     { "name": "web", "essential": true }
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
    /// * <https://github.com/aws-actions/amazon-ecs-render-task-definition> (2026-11-23)
    RULE = {
        code: "SOCI911",
        name: "missing-image",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    if matches!(container.image, ImageField::Missing) {
        sink.report(container.place(), "the container has no image")
            .help("name an image, or lint the rendered file if a pipeline adds it");
    }
}
