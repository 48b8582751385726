//! Services whose load balancer probes at once.

use super::{Sink, rule};
use crate::model::Task;

rule! {
    /// The service lets its load balancer judge tasks from the first second.
    ///
    /// ## Why
    ///
    /// Lazy loading changes how long a task takes until it answers. `healthCheckGracePeriodSeconds` is 0 by default: a target that is still reading its files
    /// fails its probes, and ECS replaces the task. AWS names this setting as the one to look at when images are loaded lazily.
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
    ///       LoadBalancers:
    ///         - ContainerName: web
    ///           ContainerPort: 80
    ///           TargetGroupArn: !ImportValue Group
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
    ///       LoadBalancers:
    ///         - ContainerName: web
    ///           ContainerPort: 80
    ///           TargetGroupArn: !ImportValue Group
    ///       HealthCheckGracePeriodSeconds: 60
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>: default 0 (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    RULE = {
        code: "SOCI405",
        name: "no-health-check-grace-period",
        severity: Info,
        effect: None,
        check: Task(check),
        consumers: super::ECS,
    }
}

fn check(task: &Task, sink: &mut Sink<'_>) {
    if !task
        .containers
        .iter()
        .any(|container| container.is_eligible(task))
    {
        return;
    }
    for &(document, at) in &task.services {
        let service = &sink.run.documents[document].services[at];
        if service.noun != "service" {
            continue;
        }
        let period = &service.grace_period;
        let zero = period.known().as_deref() == Some("0");
        if !service.is_balanced || !period.is_absent() && !zero {
            continue;
        }
        let place = period.place.unwrap_or(service.name_place);
        let message = match zero {
            true => format!("the service `{}` has a grace period of 0 seconds", service.name),
            false => format!(
                "the service `{}` has no health check grace period (by default 0 seconds)",
                service.name
            ),
        };
        sink.report(place, message).help(
            "set `healthCheckGracePeriodSeconds` to the time the task takes to answer while its files arrive",
        );
    }
}
