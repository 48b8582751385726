//! JSON with more than JSON in it.

use super::{File, Sink, rule};
use crate::source::{ProblemKind, TextRange};

rule! {
    /// The file has comments, trailing commas or the like, which JSON has not.
    ///
    /// ## Why
    ///
    /// Many tools read such files, the AWS command line does not. They are read and judged here; strip them before the file is registered.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   // The web server.
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" },
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
    /// * <https://www.rfc-editor.org/rfc/rfc8259> (2026-11-24)
    RULE = {
        code: "SOCI905",
        name: "not-plain-json",
        severity: Info,
        effect: None,
        check: File(check),
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for problem in file.problems.iter().filter(|problem| problem.kind == ProblemKind::NotPlainJson) {
        // Nothing in particular is wrong with a file that was not read at all.
        let range = (problem.range != TextRange::default()).then_some(problem.range);
        sink.report_file(range, problem.message.clone())
            .help("the AWS command line takes plain JSON only");
    }
}
