//! Terraform: a folder is a module, a call makes an instance of it, and names mean what they mean there.

mod attributes;
mod known;
mod module;
mod outputs;
mod resolve;
mod resource;
mod typed;

pub(crate) use known::{Remote, remote};
pub(crate) use module::{Block, Module, is_configuration, top, values_of};
pub(crate) use resource::Instances;

use std::cell::RefCell;
use std::rc::Rc;

use super::access::few;
use super::form::Loop;
use super::hcl::HclFor;
use super::value::{Branch, Hole, Step, StepKind};
use super::{Case, Cases, Evaluator, Member, Object, Scope, Thunk, Value};
use crate::source::Place;
use crate::table::{Table, sorted};

/// A module with the values it is called with.
pub(crate) struct Instance<'a> {
    pub(crate) module: Rc<Module<'a>>,
    pub(crate) document: usize,
    /// `module.front.`, or nothing for the root.
    pub(crate) prefix: String,
    /// What the call says; `None` for the root, which takes files of values.
    arguments: Option<Arguments<'a>>,
    /// The folder of the root module.
    root: Rc<str>,
    depth: usize,
    children: RefCell<Table<String, Option<Rc<Instance<'a>>>>>,
}

/// The arguments of a module call.
struct Arguments<'a> {
    call: String,
    values: Table<&'a str, Thunk<'a>>,
}

/// Modules call modules at most this deep.
const MAX_DEPTH: usize = 8;

impl<'a> Instance<'a> {
    /// The module of a folder by itself.
    pub(crate) fn root(module: Rc<Module<'a>>, document: usize) -> Rc<Self> {
        let root = module.folder.as_str().into();
        Rc::new(Self {
            module,
            document,
            prefix: String::new(),
            arguments: None,
            root,
            depth: 0,
            children: RefCell::default(),
        })
    }

    /// What one instance of a call makes, if its source is a folder that can be read.
    pub(crate) fn child(
        self: &Rc<Self>,
        call: &Block<'a>,
        made: &Instances<'a>,
        evaluator: &Evaluator<'a>,
    ) -> Option<Rc<Self>> {
        let name = format!("{}{}", call.label(0), made.suffix);
        if let Some(known) = self.children.borrow().get(&name) {
            return known.clone();
        }
        let child = self.make_child(call, made, evaluator);
        self.children.borrow_mut().insert(name, child.clone());
        child
    }

    fn make_child(
        self: &Rc<Self>,
        call: &Block<'a>,
        made: &Instances<'a>,
        evaluator: &Evaluator<'a>,
    ) -> Option<Rc<Self>> {
        let source = call.source(evaluator)?;
        if !(source.starts_with("./") || source.starts_with("../")) || self.depth >= MAX_DEPTH {
            return None;
        }
        let folder = crate::source::join(&self.module.folder, &source);
        let module = evaluator.module(&folder)?;
        let mut values = Table::default();
        let attributes = call.body.attributes.iter();
        values.extend(attributes.map(|attribute| (attribute.name, Thunk::new(attribute.value, &made.scope))));
        let name = call.label(0);
        Some(Rc::new(Self {
            module,
            document: self.document,
            prefix: format!("{}module.{name}{}.", self.prefix, made.suffix),
            arguments: Some(Arguments {
                call: name.to_owned(),
                values,
            }),
            root: self.root.clone(),
            depth: self.depth + 1,
            children: RefCell::default(),
        }))
    }

    fn declared(&self, name: &str) -> String {
        match self.prefix.trim_end_matches('.') {
            "" => format!("the variable `{name}`"),
            prefix => format!("the variable `{name}` of `{prefix}`"),
        }
    }
}

impl<'a> Evaluator<'a> {
    /// `for` over a list or an object.
    pub(super) fn for_each(&self, form: &HclFor<'a>, scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let intro = &form.inner.intro;
        let collection = form.context.expr(form.file, &intro.collection_expr);
        self.expr(collection, scope)
            .iter()
            .map(|case| {
                case.with(match self.entries(case) {
                    Ok(entries) => self.looped(form, entries, scope, place),
                    Err(hole) => hole.into(),
                })
            })
            .collect()
    }

    /// The names of each turn of a template's loop, in each case of what it goes over.
    pub(super) fn turns(
        &self,
        inner: &Loop<'a>,
        scope: &Scope<'a>,
    ) -> Vec<Case<Result<Vec<Scope<'a>>, Hole>>> {
        let place = inner.collection.place();
        let cases = self.expr(inner.collection, scope);
        let turn = |(key, value): (Value<'a>, Thunk<'a>)| {
            let names = [Thunk::ready(key, place), value];
            inner.bind(scope, |at| names[at].clone())
        };
        cases
            .iter()
            .map(|case| {
                case.with(
                    self.entries(case)
                        .map(|entries| entries.into_iter().map(turn).collect()),
                )
            })
            .collect()
    }

    /// Keys and values of what is looped over; or why they are not known.
    fn entries(&self, case: &Case<Value<'a>>) -> Result<Vec<(Value<'a>, Thunk<'a>)>, Hole> {
        let Some(mut entries) = entries(&case.value) else {
            let hole = case.value.hole().cloned();
            return Err(hole.unwrap_or_else(|| Hole::new("${for …}", "what is looped over is not known", "")));
        };
        for (_, value) in &mut entries {
            *value = self.told_of(case, value.clone());
        }
        Ok(entries)
    }

    /// An item with the way to its list.
    pub(super) fn told_of(&self, list: &Case<Value<'a>>, item: Thunk<'a>) -> Thunk<'a> {
        match list.way.is_empty() {
            true => item,
            false => Thunk::Ready(Rc::new(self.under(list, &item))),
        }
    }

    fn looped(
        &self,
        form: &HclFor<'a>,
        entries: Vec<(Value<'a>, Thunk<'a>)>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Value<'a> {
        let inner = form.inner;
        let expr = |expr| form.context.expr(form.file, expr);
        let mut list = Vec::new();
        let mut object = Object {
            members: Vec::new(),
            keys: super::Keys::Snake,
            more: None,
        };
        for (key, value) in entries {
            // What is there under a condition makes something that is there under the same.
            let cases = self.eval(&value);
            let (first, others) = match cases.split_first() {
                Some((first, others)) => (first.when.as_slice(), others),
                None => (&[][..], &[][..]),
            };
            let common = first
                .iter()
                .filter(|branch| others.iter().all(|case| case.when.contains(branch)));
            let common: Vec<Branch> = common.cloned().collect();
            let guards: Option<Rc<[Branch]>> = (!common.is_empty()).then(|| common.into());
            let mut scope = scope.bind(inner.intro.value_var.as_str(), value);
            if let Some(name) = &inner.intro.key_var {
                scope = scope.bind(name.as_str(), Thunk::ready(key, place));
            }
            if let Some(condition) = &inner.cond {
                let kept = self.expr(expr(&condition.expr), &scope);
                if kept
                    .iter()
                    .all(|case| case.value.known().as_deref() == Some("false"))
                {
                    continue;
                }
            }
            let value = Thunk::Expr {
                expr: expr(&inner.value_expr),
                scope: scope.clone(),
                guards,
            };
            match &inner.key_expr {
                None => list.push(value),
                Some(key) => match self.expr(expr(key), &scope).as_slice() {
                    [Case { value: key, .. }] if key.known().is_some() => object.members.push(Member {
                        key: key.known().unwrap_or_default().into(),
                        key_place: place,
                        value,
                    }),
                    _ => object.more = Some(Hole::new("(…)", "a key is not known", "")),
                },
            }
        }
        match inner.key_expr {
            None => Value::list(list),
            Some(_) => Value::Object(Rc::new(object)),
        }
    }
}

/// Keys and values of a list or an object, the latter in the order of the keys; `None` if they are not known, or too many.
fn entries<'a>(value: &Value<'a>) -> Option<Vec<(Value<'a>, Thunk<'a>)>> {
    match value {
        Value::List(items) => {
            let items = few(items)?.iter().enumerate();
            Some(
                items
                    .map(|(at, item)| (Value::text(at.to_string()), item.clone()))
                    .collect(),
            )
        }
        Value::Object(object) if object.more.is_none() => {
            let members: Vec<&Member<'a>> = few(&object.members)?.iter().collect();
            let members = sorted(members, |a, b| a.key.cmp(&b.key)).into_iter();
            Some(
                members
                    .map(|member| (Value::text(&*member.key), member.value.clone()))
                    .collect(),
            )
        }
        Value::Absent => Some(Vec::new()),
        _ => None,
    }
}

fn set_here(name: impl Into<Rc<str>>, place: Place) -> Step {
    Step {
        kind: StepKind::Set,
        name: name.into(),
        place,
    }
}
