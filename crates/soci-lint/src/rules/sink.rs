//! What rules look at, and where they put what they find.

use super::{Effect, Outcome, Rule, matching};
use crate::Options;
use crate::documents::Unread;
use crate::expression::Case;
use crate::expression::value::{Branch, against_default, condition_text, is_open};
use crate::kind::Kind;
use crate::model::{Container, Document, Task};
use crate::source::{Place, Problem, ProblemKind, Source, Suppressions, TextRange};
use crate::terms::Severity;

/// Everything that a run looks at.
pub(crate) struct Run<'r> {
    pub(crate) options: &'r Options,
    pub(crate) files: &'r [File<'r>],
    pub(crate) documents: &'r [Document],
    /// Names that the documents ask for.
    pub(crate) names: &'r [String],
}

/// A file of the run.
pub(crate) struct File<'r> {
    pub(crate) at: usize,
    pub(crate) text: &'r str,
    pub(crate) source: &'r Source<'r>,
    /// What it is, if that is nothing that is read.
    pub(crate) other: Option<Kind>,
    /// What it is, if that is read and holds nothing that runs containers.
    pub(crate) holds_nothing: Option<Kind>,
    /// What it is by its content, if it was said to be something else.
    pub(crate) contradicts: Option<Kind>,
    /// Whether the caller named it, rather than another file of the run.
    pub(crate) is_asked_for: bool,
    /// Whether the caller named it itself, rather than a folder or a pattern.
    pub(crate) is_named: bool,
    /// What its reader objected to.
    pub(crate) problems: Vec<Problem>,
    pub(crate) suppressions: &'r Suppressions,
    /// Resources in it that are not read, and whether nothing else runs containers beside them.
    pub(crate) unread: Vec<(&'r Unread, bool)>,
}

impl File<'_> {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim_start_matches('\u{FEFF}').trim().is_empty()
    }

    /// Whether the run asked for it and everything in it was judged.
    pub(crate) fn was_judged(&self) -> bool {
        let hides = |problem: &Problem| {
            use ProblemKind::{DuplicateKey, NotPlainJson, Syntax, Template, Unreadable};
            match problem.kind {
                Syntax | Template | Unreadable => true,
                NotPlainJson | DuplicateKey => false,
            }
        };
        self.is_asked_for && self.other.is_none() && !self.problems.iter().any(hides)
    }

    /// The first word or bracket.
    pub(crate) fn first_token(&self) -> Option<TextRange> {
        let trimmed = self.text.trim_start_matches('\u{FEFF}').trim_start();
        let start = self.text.len() - trimmed.len();
        let first = trimmed.chars().next()?;
        let end = match first.is_alphanumeric() {
            true => trimmed
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
                .unwrap_or(trimmed.len()),
            false => first.len_utf8(),
        };
        Some(TextRange::new(start, start + end))
    }

    /// Comments about rules that do not exist.
    pub(crate) fn unknown_rules(&self) -> impl Iterator<Item = (&str, TextRange)> {
        let unknown = self
            .suppressions
            .all()
            .filter(|allow| matching(&allow.rule).next().is_none());
        unknown.map(|allow| (allow.rule.as_str(), allow.range))
    }
}

/// One finding before it gets its line and column.
#[derive(Clone)]
pub(crate) struct Emitted {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) effect: Effect,
    message: String,
    pub(crate) help: Option<String>,
    /// `None` for a finding about the call itself.
    pub(crate) file: Option<usize>,
    pub(crate) range: Option<TextRange>,
    pub(crate) related: Vec<(Place, String)>,
    /// Document and task it is about.
    pub(crate) task: Option<(usize, usize)>,
    pub(crate) container: Option<usize>,
    /// The case of the container's image it is about; `None` is all.
    pub(crate) case: Option<usize>,
    /// The conditions under which it is so.
    when: Vec<Branch>,
    /// Whether the severity is the rule's own, only milder.
    is_lowered: bool,
    /// What would mend it and is safe.
    pub(crate) fix: Option<Change>,
}

/// A stretch of a file and what to write in its place.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) place: Place,
    pub(crate) replacement: String,
    /// What that does, for people.
    pub(crate) description: String,
}

/// Takes the findings of one rule.
pub(crate) struct Sink<'s> {
    pub(crate) run: &'s Run<'s>,
    pub(crate) options: &'s Options,
    document: Option<usize>,
    task: Option<usize>,
    container: Option<usize>,
    file: Option<usize>,
    rule: &'static Rule,
    severity: Severity,
    out: &'s mut Vec<Emitted>,
}

impl<'s> Sink<'s> {
    pub(crate) fn new(
        run: &'s Run<'s>,
        rule: &'static Rule,
        severity: Severity,
        out: &'s mut Vec<Emitted>,
    ) -> Self {
        Self {
            run,
            options: run.options,
            document: None,
            task: None,
            container: None,
            file: None,
            rule,
            severity,
            out,
        }
    }

    /// Asks the rule about all that it looks at.
    pub(crate) fn ask(&mut self) {
        use super::Check;
        match self.rule.check {
            Check::Run(check) => check(self.run, self),
            // Comes when the others are done.
            Check::Outcome(_) => {}
            Check::File(check) => {
                for file in self.run.files {
                    self.file = Some(file.at);
                    check(file, self);
                }
            }
            Check::Document(check) => {
                for (at, document) in self.run.documents.iter().enumerate() {
                    self.about(at, None, None);
                    check(document, self);
                }
            }
            Check::Task(check) => {
                for (at, document) in self.run.documents.iter().enumerate() {
                    for (task_at, task) in document.tasks.iter().enumerate() {
                        self.about(at, Some(task_at), None);
                        check(task, self);
                    }
                }
            }
            Check::Container(check) => {
                for (at, document) in self.run.documents.iter().enumerate() {
                    for (task_at, task) in document.tasks.iter().enumerate() {
                        for (container_at, container) in task.containers.iter().enumerate() {
                            self.about(at, Some(task_at), Some(container_at));
                            check(task, container, self);
                        }
                    }
                }
            }
        }
    }

    /// Asks a rule about what came of the others.
    pub(crate) fn ask_at_last(&mut self, outcome: &Outcome<'_>) {
        if let super::Check::Outcome(check) = self.rule.check {
            check(outcome, self);
        }
    }

    fn about(&mut self, document: usize, task: Option<usize>, container: Option<usize>) {
        (self.document, self.task, self.container) = (Some(document), task, container);
    }

    /// Says which task, and which container of it, the next findings are about.
    pub(crate) fn narrow(&mut self, task: usize, container: Option<usize>) {
        (self.task, self.container) = (Some(task), container);
    }

    /// Reports at a place. The builder's methods add to it.
    pub(crate) fn report(&mut self, place: Place, message: impl Into<String>) -> &mut Emitted {
        self.push(Some(place.file), Some(place.range), message.into())
    }

    /// Reports at a stretch of the file that is looked at, or about it as a whole.
    pub(crate) fn report_file(
        &mut self,
        range: impl Into<Option<TextRange>>,
        message: impl Into<String>,
    ) -> &mut Emitted {
        self.push(self.file, range.into(), message.into())
    }

    fn push(&mut self, file: Option<usize>, range: Option<TextRange>, message: String) -> &mut Emitted {
        let task = self.document.zip(self.task);
        let found = task.map(|(document, task)| &self.run.documents[document].tasks[task]);
        let container = found.zip(self.container).map(|(task, at)| &task.containers[at]);
        let when = match (found, container) {
            (_, Some(container)) => container.when.clone(),
            (Some(task), None) => task.when.clone(),
            (None, None) => Vec::new(),
        };
        self.out.push(Emitted {
            rule: self.rule,
            severity: self.severity,
            effect: self.rule.effect,
            message,
            help: None,
            file,
            range,
            related: Vec::new(),
            task,
            container: self.container,
            case: None,
            when: Vec::new(),
            is_lowered: false,
            fix: None,
        });
        let last = self.out.last_mut().expect("one was just pushed");
        last.under(&when);
        last
    }
}

impl Emitted {
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        let help = help.into();
        self.help = (!help.is_empty()).then_some(help);
        self
    }

    /// What is so, and under which conditions.
    pub(crate) fn message(&self) -> String {
        match self.when.is_empty() {
            true => self.message.clone(),
            false => format!("{} (if {})", self.message, condition_text(&self.when)),
        }
    }

    /// Whether it decides a verdict, by where the container runs or what its image is.
    pub(crate) fn decides(&self) -> bool {
        self.effect != Effect::None && self.effect != Effect::Lazy && !self.rule.is_about_document()
    }

    /// Another place that takes part.
    pub(crate) fn related(&mut self, place: Place, message: impl Into<String>) -> &mut Self {
        let entry = (place, message.into());
        if !self.related.contains(&entry) {
            self.related.push(entry);
        }
        self
    }

    /// Says that it is about one case of the image, under which condition, and how the file gets there.
    pub(crate) fn case(&mut self, at: usize, case: &Case) -> &mut Self {
        self.case = Some(at);
        // The branch decides, not the whole condition.
        self.file = Some(case.place.file);
        self.range = Some(case.place.range);
        for step in &case.way {
            if step.place != case.place {
                self.related(step.place, step.message());
            }
        }
        self.under(&case.when);
        self
    }

    /// What holds under a condition that is open, or that the defaults rule out, is no error.
    fn under(&mut self, when: &[Branch]) {
        for branch in when {
            if !self.when.contains(branch) {
                self.when.push(branch.clone());
            }
        }
        if against_default(when) {
            self.at_most(Severity::Info);
        } else if is_open(when) {
            self.at_most(Severity::Warning);
        }
    }

    /// Says what would mend it: every deployment that worked before works the same after.
    pub(crate) fn fix(&mut self, change: Option<Change>) -> &mut Self {
        self.fix = change;
        self
    }

    pub(crate) fn effect(&mut self, effect: Effect) -> &mut Self {
        self.effect = effect;
        self
    }

    /// What is accepted fails nothing, whatever severity the caller set.
    pub(crate) fn accepted(&mut self, reason: &str) {
        if self.severity < Severity::Info {
            self.severity = Severity::Info;
        }
        self.help = Some(format!("nothing, it is accepted: {reason}"));
        self.fix = None;
    }

    /// A milder severity than the rule's own; what the caller set stays.
    pub(crate) fn at_most(&mut self, severity: Severity) -> &mut Self {
        let is_own = self.severity == self.rule.severity || self.is_lowered;
        if is_own && self.severity < severity {
            self.severity = severity;
            self.is_lowered = true;
        }
        self
    }
}

/// The findings about tasks and their containers, by document and task.
pub(crate) fn by_task<'e>(documents: &[Document], emitted: &'e [Emitted]) -> Vec<Vec<Vec<&'e Emitted>>> {
    let mut by_task: Vec<Vec<Vec<&Emitted>>> = documents
        .iter()
        .map(|document| document.tasks.iter().map(|_| Vec::new()).collect())
        .collect();
    for found in emitted {
        if let Some((document, task)) = found.task {
            by_task[document][task].push(found);
        }
    }
    by_task
}

/// The container that a finding is about.
pub(crate) fn container_of<'d>(
    documents: &'d [Document],
    found: &Emitted,
) -> Option<(&'d Task, Option<&'d Container>)> {
    let (document, task) = found.task?;
    let task = &documents[document].tasks[task];
    Some((task, found.container.map(|at| &task.containers[at])))
}
