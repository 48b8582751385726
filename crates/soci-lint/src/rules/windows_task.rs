//! Windows containers.

use super::{Effect, Sink, rule};
use crate::model::Task;
use crate::terms::Severity;

rule! {
    /// The task runs Windows containers.
    ///
    /// ## Why
    ///
    /// Fargate loads images lazily for Linux tasks only. What is left for Windows is a smaller image, most of all a smaller base.
    ///
    /// ## Other consumers
    ///
    /// SageMaker and the SOCI snapshotter of containerd run Linux containers only, so that the same holds there.
    ///
    /// ## Example
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "1024",
    ///   "memory": "2048",
    ///   "runtimePlatform": { "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" },
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
    ///   "cpu": "1024",
    ///   "memory": "2048",
    ///   "runtimePlatform": { "operatingSystemFamily": "LINUX" },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/getting-started.md>, for containerd (2026-11-28)
    RULE = {
        code: "SOCI104",
        name: "windows-task",
        severity: Error,
        effect: NotLazy,
        check: Task(check),
        eligible_if: Some("it runs Linux containers"),
        weight: 1,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    if !task.may_run_at_consumer() {
        return;
    }
    let range = task.os.place.unwrap_or(task.id_place);
    if task.is_windows() {
        let message = format!(
            "{} containers are not loaded lazily: {} does that for Linux",
            task.os.display(),
            task.consumer.noun()
        );
        sink.report(range, message)
            .help("move the service to Linux containers, or make the image smaller");
    } else if !task.os.is_absent() && task.os.known().is_none() {
        let hole = task.os.hole();
        let why = hole.map_or_else(|| task.os.display(), |hole| hole.why.clone());
        sink.report(range, format!("the operating system is not known: {why}"))
            .help(hole.map(|hole| hole.help.clone()).unwrap_or_default())
            .effect(Effect::Unknown)
            .at_most(Severity::Info);
    }
}
