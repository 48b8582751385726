//! Containers that something else decides.

use super::{Sink, rule};
use crate::model::{Container, ImageField, Task};

rule! {
    /// Something else stands in the place of a container.
    ///
    /// ## Why
    ///
    /// The list of containers, or one of them, comes from a template or an expression that is not evaluated here. Lint the rendered file, or the deployed
    /// task definition (`aws ecs describe-task-definition`).
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
    ///     "{{ sidecar }}"
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html> (2026-11-23)
    RULE = {
        code: "SOCI914",
        name: "unresolved-container",
        severity: Info,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    if let ImageField::Unresolved(hole) = &container.image {
        sink.report(container.place, format!("a container is not known: {}", hole.why))
            .help(hole.help.clone());
    }
}
