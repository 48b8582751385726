//! Images that a data source picks by their date.

use super::{Sink, rule};
use crate::expression::value::StepKind;
use crate::model::{Container, Task};

rule! {
    /// The newest image of the repository is asked for, which may be an index and no image.
    ///
    /// ## Why
    ///
    /// A conversion pushes more than one object: the image index under the tag, and without a tag the image and its SOCI index. `most_recent` of
    /// Terraform's `aws_ecr_image` picks by the time of the push alone, so that it can hand out the SOCI index, which no task starts from, or the image
    /// without its index, which is not loaded lazily. Name the tag or the digest that the build wrote.
    ///
    /// ## Example
    ///
    /// ```hcl
    /// data "aws_ecr_image" "app" {
    ///   repository_name = "shop/app"
    ///   most_recent     = true
    /// }
    ///
    /// resource "aws_ecs_task_definition" "app" {
    ///   family                   = "app"
    ///   requires_compatibilities = ["FARGATE"]
    ///   network_mode             = "awsvpc"
    ///   cpu                      = 256
    ///   memory                   = 512
    ///   container_definitions    = jsonencode([{ name = "app", image = data.aws_ecr_image.app.image_uri }])
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```hcl
    /// data "aws_ecr_image" "app" {
    ///   repository_name = "shop/app"
    ///   image_tag       = "1.4.2"
    /// }
    ///
    /// resource "aws_ecs_task_definition" "app" {
    ///   family                   = "app"
    ///   requires_compatibilities = ["FARGATE"]
    ///   network_mode             = "awsvpc"
    ///   cpu                      = 256
    ///   memory                   = 512
    ///   container_definitions    = jsonencode([{ name = "app", image = data.aws_ecr_image.app.image_uri }])
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/hashicorp/terraform-provider-aws/issues/40079> (2026-11-28)
    RULE = {
        code: "SOCI208",
        name: "newest-image",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    for (at, _, case) in container.in_reach(task) {
        if case.way.iter().any(|step| step.kind == StepKind::Newest) {
            let message = "the newest object of the repository is asked for, which may be the SOCI index itself";
            sink.report(container.place(), message)
                .help("name the tag or the digest that the build wrote")
                .case(at, case);
        }
    }
}
