//! Indexes that a client cannot use.

use soci_image::facts::{Effect as OddityEffect, ImageFacts, Oddity, PlatformFacts};

use super::no_soci_index::each;
use super::{Check, Sink, rule};
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
    SOCI_INDEX_DAMAGED, "SOCI309", "soci-index-damaged", Error, NotLazy, Check::Container(check)
}

fn check(task: &Task<'_>, container: &Container<'_>, sink: &mut Sink<'_, '_>) {
    each(task, container, sink, |sink, at, image| {
        if let Some(damage) = damage(image.facts, image.platform) {
            sink.report(image.place, damage)
                .help("convert the image once more with `cargo soci convert`")
                .case(at, &image.condition);
        }
    });
}

/// What keeps a client from using the index of this platform.
pub(super) fn damage(facts: &ImageFacts, platform: &PlatformFacts) -> Option<String> {
    let own = &platform.manifest.digest;
    let found = facts.oddities.iter().find(|oddity| {
        let severe = matches!(
            oddity.effect(),
            OddityEffect::ImageNotLazy | OddityEffect::PullFails
        );
        let about = match oddity {
            Oddity::IndexBeforeImage { image, .. }
            | Oddity::MissingIndex { image, .. }
            | Oddity::UnreadableIndex { image, .. } => image == own,
            Oddity::NonCanonicalIndex { soci_index } => platform
                .soci
                .as_ref()
                .is_some_and(|soci| soci.digest == *soci_index),
            _ => false,
        };
        severe && about
    });
    let unusable = || {
        let soci = platform.soci.as_ref().filter(|soci| !soci.usable)?;
        Some(format!("clients do not take the SOCI index {}", soci.digest))
    };
    found.map(ToString::to_string).or_else(unusable)
}
