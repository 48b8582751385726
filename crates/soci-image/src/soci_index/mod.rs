//! SOCI index manifests: which zTOC belongs to which layer.
//!
//! An image manifest in form, `{"schemaVersion":2,"mediaType":…,"config":…,"layers":…,"annotations":…}`,
//! whose config media type says which version it is. Version 1 names its image as `subject`; version 2
//! is named by an annotation of the image manifest. The lazy-loading client reads the document,
//! writes it again with Go's JSON and stores that under the digest it fetched, so that any other
//! spelling of the same content makes the image load whole: [`SociIndex::is_canonical`].

pub mod prefetch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::media_type::{OCI_MANIFEST, PREFETCH, SOCI_INDEX_V1, SOCI_INDEX_V2, ZTOC};

/// The content of a SOCI index's config blob.
pub const EMPTY_CONFIG: &[u8] = b"{}";

/// The version of a SOCI index manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SociVersion {
    /// Version 1, a referrer of the image manifest.
    V1,
    /// Version 2, named by the image manifest.
    V2,
}

impl SociVersion {
    /// The artifact type, which is also the media type of the config.
    pub fn artifact_type(self) -> &'static str {
        match self {
            Self::V1 => SOCI_INDEX_V1,
            Self::V2 => SOCI_INDEX_V2,
        }
    }

    /// The version that an artifact type stands for.
    pub fn of(artifact_type: &str) -> Option<Self> {
        match artifact_type {
            SOCI_INDEX_V1 => Some(Self::V1),
            SOCI_INDEX_V2 => Some(Self::V2),
            _ => None,
        }
    }
}

impl std::fmt::Display for SociVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

/// A zTOC in a SOCI index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZtocEntry {
    /// Digest of the zTOC.
    pub digest: Digest,
    /// Size of the zTOC in bytes.
    pub size: u64,
    /// The layer it belongs to.
    pub layer: Digest,
    /// The layer's media type.
    pub layer_media_type: String,
    /// Span size in bytes; absent in indexes of tools before 0.12.
    pub span_size: Option<u64>,
    /// Whether the layer has no extended attributes and the client need not look for any.
    pub disable_xattrs: bool,
    /// The start that its spans are cut for; none if they are all of the span size.
    pub shaped: Option<Shaped>,
}

/// What the spans of a zTOC are cut for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shaped {
    /// Digest of the trace of the start.
    pub trace: Digest,
    /// Digest of what the start reads of the layer and of the cost: of all that decides where the spans are cut.
    pub shape: Digest,
}

/// A prefetch artifact in a SOCI index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefetchEntry {
    /// Digest of the artifact.
    pub digest: Digest,
    /// Size of the artifact in bytes.
    pub size: u64,
    /// The layer it belongs to.
    pub layer: Digest,
}

/// A SOCI index manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SociIndex {
    /// Its version.
    pub version: SociVersion,
    /// zTOCs, in the order of the image's layers.
    pub ztocs: Vec<ZtocEntry>,
    /// Prefetch artifacts, in the order of the image's layers.
    pub prefetch: Vec<PrefetchEntry>,
    /// The image manifest (version 1 only): media type, digest and size.
    pub subject: Option<Descriptor>,
    /// The tool that made it; empty when not stated.
    pub build_tool: String,
}

impl SociIndex {
    /// Reads a SOCI index manifest; which version it is, its config's media type says.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        match Document::parse(bytes, OCI_MANIFEST)? {
            Document::Manifest(manifest) => Self::from_manifest(&manifest),
            Document::Index(_) | Document::Other { .. } => Err(Error::Kind {
                expected: "a SOCI index manifest",
                found: "a document of another kind".to_owned(),
            }),
        }
    }

    /// Reads a SOCI index from its manifest.
    pub fn from_manifest(manifest: &Manifest) -> Result<Self> {
        let Some(version) = SociVersion::of(&manifest.config.media_type) else {
            return Err(Error::Kind {
                expected: "a SOCI index manifest",
                found: format!("a manifest whose config is `{}`", manifest.config.media_type),
            });
        };
        let mut index = Self {
            version,
            ztocs: Vec::new(),
            prefetch: Vec::new(),
            subject: manifest.subject.clone(),
            build_tool: manifest
                .annotations
                .get(annotation::BUILD_TOOL)
                .cloned()
                .unwrap_or_default(),
        };
        for (i, descriptor) in manifest.layers.iter().enumerate() {
            match &*descriptor.media_type {
                ZTOC => index.ztocs.push(ZtocEntry::read(descriptor, i)?),
                PREFETCH => index.prefetch.push(PrefetchEntry {
                    digest: descriptor.digest.clone(),
                    size: descriptor.size,
                    layer: layer_of(descriptor, i)?,
                }),
                // The client looks zTOCs up by media type and does not mind other blobs.
                _ => {}
            }
        }
        Ok(index)
    }

    /// Whether `bytes` are what the client writes when it has read them: same keys in the same order,
    /// no blanks, nothing else. The client loads the whole image otherwise.
    pub fn is_canonical(bytes: &[u8]) -> bool {
        let Ok(mut manifest) = Manifest::parse(bytes) else {
            return false;
        };
        let strip = |descriptor: &mut Descriptor| {
            descriptor.unknown.clear();
            if let Some(platform) = &mut descriptor.platform {
                platform.unknown.clear();
            }
        };
        manifest.artifact_type.clear();
        manifest.unknown.clear();
        OCI_MANIFEST.clone_into(&mut manifest.media_type);
        strip(&mut manifest.config);
        manifest.layers.iter_mut().for_each(strip);
        manifest.subject.iter_mut().for_each(strip);
        manifest.to_vec() == bytes
    }

    /// The document.
    pub fn to_vec(&self) -> Vec<u8> {
        let ztocs = self.ztocs.iter().map(ZtocEntry::descriptor);
        let prefetch = self.prefetch.iter().map(|entry| Descriptor {
            annotations: BTreeMap::from([(annotation::LAYER_DIGEST.to_owned(), entry.layer.to_string())]),
            ..Descriptor::new(PREFETCH, entry.digest.clone(), entry.size)
        });
        let mut annotations = BTreeMap::new();
        if !self.build_tool.is_empty() {
            annotations.insert(annotation::BUILD_TOOL.to_owned(), self.build_tool.clone());
        }
        let manifest = Manifest {
            schema_version: 2,
            media_type: OCI_MANIFEST.to_owned(),
            artifact_type: String::new(),
            config: Descriptor::of(self.version.artifact_type(), EMPTY_CONFIG),
            layers: ztocs.chain(prefetch).collect(),
            subject: self.subject.clone(),
            annotations,
            unknown: Vec::new(),
        };
        manifest.to_vec()
    }

    /// The descriptor of the document, as stores and referrers lists have it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            artifact_type: self.version.artifact_type().to_owned(),
            ..Descriptor::of(OCI_MANIFEST, &self.to_vec())
        }
    }

    /// The zTOC of a layer.
    pub fn ztoc_of(&self, layer: &Digest) -> Option<&ZtocEntry> {
        self.ztocs.iter().find(|entry| entry.layer == *layer)
    }

    /// The one span size of all zTOCs, if there is one.
    pub fn span_size(&self) -> Option<u64> {
        let mut sizes = self.ztocs.iter().map(|entry| entry.span_size);
        let first = sizes.next()??;
        sizes.all(|size| size == Some(first)).then_some(first)
    }
}

impl ZtocEntry {
    fn read(descriptor: &Descriptor, i: usize) -> Result<Self> {
        let span_size = match descriptor.annotation(annotation::SPAN_SIZE) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Error::field(
                    format!("layers[{i}].annotations"),
                    format!("{} is not a number", annotation::SPAN_SIZE),
                )
            })?),
        };
        Ok(Self {
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            layer: layer_of(descriptor, i)?,
            layer_media_type: descriptor
                .annotation(annotation::LAYER_MEDIA_TYPE)
                .unwrap_or("")
                .to_owned(),
            span_size,
            disable_xattrs: descriptor.annotation(annotation::DISABLE_XATTRS) == Some("true"),
            shaped: Shaped::read(descriptor, i)?,
        })
    }

    /// The zTOC's descriptor as a SOCI index has it.
    pub fn descriptor(&self) -> Descriptor {
        let mut annotations = BTreeMap::from([
            (annotation::LAYER_DIGEST.to_owned(), self.layer.to_string()),
            (
                annotation::LAYER_MEDIA_TYPE.to_owned(),
                self.layer_media_type.clone(),
            ),
        ]);
        if let Some(size) = self.span_size {
            annotations.insert(annotation::SPAN_SIZE.to_owned(), size.to_string());
        }
        if self.disable_xattrs {
            annotations.insert(annotation::DISABLE_XATTRS.to_owned(), "true".to_owned());
        }
        if let Some(shaped) = &self.shaped {
            annotations.insert(annotation::START_TRACE.to_owned(), shaped.trace.to_string());
            annotations.insert(annotation::SHAPE.to_owned(), shaped.shape.to_string());
        }
        Descriptor {
            annotations,
            ..Descriptor::new(ZTOC, self.digest.clone(), self.size)
        }
    }
}

impl Shaped {
    fn read(descriptor: &Descriptor, i: usize) -> Result<Option<Self>> {
        let digest = |key: &str| {
            let wrong = |problem: String| Error::field(format!("layers[{i}].annotations"), problem);
            match descriptor.annotation(key) {
                None => Err(wrong(format!("{key} is missing"))),
                Some(text) => Digest::parse(text).map_err(|error| wrong(format!("{key}: {error}"))),
            }
        };
        let keys = [annotation::START_TRACE, annotation::SHAPE];
        if keys.iter().all(|key| descriptor.annotation(key).is_none()) {
            return Ok(None);
        }
        Ok(Some(Self {
            trace: digest(annotation::START_TRACE)?,
            shape: digest(annotation::SHAPE)?,
        }))
    }
}

fn layer_of(descriptor: &Descriptor, i: usize) -> Result<Digest> {
    let path = || format!("layers[{i}].annotations");
    match descriptor.annotation(annotation::LAYER_DIGEST) {
        None => Err(Error::field(
            path(),
            format!("{} is missing", annotation::LAYER_DIGEST),
        )),
        Some(text) => Digest::parse(text).map_err(|error| Error::field(path(), error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: SociVersion) -> SociIndex {
        let layer = Digest::sha256(b"layer");
        SociIndex {
            version,
            ztocs: vec![ZtocEntry {
                digest: Digest::sha256(b"ztoc"),
                size: 4,
                layer: layer.clone(),
                layer_media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(),
                span_size: Some(4 << 20),
                disable_xattrs: true,
                shaped: Some(Shaped {
                    trace: Digest::sha256(b"trace"),
                    shape: Digest::sha256(b"shape"),
                }),
            }],
            prefetch: vec![PrefetchEntry {
                digest: Digest::sha256(b"prefetch"),
                size: 8,
                layer,
            }],
            subject: (version == SociVersion::V1).then(|| Descriptor::of(OCI_MANIFEST, b"image")),
            build_tool: "cargo-soci".into(),
        }
    }

    #[test]
    fn both_versions_read_back_the_same() {
        for version in [SociVersion::V1, SociVersion::V2] {
            let index = index(version);
            let bytes = index.to_vec();
            assert_eq!(SociIndex::parse(&bytes).unwrap(), index);
            assert!(SociIndex::is_canonical(&bytes));
            assert_eq!(index.descriptor().artifact_type, version.artifact_type());
            assert_eq!(index.descriptor().size, bytes.len() as u64);
            assert_eq!(index.span_size(), Some(4 << 20));
            assert!(index.ztoc_of(&Digest::sha256(b"layer")).is_some());
            assert!(index.ztoc_of(&Digest::sha256(b"other")).is_none());
        }
        let text = String::from_utf8(index(SociVersion::V2).to_vec()).unwrap();
        let sorted = [
            annotation::DISABLE_XATTRS,
            annotation::LAYER_DIGEST,
            annotation::LAYER_MEDIA_TYPE,
            annotation::SPAN_SIZE,
            annotation::SHAPE,
            annotation::START_TRACE,
        ];
        let places: Vec<_> = sorted.iter().map(|key| text.find(key).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn other_spellings_are_not_canonical() {
        let text = String::from_utf8(index(SociVersion::V2).to_vec()).unwrap();
        for changed in [
            text.replacen(':', ": ", 1),
            format!("{text}\n"),
            text.replacen(
                "\"config\"",
                "\"artifactType\":\"application/vnd.amazon.soci.index.v2+json\",\"config\"",
                1,
            ),
            text.replacen("\"config\"", "\"x\":1,\"config\"", 1),
            text.replacen("{\"schemaVersion\":2,", "{", 1)
                .replacen("}}", "},\"schemaVersion\":2}", 1),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(!SociIndex::is_canonical(changed.as_bytes()), "{changed}");
        }
    }

    #[test]
    fn other_manifests_are_refused() {
        let text = String::from_utf8(index(SociVersion::V2).to_vec()).unwrap();
        let v3 = text.replace("index.v2", "index.v3");
        assert!(
            SociIndex::parse(v3.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("v3+json")
        );
        let nameless = text.replace(annotation::LAYER_DIGEST, "x");
        assert_eq!(
            SociIndex::parse(nameless.as_bytes()).unwrap_err().to_string(),
            "layers[0].annotations: com.amazon.soci.image-layer-digest is missing"
        );
        let half = text.replace(annotation::SHAPE, "x");
        assert_eq!(
            SociIndex::parse(half.as_bytes()).unwrap_err().to_string(),
            "layers[0].annotations: io.github.cargo-soci.shape is missing"
        );
    }
}
