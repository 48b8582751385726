//! Images for another architecture.

use super::{Sink, rule};
use crate::facts::{Chosen, about, choose};
use crate::model::{Container, Task};

rule! {
    /// The image has nothing for the architecture of the task.
    ///
    /// ## Why
    ///
    /// `runtimePlatform.cpuArchitecture` is `X86_64` where it is absent. Fargate takes the part of the image for that architecture; where there is none, the task
    /// does not start.
    ///
    /// ## Example
    ///
    /// ```json facts:amd64-only
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "runtimePlatform": { "cpuArchitecture": "ARM64" },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json facts:amd64-only
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html> (2026-11-23)
    RULE = {
        code: "SOCI108",
        name: "architecture-not-in-image",
        severity: Error,
        effect: NotLazy,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, _, case) in container.in_reach(task) {
        let Some(facts) = about(sink.options, case) else {
            continue;
        };
        if !matches!(choose(task, facts), Chosen::Missing) {
            continue;
        }
        let Some((architecture, by_default)) = task.oci_architecture() else {
            continue;
        };
        let have: Vec<String> = facts
            .platforms
            .iter()
            .filter_map(|platform| platform.platform.as_ref())
            .map(ToString::to_string)
            .collect();
        let default = if by_default { " (by default)" } else { "" };
        let message = format!(
            "the task runs on linux/{architecture}{default}, the image is for {}",
            if have.is_empty() {
                "no platform".to_owned()
            } else {
                have.join(", ")
            }
        );
        let found = sink.report(container.place(), message);
        found.help("set `cpuArchitecture` to what the image is for, or build the image for the task's");
        if let Some(range) = task.architecture.place {
            found.related(range, "the architecture of the task");
        }
        found.case(at, case);
    }
}
