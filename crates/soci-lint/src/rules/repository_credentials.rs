//! Credentials for a registry.

use super::{Sink, rule};
use crate::model::{Container, Task};
use crate::terms::Severity;

rule! {
    /// The container brings credentials for its registry.
    ///
    /// ## Why
    ///
    /// `repositoryCredentials` is for private registries outside ECR. For an image in ECR it is not used: the task's execution role opens ECR. For an
    /// image elsewhere it confirms that the image cannot be loaded lazily, and `image-not-in-ecr-private` says so already. For an image that is not
    /// known here it is a strong hint that the image lies outside ECR.
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2", "repositoryCredentials": { "credentialsParameter": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub" } }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html> (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    RULE = {
        code: "SOCI202",
        name: "repository-credentials",
        severity: Warning,
        effect: None,
        check: Container(check),
        consumers: super::ECS,
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    let Some(range) = container.credentials else {
        return;
    };
    if container.in_ecr().next().is_some() {
        sink.report(
            range,
            "credentials for a registry are of no use with an image in ECR",
        )
        .help("remove them: the execution role of the task opens ECR");
    } else if container.located().next().is_none() {
        sink.report(range, "the image seems to be in a private registry outside ECR")
            .help("for lazy loading keep the image in a private ECR repository")
            .at_most(Severity::Info);
    }
}
