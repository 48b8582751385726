//! Services whose load balancer probes at once.

use super::{Check, Sink, rule};
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
    SERVICE_GRACE_PERIOD, "SOCI405", "no-health-check-grace-period", Info, None, Check::Task(check)
}

fn check(task: &Task<'_>, sink: &mut Sink<'_, '_>) {
    if !task
        .containers
        .iter()
        .any(|container| container.is_eligible(task))
    {
        return;
    }
    for &(document, at) in &task.services {
        let service = &sink.documents[document].services[at];
        if service.noun != "service" {
            continue;
        }
        let balanced = service
            .view
            .get("loadBalancers")
            .is_some_and(|list| list.len() > 0);
        let period = service.view.get("healthCheckGracePeriodSeconds");
        let zero = period.is_some_and(|period| period.scalar() == Some("0"));
        if !balanced || period.is_some() && !zero {
            continue;
        }
        let range = period.map_or(service.name_range, |period| period.range());
        let message = match zero {
            true => format!("the service `{}` has a grace period of 0 seconds", service.name),
            false => format!(
                "the service `{}` has no health check grace period (by default 0 seconds)",
                service.name
            ),
        };
        sink.report_at(document, range, message).help(
            "set `healthCheckGracePeriodSeconds` to the time the task takes to answer while its files arrive",
        );
    }
}
