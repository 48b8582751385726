//! Names, and attributes and items of what they stand for.

use std::rc::Rc;

use super::cloudformation::{Parameter, Template};
use super::eval::MAX_CASES;
use super::form::{Access, Dialect, Expr, Reference};
use super::text::{at, looked_up, texts};
use super::value::{Branch, Hole, Pseudo, ResourceId, Step, StepKind};
use super::{Case, Cases, Evaluator, Scope, Symbolic, Thunk, Value};
use crate::source::Place;

impl<'a> Evaluator<'a> {
    pub(super) fn reference(&self, reference: &Reference<'a>, scope: &Scope<'a>, place: Place) -> Cases<'a> {
        if matches!(scope, Scope::Bound(_))
            && let Some(root) = self.looped_name(&reference.root, scope)
        {
            let made = Reference {
                root: root.into(),
                ..reference.clone()
            };
            return self.reference(&made, scope, place);
        }
        let path = reference.path.as_slice();
        let cases = match scope.bound(&reference.root) {
            Some(thunk) => self.walk(self.eval(thunk), path, scope, &reference.written),
            None => match scope.outermost() {
                Scope::Template(template) => self.of_template(template, reference, place),
                Scope::Module(_) => self.of_module(reference, scope, place),
                Scope::Only(names) => self.of_names(names, reference, scope, place),
                Scope::Plain | Scope::Bound(_) => vec![Case::plain(self.word(reference), place)],
            },
        };
        at(cases, place)
    }

    /// `Ref` or `GetAtt` of a name that is an expression.
    pub(super) fn made_name(
        &self,
        name: Expr<'a>,
        path: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Option<Cases<'a>> {
        let known = |expr: Expr<'a>| match texts(&self.expr(expr, scope)).as_slice() {
            [case] => case.value.known(),
            _ => None,
        };
        let root = known(name)?;
        let path: Option<Vec<String>> = path.iter().map(|part| known(*part)).collect();
        let path = path?;
        let written = [vec![root.clone()], path.clone()].concat().join(".");
        let reference = Reference {
            root: root.into(),
            path: path
                .into_iter()
                .map(|part| Access::Attribute(part.into()))
                .collect(),
            written: written.into(),
        };
        Some(self.reference(&reference, scope, place))
    }

    /// A name with the values of loops in it: `Task${Name}`.
    fn looped_name(&self, name: &str, scope: &Scope<'a>) -> Option<String> {
        let (before, rest) = name.split_once("${")?;
        let (variable, behind) = rest.split_once('}')?;
        let value = match self.eval(scope.bound(variable)?).as_slice() {
            [case] => case.value.known()?,
            _ => return None,
        };
        let made = format!("{before}{value}{behind}");
        Some(self.looped_name(&made, scope).unwrap_or(made))
    }

    fn word(&self, reference: &Reference<'a>) -> Value<'a> {
        match self.params().get(&*reference.root) {
            Some(value) => Value::text(value.clone()),
            None => {
                let written = &reference.written;
                let why = format!("`{written}` is filled in by a template");
                let help = format!("lint the rendered file, or pass `--param {}=…`", reference.root);
                Hole::new(format!("${{{written}}}"), why, help).into()
            }
        }
    }

    fn of_names(
        &self,
        names: &Rc<Thunk<'a>>,
        reference: &Reference<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let path = [Access::Attribute(reference.root.clone())];
        let given = self.eval(names);
        let has = given.iter().any(
            |case| matches!(&case.value, Value::Object(object) if object.exact(&reference.root).is_some()),
        );
        if !has {
            // A template knows the names that it is given; all others are those of its loops.
            let written = &reference.written;
            let why = format!("`{written}` is an item of a loop in the template");
            let hole = Hole::new(
                format!("${{{written}}}"),
                why,
                "lint the plan: `terraform show -json`",
            );
            return vec![Case::plain(hole.into(), place)];
        }
        let mut cases = self.walk(given, &path, scope, &reference.written);
        for (case, member) in cases.iter_mut().zip(std::iter::repeat(names.place())) {
            let name = format!("`{}` of the template", reference.root).into();
            case.step(Step {
                kind: StepKind::Set,
                name,
                place: match case.place.file == member.file {
                    true => case.place,
                    false => member,
                },
            });
        }
        self.walk(cases, &reference.path, scope, &reference.written)
    }

    /// Goes along a path of attributes and items.
    pub(super) fn walk(
        &self,
        mut cases: Cases<'a>,
        path: &[Access<'a>],
        scope: &Scope<'a>,
        written: &str,
    ) -> Cases<'a> {
        for (at, access) in path.iter().enumerate() {
            if matches!(access, Access::Each) {
                let rest = &path[at + 1..];
                return cases
                    .into_iter()
                    .map(|case| self.each(case, rest, scope, written))
                    .collect();
            }
            let key = match access {
                Access::Attribute(name) => vec![Case::plain(Value::text(&**name), Place::default())],
                Access::Index(expr) => self.expr(*expr, scope),
                Access::Each => Vec::new(),
            };
            let mut next = Vec::new();
            for case in &cases {
                for key in &key {
                    for mut found in self.item(case, &key.value, written) {
                        if found.under(key) && next.len() <= MAX_CASES {
                            next.push(found);
                        }
                    }
                }
            }
            cases = next;
        }
        cases
    }

    fn each(
        &self,
        case: Case<Value<'a>>,
        rest: &[Access<'a>],
        scope: &Scope<'a>,
        written: &str,
    ) -> Case<Value<'a>> {
        let items: Vec<Thunk<'a>> = match &case.value {
            Value::List(items) => items.as_ref().clone(),
            Value::Object(object) => object.members.iter().map(|member| member.value.clone()).collect(),
            Value::Absent => Vec::new(),
            Value::Scalar { .. } => vec![Thunk::Ready(Rc::new(vec![case.clone()]))],
            Value::Unknown(_) => return case,
        };
        let Some(items) = few(&items) else {
            return case.with(others().into());
        };
        let items = items
            .iter()
            .map(|item| Thunk::Ready(Rc::new(self.walk(self.eval(item), rest, scope, written))));
        case.with(Value::list(items.collect()))
    }

    /// The attribute or item of a value.
    fn item(&self, case: &Case<Value<'a>>, key: &Value<'a>, written: &str) -> Cases<'a> {
        let open = |why: String| {
            let hole = Hole::new(format!("${{{written}}}"), why, "");
            vec![case.with(hole.into())]
        };
        let open_key = || {
            let of_key = key.hole();
            let help = of_key.map_or_else(String::new, |hole| hole.help.clone());
            let because = of_key.map_or_else(String::new, |hole| format!(": {}", hole.why));
            let why = format!("which item of `{written}` it is, is not known{because}");
            vec![case.with(Hole::new(format!("${{{written}}}"), why, help).into())]
        };
        match &case.value {
            Value::Unknown(hole) => {
                let hole = Hole {
                    written: format!("${{{written}}}"),
                    ..hole.clone()
                };
                vec![case.with(hole.into())]
            }
            Value::Object(object) => {
                let Some(name) = key.known() else {
                    return open_key();
                };
                match (object.exact(&name), &object.more) {
                    (Some(member), _) => self.under(case, &member.value),
                    (None, Some(more)) => vec![case.with(more.clone().into())],
                    (None, None) => {
                        self.fail();
                        vec![case.with(Value::Absent)]
                    }
                }
            }
            Value::List(items) => {
                let Some(index) = key.known() else {
                    return open_key();
                };
                match index.parse::<usize>() {
                    Ok(index) => match items.get(index) {
                        Some(item) => self.under(case, item),
                        None => {
                            self.fail();
                            vec![case.with(Value::Absent)]
                        }
                    },
                    // An attribute of a block that may come once: of its only item.
                    Err(_) => match items.as_slice() {
                        [only] => self
                            .under(case, only)
                            .iter()
                            .flat_map(|inner| self.item(inner, key, written))
                            .collect(),
                        _ => open(format!("`{written}` is not evaluated")),
                    },
                }
            }
            Value::Scalar { text, .. } if text.known().is_none() => {
                let why = text.expanded().holes().next().map(|hole| hole.why.clone());
                open(why.unwrap_or_else(|| format!("`{written}` is not evaluated")))
            }
            Value::Scalar { .. } => open(format!("`{written}` is not evaluated")),
            Value::Absent => {
                self.fail();
                vec![case.with(Value::Absent)]
            }
        }
    }

    fn of_template(&self, template: &Rc<Template<'a>>, reference: &Reference<'a>, place: Place) -> Cases<'a> {
        let name = &*reference.root;
        if let [Access::Attribute(attribute)] = reference.path.as_slice() {
            return vec![Case::plain(
                self.attribute(template, name, attribute, place),
                place,
            )];
        }
        if let Some(value) = self.params().get(name) {
            return vec![Case::plain(self.given(template, name, value, place), place)];
        }
        if let Some((_, pseudo)) = Pseudo::ALL.iter().find(|row| row.0 == name) {
            let region = self
                .options()
                .region
                .clone()
                .filter(|_| *pseudo == Pseudo::Region);
            let text = region.map_or_else(|| Symbolic::from(*pseudo), Symbolic::text);
            return vec![Case::plain(Value::text(text), place)];
        }
        let written = format!("${{{name}}}");
        if name.starts_with("AWS::") {
            let why = format!("`{name}` is known when the stack is deployed");
            let help = format!("pass `--param {name}=…`");
            return vec![Case::plain(Hole::new(written, why, help).into(), place)];
        }
        if let Some(parameter) = template.parameters.get(name) {
            return self.parameter(template.file, parameter, name, place);
        }
        let mut hole = match template.resource(name) {
            // None of those that users make is Fargate's, whatever its name: that is enough.
            Some(resource) if resource.kind == "AWS::ECS::CapacityProvider" => {
                return vec![Case::plain(Value::text(written), place)];
            }
            Some(resource) => Hole::new(
                written,
                format!(
                    "`{name}` ({}) gets its name when the stack is deployed",
                    resource.kind
                ),
                "",
            ),
            None => Hole::new(written, format!("`{name}` is not declared in this template"), ""),
        };
        hole.resource = template.resource(name).map(|_| {
            Rc::new(ResourceId {
                document: template.document,
                address: name.to_owned(),
            })
        });
        vec![Case::plain(hole.into(), place)]
    }

    /// A parameter that nobody gave: its default, or what it may be.
    fn parameter(&self, file: usize, parameter: &Parameter<'a>, name: &str, place: Place) -> Cases<'a> {
        let written = format!("${{{name}}}");
        let help = format!("pass `--param {name}=…`");
        if parameter.kind.starts_with("AWS::SSM::Parameter::Value") {
            let why = format!("the parameter `{name}` is looked up in SSM when the stack is deployed");
            return vec![Case::plain(Hole::new(written, why, help).into(), place)];
        }
        if let Some(default) = parameter.default
            && let Some(text) = default.scalar()
        {
            let expr = Expr::node(file, default, Dialect::Plain);
            let mut cases = match is_list(parameter.kind) {
                true => vec![Case::plain(split_commas(text, place), place)],
                false => self.expr(expr, &Scope::Plain),
            };
            for case in &mut cases {
                case.step(Step {
                    kind: StepKind::Default,
                    name: format!("the parameter `{name}`").into(),
                    place: Place::new(file, default.range()),
                });
            }
            return cases;
        }
        let allowed: Vec<_> = parameter.allowed.iter().flat_map(|list| list.items()).collect();
        if !allowed.is_empty() && allowed.len() <= MAX_CASES && !is_list(parameter.kind) {
            let value = |node: crate::source::Node<'a>| {
                let text = node.scalar()?;
                let mut case = Case::plain(Value::text(text), place);
                case.when.push(Branch::is(name, text, help.as_str()));
                Some(case)
            };
            return allowed.into_iter().filter_map(value).collect();
        }
        let why = format!("the parameter `{name}` has no default");
        vec![Case::plain(Hole::new(written, why, help).into(), place)]
    }

    fn given(&self, template: &Rc<Template<'a>>, name: &str, value: &str, place: Place) -> Value<'a> {
        let kind = template
            .parameters
            .get(name)
            .map_or("String", |parameter| parameter.kind);
        match is_list(kind) {
            true => split_commas(value, place),
            false => Value::text(looked_up(&Symbolic::text(value))),
        }
    }

    /// Attributes of resources. An ECR repository's address and ARN have a known shape; all others are open.
    fn attribute(&self, template: &Rc<Template<'a>>, name: &str, attribute: &str, place: Place) -> Value<'a> {
        let resource = template.resource(name);
        let is_repository = resource.is_some_and(|found| found.kind == "AWS::ECR::Repository");
        if is_repository && matches!(attribute, "RepositoryUri" | "Arn") {
            let region = self.of_template(template, &super::cloudformation::named("AWS::Region"), place);
            let region = region
                .first()
                .and_then(|case| case.value.to_text())
                .unwrap_or_default();
            return Value::text(repository(
                attribute == "Arn",
                &region,
                &self.repository_name(template, name),
            ));
        }
        let mut hole = Hole::new(
            format!("${{{name}.{attribute}}}"),
            format!("`{name}.{attribute}` is known when the stack is deployed"),
            "",
        );
        hole.resource = resource.map(|_| {
            Rc::new(ResourceId {
                document: template.document,
                address: name.to_owned(),
            })
        });
        hole.into()
    }

    fn repository_name(&self, template: &Rc<Template<'a>>, name: &str) -> Symbolic {
        let open = || {
            Symbolic::hole(
                &format!("${{{name}}}"),
                format!("the repository `{name}` gets its name when the stack is deployed"),
                "",
            )
        };
        let property = template
            .resource(name)
            .and_then(|found| found.properties?.get("RepositoryName"));
        let Some(node) = property else {
            return open();
        };
        let expr = Expr::node(template.file, node, Dialect::Cloudformation);
        match self.expr(expr, &Scope::Template(template.clone())).as_slice() {
            [case] => case.value.to_text().unwrap_or_else(open),
            _ => open(),
        }
    }
}

/// Items of one list that are looked at.
pub(super) const MAX_ITEMS: usize = 256;

/// The items of a list in which each is looked at, unless there are too many.
pub(super) fn few<T>(items: &[T]) -> Option<&[T]> {
    (items.len() <= MAX_ITEMS).then_some(items)
}

/// What stands for the items that are too many to be looked at.
pub(super) fn others() -> Hole {
    Hole::new("(…)", "the list is longer than lists are looked at", "")
}

/// The address or the ARN of a private ECR repository.
pub(super) fn repository(arn: bool, region: &Symbolic, name: &Symbolic) -> Symbolic {
    let text = |text: &str| Symbolic::text(text);
    let account: Symbolic = Pseudo::AccountId.into();
    let pieces = match arn {
        false => vec![
            account,
            text(".dkr.ecr."),
            region.clone(),
            text("."),
            Pseudo::UrlSuffix.into(),
            text("/"),
            name.clone(),
        ],
        true => vec![
            text("arn:"),
            Pseudo::Partition.into(),
            text(":ecr:"),
            region.clone(),
            text(":"),
            account,
            text(":repository/"),
            name.clone(),
        ],
    };
    let mut out = Symbolic::default();
    for piece in &pieces {
        out.append(piece);
    }
    out
}

fn is_list(kind: &str) -> bool {
    kind == "CommaDelimitedList" || kind.starts_with("List<")
}

fn split_commas<'a>(text: &str, place: Place) -> Value<'a> {
    let items = text
        .split(',')
        .map(|item| Thunk::ready(Value::text(item.trim()), place));
    Value::list(items.collect())
}
