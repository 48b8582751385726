//! Relatives of task definitions that come later.

use super::dockerrun::DOCKERRUN;
use super::not_a_task_definition::NOT_A_TASK_DEFINITION;
use super::{Check, Rule, rule};
use crate::cfn::Template;
use crate::kind::Kind;
use crate::source::TextRange;

rule! {
    /// The file is of a kind that is not read yet.
    ///
    /// ## Why
    ///
    /// Terraform, AWS Batch, Copilot, compose files and their relatives name images too, in forms of their own. They are recognised and not judged: their
    /// containers are missing from the verdicts. Where a tool renders such a file into a task definition, lint what it renders; a deployed one can be
    /// linted from `aws ecs describe-task-definition`.
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
    KIND_NOT_READ, "SOCI902", "kind-not-read-yet", Warning, None, Check::Reader
}

/// What to say about a file that is not read, by its kind.
pub(crate) fn not_read(kind: Kind) -> (&'static Rule, String, &'static str) {
    match kind {
        Kind::Dockerrun => (
            &DOCKERRUN,
            "this is a Dockerrun file of Elastic Beanstalk: its containers run on EC2 instances and are never loaded lazily".to_owned(),
            "for lazy loading run the containers as ECS tasks on Fargate",
        ),
        Kind::Unknown => (
            &NOT_A_TASK_DEFINITION,
            "this is no task definition, and nothing else that has containers in it".to_owned(),
            "use `--kind` if it is one nevertheless",
        ),
        Kind::AppSpec | Kind::ImageDefinitions | Kind::Tasks | Kind::EcsParams => (
            &NOT_A_TASK_DEFINITION,
            format!("this is {}, not a task definition", kind.phrase()),
            "lint the task definition that goes with it",
        ),
        Kind::Markdown => (
            &NOT_A_TASK_DEFINITION,
            "this is Markdown, not a task definition".to_owned(),
            "copy the task definition in it into a file of its own",
        ),
        _ => (
            &KIND_NOT_READ,
            format!("this is {}, which is not read yet: its containers are not judged", kind.phrase()),
            "lint what it renders to, or the deployed definition from `aws ecs describe-task-definition`",
        ),
    }
}

/// What to say about what a template holds beside task definitions: the place of its name, and a message.
pub(crate) fn beside(template: &Template<'_>) -> impl Iterator<Item = (TextRange, String)> {
    let resources = template
        .order
        .iter()
        .map(|name| (*name, template.resources[name]));
    let unread = resources.filter(|(_, resource)| NOT_READ_RESOURCES.contains(&resource.kind));
    unread.map(|(name, resource)| {
        let message = format!(
            "`{name}` is an {}, which is not read yet: its containers are not judged",
            resource.kind
        );
        (resource.name_range, message)
    })
}

/// Resources that run images on Fargate and are not read.
const NOT_READ_RESOURCES: [&str; 3] = [
    "AWS::Batch::JobDefinition",
    "AWS::ECS::ExpressGatewayService",
    "AWS::ECS::DaemonTaskDefinition",
];
