//! Linux platform versions that do not load lazily.

use super::shared::changes::platform_version;
use super::shared::versions::{LAZY, RETIRED, Version, versions};
use super::{Sink, rule};
use crate::model::Task;

rule! {
    /// The Linux platform version cannot load images lazily.
    ///
    /// ## Why
    ///
    /// Fargate loads images lazily on the Linux platform version 1.4.0, which is also what `LATEST` and an absent version mean. Any other
    /// version pulls the whole image. The version is not part of the task definition: it stands in the service, or where the task is run.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: "1.5.0"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: "1.4.0"
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>, `platformVersion` (2026-11-23)
    RULE = {
        code: "SOCI105",
        name: "platform-version-without-soci",
        severity: Error,
        effect: NotLazy,
        check: Task(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    for (range, version, by_default) in versions(task, sink) {
        if let Version::Known(version) = version
            && version != LAZY
            && version != "LATEST"
            && !RETIRED.contains(&version.as_str())
        {
            let change = platform_version(sink.run, task, range, &version).filter(|_| by_default.is_empty());
            sink.report(
                range,
                format!("platform version {version} does not load images lazily{by_default}"),
            )
            .help("use 1.4.0 or LATEST")
            .fix(change);
        }
    }
}
