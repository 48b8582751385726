//! Images that AWS keeps in its own accounts.

use super::{Sink, rule};
use crate::data::sidecars::aws_account;
use crate::model::{Container, Task};

rule! {
    /// The image is in an account of AWS, where only AWS can add an index.
    ///
    /// ## Why
    ///
    /// Some images of AWS are in private repositories of its own accounts, such as the Deep Learning Containers. You can pull them, you cannot push
    /// an index or a converted image there. Deep Learning Containers come in SOCI-enabled form under tags that end in `-soci`; everything else can be copied
    /// into a repository of yours and converted.
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
    ///     { "name": "web", "image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312" }
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
    ///     { "name": "web", "image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/deep-learning-containers/latest/devguide/dlc-release-notes.html> (2026-11-24)
    /// * <https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy.html> (2026-11-24)
    RULE = {
        code: "SOCI207",
        name: "image-of-an-aws-account",
        severity: Info,
        effect: None,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    if !container.is_eligible(task) {
        return;
    }
    for (at, ecr, located, case) in container.in_ecr() {
        let Some(owner) = ecr.account.as_deref().and_then(aws_account) else {
            continue;
        };
        if located.tag.is_soci() {
            continue;
        }
        sink.report(
            container.place(),
            format!("the image is in an account of AWS ({owner}): only AWS can add a SOCI index to it"),
        )
        .help("use a tag that ends in `-soci` where AWS offers one, or convert a copy in your own repository")
        .case(at, case);
    }
}
