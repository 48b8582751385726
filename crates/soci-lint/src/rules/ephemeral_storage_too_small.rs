//! Disks that the images fill.

use super::{Sink, rule};
use crate::facts::{Chosen, about, choose};
use crate::model::Task;
use crate::source::Place;

rule! {
    /// The task has less ephemeral storage than its images need.
    ///
    /// ## Why
    ///
    /// Lazy loading does not save disk: the image still arrives in the background. Compressed and uncompressed, it lies on the ephemeral storage of the task, which
    /// is 20 GiB unless `ephemeralStorage` asks for 21 to 200 GiB. An image needs at least twice its compressed size.
    ///
    /// ## Example
    ///
    /// ```json facts:huge
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
    /// ## Use instead
    ///
    /// ```json facts:huge
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "ephemeralStorage": { "sizeInGiB": 60 },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html> (2026-11-23)
    RULE = {
        code: "SOCI406",
        name: "ephemeral-storage-too-small",
        severity: Warning,
        effect: None,
        check: Task(check),
        consumers: super::ECS,
    }
}

/// What Fargate gives a task that asks for nothing, in GiB (the page above, 2026-11-23).
const DEFAULT_GIB: u64 = 20;

fn check(task: &Task, sink: &mut Sink<'_>) {
    let size = match task.ephemeral_storage.is_absent() {
        true => Some(DEFAULT_GIB),
        false => task.ephemeral_storage.known().and_then(|text| text.parse().ok()),
    };
    let Some(size) = size else {
        return;
    };
    let mut needed: u64 = 0;
    let mut largest: Option<(u64, Place)> = None;
    for container in task
        .containers
        .iter()
        .filter(|container| container.is_eligible(task))
    {
        for (_, _, _, case) in container.in_ecr().take(1) {
            let Some(Chosen::Platform(platform)) = about(sink.options, case).map(|facts| choose(task, facts))
            else {
                continue;
            };
            let bytes = platform.totals.layer_bytes;
            needed = needed.saturating_add(bytes.saturating_mul(2));
            if largest.is_none_or(|(most, _)| bytes > most) {
                largest = Some((bytes, container.place()));
            }
        }
    }
    let Some((_, place)) = largest.filter(|_| needed > size << 30) else {
        return;
    };
    let by_default = if task.ephemeral_storage.is_absent() {
        " by default"
    } else {
        ""
    };
    let message = format!(
        "the images need at least {} GiB of disk, the task has {size} GiB{by_default}",
        needed.div_ceil(1 << 30)
    );
    let range = task.ephemeral_storage.place.unwrap_or(place);
    sink.report(range, message)
        .help("set `ephemeralStorage.sizeInGiB` (21 to 200)");
}
