//! Job definitions of AWS Batch: a task with one container, or several in `ecsProperties`.
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_RegisterJobDefinition.html> (2026-11-28)

use std::rc::Rc;

use super::{Declared, Document, Role, Root, moved, object, opening_of};
use crate::expression::{
    Case, Dialect, Evaluator, Expr, Keys, Member, Object, Scope, Thunk, Value, field, items,
};
use crate::source::Place;

pub(super) fn declare<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, out: &mut Document<'a>) {
    let nodes: Vec<_> = match root.node.get("jobDefinitions") {
        Some(list) => list.items().collect(),
        None => vec![root.node],
    };
    for node in nodes {
        let expr = Expr::node(root.file, node, Dialect::Plain);
        for body in evaluator.eval(&Thunk::new(expr, &Scope::Plain)) {
            let opening = opening_of(evaluator, &body);
            out.declared.push(Declared {
                role: Role::Job,
                id: None,
                resource: None,
                body: job(evaluator, &body, opening),
                opening,
                ignores_containers: None,
            });
        }
    }
}

/// A job definition in the shape of a task definition.
pub(super) fn job<'a>(evaluator: &Evaluator<'a>, body: &Case<Value<'a>>, _opening: Place) -> Case<Value<'a>> {
    let value = &body.value;
    let mut members: Vec<_> = [
        moved(value, "jobDefinitionName", "family"),
        moved(value, "platformCapabilities", "requiresCompatibilities"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let first = |outer: &Value<'a>, name: &str| {
        let found = field(evaluator, outer, name)?;
        found.cases.into_iter().find(|case| !case.value.is_absent())
    };
    let common = |properties: &Value<'a>, members: &mut Vec<_>| {
        for name in ["runtimePlatform", "ephemeralStorage"] {
            members.extend(moved(properties, name, name));
        }
    };
    let tasks = first(value, "ecsProperties").and_then(|found| first(&found.value, "taskProperties"));
    if let Some(task) = tasks.and_then(|tasks| items(evaluator, &vec![tasks]).into_iter().next()) {
        common(&task.value, &mut members);
        members.extend(moved(&task.value, "platformVersion", "platformVersion"));
        members.extend(moved(&task.value, "containers", "containerDefinitions"));
        return body.with(object(members));
    }
    // Jobs of several nodes, which run on EC2 only.
    let ranges = first(value, "nodeProperties").and_then(|found| first(&found.value, "nodeRangeProperties"));
    if let Some(ranges) = ranges {
        let place = ranges.place;
        let of_range = items(evaluator, &vec![ranges]);
        let containers = of_range.iter().filter_map(|range| {
            let container = field(evaluator, &range.value, "container")?;
            let properties = container.cases.iter().find(|case| !case.value.is_absent())?;
            Some(Thunk::Ready(Rc::new(vec![named(
                properties,
                container.key_place,
            )])))
        });
        let list = Thunk::ready(Value::list(containers.collect()), place);
        members.push(("containerDefinitions", place, list));
        return body.with(object(members));
    }
    let Some(found) = field(evaluator, value, "containerProperties") else {
        return body.with(object(members));
    };
    if let Some(properties) = found.cases.iter().find(|case| !case.value.is_absent()) {
        common(&properties.value, &mut members);
        if let Some(platform) = first(&properties.value, "fargatePlatformConfiguration") {
            members.extend(moved(&platform.value, "platformVersion", "platformVersion"));
        }
        let container = Thunk::Ready(Rc::new(vec![named(properties, found.key_place)]));
        let list = Thunk::ready(Value::list(vec![container]), properties.place);
        members.push(("containerDefinitions", found.key_place, list));
    }
    body.with(object(members))
}

/// The one container of a job, which has no name of its own.
fn named<'a>(properties: &Case<Value<'a>>, place: Place) -> Case<Value<'a>> {
    let Value::Object(inner) = &properties.value else {
        return properties.clone();
    };
    let mut members = inner.members.clone();
    members.push(Member {
        key: match inner.keys {
            Keys::Pascal => "Name".into(),
            _ => "name".into(),
        },
        key_place: place,
        value: Thunk::ready(Value::text("(job)"), place),
    });
    properties.with(Value::Object(Rc::new(Object {
        members,
        keys: inner.keys,
        more: inner.more.clone(),
    })))
}
