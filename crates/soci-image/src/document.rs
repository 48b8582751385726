//! The documents of one image, by digest, and what kind each is.

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::json::Json;
use crate::manifest::Manifest;
use crate::media_type::{is_index, is_manifest};

/// A parsed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// An image manifest, or an artifact in that form.
    Manifest(Box<Manifest>),
    /// An image index or manifest list.
    Index(Box<Index>),
    /// JSON of another kind, which is only ever copied.
    Other {
        /// The media type it states, empty if none.
        media_type: String,
    },
}

impl Document {
    /// Reads a document. Its own `mediaType` decides what it is, then the one it was given under,
    /// then its fields. One that could be read both as manifest and as index is refused, since
    /// clients would disagree about it (CVE-2021-41190).
    pub fn parse(bytes: &[u8], given: &str) -> Result<Self> {
        let value = Json::parse(bytes)?;
        let Some(entries) = value.as_object() else {
            return Err(Error::field(
                "the document",
                format!("expected an object, found {}", value.kind()),
            ));
        };
        let has = |name: &str| {
            let there =
                |(key, value): &(String, Json)| key.eq_ignore_ascii_case(name) && *value != Json::Null;
            entries.iter().any(there)
        };
        let (index_like, manifest_like) = (has("manifests"), has("layers") || has("config"));
        let stated = value.get("mediaType").and_then(Json::as_str).unwrap_or("");
        let media_type = if stated.is_empty() { given } else { stated };
        if index_like && manifest_like {
            return Err(Error::Kind {
                expected: "a manifest or an index",
                found: "a document with the fields of both".to_owned(),
            });
        }
        if is_index(media_type) || (!is_manifest(media_type) && index_like) {
            if manifest_like {
                return Err(contradiction(media_type, "a manifest"));
            }
            return Ok(Self::Index(Box::new(Index::from_json(value)?)));
        }
        if is_manifest(media_type) || (has("config") && has("layers")) {
            if index_like {
                return Err(contradiction(media_type, "an index"));
            }
            return Ok(Self::Manifest(Box::new(Manifest::from_json(value)?)));
        }
        Ok(Self::Other {
            media_type: media_type.to_owned(),
        })
    }
}

fn contradiction(media_type: &str, found: &str) -> Error {
    Error::Kind {
        expected: "a document that is what its media type says",
        found: format!("{found} under {media_type}"),
    }
}

/// Raw documents by digest: manifests, indexes, configs, SOCI indexes, prefetch artifacts. What is
/// missing here is taken to be missing where the image lives.
#[derive(Debug, Clone, Default)]
pub struct Documents(BTreeMap<Digest, Vec<u8>>);

impl Documents {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document after checking it against its descriptor's size and digest.
    pub fn insert(&mut self, descriptor: &Descriptor, bytes: Vec<u8>) -> Result<()> {
        descriptor.check(&bytes)?;
        self.0.insert(descriptor.digest.clone(), bytes);
        Ok(())
    }

    /// Adds a document under its SHA-256 digest, which is returned.
    pub fn add(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::sha256(&bytes);
        self.0.insert(digest.clone(), bytes);
        digest
    }

    /// A document's bytes.
    pub fn get(&self, digest: &Digest) -> Option<&[u8]> {
        self.0.get(digest).map(Vec::as_slice)
    }

    /// A document that must be there.
    pub fn require(&self, digest: &Digest) -> Result<&[u8]> {
        self.get(digest).ok_or_else(|| Error::MissingDocument {
            digest: digest.clone(),
        })
    }

    /// Digests and bytes, in the order of the digests.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &[u8])> {
        self.0.iter().map(|(digest, bytes)| (digest, bytes.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::{DOCKER_LIST, OCI_INDEX, OCI_MANIFEST};

    const CONFIG: &str =
        r#""config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;

    #[test]
    fn kinds_are_told_apart() {
        let parse = |text: &str, given: &str| Document::parse(text.as_bytes(), given);
        assert!(matches!(
            parse(&format!("{{{CONFIG},\"layers\":[]}}"), ""),
            Ok(Document::Manifest(_))
        ));
        assert!(matches!(
            parse(&format!("{{{CONFIG}}}"), OCI_MANIFEST),
            Ok(Document::Manifest(_))
        ));
        assert!(matches!(parse("{\"manifests\":[]}", ""), Ok(Document::Index(_))));
        assert!(matches!(parse("{}", DOCKER_LIST), Ok(Document::Index(_))));
        assert!(matches!(
            parse("{\"schemaVersion\":1}", ""),
            Ok(Document::Other { .. })
        ));
        assert!(parse("[]", "").is_err());
    }

    #[test]
    fn documents_with_two_meanings_are_refused() {
        for (text, given) in [
            (format!("{{{CONFIG},\"layers\":[],\"manifests\":[]}}"), ""),
            (format!("{{{CONFIG},\"layers\":[]}}"), OCI_INDEX),
            ("{\"manifests\":[]}".to_owned(), OCI_MANIFEST),
            (
                format!("{{\"mediaType\":\"{OCI_MANIFEST}\",{CONFIG},\"Manifests\":[]}}"),
                OCI_MANIFEST,
            ),
        ] {
            assert!(
                matches!(Document::parse(text.as_bytes(), given), Err(Error::Kind { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn only_matching_bytes_are_taken_in() {
        let mut documents = Documents::new();
        let descriptor = Descriptor::of("x", b"{}");
        assert!(documents.insert(&descriptor, b"[]".to_vec()).is_err());
        assert!(documents.require(&descriptor.digest).is_err());
        documents.insert(&descriptor, b"{}".to_vec()).unwrap();
        assert_eq!(documents.get(&descriptor.digest), Some(&b"{}"[..]));
        assert_eq!(documents.iter().count(), 1);
    }
}
