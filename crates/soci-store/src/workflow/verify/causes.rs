//! What each fault is called, what it does and what to do about it.

use soci_image::facts::{DocumentFault, Effect, Oddity};
use soci_ztoc::ztoc::Fault;

use super::{Consequence, Finding};
use crate::workflow::examine::Examined;

/// The cause that a fault of a zTOC stands for, what a client does, and what to do about it.
pub(super) fn of_fault(fault: &Fault) -> (&'static str, Consequence, &'static str) {
    let (cause, consequence) = match fault {
        // Perhaps no zTOC of the layer is taken.
        Fault::Refused(_) => return ("refused-ztoc", Consequence::LayerNotLazy, CONVERT_OR_REMOVE),
        Fault::LayerSize { .. } => ("misplaced-ztoc", Consequence::ReadsFail),
        Fault::SpanDigest { .. } => ("wrong-span-digest", Consequence::ReadsFail),
        Fault::SpanUnreadable { .. } => ("unreadable-span", Consequence::ReadsFail),
        Fault::SpanContents { .. } => ("wrong-window", Consequence::WrongContents),
        Fault::Entry { .. } => ("wrong-toc-entry", Consequence::ReadsFail),
        Fault::MissingEntries { .. } => ("missing-toc-entries", Consequence::WrongContents),
        Fault::ExtraEntries { .. } => ("extra-toc-entries", Consequence::ReadsFail),
        _ => ("wrong-ztoc", Consequence::ReadsFail),
    };
    (cause, consequence, CONVERT)
}

pub(super) fn of_oddity(oddity: &Oddity) -> Finding {
    let (cause, subject) = match oddity {
        Oddity::IndexBeforeImage { soci_index, .. } => ("index-before-image", soci_index),
        Oddity::MissingIndex { image, .. } => ("missing-index", image),
        Oddity::UnreadableIndex { soci_index, .. } => ("unreadable-index", soci_index),
        Oddity::NonCanonicalIndex { soci_index } => ("non-canonical-index", soci_index),
        Oddity::ArtifactTypeLost { soci_index } => ("artifact-type-lost", soci_index),
        Oddity::IndexNotListed { soci_index, .. } => ("index-not-listed", soci_index),
        Oddity::UnusedIndex { soci_index, .. } => ("unused-index", soci_index),
        Oddity::OtherIndexListed { named, .. } => ("other-index-listed", named),
        Oddity::ZtocOfOtherLayer { soci_index, .. } => ("ztoc-of-other-layer", soci_index),
        Oddity::DuplicatePlatform { second, .. } => ("duplicate-platform", second),
        Oddity::AttestationWithoutImage { attestation, .. } => ("attestation-without-image", attestation),
        Oddity::MissingManifest { manifest, .. } => ("missing-manifest", manifest),
        Oddity::DamagedManifest { manifest, .. } => ("damaged-manifest", manifest),
        Oddity::ImageWithoutPlatform { image, .. } => ("image-without-platform", image),
        Oddity::SociIndexV1 { soci_index, .. } => ("soci-index-v1", soci_index),
        Oddity::MissingLayer { layer, .. } => ("missing-layer", layer),
        Oddity::MissingConfig { config, .. } => ("missing-config", config),
        Oddity::MissingZtoc { ztoc, .. } => ("missing-ztoc", ztoc),
        Oddity::UnreadableZtoc { ztoc, .. } => ("unreadable-ztoc", ztoc),
        Oddity::LooksDifferent { layer, .. } => ("looks-different", layer),
        Oddity::CannotBeUnpacked { layer, .. } => ("cannot-be-unpacked", layer),
        Oddity::ViewUnknown { layer, .. } => ("view-unknown", layer),
        Oddity::ReferrersUnknown { image, .. } => ("referrers-unknown", image),
        Oddity::LargeZtoc { ztoc, .. } => ("large-ztoc", ztoc),
        Oddity::UnreadablePrefetchList { artifact, .. } => ("unreadable-prefetch-list", artifact),
        Oddity::RangesIgnored { layer } => ("ranges-ignored", layer),
        Oddity::DockerLayersInOciManifest { image } => ("docker-layers-in-oci-manifest", image),
    };
    let consequence = match oddity.effect() {
        Effect::None => Consequence::None,
        Effect::NotPrefetched => Consequence::NotPrefetched,
        Effect::LayerNotLazy => Consequence::LayerNotLazy,
        Effect::ImageNotLazy => Consequence::ImageNotLazy,
        Effect::ReadsFail => Consequence::ReadsFail,
        Effect::WrongContents => Consequence::WrongContents,
        Effect::PullFails => Consequence::PullFails,
    };
    let help = match oddity {
        Oddity::MissingManifest { .. }
        | Oddity::DamagedManifest { .. }
        | Oddity::MissingLayer { .. }
        | Oddity::MissingConfig { .. }
        | Oddity::DuplicatePlatform { .. }
        | Oddity::CannotBeUnpacked { .. }
        | Oddity::AttestationWithoutImage { .. } => BUILD_AGAIN,
        Oddity::IndexNotListed { .. } => "convert the image again, and copy it with all that its index lists",
        Oddity::RangesIgnored { .. } => "put the image into a registry that answers range requests",
        Oddity::LargeZtoc { .. } => "convert the image with a larger --min-layer-size",
        Oddity::UnusedIndex { .. }
        | Oddity::ViewUnknown { .. }
        | Oddity::ReferrersUnknown { .. }
        | Oddity::DockerLayersInOciManifest { .. } => NOTHING,
        Oddity::IndexBeforeImage { .. }
        | Oddity::ImageWithoutPlatform { .. }
        | Oddity::MissingIndex { .. }
        | Oddity::UnreadableIndex { .. }
        | Oddity::NonCanonicalIndex { .. }
        | Oddity::ArtifactTypeLost { .. }
        | Oddity::OtherIndexListed { .. }
        | Oddity::ZtocOfOtherLayer { .. }
        | Oddity::SociIndexV1 { .. }
        | Oddity::MissingZtoc { .. }
        | Oddity::UnreadableZtoc { .. }
        | Oddity::UnreadablePrefetchList { .. } => CONVERT,
        Oddity::LooksDifferent { .. } => CONVERT_OR_REMOVE,
    };
    Finding {
        cause,
        consequence,
        platform: None,
        subject: subject.clone(),
        message: oddity.to_string(),
        help,
    }
}

/// A document that is not what a descriptor of it says: registries refuse what points at it, and so do clients that
/// take it.
pub(super) fn of_document(cause: &'static str, fault: &DocumentFault, examined: &Examined) -> Finding {
    let image = &examined.image;
    let is_soci = image
        .soci_indexes()
        .iter()
        .any(|soci| soci.descriptor.digest == fault.digest);
    let is_attestation = image
        .attestations()
        .iter()
        .any(|entry| entry.descriptor.digest == fault.digest);
    let (consequence, help) = match (is_soci, is_attestation) {
        (true, _) => (Consequence::ImageNotLazy, CONVERT),
        // Nobody needs it to run the image.
        (_, true) => (Consequence::None, BUILD_AGAIN),
        _ => (Consequence::PullFails, BUILD_AGAIN),
    };
    Finding {
        cause,
        consequence,
        platform: None,
        subject: fault.digest.clone(),
        message: format!(
            "{} is not what its descriptor says: {}",
            fault.digest, fault.detail
        ),
        help,
    }
}

pub(super) const PUT_ON_TOP_AGAIN: &str = "convert the image again with --start-layer or --restate-directories, or take the layer off with cargo soci remove";

pub(super) const NOTHING: &str = "nothing need be done";
pub(super) const CONVERT: &str = "convert the image again";
/// Where perhaps no layer can have a zTOC.
pub(super) const CONVERT_OR_REMOVE: &str =
    "convert the image again; if that finds nothing to index, take the SOCI index out: cargo soci remove";
pub(super) const CONVERT_FIRST: &str = "convert the image: cargo soci convert SRC DST";
pub(super) const BUILD_AGAIN: &str = "build or copy the image again";

#[cfg(test)]
mod tests {
    use soci_image::Digest;

    use super::*;

    #[test]
    fn an_oddity_is_called_the_same_here_and_in_image_facts() {
        let digest = || Digest::sha256(b"");
        for oddity in [
            Oddity::IndexBeforeImage {
                soci_index: digest(),
                image: digest(),
            },
            Oddity::MissingIndex {
                image: digest(),
                named: "x".into(),
            },
            Oddity::UnreadableIndex {
                image: digest(),
                soci_index: digest(),
                detail: "x".into(),
            },
            Oddity::NonCanonicalIndex { soci_index: digest() },
            Oddity::ArtifactTypeLost { soci_index: digest() },
            Oddity::IndexNotListed {
                image: digest(),
                soci_index: digest(),
            },
            Oddity::UnusedIndex {
                soci_index: digest(),
                names: None,
            },
            Oddity::OtherIndexListed {
                image: digest(),
                named: digest(),
                listed: digest(),
            },
            Oddity::ZtocOfOtherLayer {
                soci_index: digest(),
                layer: digest(),
            },
            Oddity::DuplicatePlatform {
                platform: "x".into(),
                first: digest(),
                second: digest(),
            },
            Oddity::AttestationWithoutImage {
                attestation: digest(),
                names: None,
            },
            Oddity::MissingManifest {
                manifest: digest(),
                platform: None,
                needed: true,
            },
            Oddity::DamagedManifest {
                manifest: digest(),
                platform: None,
                needed: true,
                detail: "x".into(),
            },
            Oddity::ImageWithoutPlatform {
                image: digest(),
                soci_index: digest(),
            },
            Oddity::SociIndexV1 {
                image: digest(),
                soci_index: digest(),
            },
            Oddity::MissingLayer {
                image: digest(),
                layer: digest(),
            },
            Oddity::MissingConfig {
                image: digest(),
                config: digest(),
            },
            Oddity::MissingZtoc {
                soci_index: digest(),
                ztoc: digest(),
                detail: "x".into(),
            },
            Oddity::UnreadableZtoc {
                ztoc: digest(),
                layer: digest(),
                detail: "x".into(),
            },
            Oddity::LooksDifferent {
                image: digest(),
                layer: digest(),
                detail: "x".into(),
            },
            Oddity::CannotBeUnpacked {
                image: digest(),
                layer: digest(),
                detail: "x".into(),
            },
            Oddity::ViewUnknown {
                image: digest(),
                layer: digest(),
                detail: "x".into(),
            },
            Oddity::ReferrersUnknown {
                image: digest(),
                detail: "x".into(),
            },
            Oddity::LargeZtoc {
                ztoc: digest(),
                layer: digest(),
            },
            Oddity::UnreadablePrefetchList {
                artifact: digest(),
                layer: digest(),
            },
            Oddity::RangesIgnored { layer: digest() },
            Oddity::DockerLayersInOciManifest { image: digest() },
        ] {
            let kind = serde_json::to_value(&oddity).expect("JSON")["kind"].clone();
            assert_eq!(kind, of_oddity(&oddity).cause);
        }
    }
}
