//! Platform versions that something else decides.

use super::shared::versions::{Version, versions};
use super::{Sink, rule};
use crate::model::Task;

rule! {
    /// The platform version is not known here.
    ///
    /// ## Why
    ///
    /// The service takes its platform version from a parameter without a default or from another stack. On 1.4.0 and `LATEST` images may be loaded
    /// lazily, on no other version.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// Parameters:
    ///   Platform:
    ///     Type: String
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
    ///       PlatformVersion: !Ref Platform
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// Parameters:
    ///   Platform:
    ///     Type: String
    ///     Default: LATEST
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
    ///       PlatformVersion: !Ref Platform
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    RULE = {
        code: "SOCI107",
        name: "platform-version-undecided",
        severity: Info,
        effect: Unknown,
        check: Task(check),
        consumers: super::ECS,
        eligible_if: Some("the platform version is 1.4.0 or LATEST"),
        weight: 1,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    for (range, version, _) in versions(task, sink) {
        if let Version::Open { why, help } = version {
            sink.report(
                range,
                format!("the platform version is not known: {why}"),
            )
            .help(help);
        }
    }
}
