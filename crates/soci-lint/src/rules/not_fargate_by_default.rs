//! Tasks that say nothing and therefore cannot run on Fargate.

use super::{Sink, rule};
use crate::model::Task;
use crate::terms::Fargate;

rule! {
    /// The task names no launch type, and by default it cannot run on Fargate.
    ///
    /// ## Why
    ///
    /// Without `requiresCompatibilities` ECS checks a task definition for EC2. Fargate takes only tasks with `networkMode: awsvpc`
    /// and with `cpu` and `memory` for the whole task; the default network mode is `bridge`. A definition that leaves these out is
    /// registered with the compatibilities `EXTERNAL, EC2`, so its images are pulled whole.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>, the defaults (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>, what Fargate asks for (2026-08-14)
    RULE = {
        code: "SOCI102",
        name: "not-fargate-by-default",
        severity: Warning,
        effect: NotLazy,
        check: Task(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    let placement = &task.placement;
    if placement.fargate == Fargate::No && placement.by_default {
        sink.report(placement.place, placement.reason.clone())
            .help(placement.help.clone());
    }
}
