//! What each entry of an index is, by its descriptor and its document.

use super::{
    AttestationEntry, Entry, Image, ImageEntry, IndexTree, MAX_ENTRIES, MAX_INDEX_DEPTH, SociEntry, Tree,
};
use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, Documents};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::manifest::Manifest;
use crate::media_type::DOCKER_ATTESTATION;
use crate::platform::Platform;
use crate::soci_index::{SociIndex, SociVersion};

impl Image {
    /// Reads the tree below `root`. The root's document must be given; what else is missing is an
    /// entry of which only the descriptor is known.
    pub fn read(root: &Descriptor, documents: &Documents) -> Result<Self> {
        let mut reader = Reader {
            documents,
            images: 0,
            soci: 0,
            entries: 0,
        };
        let bytes = documents.require(&root.digest)?;
        let tree = match Document::parse(bytes, &root.media_type)? {
            Document::Index(index) => Tree::Index(Box::new(reader.index(*index, &root.digest, 1)?)),
            Document::Manifest(manifest) if manifest.is_image() => {
                Tree::Manifest(Box::new(reader.image(root.clone(), *manifest)?))
            }
            Document::Manifest(manifest) => {
                let config = &manifest.config.media_type;
                return Err(Error::Kind {
                    expected: "an image",
                    found: match SociVersion::of(config) {
                        Some(version) => format!(
                            "a SOCI index {version}, which only belongs to an image; name the image instead"
                        ),
                        None => format!("an artifact whose config is `{config}`"),
                    },
                });
            }
            Document::Other { media_type } if media_type.starts_with(SCHEMA_1) => {
                return Err(Error::Kind {
                    expected: "an image manifest or an image index",
                    found: "a manifest of Docker's schema 1, which clients of today do not pull; push the image again"
                        .to_owned(),
                });
            }
            Document::Other { media_type } => {
                return Err(Error::Kind {
                    expected: "an image manifest or an image index",
                    found: format!("a document of type `{media_type}`"),
                });
            }
        };
        let mut image = Self {
            root: root.clone(),
            tree,
        };
        image.find_owners();
        Ok(image)
    }
}

struct Reader<'a> {
    documents: &'a Documents,
    images: usize,
    soci: usize,
    entries: usize,
}

impl Reader<'_> {
    fn index(&mut self, index: Index, digest: &Digest, depth: usize) -> Result<IndexTree> {
        if depth > MAX_INDEX_DEPTH {
            return Err(Error::IndexDepth {
                digest: digest.clone(),
                limit: MAX_INDEX_DEPTH,
            });
        }
        self.entries += index.manifests.len();
        if self.entries > MAX_ENTRIES {
            return Err(Error::TooManyEntries { limit: MAX_ENTRIES });
        }
        let entries = index
            .manifests
            .iter()
            .map(|descriptor| self.entry(descriptor, depth))
            .collect::<Result<_>>()?;
        Ok(IndexTree { index, entries })
    }

    fn entry(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Entry> {
        let bytes = self.documents.get(&descriptor.digest);
        let parsed = bytes.map(|bytes| Document::parse(bytes, &descriptor.media_type));
        if is_attestation(
            descriptor,
            parsed.as_ref().and_then(|document| document.as_ref().ok()),
        ) {
            return Ok(Entry::Attestation(Box::new(AttestationEntry {
                descriptor: descriptor.clone(),
                manifest: match parsed {
                    Some(Ok(Document::Manifest(manifest))) => Some(*manifest),
                    _ => None,
                },
            })));
        }
        let by_descriptor = SociVersion::of(&descriptor.artifact_type);
        let document = match (parsed, by_descriptor) {
            (Some(Err(_)), Some(version)) => return Ok(self.soci(descriptor, version, None)),
            (parsed, _) => parsed
                .transpose()
                .map_err(|error| Error::field(descriptor.digest.as_str(), error.to_string()))?,
        };
        Ok(match document {
            None => match by_descriptor {
                Some(version) => self.soci(descriptor, version, None),
                None => Entry::Missing,
            },
            Some(Document::Index(index)) => {
                Entry::Index(Box::new(self.index(*index, &descriptor.digest, depth + 1)?))
            }
            Some(Document::Manifest(manifest)) => {
                match SociVersion::of(&manifest.config.media_type).or(by_descriptor) {
                    Some(version) => self.soci(descriptor, version, Some(&manifest)),
                    None if manifest.is_image()
                        && !descriptor.platform.as_ref().is_some_and(Platform::is_unknown) =>
                    {
                        Entry::Image(Box::new(self.image(descriptor.clone(), *manifest)?))
                    }
                    None => Entry::Other,
                }
            }
            Some(Document::Other { .. }) => Entry::Other,
        })
    }

    fn soci(&mut self, descriptor: &Descriptor, version: SociVersion, manifest: Option<&Manifest>) -> Entry {
        let id = self.soci;
        self.soci += 1;
        Entry::Soci(Box::new(SociEntry {
            id,
            descriptor: descriptor.clone(),
            version,
            index: manifest.and_then(|manifest| SociIndex::from_manifest(manifest).ok()),
            owner: None,
        }))
    }

    fn image(&mut self, descriptor: Descriptor, manifest: Manifest) -> Result<ImageEntry> {
        let id = self.images;
        self.images += 1;
        let config = &manifest.config.digest;
        let platform = match (&descriptor.platform, self.documents.get(config)) {
            (Some(platform), _) => Some(platform.clone()),
            (None, Some(bytes)) => Some(
                Platform::from_config(bytes)
                    .map_err(|error| Error::field(format!("config {config}"), error.to_string()))?,
            ),
            (None, None) => None,
        };
        Ok(ImageEntry {
            id,
            descriptor,
            manifest,
            platform,
        })
    }
}

/// BuildKit marks the descriptor; where that was lost, its newer form still says it by artifact type.
fn is_attestation(descriptor: &Descriptor, document: Option<&Document>) -> bool {
    descriptor.annotation(annotation::REFERENCE_TYPE) == Some("attestation-manifest")
        || matches!(document, Some(Document::Manifest(m)) if m.artifact_type == DOCKER_ATTESTATION)
}

/// What the media types of Docker's first manifests begin with.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::OCI_MANIFEST;

    #[test]
    fn what_is_no_image_is_told_as_what_it_is() {
        let told = |bytes: &[u8], media_type: &str| {
            let mut documents = Documents::new();
            documents.add(bytes.to_vec());
            let root = Descriptor::of(media_type, bytes);
            Image::read(&root, &documents).unwrap_err().to_string()
        };
        let soci = SociIndex {
            version: SociVersion::V2,
            ztocs: Vec::new(),
            prefetch: Vec::new(),
            subject: None,
            build_tool: String::new(),
        };
        let message = told(&soci.to_vec(), OCI_MANIFEST);
        assert!(
            message.contains("found a SOCI index v2, which only belongs to an image"),
            "{message}"
        );
        let signed =
            r#"{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#;
        assert!(told(signed.as_bytes(), "").contains("Docker's schema 1"));
    }
}
