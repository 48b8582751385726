//! Files that cannot be parsed.

use super::{File, Sink, rule};
use crate::source::{ProblemKind, TextRange};

rule! {
    /// The file is neither JSON nor YAML.
    ///
    /// ## Why
    ///
    /// The reader stopped at this place. Where a comma is all that is missing, the rest is read and judged nevertheless; otherwise there is no verdict.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "family": "web" "containerDefinitions": [] }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    /// * <https://yaml.org/spec/1.2.2/> (2026-11-24)
    RULE = {
        code: "SOCI904",
        name: "syntax-error",
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for problem in file.problems.iter().filter(|problem| problem.kind == ProblemKind::Syntax) {
        // Nothing in particular is wrong with a file that was not read at all.
        let range = (problem.range != TextRange::default()).then_some(problem.range);
        sink.report_file(range, problem.message.clone())
            .help("mend the file, or lint the rendered one if it is a template");
    }
}
