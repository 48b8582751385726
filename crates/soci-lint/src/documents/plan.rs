//! What Terraform itself prints: `terraform show -json` and state files.
//! <https://developer.hashicorp.com/terraform/internals/json-format> (2026-11-28)

use std::rc::Rc;

use super::terraform::{add, is_wanted};
use super::{Document, Root};
use crate::expression::value::Hole;
use crate::expression::{Dialect, Evaluator, Expr, Keys, Member, Object, Scope, Thunk, Value};
use crate::kind::Kind;
use crate::source::{Node, Place};
use crate::table::Table;

pub(super) fn declare<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, at: usize, out: &mut Document<'a>) {
    if root.kind == Kind::TerraformState && root.node.get("resources").is_some() {
        return state(evaluator, root, at, out);
    }
    if root.kind == Kind::TerraformState && root.node.get("modules").is_some() {
        return old_state(evaluator, root, at, out);
    }
    let changes = changes(root.node);
    let module = root
        .node
        .get("planned_values")
        .or_else(|| root.node.get("values"))
        .and_then(|values| values.get("root_module"));
    if let Some(module) = module {
        walk(evaluator, root, at, module, &changes, 0, out);
    }
}

/// What is unknown until the plan is applied, by address.
fn changes(root: Node<'_>) -> Table<&str, Node<'_>> {
    let list = root.get("resource_changes").into_iter().flat_map(Node::items);
    let mut changes = Table::default();
    changes.extend(list.filter_map(|change| {
        let address = change.get("address")?.as_str()?;
        Some((address, change.get("change")?.get("after_unknown")?))
    }));
    changes
}

/// Modules nest at most this deep.
const MAX_DEPTH: usize = 16;

fn walk<'a>(
    evaluator: &Evaluator<'a>,
    root: &Root<'a>,
    at: usize,
    module: Node<'a>,
    changes: &Table<&str, Node<'a>>,
    depth: usize,
    out: &mut Document<'a>,
) {
    for resource in module.get("resources").into_iter().flat_map(Node::items) {
        let word = |key: &str| resource.get(key).and_then(Node::as_str).unwrap_or("");
        let (kind, address) = (word("type"), word("address"));
        if word("mode") == "data" || !is_wanted(kind) {
            continue;
        }
        let Some(member) = resource.member("address") else {
            continue;
        };
        if let Some(values) = resource.get("values") {
            let unknown = changes.get(address).copied();
            let place = Place::new(root.file, member.value.range());
            let body = values_of(root.file, values, unknown, references(root.node, address));
            add(evaluator, kind, address, at, place, body, out);
        }
    }
    if depth < MAX_DEPTH {
        for child in module.get("child_modules").into_iter().flat_map(Node::items) {
            walk(evaluator, root, at, child, changes, depth + 1, out);
        }
    }
}

/// A state of version 4: resources with instances.
fn state<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, at: usize, out: &mut Document<'a>) {
    for resource in root.node.get("resources").into_iter().flat_map(Node::items) {
        let word = |key: &str| resource.get(key).and_then(Node::as_str).unwrap_or("");
        let kind = word("type");
        let Some(name) = resource
            .member("name")
            .filter(|_| is_wanted(kind) && word("mode") != "data")
        else {
            continue;
        };
        let module = match word("module") {
            "" => String::new(),
            module => format!("{module}."),
        };
        let place = Place::new(root.file, name.value.range());
        for instance in resource.get("instances").into_iter().flat_map(Node::items) {
            let index = match instance.get("index_key") {
                Some(key) => format!("[{}]", key.written()),
                None => String::new(),
            };
            let address = format!("{module}{kind}.{}{index}", word("name"));
            if let Some(attributes) = instance.get("attributes") {
                let body = values_of(root.file, attributes, None, Vec::new());
                add(evaluator, kind, &address, at, place, body, out);
            }
        }
    }
}

/// A state of version 3: attributes are flat, a list is `name.#` and `name.NUMBER`.
fn old_state<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, at: usize, out: &mut Document<'a>) {
    for module in root.node.get("modules").into_iter().flat_map(Node::items) {
        for resource in module.get("resources").into_iter().flat_map(Node::members) {
            let kind = resource.value.get("type").and_then(Node::as_str).unwrap_or("");
            let attributes = resource
                .value
                .get("primary")
                .and_then(|primary| primary.get("attributes"));
            let Some(attributes) = attributes.filter(|_| is_wanted(kind)) else {
                continue;
            };
            let place = Place::new(root.file, resource.key_range);
            let Value::Object(flat) = values_of(root.file, attributes, None, Vec::new()) else {
                continue;
            };
            let mut members: Vec<Member<'a>> = Vec::new();
            for member in &flat.members {
                match member.key.split_once('.') {
                    None => members.push(member.clone()),
                    Some((_, "#")) => {}
                    // A list whose items are no objects: of words, such as launch types.
                    Some((name, rest)) if !rest.contains('.') => {
                        let known = members.iter_mut().find(|known| &*known.key == name);
                        match known.map(|known| &mut known.value) {
                            Some(Thunk::Ready(cases)) => {
                                let cases = Rc::make_mut(cases);
                                if let Some(Value::List(items)) =
                                    cases.first_mut().map(|case| &mut case.value)
                                {
                                    Rc::make_mut(items).push(member.value.clone());
                                }
                            }
                            Some(_) => {}
                            None => members.push(Member {
                                key: name.into(),
                                key_place: member.key_place,
                                value: Thunk::ready(
                                    Value::list(vec![member.value.clone()]),
                                    member.key_place,
                                ),
                            }),
                        }
                    }
                    Some(_) => {}
                }
            }
            let body = Value::Object(Rc::new(Object {
                members,
                keys: Keys::Snake,
                more: None,
            }));
            add(evaluator, kind, resource.key, at, place, body, out);
        }
    }
}

/// The names that the configuration of a resource takes its containers from.
fn references<'a>(root: Node<'a>, address: &str) -> Vec<&'a str> {
    let bare = address.split('[').next().unwrap_or(address);
    let mut module = root
        .get("configuration")
        .and_then(|found| found.get("root_module"));
    let mut rest = bare;
    while let Some(inner) = rest.strip_prefix("module.") {
        let (name, tail) = inner.split_once('.').unwrap_or((inner, ""));
        module = module
            .and_then(|module| module.get("module_calls")?.get(name))
            .and_then(|call| call.get("module"));
        rest = tail;
    }
    let resources = module.and_then(|module| module.get("resources"));
    let found = resources
        .into_iter()
        .flat_map(Node::items)
        .find(|resource| resource.get("address").and_then(Node::as_str) == Some(rest));
    let names = found
        .and_then(|resource| {
            resource
                .get("expressions")?
                .get("container_definitions")?
                .get("references")
        })
        .into_iter()
        .flat_map(Node::items);
    names.filter_map(Node::as_str).take(4).collect()
}

/// The values of a resource, with holes where they are known only after the plan is applied.
fn values_of<'a>(
    file: usize,
    values: Node<'a>,
    unknown: Option<Node<'a>>,
    references: Vec<&'a str>,
) -> Value<'a> {
    let mut members: Vec<Member<'a>> = Vec::new();
    for member in values.members() {
        let mut value = Thunk::new(Expr::node(file, member.value, Dialect::Literal), &Scope::Plain);
        match member.key {
            "container_definitions" | "container_properties" | "ecs_properties" => {
                value = Thunk::Decoded(Rc::new(value));
            }
            "runtime_platform" | "ephemeral_storage" | "ecs_target" | "target" | "ecs_parameters" => {
                value = Thunk::Only(Rc::new(value));
            }
            _ => {}
        }
        members.push(Member {
            key: member.key.into(),
            key_place: Place::new(file, member.key_range),
            value,
        });
    }
    for member in unknown.into_iter().flat_map(Node::members) {
        // Only a whole value that is unknown is `true`; parts of it are objects.
        if member.value.scalar() != Some("true") || values.get_set(member.key).is_some() {
            continue;
        }
        let named = match references.as_slice() {
            [] => String::new(),
            names => format!(" (it comes from {})", names.join(", ")),
        };
        let why = format!("`{}` is known after the plan is applied{named}", member.key);
        let hole = Hole::new(
            "(known after apply)",
            why,
            "lint the configuration, or the state after it is applied",
        );
        let place = Place::new(file, member.key_range);
        members.push(Member {
            key: member.key.into(),
            key_place: place,
            value: Thunk::ready(hole.into(), place),
        });
    }
    Value::Object(Rc::new(Object {
        members,
        keys: Keys::Snake,
        more: None,
    }))
}
