//! The resources of a module, and of the modules it calls, that run containers.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Declared, Document, Role, batch, calls, moved, object as made};
use crate::Options;
use crate::expression::terraform::{Block, Instance, Instances, Module, is_configuration, values_of};
use crate::expression::value::ResourceId;
use crate::expression::{Case, Evaluator, Scope, Value, field, items};
use crate::kind::Kind;
use crate::source::{Place, Store, join, normal, parent};
use crate::table::Table;

/// A module to look at: all files of a folder, or one file of a folder that is no module.
pub(crate) struct Root {
    folder: String,
    file: Option<usize>,
}

/// The modules that were asked for, without those that another of them calls.
pub(crate) fn root_modules<'a>(
    evaluator: &Evaluator<'a>,
    store: &'a Store<'a>,
    files: &[usize],
) -> Vec<Root> {
    let mut folders = Table::<String, Vec<usize>>::default();
    let mut roots = Vec::new();
    for &file in files {
        let path = &store.input(file).path;
        // What has no name of Terraform's, such as what comes by a pipe, has no neighbours.
        if !is_configuration(path) {
            roots.push(Root {
                folder: String::new(),
                file: Some(file),
            });
            continue;
        }
        let folder = parent(&normal(path)).to_owned();
        folders.or_insert(folder, Vec::new()).push(file);
    }
    let mut called = BTreeSet::new();
    for folder in folders.keys() {
        let Some(module) = evaluator.module(folder) else {
            continue;
        };
        for call in &module.calls {
            if let Some(source) = call.source(evaluator)
                && source.starts_with('.')
            {
                called.insert(join(folder, &source));
            }
        }
    }
    // Modules that call each other in a ring are all looked at.
    let all_called = folders.keys().all(|folder| called.contains(folder));
    for (folder, files) in folders.iter() {
        if called.contains(folder) && !all_called {
            continue;
        }
        let root = |file| Root {
            folder: folder.clone(),
            file,
        };
        match evaluator.module(folder).is_none_or(|module| module.is_one) {
            true => roots.push(root(None)),
            false => roots.extend(files.iter().map(|file| root(Some(*file)))),
        }
    }
    roots
}

pub(super) fn declare<'a>(
    evaluator: &Evaluator<'a>,
    store: &'a Store<'a>,
    roots: &[Root],
    options: &Options,
    documents: &mut Vec<Document<'a>>,
) {
    for root in roots {
        evaluator.begin_document(0);
        let module = match root.file {
            Some(file) => Module::of(evaluator, &root.folder, vec![file]),
            None => Module::read(evaluator, &root.folder),
        };
        let Some(mut module) = module else {
            continue;
        };
        for path in &options.var_files {
            if let Some(file) = store.file(path) {
                module.set_values(values_of(evaluator, file));
            }
        }
        let mut document = Document {
            kind: Kind::Terraform,
            folder: root.folder.clone(),
            size: module
                .files
                .iter()
                .map(|file| store.input(*file).bytes.len())
                .sum(),
            declared: Vec::new(),
            unread: Vec::new(),
            names: module.variables.keys().map(|name| (*name).to_owned()).collect(),
        };
        evaluator.begin_document(document.size);
        let instance = Instance::root(Rc::new(module), documents.len());
        walk(
            evaluator,
            &instance,
            &[],
            &|place| store.is_asked_for(place.file),
            &mut document,
        );
        documents.push(document);
    }
}

/// Task definitions of one module and of all that it calls, at most.
const MAX_DECLARED: usize = 2_000;

fn walk<'a>(
    evaluator: &Evaluator<'a>,
    instance: &Rc<Instance<'a>>,
    outer: &[Case<()>],
    is_asked_for: &dyn Fn(Place) -> bool,
    out: &mut Document<'a>,
) {
    let scope = Scope::Module(instance.clone());
    for block in &instance.module.resources {
        // Neighbours are read for the names in them, and for the services that run what was asked for.
        let is_task = matches!(
            block.label(0),
            "aws_ecs_task_definition" | "aws_batch_job_definition"
        );
        if !is_wanted(block.label(0)) || is_task && !is_asked_for(block.header) {
            continue;
        }
        for made in evaluator.instances(block, &scope) {
            if out.declared.len() >= MAX_DECLARED {
                return;
            }
            resource(evaluator, instance, block, &made, outer, out);
        }
    }
    for call in instance
        .module
        .calls
        .iter()
        .filter(|call| is_asked_for(call.header))
    {
        for made in evaluator.instances(call, &scope) {
            if out.declared.len() >= MAX_DECLARED {
                return;
            }
            let mut conditions = outer.to_vec();
            conditions.push(made.case.clone());
            if let Some(child) = instance.child(call, &made, evaluator) {
                walk(evaluator, &child, &conditions, &|_| true, out);
            } else {
                calls::declare(evaluator, instance, call, &made, &conditions, out);
            }
        }
    }
}

/// Types that run containers, or say how.
pub(super) fn is_wanted(kind: &str) -> bool {
    matches!(
        kind,
        "aws_ecs_task_definition"
            | "aws_ecs_service"
            | "aws_ecs_task_set"
            | "aws_ecs_cluster"
            | "aws_ecs_cluster_capacity_providers"
            | "aws_cloudwatch_event_target"
            | "aws_scheduler_schedule"
            | "aws_batch_job_definition"
            | "aws_lambda_function"
    )
}

fn resource<'a>(
    evaluator: &Evaluator<'a>,
    instance: &Rc<Instance<'a>>,
    block: &Block<'a>,
    made: &Instances<'a>,
    outer: &[Case<()>],
    out: &mut Document<'a>,
) {
    let address = format!(
        "{}{}.{}{}",
        instance.prefix,
        block.label(0),
        block.label(1),
        made.suffix
    );
    let mut body = Case::plain(evaluator.shape(block, &made.scope), block.header);
    let fits = body.under(&made.case) && outer.iter().all(|case| body.under(case));
    if !fits {
        return;
    }
    // What the way to a count says is not what the containers depend on.
    body.way.clear();
    let before = out.declared.len();
    add_case(
        evaluator,
        block.label(0),
        &address,
        instance.document,
        block.header,
        body,
        out,
    );
    let ignores = ignored(evaluator, block);
    for declared in &mut out.declared[before..] {
        declared.ignores_containers = ignores;
    }
}

/// Where `lifecycle` says that changes of the containers, or of the task definition that runs, are made elsewhere.
fn ignored<'a>(evaluator: &Evaluator<'a>, block: &Block<'a>) -> Option<Place> {
    let lifecycle = block.body.blocks.iter().find(|inner| inner.kind == "lifecycle")?;
    let attribute = lifecycle.body.attribute("ignore_changes")?;
    let place = attribute.name_place.cover(attribute.value.place());
    // The list holds names of attributes, which are no values.
    let written = evaluator.file_text(place);
    let names = [
        "container_definitions",
        "container_properties",
        "task_definition",
        "all",
    ];
    let mut words = written.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.any(|word| names.contains(&word)).then_some(place)
}

/// Adds what a resource with these values declares.
pub(super) fn add<'a>(
    evaluator: &Evaluator<'a>,
    kind: &str,
    address: &str,
    document: usize,
    place: Place,
    body: Value<'a>,
    out: &mut Document<'a>,
) {
    let body = Case::plain(body, place);
    add_case(evaluator, kind, address, document, place, body, out);
}

fn add_case<'a>(
    evaluator: &Evaluator<'a>,
    kind: &str,
    address: &str,
    document: usize,
    place: Place,
    body: Case<Value<'a>>,
    out: &mut Document<'a>,
) {
    // References name a resource, not one of its instances.
    let bare = match (address.ends_with(']'), address.rfind(kind)) {
        (true, Some(at)) => {
            let end = address[at..].find('[').map_or(address.len(), |found| at + found);
            &address[..end]
        }
        _ => address,
    };
    let resource = ResourceId {
        document,
        address: bare.to_owned(),
    };
    let mut push = |role: Role, body: Case<Value<'a>>| {
        out.declared.push(Declared {
            role,
            id: Some((address.to_owned(), place)),
            resource: Some(resource.clone()),
            body,
            opening: place,
            ignores_containers: None,
        });
    };
    let parts = |outer: &Value<'a>, name: &str| {
        let found = field(evaluator, outer, name).map(|found| found.cases);
        items(evaluator, &found.unwrap_or_default())
    };
    match kind {
        "aws_ecs_task_definition" => push(Role::Task, body),
        "aws_ecs_cluster" => {
            // Its own name is what others call it by.
            let name = moved(&body.value, "name", "clusterName");
            let strategy = "defaultCapacityProviderStrategy";
            let strategy = moved(&body.value, strategy, strategy);
            let members = [name, strategy].into_iter().flatten().collect();
            push(Role::Cluster, body.with(made(members)));
        }
        "aws_ecs_cluster_capacity_providers" => push(Role::Cluster, body),
        "aws_ecs_service" => push(Role::Service("service"), body),
        "aws_ecs_task_set" => push(Role::Service("task set"), body),
        "aws_batch_job_definition" => {
            let job = batch::job(evaluator, &body, place);
            push(Role::Job, job);
        }
        "aws_lambda_function" => push(Role::Function, body),
        "aws_cloudwatch_event_target" => {
            for target in parts(&body.value, "ecsTarget") {
                push(Role::Service("rule"), target);
            }
        }
        _ => {
            for target in parts(&body.value, "target") {
                for parameters in parts(&target.value, "ecsParameters") {
                    push(Role::Service("schedule"), parameters);
                }
            }
        }
    }
}
