//! Acceptances that accept nothing.

use super::{Outcome, Sink, rule};

rule! {
    /// An acceptance accepts nothing.
    ///
    /// ## Why
    ///
    /// An entry of `accept`, or a comment `soci-lint: accept -- REASON`, lets a container be that is not loaded lazily. This one meets no container, or only containers that
    /// are loaded lazily: it is misspelt, or no longer needed. Left in place it would hide the next one that happens to fit.
    ///
    /// ## Example
    ///
    /// ```json accept:xray*:small
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
    /// * [docs/lint.md](../lint.md)
    RULE = {
        code: "SOCI921",
        name: "unused-acceptance",
        severity: Warning,
        effect: None,
        check: Outcome(check),
    }
}

fn check(outcome: &Outcome<'_>, sink: &mut Sink<'_>) {
    let why = |met: bool| match met {
        true => "all that it is about are loaded lazily",
        false => "no container of the run is meant",
    };
    for (entry, met) in outcome.idle_entries {
        let entry = &outcome.run.options.accept[*entry];
        sink.report_file(None, format!("the acceptance of {} accepts nothing: {}", entry.names(), why(*met)))
            .help(HELP);
    }
    for (place, met) in outcome.idle_accepts {
        if outcome.run.files[place.file].was_judged() {
            sink.report(*place, format!("this accepts nothing: {}", why(*met)))
                .help(HELP);
        }
    }
}

const HELP: &str = "correct it, or take it out";
