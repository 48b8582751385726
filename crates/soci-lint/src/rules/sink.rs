//! Where rules put what they find.

use super::{Effect, Rule, Severity};
use crate::Options;
use crate::model::value::Case;
use crate::model::{Container, Document, Task};
use crate::source::TextRange;

/// One finding before it gets its line and column.
#[derive(Clone)]
pub(crate) struct Emitted {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) effect: Effect,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) file: usize,
    pub(crate) range: Option<TextRange>,
    pub(crate) related: Vec<(usize, TextRange, String)>,
    /// Document and task it is about.
    pub(crate) task: Option<(usize, usize)>,
    pub(crate) container: Option<usize>,
    /// The case of the container's image it is about; `None` is all.
    pub(crate) case: Option<usize>,
}

/// Takes the findings of one rule about one task or container.
pub(crate) struct Sink<'s, 'a> {
    pub(crate) documents: &'s [Document<'a>],
    pub(crate) options: &'s Options,
    pub(crate) document: usize,
    pub(crate) task: Option<usize>,
    pub(crate) container: Option<usize>,
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(crate) out: &'s mut Vec<Emitted>,
}

impl<'s, 'a> Sink<'s, 'a> {
    /// A sink for every check of a document.
    pub(crate) fn new(
        documents: &'s [Document<'a>],
        document: usize,
        options: &'s Options,
        rule: &'static Rule,
        severity: Severity,
        out: &'s mut Vec<Emitted>,
    ) -> Self {
        Self {
            documents,
            options,
            document,
            task: None,
            container: None,
            rule,
            severity,
            out,
        }
    }

    pub(crate) fn document(&self) -> &'s Document<'a> {
        &self.documents[self.document]
    }

    /// Reports at a place of the document's own file. The builder's methods add to it.
    pub(crate) fn report(&mut self, range: TextRange, message: impl Into<String>) -> &mut Emitted {
        let file = self.document().file;
        self.report_in(file, range, message)
    }

    /// Reports at a place of another document's file.
    pub(crate) fn report_at(
        &mut self,
        document: usize,
        range: TextRange,
        message: impl Into<String>,
    ) -> &mut Emitted {
        let file = self.documents[document].file;
        self.report_in(file, range, message)
    }

    fn report_in(&mut self, file: usize, range: TextRange, message: impl Into<String>) -> &mut Emitted {
        self.out.push(Emitted {
            rule: self.rule,
            severity: self.severity,
            effect: self.rule.effect,
            message: message.into(),
            help: None,
            file,
            range: Some(range),
            related: Vec::new(),
            task: self.task.map(|task| (self.document, task)),
            container: self.container,
            case: None,
        });
        self.out.last_mut().expect("one was just pushed")
    }

    /// Runs a container check on every container of every task of the document.
    pub(crate) fn each_container(&mut self, check: fn(&Task<'_>, &Container<'_>, &mut Sink<'_, '_>)) {
        let document = self.document();
        for (task_at, task) in document.tasks.iter().enumerate() {
            self.task = Some(task_at);
            for (at, container) in task.containers.iter().enumerate() {
                self.container = Some(at);
                check(task, container, self);
            }
        }
    }

    /// Runs a task check on every task of the document.
    pub(crate) fn each_task(&mut self, check: fn(&Task<'_>, &mut Sink<'_, '_>)) {
        for (at, task) in self.document().tasks.iter().enumerate() {
            self.task = Some(at);
            check(task, self);
        }
    }
}

impl Emitted {
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        let help = help.into();
        self.help = (!help.is_empty()).then_some(help);
        self
    }

    /// Another place that takes part, in the same file.
    pub(crate) fn related(&mut self, range: TextRange, message: impl Into<String>) -> &mut Self {
        self.related.push((self.file, range, message.into()));
        self
    }

    /// Says that it is about one case of the image, and under which condition.
    ///
    /// What holds under a condition that is open, or that the defaults rule out, is no error.
    pub(crate) fn case(&mut self, at: usize, case: &Case) -> &mut Self {
        self.case = Some(at);
        let condition = case.condition();
        if !condition.is_empty() {
            self.message = format!("{} (if {condition})", self.message);
        }
        if case.is_against_default() {
            self.at_most(Severity::Info);
        } else if case.is_open() {
            self.at_most(Severity::Warning);
        }
        self
    }

    pub(crate) fn effect(&mut self, effect: Effect) -> &mut Self {
        self.effect = effect;
        self
    }

    /// A milder severity than the rule's own; what the caller set stays.
    pub(crate) fn at_most(&mut self, severity: Severity) -> &mut Self {
        if self.severity == self.rule.severity && self.severity < severity {
            self.severity = severity;
        }
        self
    }
}
