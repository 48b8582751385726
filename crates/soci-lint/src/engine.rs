//! The run: read the files, find what they declare, build the model, ask the rules.

use crate::accept::Accepted;
use crate::documents::{self, Root, Unread, root_modules};
use crate::expression::Evaluator;
use crate::expression::terraform::is_configuration;
use crate::kind::Kind;
use crate::model;
use crate::report::write::{Seen, write};
use crate::rules::{File, Outcome, RULES, Run, Sink};
use crate::source::{
    LineIndex, Problem, ProblemKind, Source, Store, Suppressions, normal, parent, suppressions,
};
use crate::table::Table;
use crate::{Beside, Input, Nothing, Options, Report, detect};

/// Lints files. Never fails: what is wrong with a file is a finding.
///
/// The files are looked at together: a service in one of them takes part in the verdict on a task
/// definition in another, and the files of a folder of Terraform are one module.
pub fn lint(files: &[Input], options: &Options) -> Report {
    lint_beside(files, &Nothing, options)
}

/// Lints files and asks for others that they name: a module's neighbours, modules it calls, templates.
pub fn lint_beside(files: &[Input], beside: &dyn Beside, options: &Options) -> Report {
    let store = Store::new(files, beside);
    let evaluator = Evaluator::new(&store, options);
    let mut kinds: Vec<Vec<Kind>> = (0..files.len())
        .map(|file| kinds(&store, file, options))
        .collect();
    let roots = roots(&store, &kinds);
    let of_kind = |kind: Kind| -> Vec<usize> {
        (0..files.len())
            .filter(|file| kinds[*file].contains(&kind))
            .collect()
    };
    let configuration = of_kind(Kind::Terraform);
    let terragrunt = of_kind(Kind::Terragrunt);
    let modules = root_modules(&evaluator, &store, &configuration);
    let declaring = documents::documents(&evaluator, &store, &roots, &modules, &terragrunt, options);
    let documents = model::documents(&evaluator, &declaring, options);

    // From here on no file is added.
    for _ in files.len()..store.len() {
        kinds.push(vec![Kind::Unknown]);
    }
    let lines: Vec<LineIndex<'_>> = (0..store.len())
        .map(|file| LineIndex::new(&store.input(file).bytes))
        .collect();
    let comments: Vec<Suppressions> = (0..store.len())
        .map(|file| {
            let source = store.source(file);
            suppressions(source.text, source.syntax, &lines[file])
        })
        .collect();
    let mut seen = seen_files(&store, &evaluator, &kinds, &comments, &documents);
    let empty = empty_files(&store, &configuration, &terragrunt, &roots, &documents);
    for file in seen.iter_mut().filter(|file| file.is_asked_for) {
        file.is_named = beside.is_named(&store.input(file.at).path);
        let holds_nothing = empty[file.at];
        let kind = kind_of_file(&kinds[file.at]);
        file.contradicts = contradiction(&store, file.at, options, holds_nothing);
        file.holds_nothing =
            (holds_nothing && file.contradicts.is_none() && file.problems.is_empty()).then_some(kind);
    }
    let names: Vec<String> = declaring
        .iter()
        .flat_map(|document| document.names.clone())
        .collect();
    let run = Run {
        options,
        files: &seen,
        documents: &documents,
        names: &names,
    };
    let mut emitted = Vec::new();
    for rule in RULES {
        if let Some(severity) = rule.severity_in(options) {
            Sink::new(&run, rule, severity, &mut emitted).ask();
        }
    }
    let accepted = Accepted::of(options, &documents, &emitted, &comments, &lines);
    let outcome = Outcome::of(
        &run,
        &accepted.idle_entries,
        &accepted.idle_comments,
        &emitted,
        &comments,
        &lines,
    );
    let mut last = Vec::new();
    for rule in RULES {
        if let Some(severity) = rule.severity_in(options) {
            Sink::new(&run, rule, severity, &mut last).ask_at_last(&outcome);
        }
    }
    for found in &mut emitted {
        if let Some(reason) = accepted.covers(&documents, found) {
            found.accepted(reason);
        }
    }
    emitted.extend(last);
    let seen: Vec<Seen<'_>> = (0..store.len())
        .map(|file| Seen {
            path: &store.input(file).path,
            syntax: store.source(file).syntax,
            kind: kind_of_file(&kinds[file]),
            is_asked_for: store.is_asked_for(file),
            lines: &lines[file],
            comments: &comments[file],
        })
        .collect();
    let hidden = evaluator.take_hidden().into_iter();
    let hidden = hidden.map(|place| {
        (
            store.input(place.file).path.clone(),
            place.range.start..place.range.end,
        )
    });
    Report {
        hidden: hidden.collect(),
        ..write(&seen, &documents, &emitted, &accepted, options.consumer)
    }
}

/// The kind of each root; of the text where there is none.
fn kinds<'a>(store: &'a Store<'a>, file: usize, options: &Options) -> Vec<Kind> {
    let source = store.source(file);
    if source.hcl.is_some() {
        return vec![match source.text_kind {
            Some(Kind::Terragrunt) => Kind::Terragrunt,
            _ => Kind::Terraform,
        }];
    }
    let Some(tree) = &source.tree else {
        let template = source
            .problems
            .iter()
            .any(|problem| problem.kind == ProblemKind::Template);
        let fallback = if template { Kind::Template } else { Kind::Unknown };
        return vec![source.text_kind.unwrap_or(fallback)];
    };
    let by_name = is_configuration(&store.input(file).path).then_some(Kind::Terraform);
    let kinds: Vec<Kind> = tree
        .root_nodes()
        .map(|root| options.kind.or(by_name).unwrap_or_else(|| detect::of_root(root)))
        .collect();
    match kinds.is_empty() {
        true => vec![Kind::Unknown],
        false => kinds,
    }
}

/// Files that declare documents, and whether nothing in those runs containers.
fn empty_files<'a>(
    store: &'a Store<'a>,
    configuration: &[usize],
    terragrunt: &[usize],
    roots: &[Root<'_>],
    documents: &[model::Document],
) -> Vec<bool> {
    // Documents of roots come first, in their order; then modules, then files of Terragrunt.
    let (of_roots, rest) = documents.split_at(roots.len().min(documents.len()));
    let (modules, of_terragrunt) = rest.split_at(rest.len().saturating_sub(terragrunt.len()));
    let mut empty = vec![false; store.len()];
    for (file, document) in terragrunt.iter().zip(of_terragrunt) {
        empty[*file] = document.is_empty();
    }
    for root in roots {
        empty[root.file] = true;
    }
    for (root, document) in roots.iter().zip(of_roots) {
        empty[root.file] &= document.is_empty();
    }
    let mut folders = Table::<&str, bool>::default();
    for module in modules {
        *folders.or_insert(&module.folder, true) &= module.is_empty();
    }
    for &file in configuration {
        let path = normal(&store.input(file).path);
        if let Some(is_empty) = folders.get(parent(&path)) {
            empty[file] = *is_empty;
        }
    }
    empty
}

/// What a file is by its content, if it was said to be something else and that is not so.
fn contradiction<'a>(
    store: &'a Store<'a>,
    file: usize,
    options: &Options,
    holds_nothing: bool,
) -> Option<Kind> {
    let said = options.kind?;
    let found = kinds(store, file, &Options::default());
    // A service without any key would be one that says nothing.
    let tree = store.source(file).tree.as_ref();
    let is_no_service =
        said == Kind::Service && tree.is_some_and(|tree| !tree.root_nodes().any(detect::may_be_service));
    let against = |kind: &Kind| match kind {
        Kind::Unknown => holds_nothing || is_no_service,
        kind => !kind.is_close_to(said),
    };
    found.into_iter().find(against)
}

/// What a file with several roots is called: what is read of it, or what comes first.
fn kind_of_file(kinds: &[Kind]) -> Kind {
    let read = kinds.iter().find(|kind| kind.is_read());
    read.or(kinds.first()).copied().unwrap_or(Kind::Unknown)
}

fn roots<'a>(store: &'a Store<'a>, kinds: &[Vec<Kind>]) -> Vec<Root<'a>> {
    let mut roots = Vec::new();
    for (file, kinds) in kinds.iter().enumerate() {
        let Some(tree) = &store.source(file).tree else {
            continue;
        };
        for (node, &kind) in tree.root_nodes().zip(kinds) {
            if kind.is_read() && kind != Kind::Terraform {
                roots.push(Root { file, kind, node });
            }
        }
    }
    roots
}

/// The files as rules see them.
fn seen_files<'r, 'a>(
    store: &'a Store<'a>,
    evaluator: &Evaluator<'a>,
    kinds: &[Vec<Kind>],
    comments: &'r [Suppressions],
    documents: &'r [model::Document],
) -> Vec<File<'r>>
where
    'a: 'r,
{
    let mut inner: Vec<Vec<Problem>> = Vec::new();
    inner.resize_with(store.len(), Vec::new);
    for (file, problem) in evaluator.take_problems() {
        inner[file].push(problem);
    }
    let mut unread: Vec<Vec<(&Unread, bool)>> = Vec::new();
    unread.resize_with(store.len(), Vec::new);
    for document in documents {
        for found in &document.unread {
            unread[found.place.file].push((found, document.tasks.is_empty()));
        }
    }
    (0..store.len())
        .map(|at| {
            let source = store.source(at);
            let is_read = kinds[at].iter().any(|kind| kind.is_read());
            let is_asked_for = store.is_asked_for(at);
            let mut problems: Vec<Problem> = source
                .problems
                .iter()
                .filter(|problem| is_asked_for && counts(problem, source, is_read))
                .cloned()
                .collect();
            problems.append(&mut inner[at]);
            let is_broken = source.tree.is_none() && source.hcl.is_none() && !source.problems.is_empty();
            File {
                at,
                text: source.text,
                source,
                holds_nothing: None,
                contradicts: None,
                is_asked_for,
                is_named: false,
                other: (is_asked_for && !is_read && !is_broken).then(|| kind_of_file(&kinds[at])),
                problems,
                suppressions: &comments[at],
                unread: std::mem::take(&mut unread[at]),
            }
        })
        .collect()
}

/// Objections to the form of a file that is none of ours are noise, unless nothing else is known about it.
fn counts(problem: &Problem, source: &Source<'_>, is_read: bool) -> bool {
    is_read || source.tree.is_none() || problem.kind == ProblemKind::Syntax
}
