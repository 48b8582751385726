//! Files that are no text, or too much of it.

use super::{File, Sink, rule};
use crate::source::{ProblemKind, TextRange};

rule! {
    /// The file is not UTF-8, or too large.
    ///
    /// ## Why
    ///
    /// JSON and YAML are read as UTF-8, with or without a byte order mark. Files of more than 64 MiB are not read: CloudFormation takes 1 MB at most, the ECS API 64 KiB.
    ///
    /// ## References
    ///
    /// * <https://www.rfc-editor.org/rfc/rfc8259#section-8.1> (2026-11-24)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>, task definition size (2026-11-24)
    RULE = {
        code: "SOCI917",
        name: "unreadable-file",
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for problem in file.problems.iter().filter(|problem| problem.kind == ProblemKind::Unreadable) {
        // Nothing in particular is wrong with a file that was not read at all.
        let range = (problem.range != TextRange::default()).then_some(problem.range);
        sink.report_file(range, problem.message.clone())
            .help("save the file as UTF-8");
    }
}
