//! Containers that wait for others, and not for long.

use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// Another container waits for this one, and its start timeout is short.
    ///
    /// ## Why
    ///
    /// With `dependsOn` and the condition `HEALTHY`, `COMPLETE` or `SUCCESS`, ECS gives up the task when the awaited container has not got there within its
    /// `startTimeout` (2 to 120 seconds on Fargate). A lazily loaded container reads its files while it starts, so a timeout that
    /// was tuned with the image already on disk may be too short.
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
    ///     { "name": "app", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2",
    ///       "dependsOn": [{ "containerName": "migrate", "condition": "SUCCESS" }] },
    ///     { "name": "migrate", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/migrate:1.4.2",
    ///       "essential": false, "startTimeout": 10 }
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
    ///     { "name": "app", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2",
    ///       "dependsOn": [{ "containerName": "migrate", "condition": "SUCCESS" }] },
    ///     { "name": "migrate", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/migrate:1.4.2",
    ///       "essential": false, "startTimeout": 120 }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>: `startTimeout` (2026-11-23)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/considerations.md> (2026-11-23)
    RULE = {
        code: "SOCI404",
        name: "short-start-timeout",
        severity: Info,
        effect: None,
        check: Container(check),
        consumers: super::ECS,
    }
}

/// Half of what Fargate allows; below it the timeout was chosen to be short.
const SHORT: u32 = 60;

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    let timeout = &container.start_timeout;
    let seconds = timeout.known().and_then(|text| text.parse::<u32>().ok());
    let Some((seconds, at)) = seconds.zip(timeout.place) else {
        return;
    };
    if seconds >= SHORT {
        return;
    }
    let waiting = task.containers.iter().find_map(|other| {
        let entry = other.depends_on.iter().find(|entry| {
            entry.container == container.name
                && matches!(entry.condition.as_str(), "HEALTHY" | "COMPLETE" | "SUCCESS")
        })?;
        Some((other.name.clone(), entry.place))
    });
    if let Some((name, place)) = waiting {
        sink.report(
            at,
            format!("`{name}` waits for this container, for {seconds} seconds only"),
        )
        .help("leave room for files that arrive while the container starts (up to 120 seconds on Fargate)")
        .related(place, "the dependency");
    }
}
