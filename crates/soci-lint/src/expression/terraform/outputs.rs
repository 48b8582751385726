//! What modules that are called give back.

use std::rc::Rc;

use super::super::form::Access;
use super::super::text::at;
use super::super::{Case, Cases, Member, Scope, Thunk, Value};
use super::known::OUTPUTS;
use super::resolve::Names;
use super::resource::object_of;
use super::{Block, Instances, remote, set_here};

impl<'a> Names<'_, 'a> {
    /// `module.NAME[…].OUTPUT`: its cases, and how much of the path they used.
    pub(super) fn output(&self, name: &str, path: &[Access<'a>]) -> (Cases<'a>, usize) {
        let calls = &self.instance.module.calls;
        let Some(call) = calls.iter().find(|call| call.label(0) == name) else {
            let why = format!("`module.{name}` is not declared in the files that were read");
            return (self.open_with(why, "lint the whole folder"), path.len());
        };
        let of_list = matches!(path.get(1), Some(Access::Index(_) | Access::Each));
        let output = match path.get(1 + usize::from(of_list)) {
            Some(Access::Attribute(output)) => Some(&**output),
            _ => None,
        };
        let (Some(output), false) = (output, matches!(path.get(1), Some(Access::Each))) else {
            // Of all instances: what is asked of each of them follows.
            let value = self.outputs_of_all(call);
            return (vec![Case::plain(value, self.place)], 1);
        };
        let index = path.get(1).filter(|_| of_list);
        let own = self.module_scope();
        match self.evaluator.instance_at(call, index, &own, self.scope) {
            Some(made) => match self.output_of(call, &made, output) {
                Ok(cases) => (cases, 2 + usize::from(of_list)),
                Err((why, help)) => (self.open_with(why, help), path.len()),
            },
            None => (
                self.open(format!("`{}` is not evaluated", self.written)),
                path.len(),
            ),
        }
    }

    /// All outputs of all instances of a call: a list, an object by key, or those of the only one.
    fn outputs_of_all(&self, call: &Block<'a>) -> Value<'a> {
        let made = self.evaluator.instances(call, &self.module_scope());
        let mut all: Vec<Member<'a>> = made
            .iter()
            .map(|made| made.member(self.outputs(call, made), call.header))
            .collect();
        let values = |all: Vec<Member<'a>>| all.into_iter().map(|member| member.value).collect();
        if call.body.attribute("for_each").is_some() {
            return object_of(all);
        }
        match (call.body.attribute("count"), all.pop()) {
            (Some(_), Some(last)) => {
                all.push(last);
                Value::list(values(all))
            }
            (None, Some(only)) => match only.value {
                Thunk::Ready(cases) => cases[0].value.clone(),
                _ => Value::Absent,
            },
            (_, None) => Value::list(Vec::new()),
        }
    }

    /// The outputs of one instance, as far as their names are known.
    fn outputs(&self, call: &Block<'a>, made: &Instances<'a>) -> Value<'a> {
        let member = |name: &str, cases: Cases<'a>| Member {
            key: name.into(),
            key_place: call.header,
            value: Thunk::Ready(Rc::new(cases)),
        };
        let names: Vec<&str> = match self.instance.child(call, made, self.evaluator) {
            Some(child) => child.module.outputs.keys().copied().collect(),
            None => OUTPUTS.to_vec(),
        };
        let found = names
            .iter()
            .filter_map(|name| Some(member(name, self.output_of(call, made, name).ok()?)));
        object_of(found.collect())
    }

    /// One output of one instance; why it is not known, and what would help.
    fn output_of(
        &self,
        call: &Block<'a>,
        made: &Instances<'a>,
        output: &str,
    ) -> Result<Cases<'a>, (String, String)> {
        let name = call.label(0);
        let plan = || "lint the plan: `terraform show -json`".to_owned();
        if let Some(child) = self.instance.child(call, made, self.evaluator) {
            let Some(block) = child.module.outputs.get(output) else {
                return Err((format!("`module.{name}` has no output `{output}`"), String::new()));
            };
            if self.evaluator.is_sensitive(block) {
                if let Some(value) = block.body.attribute("value") {
                    self.evaluator.hide(value.value.place());
                }
                let why = format!("the output `{output}` of `module.{name}` is sensitive");
                return Err((why, String::new()));
            }
            let Some(value) = block.body.attribute("value") else {
                return Err((format!("the output `{output}` has no value"), plan()));
            };
            let cases = self.evaluator.expr(value.value, &Scope::Module(child.clone()));
            let told = format!("the output `{output}` of `module.{name}`");
            return Ok(self.told(cases, set_here(told, value.value.place())));
        }
        let source = call.source(self.evaluator);
        let known = source.as_deref().and_then(remote);
        match known.and_then(|known| known.output(call, made, output, self.evaluator, self.written)) {
            Some(value) => Ok(at(self.evaluator.eval(&value), self.place)),
            None => {
                let source = source.unwrap_or_else(|| "somewhere".to_owned());
                let why = format!("`module.{name}` comes from {source}, which is not read");
                Err((why, plan()))
            }
        }
    }
}
