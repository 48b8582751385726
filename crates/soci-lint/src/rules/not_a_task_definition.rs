//! Files that are no task definitions.

use super::{File, Sink, rule};
use super::kind_not_read_yet::is_relative;
use crate::kind::Kind;

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
    RULE = {
        code: "SOCI901",
        name: "not-a-task-definition",
        severity: Warning,
        effect: None,
        check: File(check),
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    let Some(kind) = file.other.filter(|kind| !is_relative(*kind) && *kind != Kind::Dockerrun) else {
        return;
    };
    let (message, help) = match kind {
        _ if file.is_empty() => ("the file is empty".to_owned(), NEVERTHELESS),
        Kind::Unknown => (
            "this is no task definition, and nothing else that has containers in it".to_owned(),
            NEVERTHELESS,
        ),
        Kind::Markdown => (
            "this is Markdown, not a task definition".to_owned(),
            "copy the task definition in it into a file of its own",
        ),
        kind => (
            format!("this is {}, not a task definition", kind.phrase()),
            "lint the task definition that goes with it",
        ),
    };
    sink.report_file(file.first_token(), message).help(help);
}

const NEVERTHELESS: &str = "use `--kind` if it is one nevertheless";
