//! Names in a module: variables, locals, outputs, data sources, resources.

use std::rc::Rc;

use super::super::access::repository;
use super::super::form::{Access, Reference};
use super::super::text::at;
use super::super::value::{Hole, Piece, Pseudo, ResourceId, Shaped, Step, StepKind};
use super::super::{Case, Cases, Evaluator, Member, Object, Scope, Symbolic, Thunk, Value};
use super::known::OUTPUTS;
use super::{Block, Instance, Instances, remote, set_here};
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
    fn is_sensitive(&self, block: &Block<'a>) -> bool {
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
struct Names<'n, 'a> {
    evaluator: &'n Evaluator<'a>,
    instance: &'n Rc<Instance<'a>>,
    /// Of the reference, with the names of loops around it.
    scope: &'n Scope<'a>,
    written: &'n str,
    place: Place,
}

impl<'a> Names<'_, 'a> {
    fn open(&self, why: impl Into<String>) -> Cases<'a> {
        self.open_with(why, "lint the plan: `terraform show -json`")
    }

    fn open_with(&self, why: impl Into<String>, help: impl Into<String>) -> Cases<'a> {
        let hole = Hole::new(format!("${{{}}}", self.written), why, help);
        vec![Case::plain(hole.into(), self.place)]
    }

    fn module_scope(&self) -> Scope<'a> {
        Scope::Module(self.instance.clone())
    }

    /// The value at its own place, told on the way.
    fn told(&self, cases: Cases<'a>, step: Step) -> Cases<'a> {
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
            return self.told(
                typed(cases),
                Step {
                    kind: StepKind::Default,
                    name: instance.declared(name).into(),
                    place: default.value.place(),
                },
            );
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

    /// `module.NAME[…].OUTPUT`: its cases, and how much of the path they used.
    fn output(&self, name: &str, path: &[Access<'a>]) -> (Cases<'a>, usize) {
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
            .map(|made| Member {
                key: made
                    .key
                    .as_ref()
                    .map(Symbolic::display)
                    .unwrap_or_default()
                    .into(),
                key_place: call.header,
                value: Thunk::ready(self.outputs(call, made), call.header),
            })
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

    /// An attribute of a resource or a data source; its cases, and how much of the path they used.
    fn attribute(
        &self,
        data: bool,
        kind: &str,
        name: &str,
        path: &[Access<'a>],
        before: usize,
    ) -> (Cases<'a>, usize) {
        let index = usize::from(matches!(path.first(), Some(Access::Index(_) | Access::Each)));
        let all = before + path.len();
        let Some(Access::Attribute(attribute)) = path.get(index) else {
            return match (kind, path) {
                ("aws_ecr_repository", []) => (self.repositories(data, name), before),
                _ => (self.resource_hole(data, kind, name, ""), all),
            };
        };
        let used = before + index + 1;
        let block = self.instance.module.resource(data, kind, name);
        let own = self.module_scope();
        let repeats = block.is_some_and(|block| {
            ["count", "for_each"]
                .iter()
                .any(|name| block.body.attribute(name).is_some())
        });
        let scope = match block.filter(|_| repeats) {
            Some(block) => {
                let made = self.evaluator.instance_at(block, path.first(), &own, self.scope);
                made.map_or(own, |made| made.scope)
            }
            None => own,
        };
        let argument = |wanted: &str| {
            let found = block?.body.attribute(wanted)?;
            Some(self.evaluator.expr(found.value, &scope))
        };
        let text = |cases: Option<Cases<'a>>| {
            let cases = cases?;
            let [case] = cases.as_slice() else {
                return None;
            };
            case.value.to_text()
        };
        let unnamed = || {
            Symbolic::hole(
                &format!("${{{name}}}"),
                format!("the name of `{kind}.{name}` is not known"),
                "",
            )
        };
        let shaped = |pieces: Symbolic| {
            let value = Symbolic {
                pieces: vec![Piece::Shaped(Rc::new(Shaped {
                    written: format!("${{{}}}", self.written),
                    pieces: pieces.pieces,
                }))],
            };
            vec![Case::plain(Value::text(value), self.place)]
        };
        let region = self.evaluator.options().region.clone();
        let region = || {
            region
                .clone()
                .map_or_else(|| Symbolic::from(Pseudo::Region), Symbolic::text)
        };
        let found = match (kind, &**attribute) {
            ("aws_ecr_repository", "repository_url" | "arn") => {
                let name = text(argument("name")).unwrap_or_else(unnamed);
                shaped(repository(attribute == "arn", &region(), &name))
            }
            ("aws_ecr_repository", "registry_id") => shaped(Pseudo::AccountId.into()),
            ("aws_ecrpublic_repository", "repository_uri") => {
                let mut address = Symbolic::text("public.ecr.aws/");
                address.append(&Symbolic::hole(
                    "${alias}",
                    "the alias of the registry is not known",
                    "",
                ));
                address.append(&Symbolic::text("/"));
                address.append(&text(argument("repository_name")).unwrap_or_else(unnamed));
                shaped(address)
            }
            ("aws_ecr_image", "image_uri" | "image_digest" | "id") if data => {
                let mut digest = Symbolic::text("sha256:");
                let shown = format!("${{data.aws_ecr_image.{name}.image_digest}}");
                digest.append(&Symbolic::hole(
                    &shown,
                    "the digest is looked up when Terraform runs",
                    "",
                ));
                let mut address = Symbolic::default();
                if attribute == "image_uri" {
                    let name = text(argument("repository_name")).unwrap_or_else(unnamed);
                    address = repository(false, &region(), &name);
                    address.append(&Symbolic::text("@"));
                }
                address.append(&digest);
                shaped(address)
            }
            ("aws_caller_identity", "account_id") if data => shaped(Pseudo::AccountId.into()),
            ("aws_region", "name" | "id" | "region") if data => shaped(region()),
            ("aws_partition", "dns_suffix") if data => shaped(Pseudo::UrlSuffix.into()),
            ("aws_partition", "partition" | "id") if data => shaped(Pseudo::Partition.into()),
            ("aws_ecr_authorization_token", "proxy_endpoint") if data => {
                let mut address = Symbolic::text("https://");
                let host = repository(false, &region(), &Symbolic::default());
                address.append(&host);
                shaped(Symbolic {
                    // Without the slash in front of a repository.
                    pieces: address
                        .pieces
                        .iter()
                        .take(address.pieces.len() - 1)
                        .cloned()
                        .collect(),
                })
            }
            ("template_file", "rendered") if data => self.template_file(block, &scope, kind, name),
            ("terraform_data", "output") => {
                argument("input").unwrap_or_else(|| self.resource_hole(data, kind, name, attribute))
            }
            _ => match argument(attribute) {
                Some(cases) => {
                    let known = cases.iter().all(|case| {
                        case.value.known().is_some()
                            || matches!(case.value, Value::Object(_) | Value::List(_))
                    });
                    if known {
                        at(cases, self.place)
                    } else {
                        self.resource_hole(data, kind, name, attribute)
                    }
                }
                None => self.resource_hole(data, kind, name, attribute),
            },
        };
        let newest = (data && kind == "aws_ecr_image")
            .then(|| argument("most_recent"))
            .flatten()
            .is_some_and(|cases| {
                cases
                    .iter()
                    .any(|case| case.value.known().as_deref() == Some("true"))
            });
        let mut found = found;
        if let Some(block) = block.filter(|_| newest) {
            let told = block.body.attribute("most_recent");
            let place = told.map_or(block.header, |found| found.name_place.cover(found.value.place()));
            for case in &mut found {
                case.step(Step {
                    kind: StepKind::Newest,
                    name: format!("`data.aws_ecr_image.{name}`").into(),
                    place,
                });
            }
        }
        let found = match path.first() {
            // `x.*.name` is a list, of one item as far as is known here.
            Some(Access::Each) => {
                let items = vec![Thunk::Ready(Rc::new(found))];
                vec![Case::plain(Value::list(items), self.place)]
            }
            _ => found,
        };
        (found, used)
    }

    /// Repositories as a whole: one, a list or an object by key.
    fn repositories(&self, data: bool, name: &str) -> Cases<'a> {
        let kind = "aws_ecr_repository";
        let Some(block) = self.instance.module.resource(data, kind, name) else {
            return self.resource_hole(data, kind, name, "");
        };
        let one = || {
            let member = |attribute: &str| {
                let reader = Names {
                    written: &format!("{kind}.{name}.{attribute}"),
                    ..*self
                };
                let path = [Access::Attribute(attribute.to_owned().into())];
                let (cases, _) = reader.attribute(data, kind, name, &path, 0);
                Member {
                    key: attribute.into(),
                    key_place: block.header,
                    value: Thunk::Ready(Rc::new(cases)),
                }
            };
            object_of(
                ["repository_url", "arn", "name", "registry_id"]
                    .map(member)
                    .into(),
            )
        };
        let made = self.evaluator.instances(block, &self.module_scope());
        let value = if block.body.attribute("for_each").is_some() {
            let members = made.iter().map(|made| Member {
                key: made
                    .key
                    .as_ref()
                    .map(Symbolic::display)
                    .unwrap_or_default()
                    .into(),
                key_place: block.header,
                value: Thunk::ready(one(), block.header),
            });
            object_of(members.collect())
        } else if block.body.attribute("count").is_some() {
            let items = made.iter().map(|_| Thunk::ready(one(), block.header));
            Value::list(items.collect())
        } else {
            one()
        };
        vec![Case::plain(value, self.place)]
    }

    fn resource_hole(&self, data: bool, kind: &str, name: &str, attribute: &str) -> Cases<'a> {
        let prefix = if data { "data." } else { "" };
        let shown = match attribute {
            "" => format!("{prefix}{kind}.{name}"),
            _ => format!("{prefix}{kind}.{name}.{attribute}"),
        };
        let mut cases = self.open(format!("`{shown}` is known when Terraform runs"));
        if let Some(Case {
            value: Value::Unknown(hole),
            ..
        }) = cases.first_mut()
        {
            hole.resource = Some(Rc::new(ResourceId {
                document: self.instance.document,
                address: format!("{}{prefix}{kind}.{name}", self.instance.prefix),
            }));
        }
        cases
    }

    /// `data "template_file"`: `vars` may be a map or a block.
    fn template_file(
        &self,
        block: Option<&Block<'a>>,
        scope: &Scope<'a>,
        kind: &str,
        name: &str,
    ) -> Cases<'a> {
        let Some(template) = block.and_then(|block| block.body.attribute("template")) else {
            return self.resource_hole(true, kind, name, "rendered");
        };
        let vars = block.and_then(|block| block.body.attribute("vars"));
        let names = match vars {
            Some(vars) => Thunk::new(vars.value, scope),
            None => {
                let inner = block.into_iter().flat_map(|block| &block.body.blocks);
                let members = inner
                    .filter(|inner| inner.kind == "vars")
                    .flat_map(|inner| &inner.body.attributes)
                    .map(|attribute| Member {
                        key: attribute.name.into(),
                        key_place: attribute.name_place,
                        value: Thunk::new(attribute.value, scope),
                    });
                Thunk::ready(object_of(members.collect()), template.value.place())
            }
        };
        self.evaluator.rendered(&Thunk::new(template.value, scope), names)
    }
}

fn object_of<'a>(members: Vec<Member<'a>>) -> Value<'a> {
    Value::Object(Rc::new(Object {
        members,
        keys: super::super::Keys::Snake,
        more: None,
    }))
}
