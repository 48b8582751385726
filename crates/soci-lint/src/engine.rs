//! The run: read the files, build the documents, ask the rules, judge, and write it all down with lines and columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::cfn::Template;
use crate::kind::{self, Kind};
use crate::model::{Document, Root, documents};
use crate::report::{
    ContainerReport, FileReport, Finding, REPORT_VERSION, Reason, Related, Report, Summary, TaskReport,
};
use crate::rules::duplicate_key::DUPLICATE_KEY;
use crate::rules::kind_not_read::{KIND_NOT_READ, beside, not_read};
use crate::rules::not_plain_json::NOT_PLAIN_JSON;
use crate::rules::odd_suppression::ODD_SUPPRESSION;
use crate::rules::syntax_error::SYNTAX_ERROR;
use crate::rules::template_not_rendered::TEMPLATE_NOT_RENDERED;
use crate::rules::unreadable_file::UNREADABLE;
use crate::rules::unused_parameter::UNUSED_PARAMETER;
use crate::rules::{Check, Emitted, RULES, Rule, Severity, Sink, matching};
use crate::source::{LineIndex, Problem, ProblemKind, Source, Suppressions, TextRange, read, suppressions};
use crate::verdict::judge;
use crate::{Input, Options};

/// Lints files. Never fails: what is wrong with a file is a finding.
///
/// The files are looked at together: a service in one of them takes part in the verdict on a task
/// definition in another.
pub fn lint(files: &[Input], options: &Options) -> Report {
    let sources: Vec<Source<'_>> = files.iter().map(|file| read(&file.bytes)).collect();
    let kinds: Vec<Vec<Kind>> = sources.iter().map(|source| kinds(source, options)).collect();
    let roots = roots(files, &sources, &kinds);
    let documents = documents(&roots, options);
    let mut emitted = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        emit_reader(file, source, &kinds[file], options, &mut emitted);
    }
    for root in &roots {
        for (range, message) in root.template.iter().flat_map(beside) {
            let rule = &KIND_NOT_READ;
            let help = "lint the task definition that it becomes, from `aws ecs describe-task-definition`";
            push(rule, options, root.file, Some(range), message, help, &mut emitted);
        }
    }
    emit_unused_parameters(&sources, &roots, options, &mut emitted);
    for rule in RULES {
        let Some(severity) = rule.severity_in(options) else {
            continue;
        };
        for at in 0..documents.len() {
            let mut sink = Sink::new(&documents, at, options, rule, severity, &mut emitted);
            match rule.check {
                Check::Document(check) => check(&documents[at], &mut sink),
                Check::Task(check) => sink.each_task(check),
                Check::Container(check) => sink.each_container(check),
                Check::Reader => {}
            }
        }
    }
    Writer::new(files, &sources, &kinds, &documents, options).report(&emitted)
}

/// The kind of each root; of the text where there is none.
fn kinds(source: &Source<'_>, options: &Options) -> Vec<Kind> {
    let Some(tree) = &source.tree else {
        let text = source.text.trim_start_matches('\u{FEFF}');
        let template = source
            .problems
            .iter()
            .any(|problem| problem.kind == ProblemKind::Template);
        let fallback = if template { Kind::Template } else { Kind::Unknown };
        return vec![kind::of_text(text).unwrap_or(fallback)];
    };
    let kinds: Vec<Kind> = tree
        .root_nodes()
        .map(|root| options.kind.unwrap_or_else(|| kind::of_root(root)))
        .collect();
    match kinds.is_empty() {
        true => vec![Kind::Unknown],
        false => kinds,
    }
}

fn roots<'a>(files: &'a [Input], sources: &'a [Source<'a>], kinds: &[Vec<Kind>]) -> Vec<Root<'a>> {
    let mut roots = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let Some(tree) = &source.tree else {
            continue;
        };
        for (node, &kind) in tree.root_nodes().zip(&kinds[file]) {
            if kind.is_read() {
                roots.push(Root {
                    file,
                    path: &files[file].path,
                    kind,
                    node,
                    template: (kind == Kind::Cloudformation).then(|| Template::read(node)),
                });
            }
        }
    }
    roots
}

/// What the reader and the detector have to say about a file.
fn emit_reader(file: usize, source: &Source<'_>, kinds: &[Kind], options: &Options, out: &mut Vec<Emitted>) {
    let any_read = kinds.iter().any(|kind| kind.is_read());
    for problem in &source.problems {
        // Objections to the form of a file that is none of ours are noise, unless nothing else is known about it.
        if !any_read && source.tree.is_some() && problem.kind != ProblemKind::Syntax {
            continue;
        }
        let (rule, help) = reader_rule(problem);
        let empty = problem.range == TextRange::default();
        let range = (!empty).then_some(problem.range);
        push(rule, options, file, range, problem.message.clone(), help, out);
    }
    let broken = source.tree.is_none() && !source.problems.is_empty();
    if any_read || broken {
        return;
    }
    let kind = kinds.first().copied().unwrap_or(Kind::Unknown);
    let (rule, message, help) = not_read(kind);
    let message = match source.text.trim_start_matches('\u{FEFF}').trim().is_empty() {
        true => "the file is empty".to_owned(),
        false => message,
    };
    push(rule, options, file, first_token(source.text), message, help, out);
}

fn reader_rule(problem: &Problem) -> (&'static Rule, &'static str) {
    match problem.kind {
        ProblemKind::Syntax => (
            &SYNTAX_ERROR,
            "mend the file, or lint the rendered one if it is a template",
        ),
        ProblemKind::NotPlainJson => (&NOT_PLAIN_JSON, "the AWS command line takes plain JSON only"),
        ProblemKind::Template => (&TEMPLATE_NOT_RENDERED, "lint the rendered file"),
        ProblemKind::DuplicateKey => (&DUPLICATE_KEY, "remove one of them"),
        ProblemKind::Unreadable => (&UNREADABLE, "save the file as UTF-8"),
    }
}

fn push(
    rule: &'static Rule,
    options: &Options,
    file: usize,
    range: Option<TextRange>,
    message: String,
    help: &str,
    out: &mut Vec<Emitted>,
) {
    let Some(severity) = rule.severity_in(options) else {
        return;
    };
    out.push(Emitted {
        rule,
        severity,
        effect: rule.effect,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
        file,
        range,
        related: Vec::new(),
        task: None,
        container: None,
        case: None,
    });
}

/// The first word or bracket of a text.
fn first_token(text: &str) -> Option<TextRange> {
    let trimmed = text.trim_start_matches('\u{FEFF}').trim_start();
    let start = text.len() - trimmed.len();
    let first = trimmed.chars().next()?;
    let end = match first.is_alphanumeric() {
        true => trimmed
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(trimmed.len()),
        false => first.len_utf8(),
    };
    Some(TextRange::new(start, start + end))
}

fn emit_unused_parameters(
    sources: &[Source<'_>],
    roots: &[Root<'_>],
    options: &Options,
    out: &mut Vec<Emitted>,
) {
    for name in options.params.keys() {
        let declared = roots.iter().any(|root| {
            let template = root.template.as_ref();
            template.is_some_and(|template| template.parameters.contains_key(name.as_str()))
        });
        let written = || sources.iter().any(|source| source.text.contains(name.as_str()));
        if !declared && !written() {
            let message = format!("no file asks for the parameter `{name}`");
            push(
                &UNUSED_PARAMETER,
                options,
                usize::MAX,
                None,
                message,
                "correct the name, or leave it out",
                out,
            );
        }
    }
}

/// Writes the report.
struct Writer<'w, 'a> {
    files: &'w [Input],
    kinds: &'w [Vec<Kind>],
    sources: &'w [Source<'a>],
    documents: &'w [Document<'a>],
    lines: Vec<LineIndex<'w>>,
    suppressions: Vec<Suppressions>,
    options: &'w Options,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(
        files: &'w [Input],
        sources: &'w [Source<'a>],
        kinds: &'w [Vec<Kind>],
        documents: &'w [Document<'a>],
        options: &'w Options,
    ) -> Self {
        let lines: Vec<LineIndex<'w>> = files.iter().map(|file| LineIndex::new(&file.bytes)).collect();
        let suppressions = sources
            .iter()
            .zip(&lines)
            .map(|(source, lines)| suppressions(source.text, source.syntax, lines))
            .collect();
        Self {
            files,
            kinds,
            sources,
            documents,
            lines,
            suppressions,
            options,
        }
    }

    fn report(&self, emitted: &[Emitted]) -> Report {
        let mut by_task = BTreeMap::<(usize, usize), Vec<&Emitted>>::new();
        for found in emitted {
            if let Some(task) = found.task {
                by_task.entry(task).or_default().push(found);
            }
        }
        let mut reports: Vec<FileReport> = self.file_reports();
        for (at, document) in self.documents.iter().enumerate() {
            for (task_at, _) in document.tasks.iter().enumerate() {
                let found = by_task.get(&(at, task_at)).map_or(&[][..], Vec::as_slice);
                let task = self.task(at, task_at, found);
                reports[document.file].tasks.push(task);
            }
        }
        let mut odd = Vec::new();
        self.odd_suppressions(&mut odd);
        let (findings, suppressed) = self.findings(emitted.iter().chain(&odd));
        let summary = Summary::of(&reports, &findings, suppressed);
        Report {
            version: REPORT_VERSION,
            summary,
            files: reports,
            findings,
        }
    }

    fn file_reports(&self) -> Vec<FileReport> {
        self.files
            .iter()
            .zip(self.sources)
            .zip(self.kinds)
            .map(|((file, source), kinds)| FileReport {
                path: file.path.clone(),
                syntax: source.syntax,
                kind: kinds
                    .iter()
                    .find(|kind| kind.is_read())
                    .or(kinds.first())
                    .copied()
                    .unwrap_or(Kind::Unknown),
                tasks: Vec::new(),
            })
            .collect()
    }

    fn task(&self, at: usize, task_at: usize, found: &[&Emitted]) -> TaskReport {
        let document = &self.documents[at];
        let task = &document.tasks[task_at];
        let lines = &self.lines[document.file];
        let mut of_container = BTreeMap::<usize, Vec<&Emitted>>::new();
        let mut of_task = Vec::new();
        for emitted in found {
            match emitted.container {
                Some(container) => of_container.entry(container).or_default().push(*emitted),
                None => of_task.push(*emitted),
            }
        }
        let mut containers = Vec::with_capacity(task.containers.len());
        for (index, container) in task.containers.iter().enumerate() {
            let mut about = of_task.clone();
            about.extend(of_container.get(&index).into_iter().flatten());
            let judgement = judge(task, container, &about);
            let images: Vec<String> = container
                .cases()
                .iter()
                .map(|case| case.case.value.display())
                .collect();
            containers.push(ContainerReport {
                name: container.name.clone(),
                image: (!images.is_empty()).then(|| images.join(" or ")),
                location: lines.location(container.place()),
                condition: container.condition(),
                verdict: judgement.verdict,
                headline: judgement.headline,
                next: judgement.next,
                reasons: judgement
                    .reasons
                    .iter()
                    .map(|reason| self.reason(reason))
                    .collect(),
            });
        }
        let verdict = containers
            .iter()
            .map(|container| container.verdict)
            .max()
            .unwrap_or_default();
        TaskReport {
            id: task.id.clone(),
            location: lines.location(task.id_range),
            fargate: task.placement.fargate,
            fargate_reason: task.placement.reason.clone(),
            platform: task.platform_text(),
            verdict,
            containers,
        }
    }

    fn reason(&self, emitted: &Emitted) -> Reason {
        let range = emitted.range.unwrap_or_default();
        Reason {
            code: emitted.rule.code.to_owned(),
            name: emitted.rule.name.to_owned(),
            message: emitted.message.clone(),
            file: self.files[emitted.file].path.clone(),
            location: self.lines[emitted.file].location(range),
        }
    }

    fn odd_suppressions(&self, out: &mut Vec<Emitted>) {
        let rule = &ODD_SUPPRESSION;
        for (file, found) in self.suppressions.iter().enumerate() {
            for (range, message) in &found.odd {
                push(rule, self.options, file, Some(*range), message.clone(), "", out);
            }
            for allow in found.all() {
                if matching(&allow.rule).next().is_none() {
                    let message = format!("there is no rule `{}`", allow.rule);
                    let help = "`cargo soci rules` lists them";
                    push(rule, self.options, file, Some(allow.range), message, help, out);
                }
            }
        }
    }

    /// The findings that are listed, and how many comments silenced.
    fn findings<'e>(&self, emitted: impl Iterator<Item = &'e Emitted>) -> (Vec<Finding>, u32) {
        let mut suppressed = 0;
        let mut seen = BTreeSet::new();
        let mut listed: Vec<&Emitted> = Vec::new();
        for found in emitted.filter(|found| found.severity != Severity::Off) {
            if self.is_suppressed(found) {
                suppressed += 1;
                continue;
            }
            // Two tasks of one service would say the same about it twice.
            let key = (found.file, found.range, found.rule.code, found.message.as_str());
            if seen.insert(key) {
                listed.push(found);
            }
        }
        listed.sort_by_key(|found| {
            let file = found.file.wrapping_add(1);
            (file, found.range.unwrap_or_default(), found.rule.code)
        });
        (
            listed.into_iter().map(|found| self.finding(found)).collect(),
            suppressed,
        )
    }

    fn is_suppressed(&self, found: &Emitted) -> bool {
        let Some(suppressions) = self.suppressions.get(found.file) else {
            return false;
        };
        let line = found
            .range
            .map(|range| self.lines[found.file].line_of(range.start));
        suppressions
            .about(line)
            .any(|allow| found.rule.is_named(&allow.rule))
    }

    fn finding(&self, found: &Emitted) -> Finding {
        let task = found
            .task
            .map(|(document, task)| &self.documents[document].tasks[task]);
        let container = task.zip(found.container).map(|(task, at)| &task.containers[at]);
        let lines = self.lines.get(found.file);
        Finding {
            code: found.rule.code.to_owned(),
            name: found.rule.name.to_owned(),
            severity: found.severity,
            message: found.message.clone(),
            help: found.help.clone(),
            file: self
                .files
                .get(found.file)
                .map(|file| file.path.clone())
                .unwrap_or_default(),
            location: lines.zip(found.range).map(|(lines, range)| lines.location(range)),
            related: found
                .related
                .iter()
                .map(|(file, range, message)| Related {
                    message: message.clone(),
                    file: self.files[*file].path.clone(),
                    location: self.lines[*file].location(*range),
                })
                .collect(),
            url: found.rule.url(),
            task: task.map(|task| task.id.clone()),
            container: container.map(|container| container.name.clone()),
        }
    }
}
