//! The evaluator: from the one form to what it comes to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::access::MAX_ITEMS;
use super::form::{Entry, Expr, Form, Key, Loop, Reference, Test};
use super::terraform::Module;
use super::text::at;
use super::value::{Branch, Hole, Outcome};
use super::{Case, Cases, Member, Object, Scope, Symbolic, Thunk, Value};
use crate::Options;
use crate::source::{Place, Problem, Store};
use crate::table::Table;

/// Evaluates within one run.
pub(crate) struct Evaluator<'a> {
    store: &'a Store<'a>,
    options: &'a Options,
    steps: Cell<usize>,
    depth: Cell<usize>,
    /// What was wrong with texts that were read on the way.
    problems: RefCell<Vec<(usize, Problem)>>,
    /// Whether something that Terraform takes for an error was met: an attribute that is not there.
    failed: Cell<bool>,
    /// Where sensitive values are written.
    hidden: RefCell<Vec<Place>>,
    modules: RefCell<Table<String, Option<Rc<Module<'a>>>>>,
}

/// More cases of one value than this become one that is open.
pub(super) const MAX_CASES: usize = 16;
/// Expressions nested deeper than this are open.
const MAX_DEPTH: usize = 64;
/// Steps for one document: anchors, conditions and calls can make small documents mean much.
const BUDGET: usize = 60_000;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(store: &'a Store<'a>, options: &'a Options) -> Self {
        Self {
            store,
            options,
            steps: Cell::new(BUDGET),
            depth: Cell::new(0),
            problems: RefCell::default(),
            failed: Cell::new(false),
            hidden: RefCell::default(),
            modules: RefCell::default(),
        }
    }

    /// Gives the next document its own budget.
    pub(crate) fn begin_document(&self, size: usize) {
        self.steps.set(BUDGET + 2 * size);
    }

    /// What is written at a place.
    pub(crate) fn file_text(&self, place: Place) -> &'a str {
        place.range.of(self.store.source(place.file).text)
    }

    /// The module of a folder, read once.
    pub(crate) fn module(&self, folder: &str) -> Option<Rc<Module<'a>>> {
        if let Some(known) = self.modules.borrow().get(folder) {
            return known.clone();
        }
        let module = Module::read(self, folder).map(Rc::new);
        self.modules
            .borrow_mut()
            .insert(folder.to_owned(), module.clone());
        module
    }

    pub(super) fn store(&self) -> &'a Store<'a> {
        self.store
    }

    pub(super) fn options(&self) -> &'a Options {
        self.options
    }

    pub(super) fn params(&self) -> &'a BTreeMap<String, String> {
        &self.options.params
    }

    pub(crate) fn take_problems(&self) -> Vec<(usize, Problem)> {
        self.problems.take()
    }

    /// Notes that what is evaluated is an error to Terraform.
    pub(super) fn fail(&self) {
        self.failed.set(true);
    }

    /// What `inner` gives, and whether it is an error to Terraform.
    pub(super) fn attempt<T>(&self, inner: impl FnOnce() -> T) -> (T, bool) {
        let before = self.failed.replace(false);
        let out = inner();
        (out, self.failed.replace(before))
    }

    /// Says that what is written here is not to be shown.
    pub(crate) fn hide(&self, place: Place) {
        let mut hidden = self.hidden.borrow_mut();
        if !hidden.contains(&place) && hidden.len() < MAX_HIDDEN {
            hidden.push(place);
        }
    }

    pub(crate) fn take_hidden(&self) -> Vec<Place> {
        self.hidden.take()
    }

    pub(super) fn problem(&self, file: usize, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        let known = problems
            .iter()
            .any(|(at, known)| *at == file && known.range == problem.range);
        if !known && problems.len() < MAX_PROBLEMS {
            problems.push((file, problem));
        }
    }

    /// What a value comes to: never nothing, absent at least.
    pub(crate) fn eval(&self, thunk: &Thunk<'a>) -> Cases<'a> {
        match thunk {
            Thunk::Ready(cases) => cases.as_ref().clone(),
            Thunk::Expr { expr, scope, guards } => {
                let cases = self.expr(*expr, scope);
                match guards {
                    Some(guards) => self.guarded(cases, guards, scope),
                    None => cases,
                }
            }
            Thunk::Only(inner) => self
                .eval(inner)
                .into_iter()
                .flat_map(|case| match &case.value {
                    Value::List(items) => match items.as_slice() {
                        [item] => self.under(&case, item),
                        [] => vec![case.with(Value::Absent)],
                        _ => vec![case],
                    },
                    _ => vec![case],
                })
                .take(MAX_CASES)
                .collect(),
            Thunk::Decoded(inner) => self.decoded(inner),
        }
    }

    /// What a thunk comes to in a case of what is around it.
    pub(crate) fn under<T>(&self, outer: &Case<T>, thunk: &Thunk<'a>) -> Cases<'a> {
        let mut cases = self.eval(thunk);
        cases.retain_mut(|case| case.under(outer));
        cases
    }

    /// One level deeper, unless it is too deep already.
    pub(super) fn deeper<T>(&self, inner: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH || self.steps.get() == 0 {
            return None;
        }
        self.depth.set(depth + 1);
        let out = inner();
        self.depth.set(depth);
        Some(out)
    }

    pub(super) fn expr(&self, expr: Expr<'a>, scope: &Scope<'a>) -> Cases<'a> {
        let place = expr.place();
        let left = self.steps.get();
        let depth = self.depth.get();
        if left == 0 || depth >= MAX_DEPTH {
            return vec![Case::plain(too_much().into(), place)];
        }
        self.steps.set(left - 1);
        self.depth.set(depth + 1);
        let mut cases = self.form(self.lower(expr), expr, scope);
        self.depth.set(depth);
        if cases.is_empty() {
            cases.push(Case::plain(Value::Absent, place));
        }
        if cases.len() > MAX_CASES {
            cases = vec![Case::plain(too_many().into(), place)];
        }
        cases
    }

    fn form(&self, form: Form<'a>, expr: Expr<'a>, scope: &Scope<'a>) -> Cases<'a> {
        let place = expr.place();
        let one = |value| vec![Case::plain(value, place)];
        match form {
            Form::Absent => one(Value::Absent),
            Form::Hole(hole) => one(Value::Unknown(hole)),
            Form::Scalar(kind, text) => one(Value::Scalar {
                kind,
                text: Symbolic::text(text.into_owned()),
                raw: self.raw_of(expr, scope),
            }),
            Form::Document(range, escapes) => self.document(expr, range, escapes, scope),
            Form::Text(parts) => {
                let mut cases = self.text(&parts, scope, place);
                let raw = self.raw_of(expr, scope);
                for case in &mut cases {
                    if let Value::Scalar { raw: slot @ None, .. } = &mut case.value {
                        slot.clone_from(&raw);
                    }
                }
                match expr.is_spliced() {
                    true => self.spliced(cases),
                    false => cases,
                }
            }
            Form::List(items) => {
                let mut thunks = Vec::with_capacity(items.len());
                for item in items {
                    self.turned(item.expr, item.guards, &item.loops, scope, &mut thunks);
                }
                one(Value::list(thunks))
            }
            Form::Object(entries, keys) => {
                let mut object = Object {
                    members: Vec::with_capacity(entries.len()),
                    keys,
                    more: None,
                };
                for entry in entries {
                    self.member(entry, scope, &mut object);
                }
                one(Value::Object(Rc::new(object)))
            }
            Form::Reference(reference) => self.reference(&reference, scope, place),
            Form::Conditional { label, test, yes, no } => {
                let tests = match test {
                    Test::Named(name) => self.named_condition(&name, scope, place),
                    Test::Expr(test) => self.expr(test, scope),
                };
                let label = scope.qualified(&label);
                self.choose(&label, &tests, place, |holds| {
                    match if holds { yes } else { no } {
                        Some(expr) => self.expr(expr, scope),
                        None if yes.is_none() && no.is_none() => vec![Case::plain(Value::bool(holds), place)],
                        None => vec![Case::plain(Value::Absent, place)],
                    }
                })
            }
            Form::Walk(inner, path) => {
                let written = self.written(expr);
                at(self.walk(self.expr(inner, scope), &path, scope, &written), place)
            }
            Form::Spread(name, arguments) => match (name, arguments.as_slice()) {
                ("concat", [lists]) => self.call("flatten", &[*lists], expr, scope),
                ("merge", [_]) => self.spread_merge(&arguments, scope, place),
                _ => {
                    let why = format!("`{name}(…)` is not evaluated");
                    one(Hole::new(format!("${{{name}(…)}}"), why, "").into())
                }
            },
            Form::Call(name, arguments) => self.call(name, &arguments, expr, scope),
            Form::Operation(operation, operands) => self.operation(operation, &operands, scope, place),
            Form::For(form) => self.for_each(&form, scope, place),
        }
    }

    /// An item of a list, once for each turn of the loops that it stands in.
    fn turned(
        &self,
        expr: Expr<'a>,
        guards: Option<Rc<[Branch]>>,
        loops: &[Loop<'a>],
        scope: &Scope<'a>,
        out: &mut Vec<Thunk<'a>>,
    ) {
        let Some((first, inner)) = loops.split_first() else {
            out.push(Thunk::Expr {
                expr,
                scope: scope.clone(),
                guards,
            });
            return;
        };
        for case in self.turns(first, scope) {
            let mut guards = guards.clone();
            if !case.when.is_empty() {
                let before = guards.as_deref().unwrap_or_default();
                guards = Some(before.iter().chain(&case.when).cloned().collect());
            }
            // Of a loop over what is not known one turn stands for all.
            let open = || {
                vec![first.bind(scope, |_| {
                    Thunk::ready(
                        case.value.clone().err().unwrap_or_else(too_many).into(),
                        case.place,
                    )
                })]
            };
            for scope in case.value.clone().unwrap_or_else(|_| open()) {
                if out.len() > MAX_ITEMS {
                    out.truncate(MAX_ITEMS);
                    out.push(Thunk::ready(too_many().into(), expr.place()));
                    return;
                }
                self.turned(expr, guards.clone(), inner, &scope, out);
            }
        }
    }

    /// What stands in branches of a template: nothing where a value that the template is given rules one out.
    fn guarded(&self, cases: Cases<'a>, guards: &[Branch], scope: &Scope<'a>) -> Cases<'a> {
        let mut open = Vec::new();
        for guard in guards {
            match self.decided(guard, scope) {
                Some((holds, false)) if holds => {}
                Some((_, false)) => return vec![Case::plain(Value::Absent, Place::default())],
                Some((holds, true)) => open.push(Branch {
                    by_default: Some(holds),
                    ..guard.clone()
                }),
                None => open.push(guard.clone()),
            }
        }
        let under = |mut case: Case<Value<'a>>| case.under_branches(&open).then_some(case);
        cases.into_iter().filter_map(under).collect()
    }

    /// Whether a branch whose condition is a name is taken, and whether a default decides that.
    fn decided(&self, guard: &Branch, scope: &Scope<'a>) -> Option<(bool, bool)> {
        let Outcome::Holds(wanted) = guard.outcome else {
            return None;
        };
        let name = guard.condition.trim_start_matches('!');
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // In other documents the same word may be another name.
        if !is_name || !matches!(scope.outermost(), Scope::Only(_) | Scope::Plain) {
            return None;
        }
        let reference = Reference {
            root: name.to_owned().into(),
            path: Vec::new(),
            written: name.to_owned().into(),
        };
        let cases = self.reference(&reference, scope, Place::default());
        let [case] = cases.as_slice() else {
            return None;
        };
        let value = match case.value.known()?.as_str() {
            "true" => true,
            "false" => false,
            _ => return None,
        };
        let is_negated = name.len() < guard.condition.len();
        Some(((value != is_negated) == wanted, case.uses_default()))
    }

    /// The text of an expression, for messages.
    fn written(&self, expr: Expr<'a>) -> String {
        let place = expr.place();
        let text = place.range.of(self.store.source(place.file).text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn member(&self, entry: Entry<'a>, scope: &Scope<'a>, object: &mut Object<'a>) {
        let key = match entry.key {
            Key::Text(text) => Some(Rc::from(&*text)),
            Key::Expr(expr) => match self.expr(expr, scope).as_slice() {
                [case] => case.value.to_text().map(|text| text.display().into()),
                _ => None,
            },
        };
        match key {
            Some(key) => object.members.push(Member {
                key,
                key_place: entry.key_place,
                value: Thunk::Expr {
                    expr: entry.value,
                    scope: scope.clone(),
                    guards: entry.guards,
                },
            }),
            None => object.more = Some(Hole::new("(…)", "a key is not known", "")),
        }
    }

    /// The cases of both ways of a condition, as far as each can be taken.
    pub(super) fn choose(
        &self,
        label: &str,
        tests: &Cases<'a>,
        place: Place,
        way: impl Fn(bool) -> Cases<'a>,
    ) -> Cases<'a> {
        let mut out = Vec::new();
        for test in tests {
            let known = match test.value.known().as_deref() {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            };
            for holds in [true, false] {
                let branch = match known {
                    // Decided here, or by the conditions that the test itself depends on.
                    Some(known) if !test.uses_default() || !test.when.is_empty() => {
                        if known != holds {
                            continue;
                        }
                        None
                    }
                    known => {
                        let help = test.value.hole().map_or("", |hole| &hole.help);
                        let by_default = known.map(|known| known == holds);
                        Some(Branch::holds(label, holds, by_default).answered_by(help))
                    }
                };
                let (cases, failed) = self.attempt(|| way(holds));
                // What is not chosen is no error.
                if failed
                    && branch
                        .as_ref()
                        .is_none_or(|branch| branch.by_default == Some(true))
                {
                    self.fail();
                }
                for mut case in cases {
                    let fits = case.under(test) && case.under_branches(branch.as_slice());
                    if fits && out.len() <= MAX_CASES {
                        out.push(case);
                    }
                }
            }
        }
        if out.is_empty() {
            out.push(Case::plain(Value::Absent, place));
        }
        out
    }
}

/// More sensitive values than this in one run are those of a machine.
const MAX_HIDDEN: usize = 10_000;
/// More problems of texts than this are not told.
const MAX_PROBLEMS: usize = 100;

pub(super) fn too_much() -> Hole {
    Hole::new("${…}", "the expression is too deep to be evaluated", "")
}

pub(super) fn too_many() -> Hole {
    Hole::new("${…}", "the expression has too many possible values", "")
}
