//! Relatives of task definitions that come later.

use super::{File, Sink, rule};
use crate::kind::Kind;
use crate::terms::Severity;

rule! {
    /// The file is of a kind that is not read yet.
    ///
    /// ## Why
    ///
    /// Jsonnet, compose files and their relatives name images too, in forms of their own. They are recognised and not judged: their
    /// containers are missing from the verdicts. Where a tool renders such a file into a task definition, lint what it renders; a deployed one can be
    /// linted from `aws ecs describe-task-definition`. A file that was named and holds nothing else is an error; one that a folder was searched for is a warning.
    ///
    /// A Copilot *Request-Driven Web Service* runs on App Runner. AWS documents lazy loading for ECS tasks on Fargate, and the documentation of App Runner does not speak of it.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// services:
    ///   web:
    ///     image: nginx:1.27
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// family: web
    /// requiresCompatibilities: [FARGATE]
    /// networkMode: awsvpc
    /// cpu: "256"
    /// memory: "512"
    /// containerDefinitions:
    ///   - name: web
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html> (2026-11-23)
    /// * <https://aws.github.io/copilot-cli/docs/manifest/rd-web-service/>, for App Runner (2026-11-28)
    RULE = {
        code: "SOCI902",
        name: "kind-not-read-yet",
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for (unread, is_alone) in &file.unread {
        let found = sink.report_file(unread.place.range, unread.message.clone()).help(unread.help);
        // Of a file that was named something has to be judged.
        if !(*is_alone && file.is_named) {
            found.at_most(Severity::Warning);
        }
    }
    let Some(kind) = file.other.filter(|kind| is_relative(*kind)) else {
        return;
    };
    let message = format!("this is {}, which is not read yet: its containers are not judged", kind.phrase());
    let found = sink.report_file(file.first_token(), message);
    found.help("lint what it renders to, or the deployed definition from `aws ecs describe-task-definition`");
    if !file.is_named {
        found.at_most(Severity::Warning);
    }
}

/// Whether a document of this kind leads to containers, by ways that are not followed.
pub(super) fn is_relative(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Jsonnet | Kind::Compose | Kind::Kubernetes | Kind::Template
    )
}
