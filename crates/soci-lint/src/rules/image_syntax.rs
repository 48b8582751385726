//! Texts that are no image references.

use super::{Sink, rule};
use crate::model::{Container, Image, Task};

rule! {
    /// The image is no image reference.
    ///
    /// ## Why
    ///
    /// An image is `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`, the repository in lower case. ECS takes other texts when the task definition is registered and the
    /// task then fails to start.
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
    ///     { "name": "web", "image": "MyOrg/Web:1.4.2" }
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
    /// * <https://github.com/distribution/reference/blob/main/reference.go>, the grammar (2026-11-24)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html> (2026-11-23)
    RULE = {
        code: "SOCI909",
        name: "image-syntax",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(_: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, found) in container.cases().iter().enumerate() {
        match &found.image {
            Image::Malformed { reason } => {
                sink.report(container.place(), reason.clone())
                    .help("write HOST/REPOSITORY:TAG, the repository in lower case")
                    .case(at, &found.case);
            }
            Image::At(located) => {
                if let Some(flaw) = &located.flaw {
                    sink.report(container.place(), flaw.clone())
                        .help("write HOST/REPOSITORY:TAG, the repository in lower case")
                        .case(at, &found.case);
                }
            }
            _ => {}
        }
    }
}
