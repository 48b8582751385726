//! Tasks that are meant to run elsewhere.

use super::{Sink, rule};
use crate::model::Task;
use crate::terms::Fargate;

rule! {
    /// The task does not run on Fargate.
    ///
    /// ## Why
    ///
    /// Loading images lazily with SOCI is a feature of Fargate. On EC2 instances, on machines outside AWS (`EXTERNAL`) and on
    /// managed instances ECS pulls the whole image before a container starts, with or without a SOCI index.
    ///
    /// Outside Fargate two other ways lead to a fast start: a smaller image, and a warm cache. Instances keep the images they have
    /// pulled, and the agent's setting `ECS_IMAGE_PULL_BEHAVIOR=prefer-cached` makes it use them.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["EC2"],
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "memory": 512 }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://github.com/aws/containers-roadmap/issues/1832>, the open request for EC2 (2026-11-23)
    RULE = {
        code: "SOCI101",
        name: "not-fargate",
        severity: Error,
        effect: NotLazy,
        check: Task(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    let placement = &task.placement;
    if placement.fargate != Fargate::No || placement.by_default {
        return;
    }
    sink.report(placement.place, placement.reason.clone())
        .help(placement.help.clone());
}
