//! What a document is, found by its content.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::source::Node;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What `RegisterTaskDefinition` takes, as JSON or YAML, wrapped in `taskDefinition` or not.
    TaskDefinition,
    /// What `describe-task-definition` prints, wrapped or not.
    DescribeOutput,
    /// A list of container definitions, or one.
    ContainerDefinitions,
    /// What `CreateService` takes: platform version, launch type, no containers.
    Service,
    /// A CloudFormation template, SAM and CDK included.
    Cloudformation,
    /// Terraform configuration.
    Terraform,
    /// `terraform show -json`.
    TerraformPlan,
    /// Terraform state.
    TerraformState,
    /// Terragrunt configuration.
    Terragrunt,
    /// Jsonnet source.
    Jsonnet,
    /// An AWS Batch job definition.
    Batch,
    /// A Copilot manifest.
    Copilot,
    /// A compose file.
    Compose,
    /// `ecs-params.yml` of the ECS CLI.
    EcsParams,
    /// A Kubernetes resource.
    Kubernetes,
    /// `Dockerrun.aws.json` of Elastic Beanstalk.
    Dockerrun,
    /// A CodeDeploy AppSpec file.
    AppSpec,
    /// `imagedefinitions.json` of CodePipeline.
    ImageDefinitions,
    /// What `describe-tasks` prints: tasks that ran, not their definition.
    Tasks,
    /// Markdown.
    Markdown,
    /// A template that is neither JSON nor YAML until it is rendered.
    Template,
    /// None of these.
    Unknown,
}

/// Kinds, their names, and what to call them in a sentence.
const KINDS: [(Kind, &str, &str); 22] = [
    (Kind::TaskDefinition, "task-definition", "a task definition"),
    (
        Kind::DescribeOutput,
        "describe-output",
        "output of describe-task-definition",
    ),
    (
        Kind::ContainerDefinitions,
        "container-definitions",
        "container definitions",
    ),
    (Kind::Service, "service", "an ECS service"),
    (
        Kind::Cloudformation,
        "cloudformation",
        "a CloudFormation template",
    ),
    (Kind::Terraform, "terraform", "Terraform configuration"),
    (Kind::TerraformPlan, "terraform-plan", "a Terraform plan"),
    (Kind::TerraformState, "terraform-state", "Terraform state"),
    (Kind::Terragrunt, "terragrunt", "Terragrunt configuration"),
    (Kind::Jsonnet, "jsonnet", "Jsonnet"),
    (Kind::Batch, "batch", "an AWS Batch job definition"),
    (Kind::Copilot, "copilot", "a Copilot manifest"),
    (Kind::Compose, "compose", "a compose file"),
    (Kind::EcsParams, "ecs-params", "a parameter file of the ECS CLI"),
    (Kind::Kubernetes, "kubernetes", "a Kubernetes resource"),
    (
        Kind::Dockerrun,
        "dockerrun",
        "a Dockerrun file of Elastic Beanstalk",
    ),
    (Kind::AppSpec, "app-spec", "a CodeDeploy AppSpec file"),
    (
        Kind::ImageDefinitions,
        "image-definitions",
        "a list of image definitions of CodePipeline",
    ),
    (Kind::Tasks, "tasks", "a description of tasks that ran"),
    (Kind::Markdown, "markdown", "Markdown"),
    (Kind::Template, "template", "a template"),
    (Kind::Unknown, "unknown", "something else"),
];

impl Kind {
    /// The name in options and reports.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// With an article, for sentences.
    pub fn phrase(self) -> &'static str {
        self.row().2
    }

    /// Whether the linter reads it.
    pub fn is_read(self) -> bool {
        matches!(
            self,
            Self::TaskDefinition
                | Self::DescribeOutput
                | Self::ContainerDefinitions
                | Self::Service
                | Self::Cloudformation
        )
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        KINDS
            .iter()
            .find(|row| row.0 == self)
            .expect("every kind has a row, which a test holds")
    }
}

impl FromStr for Kind {
    type Err = Error;

    /// Takes the kinds that are read.
    fn from_str(text: &str) -> Result<Self, Error> {
        KINDS
            .iter()
            .find(|row| row.1 == text && row.0.is_read())
            .map(|row| row.0)
            .ok_or_else(|| Error::Kind {
                kind: text.to_owned(),
            })
    }
}

/// Whether the text can be JSON or YAML at all; otherwise [`of_text`] says what it is.
pub(crate) fn may_be_data(text: &str) -> bool {
    of_text(text).is_none()
}

/// Kinds that are neither JSON nor YAML, by their first lines.
pub(crate) fn of_text(text: &str) -> Option<Kind> {
    let mut lines = text.lines().map(str::trim_end).filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
    });
    let mut seen = 0;
    let mut terragrunt = false;
    let first = lines.next()?;
    if is_markdown(text) {
        return Some(Kind::Markdown);
    }
    for line in std::iter::once(first).chain(lines) {
        seen += 1;
        if seen > 400 {
            break;
        }
        if is_block(line, &["include", "dependency"]) {
            terragrunt = true;
        }
        if is_block(
            line,
            &[
                "resource",
                "data",
                "module",
                "variable",
                "output",
                "provider",
                "locals",
                "terraform",
            ],
        ) {
            return Some(match terragrunt || text.contains("\ninputs = {") {
                true => Kind::Terragrunt,
                false => Kind::Terraform,
            });
        }
        if line.starts_with("local ") && line.contains('=') || line.contains("std.extVar(") {
            return Some(Kind::Jsonnet);
        }
    }
    terragrunt.then_some(Kind::Terragrunt)
}

/// `resource "a" "b" {` and `locals {` at the beginning of a line.
fn is_block(line: &str, words: &[&str]) -> bool {
    let Some(word) = words.iter().find_map(|word| line.strip_prefix(word)) else {
        return false;
    };
    let rest = word.trim_start();
    rest.starts_with('{') && line.contains(' ') || rest.starts_with('"') && line.contains('{')
}

/// A heading on the first line and a fence somewhere: YAML comments have no fences.
fn is_markdown(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or("");
    (first.starts_with("# ") || first.starts_with("## ")) && text.contains("\n```")
}

/// What a document is, by the keys of its root.
pub(crate) fn of_root(root: Node<'_>) -> Kind {
    if root.is_sequence() {
        return of_list(root);
    }
    let has = |key: &str| root.member(key).is_some();
    let mapping = |key: &str| root.get(key).is_some_and(Node::is_mapping);
    if has("AWSEBDockerrunVersion") {
        return Kind::Dockerrun;
    }
    if let Some(wrapped) = wrapped_task(root) {
        return match is_described(wrapped) {
            true => Kind::DescribeOutput,
            false => Kind::TaskDefinition,
        };
    }
    if has("containerDefinitions") {
        return match is_described(root) {
            true => Kind::DescribeOutput,
            false => Kind::TaskDefinition,
        };
    }
    if let Some(resources) = root.get("Resources") {
        if resources.is_mapping() {
            return Kind::Cloudformation;
        }
        if has("version") {
            return Kind::AppSpec;
        }
    }
    if has("AWSTemplateFormatVersion") {
        return Kind::Cloudformation;
    }
    if has("apiVersion") && has("kind") {
        return Kind::Kubernetes;
    }
    if has("planned_values") || has("resource_changes") {
        return Kind::TerraformPlan;
    }
    if has("terraform_version") {
        return Kind::TerraformState;
    }
    if mapping("resource") && (mapping("terraform") || mapping("provider") || aws_resources(root)) {
        return Kind::Terraform;
    }
    if has("task_definition") && has("version") || has("run_params") {
        return Kind::EcsParams;
    }
    if has("jobDefinitionName") || has("platformCapabilities") && has("containerProperties") {
        return Kind::Batch;
    }
    if is_copilot(root) {
        return Kind::Copilot;
    }
    if has("tasks") || has("taskArn") || has("taskDefinitionArn") && has("containers") {
        return Kind::Tasks;
    }
    if mapping("services") {
        return Kind::Compose;
    }
    if is_service(root) {
        return Kind::Service;
    }
    if is_container(root) {
        return Kind::ContainerDefinitions;
    }
    if has("family") && (has("requiresCompatibilities") || has("networkMode") || has("cpu")) {
        return Kind::TaskDefinition;
    }
    Kind::Unknown
}

/// The task definition under `taskDefinition`, also where a recorder wrapped the whole answer in `data` or the like.
pub(crate) fn wrapped_task(root: Node<'_>) -> Option<Node<'_>> {
    let direct = |node: Node<'_>| {
        let task = node.get("taskDefinition")?;
        task.member("containerDefinitions").is_some().then_some(())
    };
    if direct(root).is_some() {
        return root.get("taskDefinition");
    }
    ["data", "body", "response", "output"]
        .iter()
        .filter_map(|key| root.get(key))
        .find(|inner| direct(*inner).is_some())
        .and_then(|inner| inner.get("taskDefinition"))
}

/// Whether ECS wrote it: registering takes none of these keys.
fn is_described(task: Node<'_>) -> bool {
    [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "registeredAt",
    ]
    .iter()
    .any(|key| task.member(key).is_some())
}

fn of_list(root: Node<'_>) -> Kind {
    let Some(first) = root.items().find(|item| item.is_mapping()) else {
        return Kind::Unknown;
    };
    if first.member("imageUri").is_some() {
        return Kind::ImageDefinitions;
    }
    let container = is_container(first) || first.member("name").is_some() && first.member("image").is_some();
    match container {
        true => Kind::ContainerDefinitions,
        false => Kind::Unknown,
    }
}

/// A container definition: an image, and at least one key that only container definitions have.
fn is_container(node: Node<'_>) -> bool {
    let marks = [
        "essential",
        "portMappings",
        "mountPoints",
        "logConfiguration",
        "memoryReservation",
        "dependsOn",
        "entryPoint",
        "volumesFrom",
        "repositoryCredentials",
    ];
    (node.member("image").is_some() || node.member("name").is_some())
        && marks.iter().any(|key| node.member(key).is_some())
}

fn is_service(root: Node<'_>) -> bool {
    let marks = [
        "serviceName",
        "launchType",
        "capacityProviderStrategy",
        "deploymentConfiguration",
        "desiredCount",
        "healthCheckGracePeriodSeconds",
        "platformVersion",
        "networkConfiguration",
        "schedulingStrategy",
    ];
    let found = marks.iter().filter(|key| root.member(key).is_some()).count();
    found >= 2 || found == 1 && root.member("taskDefinition").is_some()
}

/// Types of <https://aws.github.io/copilot-cli/docs/manifest/overview/> (2026-11-24).
fn is_copilot(root: Node<'_>) -> bool {
    let types = [
        "Load Balanced Web Service",
        "Backend Service",
        "Request-Driven Web Service",
        "Worker Service",
        "Static Site",
        "Scheduled Job",
        "Environment",
    ];
    let written = root.get("type").and_then(Node::as_str);
    root.member("name").is_some() && written.is_some_and(|written| types.contains(&written))
}

fn aws_resources(root: Node<'_>) -> bool {
    let resources = root.get("resource");
    resources.is_some_and(|node| node.members().any(|member| member.key.starts_with("aws_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_row() {
        for (at, row) in KINDS.iter().enumerate() {
            assert_eq!(KINDS.iter().position(|other| other.0 == row.0), Some(at));
            let json = serde_json::to_string(&row.0).unwrap();
            assert_eq!(json, format!("\"{}\"", row.1));
        }
    }

    #[test]
    fn text_that_is_no_data_is_named() {
        assert_eq!(of_text("resource \"aws_x\" \"y\" {\n}\n"), Some(Kind::Terraform));
        assert_eq!(of_text("locals {\n a = 1\n}\n"), Some(Kind::Terraform));
        assert_eq!(
            of_text("include \"root\" {\n}\ninputs = {\n}"),
            Some(Kind::Terragrunt)
        );
        assert_eq!(of_text("local a = 1;\n{}"), Some(Kind::Jsonnet));
        assert_eq!(of_text("# Title\n\n```json\n{}\n```\n"), Some(Kind::Markdown));
        assert_eq!(of_text("Resources:\n  locals: {}\n"), None);
        assert_eq!(of_text("{\"module\": 1}"), None);
    }
}
