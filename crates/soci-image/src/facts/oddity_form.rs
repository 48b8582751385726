//! Reading an [`Oddity`] from JSON, by one struct with the fields of all variants.
//!
//! serde's own reader of enums with the tag inside buffers the object and is compiled once per variant,
//! which made a twentieth of the linter's WASM module.

use serde::Deserialize;

use super::Oddity;
use crate::digest::Digest;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Form {
    kind: String,
    soci_index: Option<Digest>,
    image: Option<Digest>,
    named: Option<String>,
    names: Option<String>,
    detail: Option<String>,
    listed: Option<Digest>,
    layer: Option<Digest>,
    platform: Option<String>,
    first: Option<Digest>,
    second: Option<Digest>,
    attestation: Option<Digest>,
    manifest: Option<Digest>,
    needed: Option<bool>,
    config: Option<Digest>,
    ztoc: Option<Digest>,
    artifact: Option<Digest>,
}

/// A field that a kind cannot do without. It is taken, so that what is left is dropped in one place and not in each
/// way out, which was most of this reader.
#[inline(never)]
fn need<T>(field: &mut Option<T>, kind: &str, name: &str) -> Result<T, String> {
    field
        .take()
        .ok_or_else(|| format!("the oddity `{kind}` has no `{name}`"))
}

impl TryFrom<Form> for Oddity {
    type Error = String;

    fn try_from(mut form: Form) -> Result<Self, String> {
        let kind = std::mem::take(&mut form.kind);
        let kind = kind.as_str();
        Ok(match kind {
            "index-before-image" => Oddity::IndexBeforeImage {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
                image: need(&mut form.image, kind, "image")?,
            },
            "missing-index" => Oddity::MissingIndex {
                image: need(&mut form.image, kind, "image")?,
                named: need(&mut form.named, kind, "named")?,
            },
            "unreadable-index" => Oddity::UnreadableIndex {
                image: need(&mut form.image, kind, "image")?,
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "non-canonical-index" => Oddity::NonCanonicalIndex {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
            },
            "artifact-type-lost" => Oddity::ArtifactTypeLost {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
            },
            "index-not-listed" => Oddity::IndexNotListed {
                image: need(&mut form.image, kind, "image")?,
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
            },
            "unused-index" => Oddity::UnusedIndex {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
                names: form.names.take(),
            },
            "other-index-listed" => Oddity::OtherIndexListed {
                image: need(&mut form.image, kind, "image")?,
                named: need(&mut form.named, kind, "named")?
                    .parse()
                    .map_err(|error| format!("`named`: {error}"))?,
                listed: need(&mut form.listed, kind, "listed")?,
            },
            "ztoc-of-other-layer" => Oddity::ZtocOfOtherLayer {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
                layer: need(&mut form.layer, kind, "layer")?,
            },
            "duplicate-platform" => Oddity::DuplicatePlatform {
                platform: need(&mut form.platform, kind, "platform")?,
                first: need(&mut form.first, kind, "first")?,
                second: need(&mut form.second, kind, "second")?,
            },
            "attestation-without-image" => Oddity::AttestationWithoutImage {
                attestation: need(&mut form.attestation, kind, "attestation")?,
                names: form.names.take(),
            },
            "missing-manifest" => Oddity::MissingManifest {
                manifest: need(&mut form.manifest, kind, "manifest")?,
                // Facts of version 0.1 do not say it: what belongs to no machine is not needed.
                needed: form
                    .needed
                    .unwrap_or_else(|| form.platform.as_deref() != Some("unknown/unknown")),
                platform: form.platform.take(),
            },
            "damaged-manifest" => Oddity::DamagedManifest {
                manifest: need(&mut form.manifest, kind, "manifest")?,
                platform: form.platform.take(),
                needed: need(&mut form.needed, kind, "needed")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "image-without-platform" => Oddity::ImageWithoutPlatform {
                image: need(&mut form.image, kind, "image")?,
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
            },
            "soci-index-v1" => Oddity::SociIndexV1 {
                image: need(&mut form.image, kind, "image")?,
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
            },
            "missing-layer" => Oddity::MissingLayer {
                image: need(&mut form.image, kind, "image")?,
                layer: need(&mut form.layer, kind, "layer")?,
            },
            "missing-config" => Oddity::MissingConfig {
                image: need(&mut form.image, kind, "image")?,
                config: need(&mut form.config, kind, "config")?,
            },
            "missing-ztoc" => Oddity::MissingZtoc {
                soci_index: need(&mut form.soci_index, kind, "sociIndex")?,
                ztoc: need(&mut form.ztoc, kind, "ztoc")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "unreadable-ztoc" => Oddity::UnreadableZtoc {
                ztoc: need(&mut form.ztoc, kind, "ztoc")?,
                layer: need(&mut form.layer, kind, "layer")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "looks-different" => Oddity::LooksDifferent {
                image: need(&mut form.image, kind, "image")?,
                layer: need(&mut form.layer, kind, "layer")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "cannot-be-unpacked" => Oddity::CannotBeUnpacked {
                image: need(&mut form.image, kind, "image")?,
                layer: need(&mut form.layer, kind, "layer")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "view-unknown" => Oddity::ViewUnknown {
                image: need(&mut form.image, kind, "image")?,
                layer: need(&mut form.layer, kind, "layer")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "referrers-unknown" => Oddity::ReferrersUnknown {
                image: need(&mut form.image, kind, "image")?,
                detail: need(&mut form.detail, kind, "detail")?,
            },
            "large-ztoc" => Oddity::LargeZtoc {
                ztoc: need(&mut form.ztoc, kind, "ztoc")?,
                layer: need(&mut form.layer, kind, "layer")?,
            },
            "unreadable-prefetch-list" => Oddity::UnreadablePrefetchList {
                artifact: need(&mut form.artifact, kind, "artifact")?,
                layer: need(&mut form.layer, kind, "layer")?,
            },
            "ranges-ignored" => Oddity::RangesIgnored {
                layer: need(&mut form.layer, kind, "layer")?,
            },
            "docker-layers-in-oci-manifest" => Oddity::DockerLayersInOciManifest {
                image: need(&mut form.image, kind, "image")?,
            },
            _ => return Err(format!("there is no oddity `{kind}`")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_comes_back() {
        let digest =
            |letter: &str| Digest::parse(&format!("sha256:{}", letter.repeat(64))).expect("a digest");
        let (a, b, c) = (digest("a"), digest("b"), digest("c"));
        let text = || "x".to_owned();
        let all = [
            Oddity::IndexBeforeImage {
                soci_index: a.clone(),
                image: b.clone(),
            },
            Oddity::MissingIndex {
                image: a.clone(),
                named: text(),
            },
            Oddity::UnreadableIndex {
                image: a.clone(),
                soci_index: b.clone(),
                detail: text(),
            },
            Oddity::NonCanonicalIndex {
                soci_index: a.clone(),
            },
            Oddity::ArtifactTypeLost {
                soci_index: a.clone(),
            },
            Oddity::IndexNotListed {
                image: a.clone(),
                soci_index: b.clone(),
            },
            Oddity::UnusedIndex {
                soci_index: a.clone(),
                names: Some(text()),
            },
            Oddity::UnusedIndex {
                soci_index: a.clone(),
                names: None,
            },
            Oddity::OtherIndexListed {
                image: a.clone(),
                named: b.clone(),
                listed: c.clone(),
            },
            Oddity::ZtocOfOtherLayer {
                soci_index: a.clone(),
                layer: b.clone(),
            },
            Oddity::DuplicatePlatform {
                platform: text(),
                first: a.clone(),
                second: b.clone(),
            },
            Oddity::AttestationWithoutImage {
                attestation: a.clone(),
                names: None,
            },
            Oddity::MissingManifest {
                manifest: a.clone(),
                platform: Some(text()),
                needed: false,
            },
            Oddity::DamagedManifest {
                manifest: a.clone(),
                platform: None,
                needed: true,
                detail: text(),
            },
            Oddity::ImageWithoutPlatform {
                image: a.clone(),
                soci_index: b.clone(),
            },
            Oddity::SociIndexV1 {
                image: a.clone(),
                soci_index: b.clone(),
            },
            Oddity::MissingLayer {
                image: a.clone(),
                layer: b.clone(),
            },
            Oddity::MissingConfig {
                image: a.clone(),
                config: b.clone(),
            },
            Oddity::MissingZtoc {
                soci_index: a.clone(),
                ztoc: b.clone(),
                detail: text(),
            },
            Oddity::UnreadableZtoc {
                ztoc: a.clone(),
                layer: b.clone(),
                detail: text(),
            },
            Oddity::LooksDifferent {
                image: a.clone(),
                layer: b.clone(),
                detail: text(),
            },
            Oddity::CannotBeUnpacked {
                image: a.clone(),
                layer: b.clone(),
                detail: text(),
            },
            Oddity::ViewUnknown {
                image: a.clone(),
                layer: b.clone(),
                detail: text(),
            },
            Oddity::LargeZtoc {
                ztoc: a.clone(),
                layer: b.clone(),
            },
            Oddity::UnreadablePrefetchList {
                artifact: a.clone(),
                layer: b.clone(),
            },
            Oddity::RangesIgnored { layer: c },
            Oddity::DockerLayersInOciManifest { image: a },
        ];
        for oddity in all {
            let json = serde_json::to_string(&oddity).expect("it has string keys");
            assert_eq!(
                serde_json::from_str::<Oddity>(&json).expect("it was just written"),
                oddity
            );
        }
    }

    #[test]
    fn facts_of_earlier_versions_say_what_is_needed_by_its_platform() {
        let read = |platform: &str| {
            let digest = format!("sha256:{}", "a".repeat(64));
            let json =
                format!(r#"{{"kind": "missing-manifest", "manifest": "{digest}", "platform": {platform}}}"#);
            serde_json::from_str::<Oddity>(&json)
                .expect("it is right")
                .effect()
        };
        assert_eq!(read("\"linux/amd64\""), super::super::Effect::PullFails);
        assert_eq!(read("null"), super::super::Effect::PullFails);
        assert_eq!(read("\"unknown/unknown\""), super::super::Effect::None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = |json: &str| {
            serde_json::from_str::<Oddity>(json)
                .expect_err("it is wrong")
                .to_string()
        };
        assert!(error(r#"{"kind": "missing-index"}"#).contains("`missing-index` has no `image`"));
        assert!(error(r#"{"kind": "flat-tyre"}"#).contains("there is no oddity `flat-tyre`"));
    }
}
