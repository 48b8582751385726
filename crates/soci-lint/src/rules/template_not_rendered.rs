//! Templates that nobody has rendered.

use super::{File, Sink, rule};
use crate::source::{ProblemKind, TextRange};

rule! {
    /// The file is a template that is no JSON or YAML until it is rendered.
    ///
    /// ## Why
    ///
    /// Words such as `$PORT`, `{{ command }}` or `FAMILY` stand where a value should be. They are taken for texts, so that the rest can be judged; what they
    /// become decides more. Lint the rendered file to be certain.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": ${cpu} }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "cpu": 128 }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    RULE = {
        code: "SOCI906",
        name: "template-not-rendered",
        severity: Warning,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for problem in file.problems.iter().filter(|problem| problem.kind == ProblemKind::Template) {
        // Nothing in particular is wrong with a file that was not read at all.
        let range = (problem.range != TextRange::default()).then_some(problem.range);
        sink.report_file(range, problem.message.clone())
            .help("lint the rendered file");
    }
}
