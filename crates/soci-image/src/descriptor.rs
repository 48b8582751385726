//! Descriptors: what points at a blob.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::json::{Entries, Fields, Json};
use crate::platform::Platform;

/// Media type, digest and size of a blob, and what else a manifest says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Media type of the blob; empty when the document gives none.
    pub media_type: String,
    /// Digest of the blob.
    pub digest: Digest,
    /// Size of the blob in bytes.
    pub size: u64,
    /// Places beyond the registry where the blob may be had.
    pub urls: Vec<String>,
    /// Annotations, in the order of their keys.
    pub annotations: BTreeMap<String, String>,
    /// The blob itself, embedded; empty when it is not.
    pub data: Vec<u8>,
    /// The platform of what it points at, where stated.
    pub platform: Option<Platform>,
    /// The artifact type of what it points at; empty when not stated.
    pub artifact_type: String,
    /// Fields that this crate does not know, in the document's order.
    pub unknown: Vec<(String, Json)>,
}

const FIELDS: [&str; 8] = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "platform",
    "artifactType",
];

impl Descriptor {
    /// A descriptor with media type, digest and size only.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: Vec::new(),
            platform: None,
            artifact_type: String::new(),
            unknown: Vec::new(),
        }
    }

    /// The descriptor of `bytes`.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), bytes.len() as u64)
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// Whether size and digest are those of `bytes`; the error names both.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        let mismatch = |expected: String, found: String| Err(Error::Mismatch { expected, found });
        if self.size != bytes.len() as u64 {
            return mismatch(
                format!("{} of {} bytes", self.digest, self.size),
                format!("{} bytes", bytes.len()),
            );
        }
        if !self.digest.matches(bytes) {
            let mut hasher = self.digest.algorithm().hasher();
            hasher.update(bytes);
            return mismatch(self.digest.to_string(), hasher.finish().to_string());
        }
        Ok(())
    }

    /// Reads one descriptor document.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_json(Json::parse(bytes)?, "")
    }

    /// The descriptor as a document, in Go's form.
    pub fn to_vec(&self) -> Vec<u8> {
        self.to_json().to_vec()
    }

    /// Reads a descriptor; `path` is its place in the document, for messages.
    pub(crate) fn from_json(value: Json, path: &str) -> Result<Self> {
        let mut fields = Fields::new(value, &FIELDS, path)?;
        let platform = match fields.take("platform") {
            None => None,
            Some(value) => Some(Platform::from_json(value, &fields.path("platform"))?),
        };
        let data = fields.string("data")?;
        Ok(Self {
            media_type: fields.string("mediaType")?,
            digest: fields.digest("digest")?,
            size: fields.number("size")?,
            urls: fields.strings("urls")?,
            annotations: fields.string_map("annotations")?,
            data: decode(&data).ok_or_else(|| Error::field(fields.path("data"), "it is not base64"))?,
            platform,
            artifact_type: fields.string("artifactType")?,
            unknown: fields.unknown,
        })
    }

    /// The object in Go's order, empty fields left out; unknown fields come last.
    pub(crate) fn to_json(&self) -> Json {
        Entries::default()
            .always("mediaType", &*self.media_type)
            .always("digest", self.digest.as_str())
            .always("size", self.size)
            .strings("urls", &self.urls)
            .string_map("annotations", &self.annotations)
            .string("data", &ENGINE.encode(&self.data))
            .optional("platform", self.platform.as_ref().map(Platform::to_json))
            .string("artifactType", &self.artifact_type)
            .and_unknown(&self.unknown)
    }
}

/// Go reads base64 with padding, skips line ends inside it and does not look at spare bits.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains(['\r', '\n']) {
        ENGINE.decode(text.replace(['\r', '\n'], "")).ok()
    } else {
        ENGINE.decode(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn fields_are_written_in_gos_order() {
        let text = format!(
            r#"{{"x-new":[1.0],"artifactType":"a/b","platform":{{"variant":"v8","os":"linux","architecture":"arm64","more":1}},"data":"e30=","annotations":{{"b":"2","a":"1"}},"urls":["u"],"size":2,"digest":"{DIGEST}","mediaType":"m"}}"#
        );
        let descriptor = Descriptor::parse(text.as_bytes()).unwrap();
        assert_eq!(descriptor.data, b"{}");
        assert!(descriptor.check(b"{}").is_ok());
        assert_eq!(
            String::from_utf8(descriptor.to_vec()).unwrap(),
            format!(
                r#"{{"mediaType":"m","digest":"{DIGEST}","size":2,"urls":["u"],"annotations":{{"a":"1","b":"2"}},"data":"e30=","platform":{{"architecture":"arm64","os":"linux","variant":"v8","more":1}},"artifactType":"a/b","x-new":[1.0]}}"#
            )
        );
    }

    #[test]
    fn keys_match_in_any_case_and_repeated_ones_add_up() {
        let text = format!(
            r#"{{"MEDIATYPE":"x","mediaType":"m","Size":1,"size":2,"ſize":3,"digest":"{DIGEST}","annotations":{{"a":"1","b":"2"}},"Annotations":{{"a":"3"}},"urls":["u","v"],"urls":["w"],"platform":{{"os":"linux"}},"platform":{{"architecture":"arm"}}}}"#
        );
        let descriptor = Descriptor::parse(text.as_bytes()).unwrap();
        assert_eq!(descriptor.media_type, "m");
        assert_eq!(descriptor.size, 3);
        assert_eq!(descriptor.annotation("a"), Some("3"));
        assert_eq!(descriptor.annotation("b"), Some("2"));
        assert_eq!(descriptor.urls, ["w"]);
        assert_eq!(descriptor.platform, Some(Platform::new("linux", "arm")));
    }

    #[test]
    fn errors_name_the_field() {
        for (text, expected) in [
            (
                "[]".to_owned(),
                "the document: expected an object, found an array",
            ),
            ("{}".to_owned(), "digest: a digest is missing"),
            (
                format!(r#"{{"digest":"{DIGEST}","size":-1}}"#),
                "size: expected a whole number of 0 or more, found -1",
            ),
            (
                format!(r#"{{"digest":"{DIGEST}","size":1e3}}"#),
                "size: expected a whole number of 0 or more, found 1e3",
            ),
            (
                format!(r#"{{"digest":"{DIGEST}","data":"e30"}}"#),
                "data: it is not base64",
            ),
            (
                format!(r#"{{"digest":"{DIGEST}","annotations":{{"a":1}}}}"#),
                "annotations: expected an object of strings, found a number",
            ),
            (
                format!(r#"{{"digest":"{DIGEST}","platform":{{"os":[]}}}}"#),
                "platform.os: expected a string, found an array",
            ),
        ] {
            assert_eq!(
                Descriptor::parse(text.as_bytes()).unwrap_err().to_string(),
                expected
            );
        }
    }

    #[test]
    fn other_content_is_refused() {
        let descriptor = Descriptor::of("m", b"{}");
        assert_eq!(descriptor.digest.as_str(), DIGEST);
        assert!(
            descriptor
                .check(b"{}x")
                .unwrap_err()
                .to_string()
                .contains("3 bytes")
        );
        assert!(descriptor.check(b"[]").unwrap_err().to_string().contains(DIGEST));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            media_type: String, size in 0..=i64::MAX as u64, urls: Vec<String>, data: Vec<u8>,
            annotations: BTreeMap<String, String>, artifact_type: String, os in proptest::option::of(".{0,4}"),
        ) {
            let descriptor = Descriptor {
                urls, data, annotations, artifact_type,
                platform: os.map(|os| Platform::new(&os, "amd64")),
                unknown: vec![("x".to_owned(), Json::Number("1e400".into()))],
                ..Descriptor::new(&media_type, Digest::sha256(b""), size)
            };
            prop_assert_eq!(Descriptor::parse(&descriptor.to_vec()).unwrap(), descriptor);
        }
    }
}
