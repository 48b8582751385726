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

impl TryFrom<Form> for Oddity {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let kind = form.kind.as_str();
        let missing = |field: &str| format!("the oddity `{kind}` has no `{field}`");
        let soci_index = form.soci_index.ok_or_else(|| missing("sociIndex"));
        let image = form.image.ok_or_else(|| missing("image"));
        Ok(match kind {
            "index-before-image" => Oddity::IndexBeforeImage {
                soci_index: soci_index?,
                image: image?,
            },
            "missing-index" => Oddity::MissingIndex {
                image: image?,
                named: form.named.ok_or_else(|| missing("named"))?,
            },
            "unreadable-index" => Oddity::UnreadableIndex {
                image: image?,
                soci_index: soci_index?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "non-canonical-index" => Oddity::NonCanonicalIndex {
                soci_index: soci_index?,
            },
            "artifact-type-lost" => Oddity::ArtifactTypeLost {
                soci_index: soci_index?,
            },
            "index-not-listed" => Oddity::IndexNotListed {
                image: image?,
                soci_index: soci_index?,
            },
            "unused-index" => Oddity::UnusedIndex {
                soci_index: soci_index?,
                names: form.names,
            },
            "other-index-listed" => Oddity::OtherIndexListed {
                image: image?,
                named: form
                    .named
                    .ok_or_else(|| missing("named"))?
                    .parse()
                    .map_err(|error| format!("`named`: {error}"))?,
                listed: form.listed.ok_or_else(|| missing("listed"))?,
            },
            "ztoc-of-other-layer" => Oddity::ZtocOfOtherLayer {
                soci_index: soci_index?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
            },
            "duplicate-platform" => Oddity::DuplicatePlatform {
                platform: form.platform.ok_or_else(|| missing("platform"))?,
                first: form.first.ok_or_else(|| missing("first"))?,
                second: form.second.ok_or_else(|| missing("second"))?,
            },
            "attestation-without-image" => Oddity::AttestationWithoutImage {
                attestation: form.attestation.ok_or_else(|| missing("attestation"))?,
                names: form.names,
            },
            "missing-manifest" => Oddity::MissingManifest {
                manifest: form.manifest.ok_or_else(|| missing("manifest"))?,
                // Facts of version 0.1 do not say it: what belongs to no machine is not needed.
                needed: form
                    .needed
                    .unwrap_or_else(|| form.platform.as_deref() != Some("unknown/unknown")),
                platform: form.platform,
            },
            "damaged-manifest" => Oddity::DamagedManifest {
                manifest: form.manifest.ok_or_else(|| missing("manifest"))?,
                platform: form.platform,
                needed: form.needed.ok_or_else(|| missing("needed"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "image-without-platform" => Oddity::ImageWithoutPlatform {
                image: image?,
                soci_index: soci_index?,
            },
            "soci-index-v1" => Oddity::SociIndexV1 {
                image: image?,
                soci_index: soci_index?,
            },
            "missing-layer" => Oddity::MissingLayer {
                image: image?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
            },
            "missing-config" => Oddity::MissingConfig {
                image: image?,
                config: form.config.ok_or_else(|| missing("config"))?,
            },
            "missing-ztoc" => Oddity::MissingZtoc {
                soci_index: soci_index?,
                ztoc: form.ztoc.ok_or_else(|| missing("ztoc"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "unreadable-ztoc" => Oddity::UnreadableZtoc {
                ztoc: form.ztoc.ok_or_else(|| missing("ztoc"))?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "looks-different" => Oddity::LooksDifferent {
                image: image?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "cannot-be-unpacked" => Oddity::CannotBeUnpacked {
                image: image?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "view-unknown" => Oddity::ViewUnknown {
                image: image?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
                detail: form.detail.ok_or_else(|| missing("detail"))?,
            },
            "large-ztoc" => Oddity::LargeZtoc {
                ztoc: form.ztoc.ok_or_else(|| missing("ztoc"))?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
            },
            "unreadable-prefetch-list" => Oddity::UnreadablePrefetchList {
                artifact: form.artifact.ok_or_else(|| missing("artifact"))?,
                layer: form.layer.ok_or_else(|| missing("layer"))?,
            },
            "ranges-ignored" => Oddity::RangesIgnored {
                layer: form.layer.ok_or_else(|| missing("layer"))?,
            },
            "docker-layers-in-oci-manifest" => Oddity::DockerLayersInOciManifest { image: image? },
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
