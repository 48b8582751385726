//! Images with an index of the first version.

use soci_image::soci_index::SociVersion;

use super::shared::changes::converted_tag;
use super::shared::known::{damage, each, referrers_unknown};
use super::{Sink, rule};
use crate::model::{Container, Task};
use crate::terms::Consumer;

rule! {
    /// The image has a SOCI index of version 1 only.
    ///
    /// ## Why
    ///
    /// Version 1 of the index is attached to an image from outside, by a referrer. AWS accounts that used it on Fargate before version 2 appeared can go on; for all others Fargate
    /// silently ignores it. One third-party page names 2026-02-09 as the end of version 1; AWS has no page that confirms it. Version 2 works
    /// for every account and is copied along with the image.
    ///
    /// What is known is that the account and the region decide, that nobody can ask AWS for it, and that support has enabled it in single regions. What is not known, and no document
    /// says: whether yours is one of them. A task that runs tells it (`Snapshotter` in its metadata), for itself and for others in the same account and region; `cargo soci why` puts
    /// the two together. The same verdict is given where an image has no index of version 2, and the registry did not tell what refers to it.
    ///
    /// ## Other consumers
    ///
    /// The SOCI snapshotter of containerd has version 1 off by default since v0.10.0 (2025-06-27): the node's configuration decides. The pages of SageMaker show how to make version 2
    /// and do not speak of version 1.
    ///
    /// ## Example
    ///
    /// ```json facts:index-v1
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
    /// ## Use instead
    ///
    /// ```json facts:index-v1
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14), "only be able to use index manifest v2"
    /// * <https://github.com/tmokmss/deploy-time-build/pull/61> (2025-09-16)
    /// * <https://github.com/awslabs/soci-snapshotter/issues/1575> (2025-05-28), taken in one region of an account and in others not until support enabled it
    /// * <https://github.com/awslabs/cfn-ecr-aws-soci-index-builder/issues/119> (2025-09-02)
    /// * <https://pabis.eu/blog/2025-08-31-SOCI-v2-ECS-Whats-New.html>, the date, unconfirmed (2026-11-23)
    /// * <https://docs.aws.amazon.com/sagemaker/latest/dg/soci-indexing.html>, for SageMaker Studio (2026-11-28)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/config/pull_modes.go>, the modes of the snapshotter (2026-11-29)
    RULE = {
        code: "SOCI303",
        name: "soci-index-v1-only",
        severity: Warning,
        effect: Unknown,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    let why = match task.consumer {
        Consumer::Fargate => "which Fargate ignores unless the account used v1 before",
        Consumer::SageMaker => "of which the documentation of SageMaker does not speak",
        Consumer::Containerd => "which the SOCI snapshotter ignores unless its configuration turns v1 on",
    };
    each(task, container, sink, |sink, at, image| {
        let soci = image.platform.soci.as_ref();
        let may_have = soci.is_none() && damage(image.facts, image.platform).is_none();
        if let Some(detail) = referrers_unknown(image.facts, image.platform).filter(|_| may_have) {
            let message = format!("the image has no SOCI index v2, and whether it has a v1 is unknown: {detail}");
            sink.report(image.place, message)
                .help("convert the image to v2 with `cargo soci convert`")
                .case(at, image.case);
        }
        if soci.is_some_and(|soci| soci.usable && soci.version == SociVersion::V1) {
            let change = converted_tag(sink.run, task, image.located, image.case);
            sink.report(image.place, format!("the image has a SOCI index v1 only, {why}"))
                .help("convert the image to v2 with `cargo soci convert`")
                .fix(change)
                .case(at, image.case);
        }
    });
}
