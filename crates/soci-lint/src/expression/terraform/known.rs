//! Public modules that are known by name: what their arguments mean and what they default to.
//!
//! * `terraform-aws-modules/ecs/aws`, its `//modules/service` and `//modules/container-definition`, v7.5.0: the task definition requires
//!   FARGATE, the network mode is awsvpc, the service's launch type is FARGATE, Linux on X86_64, no
//!   platform version. <https://github.com/terraform-aws-modules/terraform-aws-ecs> (2026-11-28)
//! * `terraform-aws-modules/ecr/aws`: a private repository unless `repository_type` is `public`.
//!   <https://github.com/terraform-aws-modules/terraform-aws-ecr> (2026-11-28)
//! * `cloudposse/ecs-container-definition/aws`, 0.61: one container definition as JSON.
//!   <https://github.com/cloudposse/terraform-aws-ecs-container-definition> (2026-11-28)
//! * `cloudposse/ecs-alb-service-task/aws`, 0.79: launch type FARGATE, network mode awsvpc by default.
//!   <https://github.com/cloudposse/terraform-aws-ecs-alb-service-task> (2026-11-28)

use std::rc::Rc;

use super::super::access::repository;
use super::super::value::{Piece, Pseudo, Shaped};
use super::super::{Evaluator, Keys, Member, Object, Scope, Symbolic, Thunk, Value};
use super::{Block, Instances};

/// A module that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    /// One service.
    EcsService,
    /// A cluster and services in it.
    Ecs,
    /// One container definition, by the API's names.
    EcsContainer,
    Ecr,
    ContainerDefinition,
    ServiceTask,
}

/// The module that a `source` names, whether from the registry or from GitHub.
pub(crate) fn remote(source: &str) -> Option<Remote> {
    let source = source.split('?').next().unwrap_or(source);
    let named = |registry: &str, repository: &str| source.contains(registry) || source.contains(repository);
    if named(
        "terraform-aws-modules/ecs/aws",
        "terraform-aws-modules/terraform-aws-ecs",
    ) {
        return match source.split("//modules/").nth(1) {
            Some("service") => Some(Remote::EcsService),
            Some("container-definition") => Some(Remote::EcsContainer),
            Some(_) => None,
            None => Some(Remote::Ecs),
        };
    }
    if named(
        "terraform-aws-modules/ecr/aws",
        "terraform-aws-modules/terraform-aws-ecr",
    ) {
        return Some(Remote::Ecr);
    }
    if named(
        "cloudposse/ecs-container-definition/aws",
        "cloudposse/terraform-aws-ecs-container-definition",
    ) {
        return Some(Remote::ContainerDefinition);
    }
    if named(
        "cloudposse/ecs-alb-service-task/aws",
        "cloudposse/terraform-aws-ecs-alb-service-task",
    ) {
        return Some(Remote::ServiceTask);
    }
    None
}

/// Arguments of `cloudposse/ecs-container-definition`, and the members that they become.
const CONTAINER: [(&str, &str); 7] = [
    ("container_name", "name"),
    ("container_image", "image"),
    ("repository_credentials", "repositoryCredentials"),
    ("healthcheck", "healthCheck"),
    ("container_depends_on", "dependsOn"),
    ("start_timeout", "startTimeout"),
    ("essential", "essential"),
];

/// The outputs that are known of any of them.
pub(super) const OUTPUTS: [&str; 9] = [
    "json_map_encoded",
    "json_map_object",
    "sensitive_json_map_encoded",
    "json_map_encoded_list",
    "sensitive_json_map_encoded_list",
    "json",
    "container_definitions",
    "container_definition",
    "repository_url",
];

impl Remote {
    /// An output of the module.
    pub(super) fn output<'a>(
        self,
        call: &Block<'a>,
        made: &Instances<'a>,
        output: &str,
        evaluator: &Evaluator<'a>,
        written: &str,
    ) -> Option<Thunk<'a>> {
        let scope = &made.scope;
        match (self, output) {
            (
                Self::ContainerDefinition,
                "json_map_encoded" | "json_map_object" | "sensitive_json_map_encoded",
            ) => Some(container(call, scope)),
            (
                Self::ContainerDefinition,
                "json_map_encoded_list"
                | "sensitive_json_map_encoded_list"
                | "json"
                | "container_definitions",
            ) => Some(Thunk::ready(
                Value::list(vec![container(call, scope)]),
                call.header,
            )),
            (Self::EcsContainer, "container_definition") => Some(given(call, scope, evaluator)),
            (Self::Ecr, "repository_url" | "repository_arn") => {
                let text = |name: &str| {
                    let argument = call.body.attribute(name)?;
                    let cases = evaluator.expr(argument.value, scope);
                    cases.first().and_then(|case| case.value.to_text())
                };
                let kind = text("repository_type").and_then(|kind| kind.known());
                if kind.as_deref() == Some("public") {
                    return None;
                }
                let name = text("repository_name").unwrap_or_else(|| Symbolic::hole("${name}", "", ""));
                let pieces = repository(output == "repository_arn", &Pseudo::Region.into(), &name).pieces;
                let shaped = Shaped {
                    written: format!("${{{written}}}"),
                    pieces,
                };
                let text = Symbolic {
                    pieces: vec![Piece::Shaped(Rc::new(shaped))],
                };
                Some(Thunk::ready(Value::text(text), call.header))
            }
            _ => None,
        }
    }
}

/// The container that a call of `terraform-aws-modules/ecs//modules/container-definition` makes.
fn given<'a>(call: &Block<'a>, scope: &Scope<'a>, evaluator: &Evaluator<'a>) -> Thunk<'a> {
    Thunk::ready(evaluator.shape(call, scope), call.header)
}

/// The container that a call of `cloudposse/ecs-container-definition` makes.
fn container<'a>(call: &Block<'a>, scope: &Scope<'a>) -> Thunk<'a> {
    let members = call.body.attributes.iter().filter_map(|attribute| {
        let (_, key) = CONTAINER.iter().find(|row| row.0 == attribute.name)?;
        Some(Member {
            key: (*key).into(),
            key_place: attribute.name_place,
            value: Thunk::new(attribute.value, scope),
        })
    });
    let object = Object {
        members: members.collect(),
        keys: Keys::Camel,
        more: None,
    };
    Thunk::ready(Value::Object(Rc::new(object)), call.header)
}
