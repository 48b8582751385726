//! Module calls that are not followed: public modules that are known by name, and any other with containers
//! in its arguments.

use std::rc::Rc;

use super::{Declared, Document, Role, moved, object};
use crate::expression::terraform::{Block, Instance, Instances, Remote, remote};
use crate::expression::value::ResourceId;
use crate::expression::{Case, Evaluator, Keys, Member, Object, Thunk, Value, field};
use crate::source::Place;

/// The tasks of a module that is known by name, with its defaults; of any other the containers that are in
/// its arguments.
pub(super) fn declare<'a>(
    evaluator: &Evaluator<'a>,
    instance: &Rc<Instance<'a>>,
    call: &Block<'a>,
    made: &Instances<'a>,
    outer: &[Case<()>],
    out: &mut Document<'a>,
) {
    let known = call.source(evaluator).as_deref().and_then(remote);
    let body = evaluator.shape(call, &made.scope);
    let address = format!("{}module.{}{}", instance.prefix, call.label(0), made.suffix);
    let mut tasks = vec![(address.clone(), Case::plain(body.clone(), call.header))];
    if known == Some(Remote::Ecs) {
        tasks = services(evaluator, &address, &body);
    }
    let has_containers = || containers_of(&body).is_some();
    let runs_containers = match known {
        Some(known) => matches!(known, Remote::EcsService | Remote::Ecs | Remote::ServiceTask),
        None => has_containers(),
    };
    if !runs_containers {
        return;
    }
    for (address, mut case) in tasks {
        let off = |name: &str| {
            let found = field(evaluator, &case.value, name);
            found.is_some_and(|found| {
                found
                    .cases
                    .iter()
                    .all(|case| case.value.known().as_deref() == Some("false"))
            })
        };
        if off("create") || off("createTaskDefinition") || off("enabled") {
            continue;
        }
        case.value = task_of_module(evaluator, known, &case, call);
        let fits = outer.iter().all(|outer| case.under(outer));
        if fits {
            case.way.clear();
            let place = case.place;
            out.declared.push(Declared {
                role: if known.is_some() { Role::Module } else { Role::Call },
                id: Some((address.clone(), place)),
                resource: Some(ResourceId {
                    document: instance.document,
                    address,
                }),
                body: case,
                opening: place,
                ignores_containers: None,
            });
        }
    }
}

/// The argument that says the containers, as most modules call it.
fn containers_of<'v>(arguments: &'v Value<'_>) -> Option<&'v str> {
    let Value::Object(object) = arguments else {
        return None;
    };
    let names = object.members.iter().map(|member| &*member.key);
    let mut fitting = names.filter(|name| name.ends_with("container_definitions"));
    // The plain name counts for more.
    let first = fitting.next()?;
    Some(
        fitting
            .find(|name| *name == "container_definitions")
            .unwrap_or(first),
    )
}

/// `services = { name = { … } }` of `terraform-aws-modules/ecs/aws`.
fn services<'a>(
    evaluator: &Evaluator<'a>,
    address: &str,
    body: &Value<'a>,
) -> Vec<(String, Case<Value<'a>>)> {
    let Some(found) = field(evaluator, body, "services") else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for case in &found.cases {
        let Value::Object(object) = &case.value else {
            continue;
        };
        for member in &object.members {
            for mut service in evaluator.under(case, &member.value) {
                service.place = member.key_place;
                out.push((format!("{address}.services[\"{}\"]", member.key), service));
            }
        }
    }
    out
}

/// The arguments of a module call in the shape of a task definition.
fn task_of_module<'a>(
    evaluator: &Evaluator<'a>,
    known: Option<Remote>,
    case: &Case<Value<'a>>,
    call: &Block<'a>,
) -> Value<'a> {
    let value = &case.value;
    // The module's name stands for its defaults.
    let source = call
        .body
        .attribute("source")
        .map_or(call.header, |source| source.value.place());
    let text = |text: &str| Thunk::ready(Value::text(text), source);
    let mut members = Vec::new();
    let mut either =
        |given: Option<(&'static str, Place, Thunk<'a>)>, key: &'static str, default: Thunk<'a>| {
            let absent = given
                .as_ref()
                .is_none_or(|(_, _, thunk)| evaluator.eval(thunk).iter().all(|case| case.value.is_absent()));
            members.push(match given {
                Some(given) if !absent => given,
                _ => (key, source, default),
            });
        };
    let fargate = Thunk::ready(Value::list(vec![text("FARGATE")]), source);
    let compatibilities = match known {
        Some(Remote::ServiceTask) => {
            moved(value, "launchType", "requiresCompatibilities").map(|(key, place, inner)| {
                (
                    key,
                    place,
                    Thunk::ready(Value::list(vec![inner.clone()]), inner.place()),
                )
            })
        }
        _ => moved(value, "requiresCompatibilities", "requiresCompatibilities"),
    };
    if known.is_some() {
        either(compatibilities, "requiresCompatibilities", fargate);
        let mode = moved(value, "networkMode", "networkMode");
        either(mode, "networkMode", text("awsvpc"));
    } else {
        members.extend(compatibilities);
    }
    for (name, key) in [
        ("runtimePlatform", "runtimePlatform"),
        ("ephemeralStorage", "ephemeralStorage"),
        ("cpu", "cpu"),
        ("memory", "memory"),
        ("family", "family"),
        ("platformVersion", "platformVersion"),
    ] {
        members.extend(moved(value, name, key));
    }
    let containers = match known {
        Some(Remote::ServiceTask) => moved(value, "containerDefinitionJson", "containerDefinitions")
            .map(|(key, place, inner)| (key, place, Thunk::Decoded(Rc::new(inner)))),
        _ => containers_of(value)
            .and_then(|name| moved(value, name, "containerDefinitions"))
            .map(|(key, place, inner)| {
                let lists = evaluator
                    .eval(&inner)
                    .iter()
                    .map(|case| case.with(by_name(evaluator, &case.value)))
                    .collect();
                (key, place, Thunk::Ready(Rc::new(lists)))
            }),
    };
    members.extend(containers);
    object(members)
}

/// Containers by name as a list: keys are names unless a definition has its own.
fn by_name<'a>(evaluator: &Evaluator<'a>, value: &Value<'a>) -> Value<'a> {
    let Value::Object(map) = value else {
        return value.clone();
    };
    let mut list = Vec::new();
    for member in &map.members {
        let named = evaluator.eval(&member.value).into_iter().filter_map(|case| {
            let Value::Object(inner) = &case.value else {
                return Some(case);
            };
            let create = inner.exact("create").map(|create| evaluator.eval(&create.value));
            if create.is_some_and(|cases| {
                cases
                    .iter()
                    .all(|case| case.value.known().as_deref() == Some("false"))
            }) {
                return None;
            }
            let mut members = inner.members.clone();
            if inner.named("name").next().is_none() {
                members.push(Member {
                    key: "name".into(),
                    key_place: member.key_place,
                    value: Thunk::ready(Value::text(&*member.key), member.key_place),
                });
            }
            Some(case.with(Value::Object(Rc::new(Object {
                members,
                keys: Keys::Snake,
                more: inner.more.clone(),
            }))))
        });
        let named: Vec<_> = named.collect();
        if !named.is_empty() {
            list.push(Thunk::Ready(Rc::new(named)));
        }
    }
    if let Some(more) = &map.more {
        list.push(Thunk::ready(more.clone().into(), Place::default()));
    }
    Value::list(list)
}
