//! Blocks as objects: attributes and nested blocks under one roof, once for each item of `count` and
//! `for_each`.

use std::rc::Rc;

use super::super::form::Access;
use super::super::text::texts;
use super::super::value::{Hole, Symbolic};
use super::super::{Case, Cases, Evaluator, Keys, Member, Object, Scope, Thunk, Value};
use super::{Block, entries};
use crate::source::Place;

/// One instance of a block.
pub(crate) struct Instances<'a> {
    /// `["key"]`, or nothing.
    pub(crate) suffix: String,
    /// The key or the number, where there may be several.
    pub(super) key: Option<Symbolic>,
    /// The names in its block.
    pub(crate) scope: Scope<'a>,
    /// Under which conditions it is there.
    pub(crate) case: Case<()>,
}

impl<'a> Instances<'a> {
    /// A value of this instance under its key, as in the object of all instances.
    pub(super) fn member(&self, value: Value<'a>, place: Place) -> Member<'a> {
        Member {
            key: self
                .key
                .as_ref()
                .map(Symbolic::display)
                .unwrap_or_default()
                .into(),
            key_place: place,
            value: Thunk::ready(value, place),
        }
    }
}

/// Blocks that come once at most.
const SINGLE: [&str; 9] = [
    "runtime_platform",
    "ephemeral_storage",
    "network_configuration",
    "ecs_target",
    "target",
    "ecs_parameters",
    "lifecycle",
    "eks_properties",
    "deployment_controller",
];

/// Attributes that hold JSON.
const DECODED: [&str; 4] = [
    "container_definitions",
    "container_properties",
    "ecs_properties",
    "node_properties",
];

/// Instances of one block that are told apart.
const MAX_INSTANCES: usize = 64;

impl<'a> Evaluator<'a> {
    /// What `count` and `for_each` make of a block.
    pub(crate) fn instances(&self, block: &Block<'a>, scope: &Scope<'a>) -> Vec<Instances<'a>> {
        let single = |case: Case<()>, scope: Scope<'a>| Instances {
            suffix: String::new(),
            key: None,
            scope,
            case,
        };
        if let Some(count) = block.body.attribute("count") {
            let place = count.value.place();
            let mut out = Vec::new();
            for case in texts(&self.expr(count.value, scope)) {
                let number = case.value.known().and_then(|text| text.parse::<usize>().ok());
                let bound = |index: Value<'a>| {
                    let count = object([("index", Thunk::ready(index, place))]);
                    scope.bind("count", Thunk::ready(count, place))
                };
                let Some(number) = number else {
                    let open = case.value.holes().next();
                    let because = open.map_or_else(String::new, |hole| format!(": {}", hole.why));
                    let why = format!("how many there are is not known{because}");
                    let help = open.map_or_else(String::new, |hole| hole.help.clone());
                    let index = Hole::new("${count.index}", why, help);
                    out.push(single(case.with(()), bound(index.into())));
                    continue;
                };
                let room = MAX_INSTANCES - out.len().min(MAX_INSTANCES);
                out.extend((0..number.min(room)).map(|at| Instances {
                    // Most counts say whether it is there at all.
                    suffix: if number == 1 {
                        String::new()
                    } else {
                        format!("[{at}]")
                    },
                    key: Some(Symbolic::text(at.to_string())),
                    scope: bound(Value::number(at)),
                    case: case.with(()),
                }));
            }
            return out;
        }
        let Some(each) = block.body.attribute("for_each") else {
            return vec![single(Case::plain((), block.header), scope.clone())];
        };
        let place = each.value.place();
        let mut out = Vec::new();
        for case in self.expr(each.value, scope) {
            let Some(entries) = entries(&case.value) else {
                let open = |word: &str| {
                    let hole = case.value.hole();
                    let because = hole.map_or_else(String::new, |hole| format!(": {}", hole.why));
                    let why = format!("`for_each` is not known{because}");
                    let help = hole.map_or_else(String::new, |hole| hole.help.clone());
                    Thunk::ready(Hole::new(format!("${{each.{word}}}"), why, help).into(), place)
                };
                let each = object([("key", open("key")), ("value", open("value"))]);
                let scope = scope.bind("each", Thunk::ready(each, place));
                out.push(single(case.with(()), scope));
                continue;
            };
            for (key, value) in entries
                .into_iter()
                .take(MAX_INSTANCES - out.len().min(MAX_INSTANCES))
            {
                // Of a set, each item is its own key.
                let is_list = matches!(case.value, Value::List(_));
                let own: Option<Symbolic> = match is_list {
                    true => texts(&self.eval(&value)).first().map(|case| case.value.clone()),
                    false => key.to_text(),
                };
                let key = own.unwrap_or_default();
                let each = object([
                    ("key", Thunk::ready(Value::text(key.clone()), place)),
                    ("value", self.told_of(&case, value)),
                ]);
                out.push(Instances {
                    suffix: format!("[\"{}\"]", key.display()),
                    key: Some(key),
                    scope: scope.bind("each", Thunk::ready(each, place)),
                    case: case.with(()),
                });
            }
        }
        out
    }

    /// The instance of a block that an index picks: the one with this key, or the only one.
    pub(super) fn instance_at(
        &self,
        block: &Block<'a>,
        index: Option<&Access<'a>>,
        own: &Scope<'a>,
        user: &Scope<'a>,
    ) -> Option<Instances<'a>> {
        let mut made = self.instances(block, own);
        if let Some(Access::Index(index)) = index {
            let wanted = texts(&self.expr(*index, user));
            let wanted = wanted.first().map(|case| &case.value);
            if let Some(at) = made.iter().position(|made| made.key.as_ref() == wanted) {
                return Some(made.swap_remove(at));
            }
        }
        let only = made.pop()?;
        made.is_empty().then_some(only)
    }

    /// A block as an object.
    pub(crate) fn shape(&self, block: &Block<'a>, scope: &Scope<'a>) -> Value<'a> {
        let mut members: Vec<Member<'a>> = Vec::new();
        for attribute in &block.body.attributes {
            let mut value = Thunk::new(attribute.value, scope);
            if DECODED.contains(&attribute.name) {
                value = Thunk::Decoded(Rc::new(value));
            }
            if SINGLE.contains(&attribute.name) {
                value = Thunk::Only(Rc::new(value));
            }
            members.push(Member {
                key: attribute.name.into(),
                key_place: attribute.name_place,
                value,
            });
        }
        let mut kinds: Vec<&str> = block.body.blocks.iter().map(name).collect();
        kinds.dedup();
        let mut seen = Vec::new();
        for kind in kinds {
            if seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            let own: Vec<&Block<'a>> = block
                .body
                .blocks
                .iter()
                .filter(|inner| name(inner) == kind)
                .collect();
            let lists = self.nested(&own, scope);
            let mut value = Thunk::Ready(Rc::new(lists));
            if SINGLE.contains(&kind) {
                value = Thunk::Only(Rc::new(value));
            }
            members.push(Member {
                key: kind.into(),
                key_place: own[0].header,
                value,
            });
        }
        Value::Object(Rc::new(Object {
            members,
            keys: Keys::Snake,
            more: None,
        }))
    }

    /// Nested blocks of one kind, as a list; `dynamic` ones as often as they come.
    fn nested(&self, blocks: &[&Block<'a>], scope: &Scope<'a>) -> Cases<'a> {
        let place = blocks[0].header;
        let mut acc: Vec<Case<Vec<Thunk<'a>>>> = vec![Case::plain(Vec::new(), place)];
        for block in blocks {
            if block.kind != "dynamic" {
                for case in &mut acc {
                    case.value
                        .push(Thunk::ready(self.shape(block, scope), block.header));
                }
                continue;
            }
            let Some(content) = block.body.blocks.iter().find(|inner| inner.kind == "content") else {
                continue;
            };
            let iterator = match block.body.attribute("iterator") {
                Some(named) => self.file_text(named.value.place()).trim(),
                None => block.label(0),
            };
            let each = block
                .body
                .attribute("for_each")
                .map(|each| self.expr(each.value, scope));
            let mut next = Vec::new();
            for so_far in &acc {
                for case in each.iter().flatten() {
                    let mut more = so_far.clone();
                    if !more.under(case) {
                        continue;
                    }
                    match entries(&case.value) {
                        Some(entries) => {
                            for (key, value) in entries {
                                let place = case.place;
                                let bound = object([("key", Thunk::ready(key, place)), ("value", value)]);
                                let scope = scope.bind(iterator, Thunk::ready(bound, place));
                                more.value
                                    .push(Thunk::ready(self.shape(content, &scope), content.header));
                            }
                        }
                        None => more
                            .value
                            .push(Thunk::ready(self.shape(content, scope), content.header)),
                    }
                    next.push(more);
                }
            }
            acc = next;
        }
        acc.into_iter()
            .map(|case| case.with(Value::list(case.value.clone())))
            .collect()
    }
}

/// The kind of a block, also where it is dynamic.
fn name<'a>(block: &Block<'a>) -> &'a str {
    match block.kind {
        "dynamic" => block.label(0),
        kind => kind,
    }
}

/// An object of our own making.
pub(crate) fn object<'a, const N: usize>(members: [(&str, Thunk<'a>); N]) -> Value<'a> {
    let member = |(key, value): (&str, Thunk<'a>)| Member {
        key: key.into(),
        key_place: value.place(),
        value,
    };
    object_of(members.map(member).into())
}

pub(super) fn object_of<'a>(members: Vec<Member<'a>>) -> Value<'a> {
    Value::Object(Rc::new(Object {
        members,
        keys: Keys::Snake,
        more: None,
    }))
}
