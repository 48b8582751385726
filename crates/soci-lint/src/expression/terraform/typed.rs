//! What a variable's type adds to its value: defaults of optional attributes.
//! <https://developer.hashicorp.com/terraform/language/expressions/type-constraints#optional-object-type-attributes> (2026-11-29)

use std::rc::Rc;

use super::super::form::{Expr, Form, Key};
use super::super::value::{Step, StepKind};
use super::super::{Cases, Evaluator, Member, Object, Scope, Thunk, Value};

/// Types nest at most this deep.
const MAX_DEPTH: usize = 8;

impl<'a> Evaluator<'a> {
    /// The value with the defaults that its type has for what is left out. `name` says whose they are.
    pub(super) fn typed(&self, cases: Cases<'a>, kind: Expr<'a>, name: &Rc<str>) -> Cases<'a> {
        match self.file_text(kind.place()).contains("optional(") {
            true => self.with_defaults(cases, kind, name, 0),
            false => cases,
        }
    }

    fn with_defaults(&self, cases: Cases<'a>, kind: Expr<'a>, name: &Rc<str>, depth: usize) -> Cases<'a> {
        let Form::Call(constructor, arguments) = self.lower(kind) else {
            return cases;
        };
        let (Some(inner), true) = (arguments.first(), depth < MAX_DEPTH) else {
            return cases;
        };
        let each = |thunk: &Thunk<'a>| {
            let cases = self.with_defaults(self.eval(thunk), *inner, name, depth + 1);
            Thunk::Ready(Rc::new(cases))
        };
        cases
            .into_iter()
            .map(|case| match (constructor, &case.value) {
                ("object", Value::Object(object)) => {
                    case.with(Value::Object(Rc::new(self.filled(object, *inner, name, depth))))
                }
                ("map", Value::Object(object)) => {
                    let member = |member: &Member<'a>| Member {
                        value: each(&member.value),
                        ..member.clone()
                    };
                    case.with(Value::Object(Rc::new(Object {
                        members: object.members.iter().map(member).collect(),
                        keys: object.keys,
                        more: object.more.clone(),
                    })))
                }
                ("list" | "set", Value::List(items)) => {
                    case.with(Value::list(items.iter().map(each).collect()))
                }
                _ => case,
            })
            .collect()
    }

    fn filled(&self, object: &Object<'a>, fields: Expr<'a>, name: &Rc<str>, depth: usize) -> Object<'a> {
        let mut members = object.members.clone();
        let Form::Object(entries, _) = self.lower(fields) else {
            return Object {
                members,
                keys: object.keys,
                more: object.more.clone(),
            };
        };
        for entry in entries {
            let Key::Text(key) = &entry.key else {
                continue;
            };
            let (kind, default, is_optional) = match self.lower(entry.value) {
                Form::Call("optional", arguments) => {
                    (arguments.first().copied(), arguments.get(1).copied(), true)
                }
                _ => (Some(entry.value), None, false),
            };
            let at = members.iter().rposition(|member| *member.key == **key);
            let mut cases = match at {
                Some(at) => self.eval(&members[at].value),
                None => Vec::new(),
            };
            // A null stands for the default.
            if cases.iter().all(|case| case.value.is_absent()) {
                let Some(default) = default else {
                    if is_optional && at.is_none() {
                        let absent = Thunk::ready(Value::Absent, entry.key_place);
                        members.push(Member {
                            key: Rc::from(&**key),
                            key_place: entry.key_place,
                            value: absent,
                        });
                    }
                    continue;
                };
                cases = self.expr(default, &Scope::Plain);
                for case in &mut cases {
                    case.step(Step {
                        kind: StepKind::Default,
                        name: name.clone(),
                        place: default.place(),
                    });
                }
            }
            if let Some(kind) = kind {
                cases = self.with_defaults(cases, kind, name, depth + 1);
            }
            let member = Member {
                key: Rc::from(&**key),
                key_place: at.map_or(entry.key_place, |at| members[at].key_place),
                value: Thunk::Ready(Rc::new(cases)),
            };
            match at {
                Some(at) => members[at] = member,
                None => members.push(member),
            }
        }
        Object {
            members,
            keys: object.keys,
            more: object.more.clone(),
        }
    }
}
