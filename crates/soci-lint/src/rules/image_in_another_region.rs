//! Images of another region.

use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image is in the ECR registry of another region than the task.
    ///
    /// ## Why
    ///
    /// The documentation of lazy loading does not ask for an image in the same region, a sample of AWS does; nobody has published a measurement.
    /// What is certain: each lazy read crosses regions, which is slower and is charged as data transfer. ECR can replicate the repository.
    ///
    /// The region of the task is taken from `--region`, the ARN of a described task definition, or the region of its logs.
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1.4.2",
    ///       "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-region": "eu-west-1", "awslogs-group": "web" } } }
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
    ///       "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-region": "eu-west-1", "awslogs-group": "web" } } }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html> (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14), which names no such condition
    RULE = {
        code: "SOCI203",
        name: "image-in-another-region",
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
    let given = sink.options.region.clone();
    let (region, place) = match (given, &task.region) {
        (Some(region), _) => (region, None),
        (None, Some((region, place))) => (region.clone(), Some(*place)),
        (None, None) => return,
    };
    for (at, ecr, _, case) in container.in_ecr() {
        let Some(image_region) = ecr.region.as_deref().filter(|found| *found != region) else {
            continue;
        };
        // A placeholder such as `REGION` says nothing.
        if ecr.host.is_none() || !image_region.contains('-') {
            continue;
        }
        let message = format!("the image is in {image_region}, the task seems to run in {region}");
        let found = sink.report(container.place(), message);
        found.help("keep or replicate the image in the region of the task");
        if let Some(place) = place {
            found.related(place, "the region of the task, by this");
        }
        found.case(at, case);
    }
}
