//! Platform versions that AWS has retired.

use super::shared::changes::platform_version;
use super::shared::versions::{RETIRED, Version, versions};
use super::{Sink, rule};
use crate::model::Task;

rule! {
    /// The platform version has been retired.
    ///
    /// ## Why
    ///
    /// AWS retired the Linux platform version 1.3.0 and those before it: new tasks could not be started on 1.3.0 from 2026-06-15, tasks that were
    /// left were stopped on 2026-06-30. A service that asks for such a version cannot start tasks any more, and none of these versions
    /// loaded images lazily.
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
    ///       PlatformVersion: "1.3.0"
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
    ///       PlatformVersion: LATEST
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-versions-retired.html> (2026-11-23; an earlier copy of the page had dates in March)
    RULE = {
        code: "SOCI106",
        name: "platform-version-retired",
        severity: Error,
        effect: NotLazy,
        check: Task(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    for (range, version, by_default) in versions(task, sink) {
        if let Version::Known(version) = version
            && RETIRED.contains(&version.as_str())
        {
            let when = match version.as_str() {
                "1.3.0" => " on 2026-06-30",
                _ => "",
            };
            let change = platform_version(sink.run, task, range, &version).filter(|_| by_default.is_empty());
            sink.report(
                range,
                format!("platform version {version} was retired{when}{by_default}"),
            )
            .help("use 1.4.0 or LATEST")
            .fix(change);
        }
    }
}
