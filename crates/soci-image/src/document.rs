//! The documents of one image, by digest, and what kind each is.

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::json::{Json, same_but_for_case};
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
    /// Reads a document. Its own `mediaType` decides what it is, then the one it was given under, then its fields.
    ///
    /// One that clients would disagree about is refused (CVE-2021-41190): with the fields of both kinds, or of
    /// another kind than it was given as.
    pub fn parse(bytes: &[u8], given: &str) -> Result<Self> {
        let value = Json::parse(bytes)?;
        let Some(entries) = value.as_object() else {
            return Err(Error::field(
                "the document",
                format!("expected an object, found {}", value.kind()),
            ));
        };
        // `Manifests` and `manife\u{17f}ts` are `manifests` to Go's JSON, so to most clients, and nothing to others.
        let has = |name: &str| {
            let there = |(key, value): &(String, Json)| same_but_for_case(name, key) && *value != Json::Null;
            entries.iter().any(there)
        };
        let stated = entries
            .iter()
            .rev()
            .find(|(key, _)| same_but_for_case("mediaType", key))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or("");
        let media_type = if stated.is_empty() { given } else { stated };
        let (kind, given_kind) = (Kind::of(media_type), Kind::of(given));
        if has("manifests") && (has("layers") || has("config")) {
            return Err(Error::Kind {
                expected: "a manifest or an index",
                found: "a document with the fields of both".to_owned(),
            });
        }
        let kind = kind.or(given_kind).or(match () {
            () if has("manifests") => Some(Kind::Index),
            () if has("config") && has("layers") => Some(Kind::Manifest),
            () => None,
        });
        let Some(kind) = kind else {
            return Ok(Self::Other {
                media_type: media_type.to_owned(),
            });
        };
        match kind {
            Kind::Index if has("layers") || has("config") => Err(contradiction(media_type, "a manifest")),
            Kind::Manifest if has("manifests") => Err(contradiction(media_type, "an index")),
            _ if given_kind.is_some_and(|given| given != kind) => Err(Error::Kind {
                expected: "a document that is what its descriptor says",
                found: format!("{media_type} under {given}"),
            }),
            Kind::Index => Ok(Self::Index(Box::new(Index::from_json(value)?))),
            Kind::Manifest => Ok(Self::Manifest(Box::new(Manifest::from_json(value)?))),
        }
    }

    /// The media type that the document states; empty if none.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Manifest(manifest) => &manifest.media_type,
            Self::Index(index) => &index.media_type,
            Self::Other { media_type } => media_type,
        }
    }
}

/// What a document with descriptors is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Manifest,
    Index,
}

impl Kind {
    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            _ if is_manifest(media_type) => Some(Self::Manifest),
            _ if is_index(media_type) => Some(Self::Index),
            _ => None,
        }
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
            (
                format!("{{{CONFIG},\"layers\":[],\"manife\u{17f}ts\":[]}}"),
                OCI_MANIFEST,
            ),
            ("{\"manife\u{17f}ts\":[]}".to_owned(), OCI_MANIFEST),
            (
                format!("{{\"mediaType\":\"{OCI_INDEX}\",\"manifests\":[]}}"),
                OCI_MANIFEST,
            ),
            (
                format!("{{\"mediaType\":\"{OCI_INDEX}\",\"MediaType\":\"{OCI_MANIFEST}\",{CONFIG}}}"),
                DOCKER_LIST,
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
