//! What Terraform itself prints: `terraform show -json` and state files.
//! <https://developer.hashicorp.com/terraform/internals/json-format> (2026-11-28)

use std::rc::Rc;

use super::terraform::{add, is_wanted};
use super::{Document, Root};
use crate::expression::value::{Hole, ResourceId};
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
    hide_changes(evaluator, root);
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

/// The same values stand in the changes once more, before and after.
fn hide_changes(evaluator: &Evaluator<'_>, root: &Root<'_>) {
    let changes = root
        .node
        .get("resource_changes")
        .into_iter()
        .flat_map(Node::items);
    for change in changes.filter_map(|change| change.get("change")) {
        for (values, marks) in [("before", "before_sensitive"), ("after", "after_sensitive")] {
            let marks = change.get(marks).into_iter().flat_map(Node::members);
            for mark in marks.filter(|mark| mark.value.scalar() == Some("true")) {
                if let Some(value) = change.get(values).and_then(|values| values.get(mark.key)) {
                    evaluator.hide(Place::new(root.file, value.range()));
                }
            }
        }
    }
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
            let hidden = resource
                .get("sensitive_values")
                .into_iter()
                .flat_map(Node::members);
            let open = Open {
                unknown,
                sensitive: hidden
                    .filter(|member| member.value.scalar() == Some("true"))
                    .map(|member| member.key)
                    .collect(),
                configured: Some(Configured {
                    root: root.node,
                    address,
                    document: at,
                }),
            };
            let body = values_of(evaluator, root.file, values, &open);
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
                let paths = instance
                    .get("sensitive_attributes")
                    .into_iter()
                    .flat_map(Node::items);
                let open = Open {
                    sensitive: paths.filter_map(attribute_of_path).collect(),
                    ..Open::default()
                };
                let body = values_of(evaluator, root.file, attributes, &open);
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
            let Value::Object(flat) = values_of(evaluator, root.file, attributes, &Open::default()) else {
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

/// The attribute that a path of `sensitive_attributes` begins with.
fn attribute_of_path(path: Node<'_>) -> Option<&str> {
    let step = if path.is_sequence() {
        path.items().next()?
    } else {
        path
    };
    step.get("value").and_then(Node::as_str)
}

/// What of a resource is not known, and why.
#[derive(Default)]
struct Open<'a> {
    /// `after_unknown` of the plan.
    unknown: Option<Node<'a>>,
    /// Attributes that are not to be shown.
    sensitive: Vec<&'a str>,
    configured: Option<Configured<'a>>,
}

/// A resource in the configuration that a plan comes with.
#[derive(Clone, Copy)]
struct Configured<'a> {
    root: Node<'a>,
    address: &'a str,
    document: usize,
}

impl<'a> Configured<'a> {
    /// The names of the modules around it, and its own address without its index.
    fn split(self) -> (Vec<&'a str>, &'a str) {
        let mut modules = Vec::new();
        let mut rest = self.address;
        while let Some(inner) = rest.strip_prefix("module.") {
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            modules.push(&inner[..end]);
            // A key may hold dots; the next module or resource begins behind its bracket.
            rest = match inner[end..].strip_prefix('[') {
                Some(key) => key.split_once("].").map_or("", |found| found.1),
                None => inner.get(end + 1..).unwrap_or(""),
            };
        }
        (modules, rest.split('[').next().unwrap_or(rest))
    }

    /// The configuration of a module.
    fn module(self, path: &[&str]) -> Option<Node<'a>> {
        let root = self.root.get("configuration")?.get("root_module")?;
        path.iter().try_fold(root, |module, name| {
            module.get("module_calls")?.get(name)?.get("module")
        })
    }

    /// The names that an attribute takes its value from.
    fn references(self, attribute: &str) -> Vec<&'a str> {
        let (modules, own) = self.split();
        let resources = self.module(&modules).and_then(|module| module.get("resources"));
        let found = resources
            .into_iter()
            .flat_map(Node::items)
            .find(|resource| resource.get("address").and_then(Node::as_str) == Some(own));
        names(found.and_then(|resource| resource.get("expressions")?.get(attribute)))
    }

    /// The resource of a kind that an attribute names, also over variables and outputs of modules.
    fn resource(self, attribute: &str, kind: &str) -> Option<ResourceId> {
        let (modules, own) = self.split();
        let mut open: Vec<(Vec<&str>, &str)> = self
            .references(attribute)
            .into_iter()
            .map(|name| (modules.clone(), name))
            .collect();
        for _ in 0..MAX_REFERENCES {
            let (path, name) = open.pop()?;
            let (first, rest) = name.split_once('.')?;
            let rest = rest.split(['.', '[']);
            let words: Vec<&str> = rest.collect();
            if first == kind {
                // In its own module the instance of the module is the same.
                let around = match path == modules {
                    true => self.address[..self.address.rfind(own)?].to_owned(),
                    false => path.iter().map(|module| format!("module.{module}.")).collect(),
                };
                return Some(ResourceId {
                    document: self.document,
                    address: format!("{around}{kind}.{}", words.first()?),
                });
            }
            let found = match first {
                "var" => {
                    let (call, outer) = path.split_last()?;
                    let call = self.module(outer)?.get("module_calls")?.get(call)?;
                    let value = call
                        .get("expressions")
                        .and_then(|found| found.get(words.first()?));
                    names(value)
                        .into_iter()
                        .map(|name| (outer.to_vec(), name))
                        .collect()
                }
                "module" => {
                    let mut inner = path.clone();
                    inner.push(words.first()?);
                    let outputs = self.module(&inner).and_then(|module| module.get("outputs"));
                    let value = outputs.and_then(|outputs| outputs.get(words.last()?)?.get("expression"));
                    names(value)
                        .into_iter()
                        .map(|name| (inner.clone(), name))
                        .collect()
                }
                _ => Vec::new(),
            };
            open.extend(found);
        }
        None
    }
}

/// References that are followed for one attribute.
const MAX_REFERENCES: usize = 32;

fn names(expression: Option<Node<'_>>) -> Vec<&str> {
    let list = expression.and_then(|expression| expression.get("references"));
    let names = list.into_iter().flat_map(Node::items);
    names.filter_map(Node::as_str).take(4).collect()
}

/// The values of a resource, with holes where they are known only after the plan is applied, or are not to be
/// shown.
fn values_of<'a>(evaluator: &Evaluator<'a>, file: usize, values: Node<'a>, open: &Open<'a>) -> Value<'a> {
    let mut members: Vec<Member<'a>> = Vec::new();
    for member in values.members() {
        let place = Place::new(file, member.value.range());
        let mut value = Thunk::new(Expr::node(file, member.value, Dialect::Literal), &Scope::Plain);
        match member.key {
            key if open.sensitive.contains(&key) => {
                evaluator.hide(place);
                let why = format!("`{key}` is sensitive");
                let hole = Hole::new("(sensitive)", why, "lint the configuration");
                value = Thunk::ready(hole.into(), place);
            }
            "container_definitions" | "container_properties" | "ecs_properties" | "node_properties" => {
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
    for member in open.unknown.into_iter().flat_map(Node::members) {
        // Only a whole value that is unknown is `true`; parts of it are objects.
        if member.value.scalar() != Some("true") || values.get_set(member.key).is_some() {
            continue;
        }
        let references = open
            .configured
            .map(|configured| configured.references(member.key));
        let named = match references.unwrap_or_default().as_slice() {
            [] => String::new(),
            names => format!(" (it comes from {})", names.join(", ")),
        };
        let why = format!("`{}` is known after the plan is applied{named}", member.key);
        let mut hole = Hole::new(
            "(known after apply)",
            why,
            "lint the configuration, or the state after it is applied",
        );
        let kind = match member.key {
            "cluster" | "cluster_name" => "aws_ecs_cluster",
            _ => "aws_ecs_task_definition",
        };
        hole.resource = open
            .configured
            .and_then(|configured| configured.resource(member.key, kind))
            .map(Rc::new);
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
