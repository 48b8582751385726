//! What each fault is called, what it does and what to do about it.

use soci_image::facts::{Effect, Oddity};
use soci_ztoc::ztoc::Fault;

use super::{Consequence, Finding};

/// The cause that a fault of a zTOC stands for, and what a client does.
pub(super) fn of_fault(fault: &Fault) -> (&'static str, Consequence) {
    match fault {
        Fault::Refused(_) => ("ztoc-refused", Consequence::LayerNotLazy),
        Fault::LayerSize { .. } => ("ztoc-misplaced", Consequence::ReadsFail),
        Fault::SpanDigest { .. } => ("span-digest", Consequence::ReadsFail),
        Fault::SpanUnreadable { .. } => ("span-unreadable", Consequence::ReadsFail),
        Fault::SpanContents { .. } => ("wrong-window", Consequence::WrongContents),
        Fault::Entry { .. } => ("toc-entry-differs", Consequence::ReadsFail),
        Fault::MissingEntries { .. } => ("toc-entries-missing", Consequence::WrongContents),
        Fault::ExtraEntries { .. } => ("toc-entries-extra", Consequence::ReadsFail),
        _ => ("ztoc-wrong", Consequence::ReadsFail),
    }
}

pub(super) fn of_oddity(oddity: &Oddity) -> Finding {
    let (cause, subject) = match oddity {
        Oddity::IndexBeforeImage { soci_index, .. } => ("index-before-image", soci_index),
        Oddity::MissingIndex { image, .. } => ("soci-index-missing", image),
        Oddity::UnreadableIndex { soci_index, .. } => ("soci-index-unreadable", soci_index),
        Oddity::NonCanonicalIndex { soci_index } => ("soci-index-not-canonical", soci_index),
        Oddity::ArtifactTypeLost { soci_index } => ("artifact-type-lost", soci_index),
        Oddity::IndexNotListed { soci_index, .. } => ("soci-index-not-listed", soci_index),
        Oddity::UnusedIndex { soci_index, .. } => ("soci-index-unused", soci_index),
        Oddity::OtherIndexListed { named, .. } => ("other-soci-index-listed", named),
        Oddity::ZtocOfOtherLayer { soci_index, .. } => ("ztoc-of-other-layer", soci_index),
        Oddity::DuplicatePlatform { second, .. } => ("duplicate-platform", second),
        Oddity::AttestationWithoutImage { attestation, .. } => ("attestation-without-image", attestation),
        Oddity::MissingManifest { manifest, .. } => ("manifest-missing", manifest),
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
