//! Repositories that ECR fills from elsewhere.

use super::{Sink, rule};
use crate::data::registries::CACHE_PREFIXES;
use crate::model::{Container, Task};

rule! {
    /// The repository looks like one that an ECR pull-through cache fills.
    ///
    /// ## Why
    ///
    /// A cached repository is an ordinary private repository, so its images can be loaded lazily. Yet the cache refreshes its tags from upstream, and a
    /// converted image has another digest than the upstream one: pushed under the cached tag it would be replaced at the next refresh. Convert to a
    /// tag that upstream does not have, such as `1.27-soci`, and name that one in the task definition.
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27" }
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
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html> (2026-11-23)
    RULE = {
        code: "SOCI204",
        name: "pull-through-cache-repository",
        severity: Info,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    for (at, _, located, case) in container.in_ecr() {
        let Some(repository) = &located.repository else {
            continue;
        };
        let prefix = repository.split('/').next().unwrap_or("");
        let upstream = CACHE_PREFIXES.iter().find(|row| row.0 == prefix);
        let Some((_, upstream)) = upstream.filter(|_| repository.contains('/')) else {
            continue;
        };
        if located.tag.is_soci() || located.tag == crate::model::Tag::Digest {
            continue;
        }
        sink.report(
            container.place(),
            format!("`{prefix}/…` looks like a cache of {upstream}, which refreshes its tags"),
        )
        .help("convert the cached image to a tag of its own, such as `…-soci`, and name that one here")
        .case(at, case);
    }
}
