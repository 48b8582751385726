//! The resources of a template that run containers.

use std::rc::Rc;

use super::{Declared, Document, Role, Root, batch};
use crate::Options;
use crate::expression::cloudformation::{Resource, Template};
use crate::expression::value::{Branch, ResourceId};
use crate::expression::{Case, Dialect, Evaluator, Expr, Scope, Thunk, Truth, Value, field, items};
use crate::source::Place;

pub(super) fn declare<'a>(
    evaluator: &Evaluator<'a>,
    root: &Root<'a>,
    at: usize,
    options: &Options,
    out: &mut Document<'a>,
) {
    let template = Rc::new(Template::read(root.file, at, root.node, &options.params));
    out.names = template
        .parameters
        .keys()
        .map(|name| (*name).to_owned())
        .collect();
    for resource in &template.resources {
        let Some(properties) = resource.properties else {
            continue;
        };
        if NOT_READ.contains(&resource.kind) {
            let message = format!(
                "`{}` is an {}, which is not read yet: its containers are not judged",
                resource.name, resource.kind
            );
            out.unread.push(super::Unread {
                place: resource.name_place,
                message,
                help: "lint the task definition that it becomes, from `aws ecs describe-task-definition`",
            });
            continue;
        }
        if !KINDS.contains(&resource.kind) {
            continue;
        }
        let mut scope = Scope::Template(template.clone());
        for (name, value) in &resource.bound {
            let place = resource.name_place;
            scope = scope.bind(*name, Thunk::ready(Value::text(value.as_str()), place));
        }
        let Some(when) = condition(evaluator, resource, &scope) else {
            continue;
        };
        let expr = Expr::node(root.file, properties, Dialect::Cloudformation);
        for mut body in evaluator.eval(&Thunk::new(expr, &scope)) {
            if body.under_branches(&when) {
                add(evaluator, resource, at, body, out);
            }
        }
    }
}

/// Types that run containers, or say how.
const KINDS: [&str; 10] = [
    "AWS::ECS::TaskDefinition",
    "AWS::ECS::Service",
    "AWS::ECS::TaskSet",
    "AWS::ECS::Cluster",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::Events::Rule",
    "AWS::Scheduler::Schedule",
    "AWS::Batch::JobDefinition",
    // They run images too, and refuse what a conversion makes.
    "AWS::Lambda::Function",
    "AWS::Serverless::Function",
];

const NOT_READ: [&str; 2] = [
    "AWS::ECS::ExpressGatewayService",
    "AWS::ECS::DaemonTaskDefinition",
];

/// The conditions under which a resource is made; `None` if it is not.
fn condition<'a>(
    evaluator: &Evaluator<'a>,
    resource: &Resource<'a>,
    scope: &Scope<'a>,
) -> Option<Vec<Branch>> {
    let Some(name) = resource.condition else {
        return Some(Vec::new());
    };
    let cases = evaluator.named_condition(name, scope, resource.name_place);
    match Truth::of(&cases) {
        Truth::Certain(holds) => holds.then(Vec::new),
        Truth::Default(by_default) => Some(vec![Branch::holds(name, true, Some(by_default))]),
        Truth::Open => {
            let help = cases.iter().find_map(|case| case.value.hole());
            let help = help.map_or("", |hole| &hole.help);
            Some(vec![Branch::holds(name, true, None).answered_by(help)])
        }
    }
}

fn add<'a>(
    evaluator: &Evaluator<'a>,
    resource: &Resource<'a>,
    at: usize,
    body: Case<Value<'a>>,
    out: &mut Document<'a>,
) {
    let place = resource.name_place;
    let mut push = |role: Role, body: Case<Value<'a>>| {
        out.declared.push(Declared {
            role,
            id: Some((resource.name.clone(), place)),
            resource: Some(ResourceId {
                document: at,
                address: resource.name.clone(),
            }),
            body,
            opening: place,
            ignores_containers: None,
        });
    };
    let inner = |outer: &Value<'a>, name: &str| -> Vec<Case<Value<'a>>> {
        field(evaluator, outer, name)
            .map(|found| found.cases)
            .unwrap_or_default()
    };
    match resource.kind {
        "AWS::ECS::TaskDefinition" => push(Role::Task, body),
        "AWS::ECS::Service" => push(Role::Service("service"), body),
        "AWS::ECS::TaskSet" => push(Role::Service("task set"), body),
        "AWS::ECS::Cluster" | "AWS::ECS::ClusterCapacityProviderAssociations" => push(Role::Cluster, body),
        "AWS::Batch::JobDefinition" => {
            let job = batch::job(evaluator, &body, Place::default());
            push(Role::Job, job);
        }
        "AWS::Lambda::Function" => {
            for code in inner(&body.value, "code") {
                push(Role::Function, code);
            }
        }
        "AWS::Serverless::Function" => push(Role::Function, body),
        "AWS::Events::Rule" => {
            for target in items(evaluator, &inner(&body.value, "targets")) {
                for parameters in inner(&target.value, "ecsParameters") {
                    push(Role::Service("rule"), parameters);
                }
            }
        }
        _ => {
            for target in inner(&body.value, "target") {
                for parameters in inner(&target.value, "ecsParameters") {
                    push(Role::Service("schedule"), parameters);
                }
            }
        }
    }
}
