//! What a document can be.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

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
                | Self::Terraform
                | Self::TerraformPlan
                | Self::TerraformState
                | Self::Terragrunt
                | Self::Batch
                | Self::Copilot
        )
    }

    /// Whether a document of this kind can be taken for the other without a word: both have the same keys.
    pub(crate) fn is_close_to(self, other: Self) -> bool {
        let definitions = [Self::TaskDefinition, Self::DescribeOutput];
        self == other || definitions.contains(&self) && definitions.contains(&other)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        KINDS
            .iter()
            .find(|row| row.0 == self)
            .expect("every kind has a row, which a test holds")
    }
}

/// The names of the kinds that are read, for an error.
pub(crate) fn readable() -> String {
    let names: Vec<&str> = KINDS
        .iter()
        .filter(|row| row.0.is_read())
        .map(|row| row.1)
        .collect();
    names.join(", ")
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
}
