//! Comments to the linter that it does not understand.

use super::{File, Sink, rule};

rule! {
    /// A comment of the linter cannot be understood.
    ///
    /// ## Why
    ///
    /// Findings are silenced with `soci-lint: allow CODE` behind the value or on the line above it, and with `soci-lint: allow-file CODE` for the whole file;
    /// `soci-lint: accept -- REASON` accepts the verdict on a container. A code or
    /// name that no rule has silences nothing.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// family: web # soci-lint: allow SOCI999
    /// requiresCompatibilities: [FARGATE]
    /// networkMode: awsvpc
    /// cpu: "256"
    /// memory: "512"
    /// containerDefinitions:
    ///   - name: web
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// family: web
    /// requiresCompatibilities: [FARGATE]
    /// networkMode: awsvpc
    /// cpu: "256"
    /// memory: "512"
    /// containerDefinitions:
    ///   - name: web
    ///     # soci-lint: allow latest-tag -- a test environment
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:latest
    /// ```
    ///
    /// ## References
    ///
    /// * [docs/lint.md](../lint.md)
    RULE = {
        code: "SOCI916",
        name: "odd-suppression",
        severity: Warning,
        effect: None,
        check: File(check),
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    for (range, message) in &file.suppressions.odd {
        sink.report_file(*range, message.clone());
    }
    for (rule, range) in file.unknown_rules() {
        sink.report_file(range, format!("there is no rule `{rule}`"))
            .help("`cargo soci rules` lists them");
    }
}
