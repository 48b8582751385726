//! Images that are not known, or are none.

use super::{Check, Sink, rule};
use crate::model::{Container, Image, ImageField, Task};

rule! {
    /// The image is the empty text.
    ///
    /// ## Why
    ///
    /// ECS refuses a container without an image. Files that a pipeline fills in often hold an empty text there until they are rendered.
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
    ///     { "name": "web", "image": "" }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html> (2026-11-23)
    EMPTY_IMAGE, "SOCI910", "empty-image", Error, Unknown, Check::Container(check_empty)
}

rule! {
    /// The container has no image.
    ///
    /// ## Why
    ///
    /// ECS refuses a container without an image. Some pipelines add it when they render the file, such as the action `amazon-ecs-render-task-definition`; lint
    /// what it writes.
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
    ///     { "name": "web", "essential": true }
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
    /// * <https://github.com/aws-actions/amazon-ecs-render-task-definition> (2026-11-23)
    MISSING_IMAGE, "SOCI911", "missing-image", Warning, Unknown, Check::Container(check_missing)
}

rule! {
    /// A word stands in the place of the image.
    ///
    /// ## Why
    ///
    /// `IMAGE_PLACEHOLDER` or `REPOSITORY_URI:IMAGE_TAG` is replaced by a script before the file is used. Where the image lives is known only then: lint
    /// the rendered file.
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
    ///     { "name": "web", "image": "IMAGE_PLACEHOLDER" }
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>, what an image is (2026-11-23)
    PLACEHOLDER_IMAGE, "SOCI912", "placeholder-image", Info, Unknown, Check::Container(check_placeholder)
}

rule! {
    /// Where the image lives is decided by something that is not known here.
    ///
    /// ## Why
    ///
    /// A parameter without a default, a value of another stack, or a template word decides which registry the image comes from. The help says what would
    /// answer it: most often `--param NAME=VALUE`, or linting the rendered file. A name proves nothing: `EcrImage` may hold `nginx`.
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
    ///     { "name": "web", "image": "${IMAGE}" }
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
    /// * <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html> (2026-11-23)
    UNRESOLVED_IMAGE, "SOCI913", "unresolved-image", Info, Unknown, Check::Container(check_unresolved)
}

rule! {
    /// Something else stands in the place of a container.
    ///
    /// ## Why
    ///
    /// The list of containers, or one of them, comes from a template or an expression that is not evaluated here. Lint the rendered file, or the deployed
    /// task definition (`aws ecs describe-task-definition`).
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
    ///     "{{ sidecar }}"
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html> (2026-11-23)
    UNRESOLVED_CONTAINER, "SOCI914", "unresolved-container", Info, Unknown, Check::Container(check_container)
}

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
    IMAGE_SYNTAX, "SOCI909", "image-syntax", Warning, Unknown, Check::Container(check_syntax)
}

fn check_empty(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if found.image == Image::Empty {
            sink.report(container.place(), "the image is empty")
                .help("name an image, or lint the rendered file")
                .case(at, &found.case.condition());
        }
    }
}

fn check_missing(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    if matches!(container.image, ImageField::Missing) {
        sink.report(container.place(), "the container has no image")
            .help("name an image, or lint the rendered file if a pipeline adds it");
    }
}

fn check_placeholder(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if let Image::Placeholder { why } = &found.image {
            sink.report(container.place(), why.clone())
                .help("lint the rendered file")
                .case(at, &found.case.condition());
        }
    }
}

fn check_unresolved(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    for (at, found) in container.cases().iter().enumerate() {
        if let Image::Open { why, help } = &found.image {
            sink.report(container.place(), format!("the image is not known: {why}"))
                .help(help.clone())
                .case(at, &found.case.condition());
        }
    }
}

fn check_container(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    if let ImageField::Unresolved(hole) = &container.image {
        sink.report(container.range, format!("a container is not known: {}", hole.why))
            .help(hole.help.clone());
    }
}

fn check_syntax(_: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    for (at, found) in container.cases().iter().enumerate() {
        match &found.image {
            Image::Malformed { reason } => {
                sink.report(container.place(), reason.clone())
                    .help("write HOST/REPOSITORY:TAG, the repository in lower case")
                    .case(at, &found.case.condition());
            }
            Image::At(located) => {
                if let Some(flaw) = &located.flaw {
                    sink.report(container.place(), flaw.clone())
                        .help("write HOST/REPOSITORY:TAG, the repository in lower case")
                        .case(at, &found.case.condition());
                }
            }
            _ => {}
        }
    }
}
