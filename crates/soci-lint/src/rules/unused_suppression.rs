//! Comments that silence nothing.

use super::{Change, Outcome, Sink, rule};
use crate::source::{Allow, Place};

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
    for (file, allow) in &outcome.idle {
        let rule = &allow.rule;
        sink.report(
            Place::new(*file, allow.range),
            format!("this silences nothing: `{rule}` finds nothing here"),
        )
        .help("take the comment out")
        .fix(change(outcome, *file, allow));
    }
}

/// The comment without its rules that silence nothing, or without a trace.
fn change(outcome: &Outcome<'_>, file: usize, allow: &Allow) -> Option<Change> {
    let whole = allow.comment?;
    let own = &outcome.run.files[file];
    if own.source.may_be_text(allow.range.start) {
        return None;
    }
    let of_comment = own.suppressions.all().filter(|other| other.list == allow.list);
    let kept: Vec<&str> = of_comment
        .filter(|other| {
            let is_idle = |(at, idle): &(usize, &Allow)| *at == file && idle.range == other.range;
            !outcome.idle.iter().any(is_idle)
        })
        .map(|other| other.rule.as_str())
        .collect();
    let (range, description) = match kept.is_empty() {
        true => (whole, "take the comment out"),
        false => (allow.list, "take the rule out of the comment"),
    };
    Some(Change {
        place: Place::new(file, range),
        replacement: kept.join(", "),
        description: description.to_owned(),
    })
}
