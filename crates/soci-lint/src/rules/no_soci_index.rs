//! Images without an index, or without one for the platform that runs.

use soci_image::soci_index::SociVersion;

use super::{Check, Effect, Sink, rule};
use crate::facts::{Chosen, about, choose};
use crate::model::{Container, Task};

rule! {
    /// The image has nothing for the architecture of the task.
    ///
    /// ## Why
    ///
    /// `runtimePlatform.cpuArchitecture` is `X86_64` where it is absent. Fargate takes the part of the image for that architecture; where there is none, the task
    /// does not start.
    ///
    /// ## Example
    ///
    /// ```json facts:amd64-only
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
    /// ```json facts:amd64-only
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html> (2026-11-23)
    ARCHITECTURE_NOT_IN_IMAGE, "SOCI108", "architecture-not-in-image", Error, NotLazy, Check::Container(check_architecture)
}

rule! {
    /// The image has no SOCI index.
    ///
    /// ## Why
    ///
    /// Fargate loads an image lazily if it finds a SOCI index for it. Nothing in the task definition turns this on: the index in the same repository is all. Make it
    /// with `cargo soci convert`, name the image it writes, and mind that the digest changes: a task definition with the digest from
    /// before the conversion never loads lazily.
    ///
    /// ## Example
    ///
    /// ```json facts:no-index
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
    /// ```json facts:no-index
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md> (2026-11-23)
    NO_SOCI_INDEX, "SOCI302", "no-soci-index", Error, NotLazy, Check::Container(check_index)
}

rule! {
    /// The image has a SOCI index of version 1 only.
    ///
    /// ## Why
    ///
    /// Version 1 of the index is attached to an image from outside, by a referrer. AWS accounts that used it on Fargate before version 2 appeared can go on; for all others Fargate
    /// silently ignores it. One third-party page names 2026-02-09 as the end of version 1; AWS has no page that confirms it. Version 2 works
    /// for every account and is copied along with the image.
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
    /// * <https://pabis.eu/blog/2025-08-31-SOCI-v2-ECS-Whats-New.html>, the date, unconfirmed (2026-11-23)
    SOCI_INDEX_V1_ONLY, "SOCI303", "soci-index-v1-only", Warning, Unknown, Check::Container(check_version)
}

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
    NO_SOCI_INDEX_FOR_PLATFORM, "SOCI304", "no-soci-index-for-platform", Error, NotLazy, Check::Container(check_platform)
}

rule! {
    /// The image has a SOCI index v2 for the platform that runs.
    ///
    /// ## Why
    ///
    /// This is the reason behind the verdict `lazy`. It is not listed among the findings unless it is selected. Whether Fargate did load a task lazily shows the task
    /// metadata endpoint: `Snapshotter: soci`.
    ///
    /// ## Example
    ///
    /// ```json facts:lazy select:SOCI310
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
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html> (2026-11-23)
    HAS_SOCI_INDEX, "SOCI310", "has-soci-index", Off, Lazy, Check::Container(check_lazy)
}

fn check_architecture(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    if !container.is_eligible(task) {
        return;
    }
    for (at, _, _, case) in container.in_ecr() {
        let Some(facts) = about(sink.options, case) else {
            continue;
        };
        if !matches!(choose(task, facts), Chosen::Missing) {
            continue;
        }
        let Some((architecture, by_default)) = task.oci_architecture() else {
            continue;
        };
        let have: Vec<String> = facts
            .platforms
            .iter()
            .filter_map(|platform| platform.platform.as_ref())
            .map(ToString::to_string)
            .collect();
        let default = if by_default { " (by default)" } else { "" };
        let message = format!(
            "the task runs on linux/{architecture}{default}, the image is for {}",
            if have.is_empty() {
                "no platform".to_owned()
            } else {
                have.join(", ")
            }
        );
        let found = sink.report(container.place(), message);
        found.help("set `cpuArchitecture` to what the image is for, or build the image for the task's");
        if let Some(range) = task.architecture.range() {
            found.related(range, "the architecture of the task");
        }
        found.case(at, &case.condition());
    }
}

fn check_index(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let any = image
            .facts
            .platforms
            .iter()
            .any(|platform| platform.soci.is_some());
        let damaged = super::soci_index_damaged::damage(image.facts, image.platform).is_some();
        if image.platform.soci.is_none() && !any && !damaged {
            sink.report(image.place, "the image has no SOCI index")
                .help("make one with `cargo soci convert` and name the image it writes")
                .case(at, &image.condition);
        }
    });
}

fn check_platform(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let any = image
            .facts
            .platforms
            .iter()
            .any(|platform| platform.soci.is_some());
        let damaged = super::soci_index_damaged::damage(image.facts, image.platform).is_some();
        if image.platform.soci.is_none() && any && !damaged {
            let platform = image.platform.platform.as_ref().map(ToString::to_string);
            let message = format!(
                "the image has no SOCI index for {}, only for other platforms",
                platform.as_deref().unwrap_or("the platform that runs")
            );
            sink.report(image.place, message)
                .help("convert all platforms (`cargo soci convert` does)")
                .case(at, &image.condition);
        }
    });
}

fn check_version(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let soci = image.platform.soci.as_ref();
        if soci.is_some_and(|soci| soci.usable && soci.version == SociVersion::V1) {
            sink.report(
                image.place,
                "the image has a SOCI index v1 only, which Fargate ignores unless the account used v1 before",
            )
            .help("convert the image to v2 with `cargo soci convert`")
            .case(at, &image.condition);
        }
    });
}

fn check_lazy(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        let soci = image.platform.soci.as_ref();
        let totals = &image.platform.totals;
        if soci.is_some_and(|soci| soci.usable && soci.version == SociVersion::V2) && totals.lazy_layers > 0 {
            let message = format!(
                "loaded lazily: SOCI index v2 with {} of {} layers, {}.{} % of {}",
                totals.lazy_layers,
                totals.layers,
                totals.lazy_permille() / 10,
                totals.lazy_permille() % 10,
                super::image_size::mebibytes(totals.layer_bytes)
            );
            sink.report(image.place, message)
                .effect(Effect::Lazy)
                .case(at, &image.condition);
        }
    });
}

/// An image whose facts are known, for the platform that runs.
pub(super) struct Known<'f> {
    pub(super) facts: &'f soci_image::facts::ImageFacts,
    pub(super) platform: &'f soci_image::facts::PlatformFacts,
    pub(super) place: crate::source::TextRange,
    pub(super) condition: String,
}

/// Calls `check` for each case of an eligible container's image whose facts are known.
pub(super) fn each<'s, 'a>(
    task: &Task<'_>,
    container: &Container<'_>,
    sink: &mut Sink<'s, 'a>,
    mut check: impl FnMut(&mut Sink<'s, 'a>, usize, &Known<'s>),
) {
    if !container.is_eligible(task) {
        return;
    }
    let options = sink.options;
    for (at, _, _, case) in container.in_ecr() {
        let Some(facts) = about(options, case) else {
            continue;
        };
        if let Chosen::Platform(platform) = choose(task, facts) {
            let known = Known {
                facts,
                platform,
                place: container.place(),
                condition: case.condition(),
            };
            check(sink, at, &known);
        }
    }
}
