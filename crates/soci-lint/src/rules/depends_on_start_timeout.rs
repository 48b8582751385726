//! Containers that wait for others, and not for long.

use super::{Check, Sink, rule};
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
    DEPENDS_ON_START_TIMEOUT, "SOCI404", "short-start-timeout", Info, None, Check::Container(check)
}

/// Half of what Fargate allows; below it the timeout was chosen to be short.
const SHORT: u32 = 60;

fn check(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    if !container.is_eligible(task) {
        return;
    }
    let Some(timeout) = container.view.and_then(|view| view.get("startTimeout")) else {
        return;
    };
    let Some(seconds) = timeout.scalar().and_then(|text| text.parse::<u32>().ok()) else {
        return;
    };
    if seconds >= SHORT {
        return;
    }
    let waiting = task.containers.iter().find_map(|other| {
        let entry = other.view?.items("dependsOn").find(|entry| {
            let named = entry.get("containerName").and_then(|name| name.scalar());
            let condition = entry.get("condition").and_then(|condition| condition.scalar());
            named == Some(&container.name) && matches!(condition, Some("HEALTHY" | "COMPLETE" | "SUCCESS"))
        })?;
        Some((other.name.clone(), entry.range()))
    });
    if let Some((name, place)) = waiting {
        sink.report(
            timeout.range(),
            format!("`{name}` waits for this container, for {seconds} seconds only"),
        )
        .help("leave room for files that arrive while the container starts (up to 120 seconds on Fargate)")
        .related(place, "the dependency");
    }
}
