//! Comments that silence nothing.

use super::{Outcome, Sink, rule};

rule! {
    /// A comment silences a finding that is not there.
    ///
    /// ## Why
    ///
    /// `soci-lint: allow CODE` silences a finding on its line. There is none here: what it was about has been mended, or the comment is on the wrong line. Left in place
    /// it would hide the next finding. Comments about rules that look into images are left alone in runs without image facts.
    ///
    /// ## Example
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
    ///     image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    /// ```
    ///
    /// ## References
    ///
    /// * [docs/lint.md](../lint.md)
    RULE = {
        code: "SOCI922",
        name: "unused-suppression",
        severity: Warning,
        effect: None,
        check: Outcome(check),
    }
}

fn check(outcome: &Outcome<'_>, sink: &mut Sink<'_>) {
    for (place, rule) in &outcome.idle {
        sink.report(*place, format!("this silences nothing: `{rule}` finds nothing here"))
            .help("take the comment out");
    }
}
