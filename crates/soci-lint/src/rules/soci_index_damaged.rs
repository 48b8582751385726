//! Indexes that a client cannot use.

use super::shared::known::{damage, each};
use super::{Sink, rule};
use crate::model::{Container, Task};

rule! {
    /// The image has a SOCI index that a client cannot use.
    ///
    /// ## Why
    ///
    /// Copying and converting can leave a SOCI index behind that is missing, unreadable, written in another form than the one whose digest clients check, or listed before
    /// the image it belongs to. Clients then pull the image whole, or fail to pull it. Converting the image once more mends it.
    ///
    /// ## Example
    ///
    /// ```json facts:index-missing
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
    /// ```json facts:index-missing
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
    /// * <https://github.com/awslabs/soci-snapshotter/blob/main/soci/soci_index.go> (2026-08-11)
    /// * <https://github.com/containers/image/pull/2475>, a copy that lost the artifact type (2026-11-23)
    RULE = {
        code: "SOCI309",
        name: "soci-index-damaged",
        severity: Error,
        effect: NotLazy,
        check: Container(check),
    }
}

fn check(task: &Task, container: &Container, sink: &mut Sink<'_>) {
    each(task, container, sink, |sink, at, image| {
        if let Some((damage, help)) = damage(image.facts, image.platform) {
            sink.report(image.place, damage).help(help).case(at, image.case);
        }
    });
}
