//! Hosts that are almost ECR.

use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The host looks like an ECR registry and cannot be one.
    ///
    /// ## Why
    ///
    /// A private ECR registry is `ACCOUNT.dkr.ecr.REGION.amazonaws.com` with an account of twelve digits. With another number of digits the pull fails.
    /// Accounts with leading zeros lose them when a spreadsheet or a YAML reader takes them for numbers.
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
    ///     { "name": "web", "image": "1234567890.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
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
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html> (2026-11-23)
    RULE = {
        code: "SOCI206",
        name: "malformed-ecr-host",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, ecr, _, case) in container.in_ecr() {
        if let Some(reason) = &ecr.malformed {
            sink.report(container.place(), reason.clone())
                .help("write all twelve digits of the account")
                .case(at, case);
        }
    }
}
