//! Files that are no task definitions.

use super::{Check, Effect, Sink, rule};
use crate::cfn::Template;
use crate::kind::Kind;
use crate::model::{Document, ImageField};
use crate::source::TextRange;

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

rule! {
    /// A Dockerrun file runs on EC2 instances, where nothing is loaded lazily.
    ///
    /// ## Why
    ///
    /// `Dockerrun.aws.json` is for Elastic Beanstalk. Its second version has `containerDefinitions` like a task definition, and its containers run on EC2 instances
    /// of the environment. SOCI lazy loading is a feature of Fargate.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "AWSEBDockerrunVersion": 2, "containerDefinitions": [{ "name": "web", "image": "nginx", "memory": 128 }] }
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
    /// * <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/create_deploy_docker_v2config.html> (2026-11-24)
    DOCKERRUN, "SOCI903", "dockerrun-on-ec2", Warning, None, Check::Reader
}

rule! {
    /// The file is neither JSON nor YAML.
    ///
    /// ## Why
    ///
    /// The reader stopped at this place. Where a comma is all that is missing, the rest is read and judged nevertheless; otherwise there is no verdict.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "family": "web" "containerDefinitions": [] }
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
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    /// * <https://yaml.org/spec/1.2.2/> (2026-11-24)
    SYNTAX_ERROR, "SOCI904", "syntax-error", Error, None, Check::Reader
}

rule! {
    /// The file has comments, trailing commas or the like, which JSON has not.
    ///
    /// ## Why
    ///
    /// Many tools read such files, the AWS command line does not. They are read and judged here; strip them before the file is registered.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   // The web server.
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" },
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
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    NOT_PLAIN_JSON, "SOCI905", "not-plain-json", Info, None, Check::Reader
}

rule! {
    /// The file is a template that is no JSON or YAML until it is rendered.
    ///
    /// ## Why
    ///
    /// Words such as `$PORT`, `{{ command }}` or `FAMILY` stand where a value should be. They are taken for texts, so that the rest can be judged; what they
    /// become decides more. Lint the rendered file to be certain.
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": ${cpu} }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": 128 }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    TEMPLATE_NOT_RENDERED, "SOCI906", "template-not-rendered", Warning, None, Check::Reader
}

rule! {
    /// A key is set twice in one object.
    ///
    /// ## Why
    ///
    /// JSON readers take the last of them, and so does this one; YAML readers differ, CloudFormation refuses some. One of the two values has no effect.
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
    ///     { "name": "web", "image": "nginx:1.27", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
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
    /// * <https://www.rfc-editor.org/rfc/rfc8259#section-4> (2026-11-24)
    DUPLICATE_KEY, "SOCI907", "duplicate-key", Warning, None, Check::Reader
}

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
    WRONG_TYPE, "SOCI908", "wrong-type", Error, None, Check::Document(check_types)
}

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
    NO_CONTAINERS, "SOCI915", "no-containers", Warning, None, Check::Document(check_containers)
}

rule! {
    /// A comment of the linter cannot be understood.
    ///
    /// ## Why
    ///
    /// Findings are silenced with `soci-lint: allow CODE` behind the value or on the line above it, and with `soci-lint: allow-file CODE` for the whole file. A code or
    /// name that no rule has silences nothing.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// family: web # soci-lint: allow SOCI999
    /// requiresCompatibilities: [FARGATE]
    /// networkMode: awsvpc
    /// cpu: "256"
    /// memory: "512"
    /// containerDefinitions:
    ///   - name: web
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
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
    ///     # soci-lint: allow latest-tag -- a test environment
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:latest
    /// ```
    ///
    /// ## References
    ///
    /// * [docs/lint.md](../lint.md)
    ODD_SUPPRESSION, "SOCI916", "odd-suppression", Warning, None, Check::Reader
}

rule! {
    /// The file is not UTF-8, or too large.
    ///
    /// ## Why
    ///
    /// JSON and YAML are read as UTF-8, with or without a byte order mark. Files of more than 64 MiB are not read: CloudFormation takes 1 MB at most, the ECS API 64 KiB.
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259#section-8.1> (2026-11-24)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>, task definition size (2026-11-24)
    UNREADABLE, "SOCI917", "unreadable-file", Error, None, Check::Reader
}

rule! {
    /// A parameter was given that no file asks for.
    ///
    /// ## Why
    ///
    /// The name in `--param` is neither a parameter of a template nor a template word in any of the files. It may be misspelt.
    ///
    /// ## Example
    ///
    /// ```json param:ImageUri:nginx
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
    /// * [docs/lint.md](../lint.md)
    UNUSED_PARAMETER, "SOCI918", "unused-parameter", Warning, None, Check::Reader
}

fn check_types(document: &Document<'_>, sink: &mut Sink<'_, '_>) {
    for wrong in &document.wrong_types {
        sink.report(
            wrong.range,
            format!("`{}` should be {}, not {}", wrong.key, wrong.wanted, wrong.found),
        )
        .help(format!("write {}", wrong.wanted));
    }
    for (task_at, task) in document.tasks.iter().enumerate() {
        for (at, container) in task.containers.iter().enumerate() {
            if let ImageField::WrongType(range, found) = container.image {
                (sink.task, sink.container) = (Some(task_at), Some(at));
                sink.report(range, format!("`image` should be a string, not {found}"))
                    .help("write the image as a string")
                    .effect(Effect::Unknown);
            }
        }
    }
}

fn check_containers(document: &Document<'_>, sink: &mut Sink<'_, '_>) {
    for (at, task) in document.tasks.iter().enumerate() {
        let wrong = document
            .wrong_types
            .iter()
            .any(|wrong| wrong.key.eq_ignore_ascii_case("containerDefinitions"));
        if task.containers.is_empty() && !wrong {
            sink.task = Some(at);
            let message = match task.has_containers_key {
                true => "the list of containers is empty",
                false => "the task definition has no `containerDefinitions`",
            };
            sink.report(task.id_range, message)
                .help("lint the rendered file, if a template adds the containers");
        }
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

/// What to say about a file that is not read, by its kind.
pub(crate) fn not_read(kind: Kind) -> (&'static super::Rule, String, &'static str) {
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
