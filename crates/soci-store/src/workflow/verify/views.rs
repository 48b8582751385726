//! Whether the layers look the same lazily as unpacked, once all of them were read.

use std::collections::BTreeMap;

use soci_image::Digest;
use soci_image::facts::PlatformFacts;
use soci_image::skip::SkipReason;
use soci_rootfs::Changed;

use super::causes::{BUILD_AGAIN, CONVERT_OR_REMOVE, PUT_ON_TOP_AGAIN};
use super::{Checks, Consequence, Unknown};
use crate::workflow::views::{Look, View, look, repeats};

/// Looks at the image of one platform.
pub(super) fn check_views(
    platform: &PlatformFacts,
    views: &BTreeMap<Digest, View>,
    sampled: bool,
    report: &mut Checks,
) {
    let layers: Vec<Option<&View>> = (platform.layers.iter())
        .map(|layer| views.get(&layer.digest))
        .collect();
    let name = platform.platform.as_ref().map(ToString::to_string);
    check_repeated(platform, &layers, name.as_deref(), sampled, report);
    for (layer, look) in platform.layers.iter().zip(look(&layers)) {
        let digest = &layer.digest;
        let (cause, consequence, help, reason) = match look {
            None => continue,
            Some(Look::Unknown(detail)) => {
                report.unknown.push(Unknown {
                    subject: digest.clone(),
                    message: format!("whether layer {digest} looks the same lazily as unpacked: {detail}"),
                    asked_for: sampled,
                });
                continue;
            }
            Some(Look::Wrong(reason @ SkipReason::LooksDifferent { .. })) => (
                "looks-different",
                Consequence::WrongContents,
                CONVERT_OR_REMOVE,
                reason,
            ),
            Some(Look::Wrong(reason @ SkipReason::CannotBeUnpacked { .. })) => {
                ("cannot-be-unpacked", Consequence::PullFails, BUILD_AGAIN, reason)
            }
            Some(Look::Wrong(reason)) => (
                "refused-ztoc",
                Consequence::LayerNotLazy,
                CONVERT_OR_REMOVE,
                reason,
            ),
        };
        // What the zTOC says of itself is told already, and what several platforms share is told once.
        let told = (report.findings.iter())
            .any(|finding| finding.cause == cause && finding.message.contains(digest.as_str()));
        if !told {
            let message = format!("layer {digest}: {reason}");
            report.find(cause, consequence, name.as_deref(), digest, message, help);
        }
    }
}

/// A layer on top hides what it repeats: if that has changed since, containers see what was there before.
fn check_repeated(
    platform: &PlatformFacts,
    layers: &[Option<&View>],
    name: Option<&str>,
    sampled: bool,
    report: &mut Checks,
) {
    let Some(top) = platform.layers.last().filter(|layer| layer.repeats.is_some()) else {
        return;
    };
    let digest = &top.digest;
    match repeats(layers) {
        // That is told by itself.
        Ok(()) | Err(Changed::Unpack { .. }) => {}
        Err(Changed::Unknown { layer }) => report.unknown.push(Unknown {
            subject: digest.clone(),
            message: format!(
                "whether layer {digest} repeats what lies below it: layer {} was not read",
                platform.layers[layer].digest
            ),
            asked_for: sampled,
        }),
        Err(changed) => report.find(
            "stale-layer-on-top",
            Consequence::WrongContents,
            name,
            digest,
            format!("layer {digest} is marked as one that repeats what lies below it, and {changed}"),
            PUT_ON_TOP_AGAIN,
        ),
    }
}
