//! Terragrunt: images among the `inputs` that it hands to a module. The module is somewhere else, so what it
//! does with them is not known; they are named. <https://terragrunt.gruntwork.io/docs/reference/hcl/> (2026-11-29)

use std::rc::Rc;

use super::{Declared, Document, Role, object};
use crate::expression::terraform::{Instance, Module, top};
use crate::expression::value::Hole;
use crate::expression::{Case, Evaluator, Scope, Symbolic, Thunk, Value};
use crate::kind::Kind;
use crate::source::{Place, Store, normal, parent};

/// One document for each file.
pub(super) fn declare<'a>(
    evaluator: &Evaluator<'a>,
    store: &'a Store<'a>,
    files: &[usize],
    documents: &mut Vec<Document<'a>>,
) {
    for &file in files {
        let input = store.input(file);
        let mut document = Document {
            kind: Kind::Terragrunt,
            folder: parent(&normal(&input.path)).to_owned(),
            size: input.bytes.len(),
            declared: Vec::new(),
            unread: Vec::new(),
            names: Vec::new(),
        };
        evaluator.begin_document(document.size);
        let body = top(evaluator, file);
        let module = Module::of(evaluator, &document.folder, vec![file]);
        if let (Some(inputs), Some(module)) = (body.attribute("inputs"), module) {
            let scope = Scope::Module(Instance::root(Rc::new(module), documents.len()));
            let source = body.blocks.iter().find(|block| block.kind == "terraform");
            let source = source.and_then(|block| block.source(evaluator));
            let reader = Reader {
                evaluator,
                source: source.unwrap_or_else(|| "a module".to_owned()),
            };
            for case in evaluator.eval(&Thunk::new(inputs.value, &scope)) {
                reader.read("inputs", inputs.name_place, &case, 0, &mut document);
            }
        }
        documents.push(document);
    }
}

struct Reader<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    /// The module that takes the inputs.
    source: String,
}

/// Objects in objects are looked into this deep.
const MAX_DEPTH: usize = 6;

/// Images of one file.
const MOST: usize = 500;

impl<'a> Reader<'_, 'a> {
    /// The images in an object, as a task that is called by the way to it.
    fn read(&self, path: &str, place: Place, case: &Case<Value<'a>>, depth: usize, out: &mut Document<'a>) {
        let Value::Object(inner) = &case.value else {
            return;
        };
        if depth > MAX_DEPTH || out.declared.len() >= MOST {
            return;
        }
        let mut containers = Vec::new();
        let mut deeper = Vec::new();
        for member in &inner.members {
            for value in self.evaluator.under(case, &member.value) {
                match &value.value {
                    Value::Object(_) if member.key.ends_with("container_definitions") => {
                        containers.extend(self.by_name(&value));
                    }
                    Value::List(items) if member.key.ends_with("container_definitions") => {
                        let items = items.iter().flat_map(|item| self.evaluator.under(&value, item));
                        containers.extend(items.filter_map(|item| self.container(None, &item)));
                    }
                    Value::Object(_) => deeper.push((&member.key, member.key_place, value)),
                    Value::Scalar { .. } | Value::Unknown(_) if is_image(&member.key) => {
                        containers.extend(self.named(&member.key, member.key_place, &value));
                    }
                    _ => {}
                }
            }
        }
        if !containers.is_empty() {
            let list = Thunk::ready(Value::list(containers), place);
            let body = case.with(object(vec![("containerDefinitions", place, list)]));
            out.declared.push(Declared {
                role: Role::Call,
                id: Some((path.to_owned(), place)),
                resource: None,
                body,
                opening: place,
                ignores_containers: None,
            });
        }
        for (key, place, value) in deeper {
            self.read(&format!("{path}.{key}"), place, &value, depth + 1, out);
        }
    }

    fn by_name(&self, map: &Case<Value<'a>>) -> Vec<Thunk<'a>> {
        let Value::Object(inner) = &map.value else {
            return Vec::new();
        };
        let members = inner.members.iter().flat_map(|member| {
            let cases = self.evaluator.under(map, &member.value);
            cases.into_iter().map(move |case| (member.key.clone(), case))
        });
        members
            .filter_map(|(key, case)| self.container(Some(&key), &case))
            .collect()
    }

    /// A container definition, called by its key if it has no name.
    fn container(&self, key: Option<&str>, case: &Case<Value<'a>>) -> Option<Thunk<'a>> {
        let Value::Object(inner) = &case.value else {
            return None;
        };
        let image = inner.exact("image")?;
        let own = inner.exact("name").and_then(|name| {
            let cases = self.evaluator.eval(&name.value);
            cases.first().and_then(|case| case.value.to_text())
        });
        let name = own.map(|own| own.display());
        let name = name.or_else(|| key.map(str::to_owned)).unwrap_or_default();
        let value = self.evaluator.under(case, &image.value);
        self.named(&name, image.key_place, value.first()?)
    }

    /// A container with an image that a module may use.
    fn named(&self, name: &str, key_place: Place, image: &Case<Value<'a>>) -> Option<Thunk<'a>> {
        let text = image
            .value
            .to_text()
            .filter(|text| *text != Symbolic::default())?;
        let written = text.display();
        let why = match text.holes().next() {
            Some(hole) => hole.why.clone(),
            None => format!(
                "Terragrunt hands `{written}` to {}, which is not read: what it does with it is open",
                self.source
            ),
        };
        let hole = Hole::new(
            written,
            why,
            "lint the plan: `terragrunt show -json`, of a saved plan",
        );
        let image = image.with(Value::Unknown(hole));
        let place = image.place;
        let members = vec![
            ("name", key_place, Thunk::ready(Value::text(name), key_place)),
            ("image", key_place, Thunk::Ready(Rc::new(vec![image]))),
        ];
        Some(Thunk::ready(object(members), place))
    }
}

/// Whether an input of this name is an image.
fn is_image(name: &str) -> bool {
    ["image", "image_uri", "image_url", "image_name"]
        .iter()
        .any(|word| name == *word || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('_')))
}
