//! What each fault is called, what it does and what to do about it.

use soci_image::facts::{Effect, Oddity};
use soci_ztoc::ztoc::Fault;

use super::{Consequence, Finding};

/// The cause that a fault of a zTOC stands for, and what a client does.
pub(super) fn of_fault(fault: &Fault) -> (&'static str, Consequence) {
    match fault {
        Fault::Refused(_) => ("refused-ztoc", Consequence::LayerNotLazy),
        Fault::LayerSize { .. } => ("misplaced-ztoc", Consequence::ReadsFail),
        Fault::SpanDigest { .. } => ("wrong-span-digest", Consequence::ReadsFail),
        Fault::SpanUnreadable { .. } => ("unreadable-span", Consequence::ReadsFail),
        Fault::SpanContents { .. } => ("wrong-window", Consequence::WrongContents),
        Fault::Entry { .. } => ("wrong-toc-entry", Consequence::ReadsFail),
        Fault::MissingEntries { .. } => ("missing-toc-entries", Consequence::WrongContents),
        Fault::ExtraEntries { .. } => ("extra-toc-entries", Consequence::ReadsFail),
        _ => ("wrong-ztoc", Consequence::ReadsFail),
    }
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
        Oddity::DockerLayersInOciManifest { image } => ("docker-layers-in-oci-manifest", image),
    };
    let consequence = match oddity.effect() {
        Effect::None => Consequence::None,
        Effect::LayerNotLazy => Consequence::LayerNotLazy,
        Effect::ImageNotLazy => Consequence::ImageNotLazy,
        Effect::PullFails => Consequence::PullFails,
    };
    let help = match oddity {
        Oddity::MissingManifest { .. } | Oddity::AttestationWithoutImage { .. } => BUILD_AGAIN,
        _ => CONVERT,
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

pub(super) const CONVERT: &str = "convert the image again";
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
            },
            Oddity::DockerLayersInOciManifest { image: digest() },
        ] {
            let kind = serde_json::to_value(&oddity).expect("JSON")["kind"].clone();
            assert_eq!(kind, of_oddity(&oddity).cause);
        }
    }
}
