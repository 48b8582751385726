//! Health checks that begin at once.

use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The health check gives the container no time to start.
    ///
    /// ## Why
    ///
    /// A lazily loaded container starts earlier and its first reads are slower, because files arrive while it runs. Without `startPeriod` every failed probe
    /// of these seconds counts, and ECS may stop a container that is only reading its files. AWS says that health checks may have to be changed.
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2",
    ///       "healthCheck": { "command": ["CMD", "/healthy"], "interval": 10 } }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2",
    ///       "healthCheck": { "command": ["CMD", "/healthy"], "interval": 10, "startPeriod": 60 } }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>: `startPeriod` is off by default (2026-11-23)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/considerations.md> (2026-11-23)
    RULE = {
        code: "SOCI403",
        name: "health-check-without-start-period",
        severity: Info,
        effect: None,
        check: Container(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    let Some(health) = &container.health_check else {
        return;
    };
    // Described definitions spell out `retries` and the rest, so an absent command means no check at all.
    if !health.has_command {
        return;
    }
    let period = &health.start_period;
    let zero = period.known().as_deref() == Some("0");
    if !period.is_absent() && !zero {
        return;
    }
    let message = match zero {
        true => "`startPeriod` is 0: failed probes count from the first second",
        false => "there is no `startPeriod`, so by default failed probes count from the first second",
    };
    let place = period.place.unwrap_or(health.key_place);
    sink.report(place, message)
        .help("set `startPeriod` to the time the container takes to start while its files arrive (0 to 300 seconds)");
}
