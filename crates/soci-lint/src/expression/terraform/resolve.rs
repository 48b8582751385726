//! Names in a module: variables and locals; outputs of other modules and attributes of resources have files of their own.

use std::rc::Rc;

use super::super::form::{Access, Reference};
use super::super::text::at;
use super::super::value::{Hole, Step, StepKind};
use super::super::{Case, Cases, Evaluator, Scope, Thunk, Value};
use super::{Block, Instance, set_here};
use crate::source::Place;

impl<'a> Evaluator<'a> {
    pub(in super::super) fn of_module(
        &self,
        reference: &Reference<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let Some(instance) = scope.module() else {
            return vec![Case::plain(Value::Absent, place)];
        };
        let names = Names {
            evaluator: self,
            instance,
            scope,
            written: &reference.written,
            place,
        };
        let path = reference.path.as_slice();
        let attribute = |at: usize| match path.get(at) {
            Some(Access::Attribute(name)) => Some(&**name),
            _ => None,
        };
        let (cases, used) = match (&*reference.root, attribute(0)) {
            ("var", Some(name)) => (names.variable(name), 1),
            ("local", Some(name)) => (names.local(name), 1),
            ("module", Some(name)) => names.output(name, path),
            ("path", Some(name)) => (names.path(name), 1),
            ("data", Some(kind)) => match attribute(1) {
                Some(name) => names.attribute(true, kind, name, &path[2..], 2),
                None => (
                    names.open(format!("`{}` is not evaluated", reference.written)),
                    path.len(),
                ),
            },
            ("each" | "count" | "self" | "terraform" | "path", _) => (
                names.open(format!("`{}` is known when Terraform runs", reference.written)),
                path.len(),
            ),
            ("dependency" | "include" | "feature" | "values" | "unit", _) => (
                names.open(format!("`{}` is known when Terragrunt runs", reference.written)),
                path.len(),
            ),
            (kind, Some(name)) if kind.contains('_') => names.attribute(false, kind, name, &path[1..], 1),
            _ => (
                names.open(format!("`{}` is not declared here", reference.written)),
                path.len(),
            ),
        };
        self.walk(cases, &path[used.min(path.len())..], scope, &reference.written)
    }
}

impl<'a> Evaluator<'a> {
    /// Whether a variable or an output says that its value is not to be shown.
    pub(super) fn is_sensitive(&self, block: &Block<'a>) -> bool {
        let flag = block.body.attribute("sensitive");
        flag.is_some_and(|flag| {
            let cases = self.expr(flag.value, &Scope::Plain);
            cases
                .iter()
                .any(|case| case.value.known().as_deref() == Some("true"))
        })
    }
}

/// Looks up one reference.
pub(super) struct Names<'n, 'a> {
    pub(super) evaluator: &'n Evaluator<'a>,
    pub(super) instance: &'n Rc<Instance<'a>>,
    /// Of the reference, with the names of loops around it.
    pub(super) scope: &'n Scope<'a>,
    pub(super) written: &'n str,
    pub(super) place: Place,
}

impl<'a> Names<'_, 'a> {
    pub(super) fn open(&self, why: impl Into<String>) -> Cases<'a> {
        self.open_with(why, "lint the plan: `terraform show -json`")
    }

    pub(super) fn open_with(&self, why: impl Into<String>, help: impl Into<String>) -> Cases<'a> {
        let hole = Hole::new(format!("${{{}}}", self.written), why, help);
        vec![Case::plain(hole.into(), self.place)]
    }

    pub(super) fn module_scope(&self) -> Scope<'a> {
        Scope::Module(self.instance.clone())
    }

    /// The value at its own place, told on the way.
    pub(super) fn told(&self, cases: Cases<'a>, step: Step) -> Cases<'a> {
        let mut cases = at(cases, self.place);
        for case in &mut cases {
            case.step(step.clone());
        }
        cases
    }

    fn variable(&self, name: &str) -> Cases<'a> {
        let instance = self.instance;
        let declared = instance.module.variables.get(name);
        if declared.is_some_and(|block| self.evaluator.is_sensitive(block)) {
            let default = declared.and_then(|block| block.body.attribute("default"));
            let given = match &instance.arguments {
                Some(arguments) => arguments.values.get(name).map(Thunk::place),
                None => instance.module.values.get(name).map(|value| value.place()),
            };
            for place in given
                .into_iter()
                .chain(default.map(|default| default.value.place()))
            {
                self.evaluator.hide(place);
            }
            return self.open_with(format!("{} is sensitive", instance.declared(name)), "");
        }
        let kind = declared.and_then(|block| block.body.attribute("type"));
        let typed = |cases| match kind {
            Some(kind) => self
                .evaluator
                .typed(cases, kind.value, &instance.declared(name).into()),
            None => cases,
        };
        let given = match &instance.arguments {
            Some(arguments) => arguments.values.get(name).map(|thunk| {
                let told = format!("`{name}` of `module.{}`", arguments.call);
                (self.evaluator.eval(thunk), set_here(told, thunk.place()))
            }),
            None => self.given(name),
        };
        if let Some((cases, step)) = given {
            // A null stands for the default.
            if !cases.iter().all(|case| case.value.is_absent()) {
                return self.told(typed(cases), step);
            }
        }
        if let Some(default) = declared.and_then(|block| block.body.attribute("default")) {
            let cases = self.evaluator.expr(default.value, &Scope::Plain);
            let place = default.value.place();
            // Of a module that is called, the call decides: nobody else can set what it leaves out.
            let step = match &instance.arguments {
                Some(arguments) => set_here(
                    format!("the default of `{name}` in `module.{}`", arguments.call),
                    place,
                ),
                None => Step {
                    kind: StepKind::Default,
                    name: instance.declared(name).into(),
                    place,
                },
            };
            return self.told(typed(cases), step);
        }
        match (&instance.arguments, declared) {
            (Some(arguments), _) => self.open(format!("`module.{}` does not set `{name}`", arguments.call)),
            (None, Some(_)) => self.open_with(
                format!("the variable `{name}` has no default"),
                format!("pass `--var {name}=…`, or a file of values by `--var-file`"),
            ),
            (None, None) => self.open_with(
                format!("the variable `{name}` is not declared in the files that were read"),
                format!("lint the whole folder, or pass `--var {name}=…`"),
            ),
        }
    }

    /// What the caller or a file of values says.
    fn given(&self, name: &str) -> Option<(Cases<'a>, Step)> {
        let options = self.evaluator.options();
        if let Some(value) = options.vars.get(name).or_else(|| options.params.get(name)) {
            let cases = vec![Case::plain(Value::text(value.clone()), self.place)];
            return Some((cases, set_here(format!("the variable `{name}`"), self.place)));
        }
        let expr = *self.instance.module.values.get(name)?;
        let cases = self.evaluator.expr(expr, &Scope::Plain);
        Some((cases, set_here(format!("the variable `{name}`"), expr.place())))
    }

    fn local(&self, name: &str) -> Cases<'a> {
        match self.instance.module.locals.get(name) {
            Some(expr) => {
                let cases = self.evaluator.expr(*expr, &self.module_scope());
                self.told(cases, set_here(format!("`local.{name}`"), expr.place()))
            }
            None => self.open_with(
                format!("`local.{name}` is not declared in the files that were read"),
                "lint the whole folder",
            ),
        }
    }

    fn path(&self, name: &str) -> Cases<'a> {
        let folder = match name {
            "module" => &self.instance.module.folder,
            "root" | "cwd" => &*self.instance.root,
            _ => return self.open(format!("`path.{name}` is known when Terraform runs")),
        };
        let text = if folder.is_empty() { "." } else { folder };
        vec![Case::plain(Value::text(text), self.place)]
    }
}
