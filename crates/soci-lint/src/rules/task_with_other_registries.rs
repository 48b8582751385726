//! How it was before November 2023.

use super::{Effect, Sink, rule};
use crate::model::Task;

rule! {
    /// A container of the task has an image outside ECR, which once turned lazy loading off for all.
    ///
    /// ## Why
    ///
    /// From July to November 2023 Fargate loaded a task lazily only if every image in it had a SOCI index; a sidecar from Docker Hub
    /// turned lazy loading off for the whole task. Since then each container is judged alone. Many pages still state the old rule. This rule shows what
    /// it would have said, and is off until it is selected; it changes no verdict.
    ///
    /// ## Example
    ///
    /// ```json select:SOCI408
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "app", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" },
    ///     { "name": "proxy", "image": "nginx:1.27" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json select:SOCI408
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "app", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/aws/containers-roadmap/issues/2076>, closed when the rule fell (2026-11-23)
    /// * <https://aws.amazon.com/blogs/containers/under-the-hood-lazy-loading-container-images-with-seekable-oci-and-aws-fargate/>, the note at its top (2026-11-23)
    RULE = {
        code: "SOCI408",
        name: "task-with-other-registries",
        severity: Off,
        effect: None,
        check: Task(check),
        consumers: super::ECS,
        opt_in: true,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    let eligible = task
        .containers
        .iter()
        .find(|container| container.is_eligible(task));
    let Some(eligible) = eligible else {
        return;
    };
    for container in &task.containers {
        let outside = container.located().any(|(_, located, _)| located.ecr().is_none());
        if outside {
            let message = format!(
                "until November 2023 this image kept `{}` from being loaded lazily",
                eligible.name
            );
            sink.report(container.place(), message)
                .help("nothing: each container is judged alone now")
                .effect(Effect::None);
        }
    }
}
