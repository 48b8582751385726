//! What each kind of document declares, in the shape of the API: the only place that knows the kinds.

mod batch;
mod calls;
mod cloudformation;
mod copilot;
mod plain;
mod plan;
mod terraform;
mod terragrunt;

use crate::Options;
use crate::expression::value::{Hole, ResourceId};
use crate::expression::{Case, Evaluator, Keys, Member, Object, Thunk, Value};
use crate::kind::Kind;
use crate::source::{Node, Place, Store, TextRange, parent};

pub(crate) use terraform::{Root as RootModule, root_modules};

/// A document: a root of a file, or a module with all that it calls.
pub(crate) struct Document<'a> {
    pub(crate) kind: Kind,
    pub(crate) folder: String,
    /// Bytes, so that large documents get large budgets.
    pub(crate) size: usize,
    pub(crate) declared: Vec<Declared<'a>>,
    /// Resources with containers in them that are not read.
    pub(crate) unread: Vec<Unread>,
    /// Names that the caller can give values to.
    pub(crate) names: Vec<String>,
}

/// A resource with containers in it that is not read.
#[derive(Debug, Clone)]
pub(crate) struct Unread {
    pub(crate) place: Place,
    /// What it is.
    pub(crate) message: String,
    /// What to do instead.
    pub(crate) help: &'static str,
}

/// A task definition, a service, or what else runs tasks.
pub(crate) struct Declared<'a> {
    pub(crate) role: Role,
    /// Its name in the document, where that is not the family.
    pub(crate) id: Option<(String, Place)>,
    pub(crate) resource: Option<ResourceId>,
    /// An object with the API's names, under the conditions under which it is there.
    pub(crate) body: Case<Value<'a>>,
    /// Where it begins.
    pub(crate) opening: Place,
    /// Where it says that changes of the containers are made elsewhere.
    pub(crate) ignores_containers: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Task,
    /// A list of containers, or one.
    Containers,
    /// A call of a module that is known by name: a task and the service that runs it.
    Module,
    /// A call of a module that is not read, with containers in its arguments.
    Call,
    /// A job definition of AWS Batch.
    Job,
    /// A Lambda function out of an image.
    Function,
    /// A cluster, or its capacity providers.
    Cluster,
    /// With what to call it: `service`, `task set`, `rule` or `schedule`.
    Service(&'static str),
}

/// A root of a file that is read.
pub(crate) struct Root<'a> {
    pub(crate) file: usize,
    pub(crate) kind: Kind,
    pub(crate) node: Node<'a>,
}

/// All documents: each root, each module that no other of the run calls, each file of Terragrunt.
pub(crate) fn documents<'a>(
    evaluator: &Evaluator<'a>,
    store: &'a Store<'a>,
    roots: &[Root<'a>],
    modules: &[RootModule],
    terragrunt: &[usize],
    options: &Options,
) -> Vec<Document<'a>> {
    let mut documents = Vec::new();
    for root in roots {
        let path = &store.input(root.file).path;
        let mut document = Document {
            kind: root.kind,
            folder: parent(&crate::source::normal(path)).to_owned(),
            size: root.node.written().len(),
            declared: Vec::new(),
            unread: Vec::new(),
            names: Vec::new(),
        };
        let at = documents.len();
        evaluator.begin_document(document.size);
        match root.kind {
            Kind::Cloudformation => cloudformation::declare(evaluator, root, at, options, &mut document),
            Kind::TerraformPlan | Kind::TerraformState => plan::declare(evaluator, root, at, &mut document),
            Kind::Batch => batch::declare(evaluator, root, &mut document),
            Kind::Copilot => copilot::declare(evaluator, root, &mut document),
            _ => plain::declare(evaluator, root, path, &mut document),
        }
        documents.push(document);
    }
    terraform::declare(evaluator, store, modules, options, &mut documents);
    terragrunt::declare(evaluator, store, terragrunt, &mut documents);
    documents
}

/// The first byte of a value: where an object or a list begins; its first key where there is no bracket.
pub(crate) fn opening(evaluator: &Evaluator<'_>, place: Place, first_key: Place) -> Place {
    let written = evaluator.file_text(place);
    if written.starts_with(['{', '[']) {
        return Place::new(
            place.file,
            TextRange::new(place.range.start, place.range.start + 1),
        );
    }
    if first_key.file == place.file && first_key != place {
        return first_key;
    }
    let line = written.lines().next().unwrap_or("").trim_end();
    Place::new(
        place.file,
        TextRange::new(place.range.start, place.range.start + line.len()),
    )
}

/// What is written at a place.
pub(crate) fn written(evaluator: &Evaluator<'_>, place: Place) -> String {
    evaluator.file_text(place).to_owned()
}

fn opening_of(evaluator: &Evaluator<'_>, body: &Case<Value<'_>>) -> Place {
    let first = match &body.value {
        Value::Object(object) => object.members.first().map(|member| member.key_place),
        _ => None,
    };
    opening(evaluator, body.place, first.unwrap_or(body.place))
}

/// An object of our own making, with the API's names.
fn object<'a>(members: Vec<(&str, Place, Thunk<'a>)>) -> Value<'a> {
    let members = members.into_iter().map(|(key, key_place, value)| Member {
        key: key.into(),
        key_place,
        value,
    });
    Value::Object(std::rc::Rc::new(Object {
        members: members.collect(),
        keys: Keys::Camel,
        more: None::<Hole>,
    }))
}

/// The members called `name` of an object, to be put into another under `key`.
fn moved<'a, 'k>(object: &Value<'a>, name: &str, key: &'k str) -> Option<(&'k str, Place, Thunk<'a>)> {
    let Value::Object(object) = object else {
        return None;
    };
    let member = object.named(name).next_back()?;
    Some((key, member.key_place, member.value.clone()))
}
