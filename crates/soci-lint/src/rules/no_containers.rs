//! Task definitions with nothing in them.

use super::{Sink, rule};
use crate::model::Document;

rule! {
    /// The task definition has no containers.
    ///
    /// ## Why
    ///
    /// There is nothing to judge. ECS refuses such a definition.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "family": "web", "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [] }
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
        code: "SOCI915",
        name: "no-containers",
        severity: Warning,
        effect: None,
        check: Document(check),
        is_gate: true,
    }
}

fn check(document: &Document, sink: &mut Sink<'_>) {
    for (at, task) in document.tasks.iter().enumerate() {
        let wrong = document
            .wrong_types
            .iter()
            .any(|wrong| wrong.key.eq_ignore_ascii_case("containerDefinitions"));
        if task.containers.is_empty() && !wrong {
            sink.narrow(at, None);
            let message = match task.has_containers_key {
                true => "the list of containers is empty",
                false => "the task definition has no `containerDefinitions`",
            };
            sink.report(task.id_place, message)
                .help("lint the rendered file, if a template adds the containers");
        }
    }
}
