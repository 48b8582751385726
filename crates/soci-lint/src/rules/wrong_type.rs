//! Values of the wrong type.

use super::{Effect, Sink, rule};
use crate::model::{Document, ImageField};

rule! {
    /// A value has a type that ECS does not take there.
    ///
    /// ## Why
    ///
    /// The value cannot be used, so what it was meant to say is missing from the verdicts. Registering the file fails in the same place.
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
    ///     { "name": "web", "image": ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2"] }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html> (2026-11-23)
    RULE = {
        code: "SOCI908",
        name: "wrong-type",
        severity: Error,
        effect: None,
        check: Document(check),
    }
}

fn check(document: &Document, sink: &mut Sink<'_>) {
    for wrong in &document.wrong_types {
        sink.report(
            wrong.place,
            format!("`{}` should be {}, not {}", wrong.key, wrong.wanted, wrong.found),
        )
        .help(format!("write {}", wrong.wanted));
    }
    for (task_at, task) in document.tasks.iter().enumerate() {
        for (at, container) in task.containers.iter().enumerate() {
            if let ImageField::WrongType(range, found) = container.image {
                sink.narrow(task_at, Some(at));
                sink.report(range, format!("`image` should be a string, not {found}"))
                    .help("write the image as a string")
                    .effect(Effect::Unknown);
            }
        }
    }
}
