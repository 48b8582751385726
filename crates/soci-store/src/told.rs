//! An image of a registry that something else tells about than the registry protocol: the API of whoever runs it.
//!
//! It can be looked at and no more. What the API tells is compared with digests like anything else; what it cannot tell
//! is a gap, which whoever looks has to mind: an image with gaps is not known.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use soci_image::media_type::{is_index, is_manifest};
use soci_image::{Descriptor, Digest, Reference};
use soci_registry::ManifestName;

use crate::blob::{FileBlob, check_digest};
use crate::store::{DOCUMENT_LIMIT, Root, RootName, Source, Stored};
use crate::{Error, Result};

/// An API that knows one repository. Its calls block.
pub trait ImageApi: Send + Sync {
    /// A manifest or index, in its bytes; `None` if it is not there.
    fn manifest(&self, name: ManifestName<'_>) -> Result<Option<ToldManifest>, Untold>;

    /// Whether a blob is there.
    fn has_blob(&self, digest: &Digest) -> Result<bool, Untold>;

    /// A blob's bytes; `None` if it is not there.
    fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Untold>;

    /// Manifests whose `subject` is this one and whose artifact type is the given one.
    fn referrers(&self, subject: &Digest, artifact_type: &str) -> Result<Vec<Descriptor>, Untold>;
}

/// A manifest, as an API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldManifest {
    /// Its media type as the API says it; may be empty.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why an API does not tell something: a sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold(pub String);

/// One image that an API tells about.
#[derive(Clone)]
pub struct ToldSource {
    api: Arc<dyn ImageApi>,
    reference: Reference,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    manifests: BTreeMap<Digest, ToldManifest>,
    /// Small blobs that were read, and those that could not be.
    small: BTreeMap<Digest, Option<Vec<u8>>>,
    gaps: Vec<String>,
}

impl ToldSource {
    /// The image of a reference; nobody is asked yet.
    pub fn new(api: Arc<dyn ImageApi>, reference: &Reference) -> Self {
        Self {
            api,
            reference: reference.clone(),
            state: Arc::default(),
        }
    }

    /// What could not be found out, each once.
    pub fn gaps(&self) -> Vec<String> {
        self.state().gaps.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gap(&self, what: &str, why: &Untold) {
        let gap = format!("{what} is unknown: {}", why.0);
        let mut state = self.state();
        if !state.gaps.contains(&gap) {
            state.gaps.push(gap);
        }
    }

    fn untold(&self, what: impl fmt::Display, why: Untold) -> Error {
        Error::Untold {
            what: format!("{what} of {}", self.reference.name()),
            why: why.0,
        }
    }

    fn by_digest(&self, digest: &Digest) -> Result<Option<ToldManifest>> {
        if let Some(known) = self.state().manifests.get(digest) {
            return Ok(Some(known.clone()));
        }
        let told = self.api.manifest(ManifestName::Digest(digest));
        let told = told.map_err(|why| self.untold(format_args!("the manifest {digest}"), why))?;
        let Some(manifest) = told else { return Ok(None) };
        let asked = Descriptor::new("", digest.clone(), manifest.bytes.len() as u64);
        check_digest("manifest", &asked, &manifest.bytes)?;
        self.keep(digest, &manifest)?;
        Ok(Some(manifest))
    }

    fn keep(&self, digest: &Digest, manifest: &ToldManifest) -> Result<()> {
        let size = manifest.bytes.len() as u64;
        if size > DOCUMENT_LIMIT {
            return Err(Error::DocumentTooLarge {
                what: "manifest",
                digest: digest.clone(),
                size,
                limit: DOCUMENT_LIMIT,
            });
        }
        self.state().manifests.insert(digest.clone(), manifest.clone());
        Ok(())
    }

    /// A config, or a list of spans to prefetch; `None` if it is not there or cannot be read, which is a gap.
    fn small(&self, descriptor: &Descriptor) -> Option<Vec<u8>> {
        let digest = &descriptor.digest;
        if let Some(known) = self.state().small.get(digest) {
            return known.clone();
        }
        let bytes = self.api.blob(digest).unwrap_or_else(|why| {
            self.gap(&format!("what is in {digest}"), &why);
            None
        });
        self.state().small.insert(digest.clone(), bytes.clone());
        bytes
    }

    /// Whether a blob is there. One of which that cannot be told counts as there, and is a gap.
    pub(crate) fn stored(&self, descriptor: &Descriptor) -> Stored {
        match self.api.has_blob(&descriptor.digest) {
            Ok(true) => Stored::There(None),
            Ok(false) => Stored::Missing,
            Err(why) => {
                self.gap("whether its layers and zTOCs are there", &why);
                Stored::There(None)
            }
        }
    }
}

fn is_document(descriptor: &Descriptor) -> bool {
    let media_type = &descriptor.media_type;
    is_manifest(media_type) || is_index(media_type)
}

impl Source for ToldSource {
    type Blob = FileBlob;

    async fn roots(&self) -> Result<Vec<Root>> {
        let missing = |name: &str| Error::NotTold {
            what: format!("{}{name}", self.reference.name()),
        };
        let (digest, manifest) = match self.reference.digest() {
            Some(digest) => {
                let told = self.by_digest(digest)?;
                (
                    digest.clone(),
                    told.ok_or_else(|| missing(&format!("@{digest}")))?,
                )
            }
            None => {
                let tag = self.reference.tag_or_latest().unwrap_or("latest");
                let told = self.api.manifest(ManifestName::Tag(tag));
                let told = told.map_err(|why| self.untold(format_args!("the manifest {tag}"), why))?;
                let manifest = told.ok_or_else(|| missing(&format!(":{tag}")))?;
                let digest = Digest::sha256(&manifest.bytes);
                self.keep(&digest, &manifest)?;
                (digest, manifest)
            }
        };
        let name = RootName {
            tag: self.reference.tag_or_latest().map(str::to_owned),
            full: Some(self.reference.to_string()),
            entry: None,
        };
        let media_type = crate::registry::stated_type(&manifest.bytes, &manifest.media_type);
        Ok(vec![Root {
            descriptor: Descriptor::new(&media_type, digest, manifest.bytes.len() as u64),
            names: vec![name],
        }])
    }

    async fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let digest = &descriptor.digest;
        if descriptor.size > DOCUMENT_LIMIT {
            return Err(Error::DocumentTooLarge {
                what: "document",
                digest: digest.clone(),
                size: descriptor.size,
                limit: DOCUMENT_LIMIT,
            });
        }
        let bytes = match is_document(descriptor) || descriptor.media_type.is_empty() {
            true => self.by_digest(digest)?.map(|manifest| manifest.bytes),
            false => self.small(descriptor),
        };
        let bytes = bytes.ok_or_else(|| Error::Missing {
            place: self.reference.name(),
            what: "document",
            digest: digest.clone(),
        })?;
        check_digest("document", descriptor, &bytes)?;
        Ok(bytes)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        Ok(self.by_digest(digest)?.map(|manifest| manifest.bytes))
    }

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        if is_document(descriptor) {
            return Ok(self.by_digest(&descriptor.digest)?.is_some());
        }
        Ok(match descriptor.size <= DOCUMENT_LIMIT {
            // It is read next.
            true => self.small(descriptor).is_some(),
            false => self.stored(descriptor) != Stored::Missing,
        })
    }

    async fn open(&self, descriptor: &Descriptor) -> Result<FileBlob> {
        let digest = &descriptor.digest;
        let bytes = self.api.blob(digest);
        let bytes = bytes.map_err(|why| self.untold(format_args!("the blob {digest}"), why))?;
        let bytes = bytes.ok_or_else(|| Error::Missing {
            place: self.reference.name(),
            what: "blob",
            digest: digest.clone(),
        })?;
        let size = bytes.len() as u64;
        Ok(FileBlob::new(
            Arc::new(bytes),
            Path::new(&self.reference.name()).into(),
            0,
            size,
        ))
    }

    async fn read_at(&self, descriptor: &Descriptor, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let blob = self.open(descriptor).await?;
        let end = offset.saturating_add(buffer.len() as u64);
        if end > blob.remaining() {
            return Err(Error::SizeMismatch {
                what: "blob",
                digest: descriptor.digest.clone(),
                expected: end,
                found: blob.remaining(),
            });
        }
        blob.read_exact_at(offset, buffer)
    }

    async fn referrers(&self, subject: &Descriptor, artifact_type: &str) -> Result<Vec<Descriptor>> {
        let told = self.api.referrers(&subject.digest, artifact_type);
        told.map_err(|why| self.untold(format_args!("what refers to {}", subject.digest), why))
    }

    fn is_remote(&self) -> bool {
        true
    }
}

impl fmt::Debug for ToldSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ToldSource({})", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use soci_tests::images::MadeImage;
    use soci_tests::registry::digest_of;

    use super::*;
    use crate::layout::LayoutSource;
    use crate::store::AnySource;
    use crate::{block_on, workflow};

    /// A layout behind an API, with what it does not tell.
    struct Layout {
        folder: tempfile::TempDir,
        root: Digest,
        blobs: Result<(), Untold>,
        referrers: Result<(), Untold>,
        /// Every document gets a byte more.
        lies: bool,
    }

    impl Layout {
        fn of(image: &MadeImage) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            image.write_layout(folder.path(), "1");
            Self {
                folder,
                root: Digest::parse(&digest_of(&image.manifest)).expect("a digest"),
                blobs: Ok(()),
                referrers: Ok(()),
                lies: false,
            }
        }

        fn read(&self, digest: &Digest) -> Option<Vec<u8>> {
            let name = digest.to_string();
            let name = name.strip_prefix("sha256:")?;
            std::fs::read(self.folder.path().join("blobs/sha256").join(name)).ok()
        }

        fn looked_at(self) -> (Result<Vec<workflow::Examined>>, Vec<String>) {
            let reference = Reference::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1");
            let told = ToldSource::new(Arc::new(self), &reference.expect("a reference"));
            let images = block_on(workflow::examine_presence(&AnySource::Told(told.clone()), None));
            (images, told.gaps())
        }
    }

    impl ImageApi for Layout {
        fn manifest(&self, name: ManifestName<'_>) -> Result<Option<ToldManifest>, Untold> {
            let digest = match name {
                ManifestName::Tag("1") => &self.root,
                ManifestName::Tag(_) => return Ok(None),
                ManifestName::Digest(digest) => digest,
            };
            Ok(self.read(digest).map(|mut bytes| {
                bytes.extend(self.lies.then_some(b' '));
                ToldManifest {
                    media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
                    bytes,
                }
            }))
        }

        fn has_blob(&self, digest: &Digest) -> Result<bool, Untold> {
            self.blobs.clone().map(|()| self.read(digest).is_some())
        }

        fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Untold> {
            self.blobs.clone().map(|()| self.read(digest))
        }

        fn referrers(&self, _subject: &Digest, _type: &str) -> Result<Vec<Descriptor>, Untold> {
            self.referrers.clone().map(|()| Vec::new())
        }
    }

    fn image() -> MadeImage {
        MadeImage::new(&[(1, 3000), (2, 5000)])
    }

    fn denied() -> Untold {
        Untold("the permission x:Y is missing".to_owned())
    }

    #[test]
    fn an_image_is_the_same_from_whoever_tells_it() {
        let layout = Layout::of(&image());
        let folder = LayoutSource::open(layout.folder.path()).expect("a layout");
        let own = block_on(workflow::examine_presence(&AnySource::Layout(folder), None)).expect("it is read");
        let (told, gaps) = layout.looked_at();
        assert_eq!(told.expect("it is told")[0].facts, own[0].facts);
        assert_eq!(gaps, [""; 0]);
    }

    #[test]
    fn blobs_that_are_not_told_of_are_gaps() {
        let layout = Layout {
            blobs: Err(denied()),
            ..Layout::of(&image())
        };
        let (told, gaps) = layout.looked_at();
        let told = told.expect("its documents are told");
        assert!(
            told[0].facts.platforms[0].platform.is_none(),
            "the config says it"
        );
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        assert!(
            gaps.iter()
                .all(|gap| gap.ends_with("is unknown: the permission x:Y is missing"))
        );
    }

    #[test]
    fn referrers_that_are_not_told_are_not_none() {
        let layout = Layout {
            referrers: Err(denied()),
            ..Layout::of(&image())
        };
        let (told, _) = layout.looked_at();
        let oddities = &told.expect("its documents are told")[0].facts.oddities;
        let shown: Vec<String> = oddities.iter().map(ToString::to_string).collect();
        assert!(
            shown
                .iter()
                .any(|odd| odd.contains("has a SOCI index v1 is unknown") && odd.contains("x:Y")),
            "{shown:?}"
        );
    }

    #[test]
    fn other_bytes_than_asked_for_are_not_taken() {
        let image = image();
        let digest = digest_of(&image.manifest);
        let layout = Layout {
            lies: true,
            ..Layout::of(&image)
        };
        let reference = format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@{digest}");
        let reference = Reference::parse(&reference).expect("a reference");
        let told = AnySource::Told(ToldSource::new(Arc::new(layout), &reference));
        let error = block_on(workflow::examine_presence(&told, None)).expect_err("another digest");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    }

    #[test]
    fn blobs_are_read_in_parts() {
        let image = image();
        let layer = image.layers[0].clone();
        let descriptor = Descriptor::of("application/vnd.oci.image.layer.v1.tar+gzip", &layer);
        let reference = Reference::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1");
        let told = ToldSource::new(Arc::new(Layout::of(&image)), &reference.expect("a reference"));
        let mut part = [0; 7];
        block_on(told.read_at(&descriptor, 5, &mut part)).expect("it is there");
        assert_eq!(part, layer[5..12]);
        let beyond = block_on(told.read_at(&descriptor, layer.len() as u64 - 3, &mut part));
        assert!(matches!(beyond, Err(Error::SizeMismatch { .. })));
    }
}
