//! Tasks that may run on Fargate or elsewhere.

use super::{Sink, rule};
use crate::model::Task;
use crate::terms::Fargate;

rule! {
    /// Whether the task runs on Fargate is decided when it is run.
    ///
    /// ## Why
    ///
    /// A task definition that allows Fargate and EC2, or a list of containers without its task definition, says nothing about where it
    /// runs. On Fargate its images may be loaded lazily, elsewhere they are not. A service in the same template, or beside the
    /// task definition in the same folder, answers the question; so does `--launch-type FARGATE`.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["EC2", "FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>, `launchType` and `capacityProviderStrategy` (2026-11-23)
    RULE = {
        code: "SOCI103",
        name: "launch-type-undecided",
        severity: Info,
        effect: Unknown,
        check: Task(check),
        consumers: super::ECS,
        eligible_if: Some("it runs on Fargate"),
        weight: 1,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    let placement = &task.placement;
    if placement.fargate == Fargate::Undecided {
        sink.report(placement.place, placement.reason.clone())
            .help(placement.help.clone());
    }
}
