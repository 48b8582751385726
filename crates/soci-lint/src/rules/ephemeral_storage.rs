//! Disks that the images fill.

use super::{Check, Sink, rule};
use crate::facts::{Chosen, about, choose};
use crate::model::Task;
use crate::source::TextRange;

rule! {
    /// The task has less ephemeral storage than its images need.
    ///
    /// ## Why
    ///
    /// Lazy loading does not save disk: the image still arrives in the background. Compressed and uncompressed, it lies on the ephemeral storage of the task, which
    /// is 20 GiB unless `ephemeralStorage` asks for 21 to 200 GiB. An image needs at least twice its compressed size.
    ///
    /// ## Example
    ///
    /// ```json options
    /// {"image-facts": [{"image": "*/web:1.4.2", "facts": {"schema": "soci-image-facts/1", "root": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000061a80", "size": 1200, "mediaType": "application/vnd.oci.image.index.v1+json"}, "platforms": [{"platform": {"architecture": "amd64", "os": "linux"}, "manifest": {"digest": "sha256:00000000000000000000000000000000000000000000000000000000000186a0", "size": 700, "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "config": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000030d40", "size": 300, "mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"digest": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "size": 12884901888, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "compression": "gzip", "ztoc": {"digest": "sha256:0000000000000000000000000000000000000000000000000000000000001000", "size": 1000, "spanSize": 4194304}}], "soci": {"version": "v2", "digest": "sha256:00000000000000000000000000000000000000000000000000000000000493e0", "size": 900, "buildTool": "cargo-soci", "spanSize": 4194304, "ztocs": 1, "smallestIndexed": null, "largestLeftOut": null}, "totals": {"layerBytes": 12884901888, "lazyBytes": 12884901888, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}], "totals": {"layerBytes": 12884901888, "lazyBytes": 12884901888, "ztocBytes": 0, "layers": 1, "lazyLayers": 1}}}]}
    /// ```
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
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "ephemeralStorage": { "sizeInGiB": 60 },
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html> (2026-11-23)
    EPHEMERAL_STORAGE, "SOCI406", "ephemeral-storage-too-small", Warning, None, Check::Task(check)
}

/// What Fargate gives a task that asks for nothing, in GiB (the page above, 2026-11-23).
const DEFAULT_GIB: u64 = 20;

fn check(task: &Task<'_>, sink: &mut Sink<'_, '_>) {
    let size = match task.ephemeral_storage.is_absent() {
        true => Some(DEFAULT_GIB),
        false => task.ephemeral_storage.known().and_then(|text| text.parse().ok()),
    };
    let Some(size) = size else {
        return;
    };
    let mut needed: u64 = 0;
    let mut largest: Option<(u64, TextRange)> = None;
    for container in task
        .containers
        .iter()
        .filter(|container| container.is_eligible(task))
    {
        for (_, _, _, case) in container.in_ecr().take(1) {
            let Some(Chosen::Platform(platform)) = about(sink.options, case).map(|facts| choose(task, facts))
            else {
                continue;
            };
            let bytes = platform.totals.layer_bytes;
            needed = needed.saturating_add(bytes.saturating_mul(2));
            if largest.is_none_or(|(most, _)| bytes > most) {
                largest = Some((bytes, container.place()));
            }
        }
    }
    let Some((_, place)) = largest.filter(|_| needed > size << 30) else {
        return;
    };
    let by_default = if task.ephemeral_storage.is_absent() {
        " by default"
    } else {
        ""
    };
    let message = format!(
        "the images need at least {} GiB of disk, the task has {size} GiB{by_default}",
        needed.div_ceil(1 << 30)
    );
    let range = task.ephemeral_storage.range().unwrap_or(place);
    sink.report(range, message)
        .help("set `ephemeralStorage.sizeInGiB` (21 to 200)");
}
