//! Files that are no task definitions.

use super::{Check, rule};

rule! {
    /// The file is nothing that has task definitions in it.
    ///
    /// ## Why
    ///
    /// The linter reads ECS task definitions (JSON or YAML, as registered or as described), lists of container definitions, ECS services, and
    /// CloudFormation templates. This file is none of these by its content. `--kind` says what a file is where its content does not.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "name": "web", "version": "1.4.2" }
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
    NOT_A_TASK_DEFINITION, "SOCI901", "not-a-task-definition", Warning, None, Check::Reader
}
