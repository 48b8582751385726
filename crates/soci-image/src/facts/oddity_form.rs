//! Reading an [`Oddity`] from JSON, by one list of the texts in it.
//!
//! serde's own reader of enums with the tag inside buffers the object and is compiled once per variant, and one of a
//! struct with the fields of all variants once per field: a twentieth of the linter's WASM module either way.

use std::cell::RefCell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Oddity;
use crate::digest::Digest;

/// The members of the object that are texts, or true or false.
pub(super) struct Form(Vec<(String, String)>);

/// A value, if it is of use here.
struct Word(Option<String>);

struct Reader;

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Form;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an oddity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Form, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Word(Some(word)) = map.next_value()? {
                found.push((key, word));
            }
        }
        Ok(Form(found))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Word;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Word, E> {
        Ok(Word(Some(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Word, E> {
        Ok(Word(Some(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Word, E> {
        Ok(Word(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Word, E> {
        Ok(Word(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Word, E> {
        Ok(Word(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Word, E> {
        Ok(Word(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Word, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Word(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Word, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Word(None))
    }
}

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// Stands for a digest while another fault is on its way.
const NOTHING: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

impl TryFrom<Form> for Oddity {
    type Error = String;

    /// What is missing is noted and told at the end: a way out of each field would be most of this reader.
    fn try_from(form: Form) -> Result<Self, String> {
        let kind = form.get("kind").unwrap_or_default();
        let fault: RefCell<Option<String>> = RefCell::default();
        let found = |name: &str| form.get(name);
        let refuse = |name: &str| {
            let missing = || format!("the oddity `{kind}` has no `{name}`");
            fault.borrow_mut().get_or_insert_with(missing);
            false
        };
        let text = |name: &str| match found(name) {
            Some(text) => text.to_owned(),
            None => {
                refuse(name);
                String::new()
            }
        };
        let digest = |name: &str| match Digest::parse(&text(name)) {
            Ok(digest) => digest,
            Err(error) => {
                let wrong = || format!("`{name}`: {error}");
                fault.borrow_mut().get_or_insert_with(wrong);
                Digest::parse(NOTHING).expect("it is one")
            }
        };
        let needed = match found("needed") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let oddity = match kind {
            "index-before-image" => Oddity::IndexBeforeImage {
                soci_index: digest("sociIndex"),
                image: digest("image"),
            },
            "missing-index" => Oddity::MissingIndex {
                image: digest("image"),
                named: text("named"),
            },
            "unreadable-index" => Oddity::UnreadableIndex {
                image: digest("image"),
                soci_index: digest("sociIndex"),
                detail: text("detail"),
            },
            "non-canonical-index" => Oddity::NonCanonicalIndex {
                soci_index: digest("sociIndex"),
            },
            "artifact-type-lost" => Oddity::ArtifactTypeLost {
                soci_index: digest("sociIndex"),
            },
            "index-not-listed" => Oddity::IndexNotListed {
                image: digest("image"),
                soci_index: digest("sociIndex"),
            },
            "unused-index" => Oddity::UnusedIndex {
                soci_index: digest("sociIndex"),
                names: found("names").map(str::to_owned),
            },
            "other-index-listed" => Oddity::OtherIndexListed {
                image: digest("image"),
                named: digest("named"),
                listed: digest("listed"),
            },
            "ztoc-of-other-layer" => Oddity::ZtocOfOtherLayer {
                soci_index: digest("sociIndex"),
                layer: digest("layer"),
            },
            "duplicate-platform" => Oddity::DuplicatePlatform {
                platform: text("platform"),
                first: digest("first"),
                second: digest("second"),
            },
            "attestation-without-image" => Oddity::AttestationWithoutImage {
                attestation: digest("attestation"),
                names: found("names").map(str::to_owned),
            },
            "missing-manifest" => Oddity::MissingManifest {
                manifest: digest("manifest"),
                // Facts of version 0.1 do not say it: what belongs to no machine is not needed.
                needed: needed.unwrap_or(found("platform") != Some("unknown/unknown")),
                platform: found("platform").map(str::to_owned),
            },
            "damaged-manifest" => Oddity::DamagedManifest {
                manifest: digest("manifest"),
                platform: found("platform").map(str::to_owned),
                needed: needed.unwrap_or_else(|| refuse("needed")),
                detail: text("detail"),
            },
            "image-without-platform" => Oddity::ImageWithoutPlatform {
                image: digest("image"),
                soci_index: digest("sociIndex"),
            },
            "soci-index-v1" => Oddity::SociIndexV1 {
                image: digest("image"),
                soci_index: digest("sociIndex"),
            },
            "missing-layer" => Oddity::MissingLayer {
                image: digest("image"),
                layer: digest("layer"),
            },
            "missing-config" => Oddity::MissingConfig {
                image: digest("image"),
                config: digest("config"),
            },
            "missing-ztoc" => Oddity::MissingZtoc {
                soci_index: digest("sociIndex"),
                ztoc: digest("ztoc"),
                detail: text("detail"),
            },
            "unreadable-ztoc" => Oddity::UnreadableZtoc {
                ztoc: digest("ztoc"),
                layer: digest("layer"),
                detail: text("detail"),
            },
            "looks-different" => Oddity::LooksDifferent {
                image: digest("image"),
                layer: digest("layer"),
                detail: text("detail"),
            },
            "cannot-be-unpacked" => Oddity::CannotBeUnpacked {
                image: digest("image"),
                layer: digest("layer"),
                detail: text("detail"),
            },
            "view-unknown" => Oddity::ViewUnknown {
                image: digest("image"),
                layer: digest("layer"),
                detail: text("detail"),
            },
            "referrers-unknown" => Oddity::ReferrersUnknown {
                image: digest("image"),
                detail: text("detail"),
            },
            "large-ztoc" => Oddity::LargeZtoc {
                ztoc: digest("ztoc"),
                layer: digest("layer"),
            },
            "unreadable-prefetch-list" => Oddity::UnreadablePrefetchList {
                artifact: digest("artifact"),
                layer: digest("layer"),
            },
            "ranges-ignored" => Oddity::RangesIgnored {
                layer: digest("layer"),
            },
            "docker-layers-in-oci-manifest" => Oddity::DockerLayersInOciManifest {
                image: digest("image"),
            },
            _ => return Err(format!("there is no oddity `{kind}`")),
        };
        match fault.into_inner() {
            Some(fault) => Err(fault),
            None => Ok(oddity),
        }
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
