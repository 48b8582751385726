//! From what the rules found to the report: verdicts, lines and columns.

use std::collections::BTreeSet;

use super::{
    ContainerReport, FileReport, Finding, Fix, REPORT_VERSION, Reason, Related, Report, Summary, TaskReport,
};
use crate::accept::Accepted;
use crate::kind::Kind;
use crate::model::Document;
use crate::rules::{Change, Emitted, by_task, container_of};
use crate::source::{LineIndex, Location, Place, Suppressions, Syntax};
use crate::table::sorted;
use crate::terms::{Consumer, Severity};
use crate::verdict::judge;

/// A file of the run.
pub(crate) struct Seen<'w> {
    pub(crate) path: &'w str,
    pub(crate) syntax: Syntax,
    pub(crate) kind: Kind,
    /// Whether the caller named it, rather than another file.
    pub(crate) is_asked_for: bool,
    pub(crate) lines: &'w LineIndex<'w>,
    pub(crate) comments: &'w Suppressions,
}

/// Writes down what was found.
pub(crate) fn write(
    files: &[Seen<'_>],
    documents: &[Document],
    emitted: &[Emitted],
    accepted: &Accepted,
    consumer: Consumer,
) -> Report {
    let writer = Writer {
        files,
        documents,
        accepted,
        consumer,
    };
    writer.report(emitted)
}

struct Writer<'w> {
    files: &'w [Seen<'w>],
    documents: &'w [Document],
    accepted: &'w Accepted,
    consumer: Consumer,
}

impl Writer<'_> {
    fn report(&self, emitted: &[Emitted]) -> Report {
        let by_task = by_task(self.documents, emitted);
        let mut of_file = vec![Vec::<TaskReport>::new(); self.files.len()];
        for (at, document) in self.documents.iter().enumerate() {
            for (task_at, task) in document.tasks.iter().enumerate() {
                let report = self.task(at, task_at, &by_task[at][task_at]);
                of_file[task.id_place.file].push(report);
            }
        }
        let (findings, suppressed) = self.findings(emitted);
        // Of the files that others named, those that there is something to say about.
        let named = |at: usize, file: &Seen<'_>| {
            file.is_asked_for
                || !of_file[at].is_empty()
                || findings.iter().any(|found| found.file == file.path)
        };
        let shown = self
            .files
            .iter()
            .enumerate()
            .filter(|(at, file)| named(*at, file));
        let files: Vec<FileReport> = shown
            .map(|(at, file)| FileReport {
                path: file.path.to_owned(),
                syntax: file.syntax,
                kind: file.kind,
                tasks: of_file[at].clone(),
            })
            .collect();
        let summary = Summary::of(&files, &findings, suppressed);
        Report {
            version: REPORT_VERSION,
            consumer: self.consumer,
            summary,
            files,
            findings,
            images: Vec::new(),
            hidden: Vec::new(),
        }
    }

    fn task(&self, at: usize, task_at: usize, found: &[&Emitted]) -> TaskReport {
        let document = &self.documents[at];
        let task = &document.tasks[task_at];
        let mut of_container = vec![Vec::<&Emitted>::new(); task.containers.len()];
        let mut of_task = Vec::new();
        for emitted in found {
            match emitted.container {
                Some(container) => of_container[container].push(*emitted),
                None => of_task.push(*emitted),
            }
        }
        let mut containers = Vec::with_capacity(task.containers.len());
        for (index, container) in task.containers.iter().enumerate() {
            let mut about = of_task.clone();
            about.extend(&of_container[index]);
            let judgement = judge(task, container, &about);
            let images: Vec<String> = container
                .cases()
                .iter()
                .map(|case| case.case.value.display())
                .collect();
            containers.push(ContainerReport {
                name: container.name.clone(),
                image: (!images.is_empty()).then(|| images.join(" or ")),
                file: self.files[container.place().file].path.to_owned(),
                location: self.location(container.place()),
                condition: container.condition(),
                verdict: judgement.verdict,
                accepted: self.accepted.reason((at, task_at, index)).map(str::to_owned),
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
            location: self.location(task.id_place),
            fargate: task.placement.fargate,
            fargate_reason: task.placement.reason.clone(),
            platform: task.platform_text(),
            verdict,
            containers,
        }
    }

    fn reason(&self, emitted: &Emitted) -> Reason {
        let range = emitted.range.unwrap_or_default();
        let file = &self.files[emitted.file.unwrap_or_default()];
        Reason {
            code: emitted.rule.code.to_owned(),
            name: emitted.rule.name.to_owned(),
            message: emitted.message(),
            file: file.path.to_owned(),
            location: file.lines.location(range),
        }
    }

    fn location(&self, place: Place) -> Location {
        self.files[place.file].lines.location(place.range)
    }

    /// The findings that are listed, and how many comments silenced.
    fn findings(&self, emitted: &[Emitted]) -> (Vec<Finding>, u32) {
        let mut suppressed = 0;
        let mut seen = BTreeSet::new();
        let mut listed: Vec<(&Emitted, String)> = Vec::new();
        for found in emitted.iter().filter(|found| found.severity != Severity::Off) {
            if self.is_suppressed(found) {
                suppressed += 1;
                continue;
            }
            // Two tasks of one service would say the same about it twice.
            let message = found.message();
            let (file, range) = (found.file.unwrap_or(usize::MAX), found.range.unwrap_or_default());
            let key = format!(
                "{file} {} {} {} {message}",
                range.start, range.end, found.rule.code
            );
            if seen.insert(key) {
                listed.push((found, message));
            }
        }
        let key = |found: &Emitted| {
            let place = (found.file, found.range.unwrap_or_default());
            (found.severity, place, found.rule.code)
        };
        let findings = sorted(listed, |(a, _), (b, _)| key(a).cmp(&key(b)))
            .into_iter()
            .map(|(found, message)| self.finding(found, message));
        (findings.collect(), suppressed)
    }

    fn is_suppressed(&self, found: &Emitted) -> bool {
        let Some(file) = found.file.map(|file| &self.files[file]) else {
            return false;
        };
        let line = found.range.map(|range| file.lines.line_of(range.start));
        file.comments
            .about(line)
            .any(|allow| found.rule.is_named(&allow.rule))
    }

    fn finding(&self, found: &Emitted, message: String) -> Finding {
        let about = container_of(self.documents, found);
        let file = found.file.map(|file| &self.files[file]);
        Finding {
            code: found.rule.code.to_owned(),
            name: found.rule.name.to_owned(),
            severity: found.severity,
            message,
            help: found.help.clone(),
            file: file.map(|file| file.path.to_owned()).unwrap_or_default(),
            location: file
                .zip(found.range)
                .map(|(file, range)| file.lines.location(range)),
            related: found
                .related
                .iter()
                .map(|(place, message)| Related {
                    message: message.clone(),
                    file: self.files[place.file].path.to_owned(),
                    location: self.location(*place),
                })
                .collect(),
            url: found.rule.url(),
            task: about.map(|(task, _)| task.id.clone()),
            container: about.and_then(|(_, container)| Some(container?.name.clone())),
            fix: found.fix.as_ref().and_then(|change| self.fix(change)),
        }
    }

    /// A change of a file that somebody wrote and asked about; what a tool wrote, it will write again.
    fn fix(&self, change: &Change) -> Option<Fix> {
        let file = &self.files[change.place.file];
        let is_made = matches!(
            file.kind,
            Kind::TerraformPlan | Kind::TerraformState | Kind::DescribeOutput
        );
        (file.is_asked_for && !is_made).then(|| Fix {
            description: change.description.clone(),
            file: file.path.to_owned(),
            location: self.location(change.place),
            replacement: change.replacement.clone(),
        })
    }
}
