//! Images in other registries.

use super::{Sink, rule};
use crate::model::{Container, Located, Registry, Task};
use crate::terms::Severity;

rule! {
    /// The image is not in a private Amazon ECR repository.
    ///
    /// ## Why
    ///
    /// Fargate loads images lazily from private ECR repositories only. Images on Docker Hub (`nginx`, `org/app`), ECR Public, GHCR, Quay or
    /// any other registry are pulled whole before the container starts, with or without a SOCI index.
    ///
    /// Copy the image into a repository of your own and make it SOCI-enabled on the way:
    /// `cargo soci convert docker://nginx:1.27 docker://ACCOUNT.dkr.ecr.REGION.amazonaws.com/nginx:1.27-soci`. A pull-through cache of ECR brings
    /// images of many registries into private repositories by itself; convert the cached image to another tag, which the cache will not refresh.
    ///
    /// Small helpers that AWS publishes, such as `aws-for-fluent-bit`, are accepted unless `sidecars` is `judge`: each container of a task is
    /// judged alone, and small images gain little.
    ///
    /// ## Other consumers
    ///
    /// SageMaker (`--for sagemaker`) takes its images from private ECR repositories too. containerd with the SOCI snapshotter (`--for containerd`) loads lazily from any registry
    /// that answers range requests, so that this rule is not asked there.
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
    ///     { "name": "web", "image": "nginx:1.27" }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/nginx:1.27-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://github.com/aws/containers-roadmap/issues/2077>, the open request for other registries (2026-11-23)
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html> (2026-11-23)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    RULE = {
        code: "SOCI201",
        name: "image-not-in-ecr-private",
        severity: Error,
        effect: NotLazy,
        check: Container(check),
        consumers: super::IN_ECR,
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, located, case) in container.located() {
        let Some((message, help)) = trouble(located) else {
            continue;
        };
        let range = container.place();
        let by_default = if case.uses_default() { " (by default)" } else { "" };
        let message = format!("{message}{by_default}");
        let found = sink.report(range, message);
        if let Some(place) = task.pipeline_decides {
            found
                .help("nothing, if a pipeline names the image that runs: lint the definition that it registers")
                .related(place, "changes of the containers are made elsewhere: this image may be a stand-in")
                .at_most(Severity::Info);
        } else {
            found.help(help);
        }
        found.case(at, case);
    }
}

/// Message and help for an image that is elsewhere.
fn trouble(located: &Located) -> Option<(String, String)> {
    let (name, cacheable) = match &located.registry {
        Registry::EcrPrivate(_) => return None,
        Registry::Known(known) => (known.name.to_owned(), known.cacheable),
        Registry::Other { host } => (format!("the registry {host}"), false),
    };
    let short = located
        .reference
        .as_ref()
        .is_some_and(|reference| !reference.has_explicit_registry());
    let how = if short { " (no registry is named)" } else { "" };
    let message = format!("the image is on {name}{how}, not in a private ECR repository");
    let cache = match cacheable {
        true => ", by hand or through an ECR pull-through cache rule, and convert it to a tag of its own",
        false => " and convert it",
    };
    Some((
        message,
        format!("copy it into a private ECR repository{cache} (`cargo soci convert`)"),
    ))
}
