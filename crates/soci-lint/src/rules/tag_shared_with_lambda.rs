//! Images that a task and a Lambda function share.

use super::{Sink, rule};
use crate::model::{Container, Image, Located, Tag, Task};

rule! {
    /// A Lambda function uses the same tag, and refuses what a conversion makes of it.
    ///
    /// ## Why
    ///
    /// A converted tag names an image index: the image for each platform, and its SOCI index beside it. Fargate takes that; AWS Lambda takes single images only, so that the next
    /// update of a function that uses the tag fails. Leave the tag as it is for the function, and convert to a tag beside it, which the task names:
    /// `cargo soci convert docker://REPOSITORY:TAG docker://REPOSITORY:TAG-soci`, or `tag-model = "sibling"` for `cargo soci build`.
    ///
    /// Only what is written the same way is recognised: the same repository and tag, or the same expression.
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
    ///   Function:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       PackageType: Image
    ///       Code:
    ///         ImageUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
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
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci
    ///   Function:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       PackageType: Image
    ///       Code:
    ///         ImageUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/CloudSnorkel/cdk-github-runners/issues/768> (2026-11-28)
    /// * <https://github.com/aws/aws-lambda-roadmap/issues/82>, the open request (2026-11-28)
    RULE = {
        code: "SOCI209",
        name: "tag-shared-with-lambda",
        severity: Warning,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    let functions = sink.run.documents.iter().flat_map(|document| &document.functions);
    for function in functions {
        for (at, _, located, case) in container.in_ecr() {
            let written = case.value.display();
            let same = function.image.iter().find(|other| match &other.image {
                Image::At(other_at) => {
                    other.case.value.display() == written || is_same(located, other_at)
                }
                _ => false,
            });
            if let Some(same) = same {
                sink.report(
                    container.place(),
                    format!(
                        "the Lambda function `{}` uses the same image, and Lambda refuses the image index that a conversion makes of it",
                        function.name
                    ),
                )
                .help("leave the tag to the function, and convert to a tag beside it that the task names: `tag-model = \"sibling\"`, or `cargo soci convert` with a `-soci` tag")
                .related(same.case.place, "used by Lambda here")
                .case(at, case);
            }
        }
    }
}

/// Whether both name the same tag of the same repository.
fn is_same(one: &Located, other: &Located) -> bool {
    let tag = |tag: &Tag| match tag {
        Tag::Latest { .. } => Some("latest".to_owned()),
        Tag::Named(name) => Some(name.clone()),
        // A digest is compared as it is written.
        Tag::Digest | Tag::Open => None,
    };
    let host = |at: &Located| at.ecr().and_then(|ecr| Some((ecr.account.clone()?, ecr.region.clone()?)));
    let repository = one.repository.is_some() && one.repository == other.repository;
    let tags = tag(&one.tag).is_some() && tag(&one.tag) == tag(&other.tag);
    repository && tags && host(one).is_some() && host(one) == host(other)
}
