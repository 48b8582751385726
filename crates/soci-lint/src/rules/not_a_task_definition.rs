//! Files that are no task definitions.

use super::{File, Sink, rule};
use super::kind_not_read_yet::is_relative;
use crate::kind::Kind;
use crate::terms::Severity;

rule! {
    /// The file is nothing that has task definitions in it.
    ///
    /// ## Why
    ///
    /// The linter reads ECS task definitions (JSON or YAML, as registered or as described), lists of container definitions, ECS services,
    /// CloudFormation templates, Terraform and what else [docs/lint.md](../lint.md) lists. This file is none of these by its content, or nothing in it runs containers.
    /// `--kind` says what a file is where its content does not.
    ///
    /// For a file that was named it is an error: a check of nothing must not look like a passed one. For a file that a pattern matched, or that a search found by a name that
    /// says what it is, it is a warning; other files that a search found are passed over.
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
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    if let Some(kind) = file.holds_nothing.filter(|_| file.is_named) {
        let message = format!("this is {}, and nothing in it runs containers", kind.phrase());
        sink.report_file(file.first_token(), message)
            .help("leave it out, or name the file that holds the task definition");
    }
    let Some(kind) = file
        .other
        .filter(|kind| !is_relative(*kind) && *kind != Kind::Dockerrun)
    else {
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
    let found = sink.report_file(file.first_token(), message).help(help);
    if !file.is_named {
        found.at_most(Severity::Warning);
    }
}

const NEVERTHELESS: &str = "use `--kind` if it is one nevertheless";
