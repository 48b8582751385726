//! Images with an index for other platforms.

use super::shared::changes::converted_tag;
use super::shared::known::{damage, each, referrers_unknown};
use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image has a SOCI index, but not for the platform that runs.
    ///
    /// ## Why
    ///
    /// An image for several platforms needs an index for each. `soci convert` of the reference tool makes one for the platform of the machine it runs on only, unless
    /// `--all-platforms` is given; `cargo soci convert` makes all of them.
    ///
    /// ## Example
    ///
    /// ```json facts:index-for-amd64
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "runtimePlatform": { "cpuArchitecture": "ARM64" },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json facts:index-for-amd64
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "runtimePlatform": { "cpuArchitecture": "ARM64" },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2-soci" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://github.com/awslabs/soci-snapshotter/issues/1695> (2026-11-23)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md> (2026-11-23)
    RULE = {
        code: "SOCI304",
        name: "no-soci-index-for-platform",
        severity: Error,
        effect: NotLazy,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        let any = image
            .facts
            .platforms
            .iter()
            .any(|platform| platform.soci.is_some());
        let damaged = damage(image.facts, image.platform).is_some();
        let may_be_v1 = referrers_unknown(image.facts, image.platform).is_some();
        if image.platform.soci.is_none() && any && !damaged && !may_be_v1 {
            let platform = image.platform.platform.as_ref().map(ToString::to_string);
            let message = format!(
                "the image has no SOCI index for {}, only for other platforms",
                platform.as_deref().unwrap_or("the platform that runs")
            );
            let change = converted_tag(sink.run, task, image.located, image.case);
            sink.report(image.place, message)
                .help("convert all platforms (`cargo soci convert` does)")
                .fix(change)
                .case(at, image.case);
        }
    });
}
