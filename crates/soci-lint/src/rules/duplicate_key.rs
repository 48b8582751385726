//! Keys that are there twice.

use super::{File, Sink, rule};
use crate::source::{ProblemKind, TextRange};

rule! {
    /// A key is set twice in one object.
    ///
    /// ## Why
    ///
    /// JSON readers take the last of them, and so does this one; YAML readers differ, CloudFormation refuses some. One of the two values has no effect.
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
    ///     { "name": "web", "image": "nginx:1.27", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259#section-4> (2026-11-24)
    RULE = {
        code: "SOCI907",
        name: "duplicate-key",
        severity: Warning,
        effect: None,
        check: File(check),
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for problem in file.problems.iter().filter(|problem| problem.kind == ProblemKind::DuplicateKey) {
        // Nothing in particular is wrong with a file that was not read at all.
        let range = (problem.range != TextRange::default()).then_some(problem.range);
        sink.report_file(range, problem.message.clone())
            .help("remove one of them");
    }
}
