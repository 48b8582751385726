//! Reading images: which ones a tag means, and their documents.

use soci_image::document::{Document, Documents};
use soci_image::facts::DocumentFault;
use soci_image::image::MAX_ENTRIES;
use soci_image::soci_index::SociVersion;
use soci_image::{Descriptor, Platform, Reference};
use soci_registry::RegistryError;

use crate::store::{AnySource, DOCUMENT_LIMIT, Root, RootName, Source};
use crate::{Error, Result};

/// The images that the tag means: a short or full name or a digest; or every image if there is no tag.
pub fn select(roots: Vec<Root>, tag: Option<&str>) -> Result<Vec<Root>> {
    let Some(tag) = tag else { return Ok(roots) };
    let mut known = Vec::new();
    let mut found = Vec::new();
    for mut root in roots {
        known.extend(
            root.names
                .iter()
                .filter_map(|name| name.full.clone().or_else(|| name.tag.clone())),
        );
        if root.descriptor.digest.as_str() == tag {
            found.push(root);
        } else if root.names.iter().any(|name| is_called(name, tag)) {
            root.names.retain(|name| is_called(name, tag));
            found.push(root);
        }
    }
    if found.is_empty() {
        return Err(Error::NoSuchTag {
            tag: tag.into(),
            known,
        });
    }
    Ok(found)
}

/// Whether `wanted` is the tag or the full name, in whatever spelling, of this listing.
fn is_called(name: &RootName, wanted: &str) -> bool {
    let full = name.full.as_deref();
    if name.tag.as_deref() == Some(wanted) || full == Some(wanted) {
        return true;
    }
    let Some(Ok(full)) = full.map(str::parse::<Reference>) else {
        return false;
    };
    wanted
        .parse::<Reference>()
        .is_ok_and(|wanted| wanted.to_string() == full.to_string())
        || (name.tag.is_none() && full.tag_or_latest() == Some(wanted))
}

/// Every manifest and index below `root`, and the configs of images that no descriptor gives a platform.
/// What the source does not have is left out; only the root must be there.
pub(crate) async fn read_documents(source: &AnySource, root: &Descriptor) -> Result<Documents> {
    read(source, root, &mut |_, outcome| outcome.map(|_| ())).await
}

/// The same for who makes SOCI indexes anew: one that is not what its descriptor says counts as not there.
pub(crate) async fn read_for_conversion(source: &AnySource, root: &Descriptor) -> Result<Documents> {
    read(source, root, &mut |descriptor, outcome| match outcome {
        Err(error) if SociVersion::of(&descriptor.artifact_type).is_some() && is_about_bytes(&error) => {
            Ok(())
        }
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    })
    .await
}

/// The documents of an image whose faults are told, not raised.
pub(crate) struct ReadDocuments {
    /// Those that are what their descriptors say.
    pub(crate) documents: Documents,
    /// Those that are not, and are left out.
    pub(crate) faults: Vec<DocumentFault>,
    /// Those with another media type, of the same kind.
    pub(crate) mislabelled: Vec<DocumentFault>,
}

/// The same for who looks at an image. The root must be right.
pub(crate) async fn read_good_documents(source: &AnySource, root: &Descriptor) -> Result<ReadDocuments> {
    let mut faults = Vec::new();
    let mut mislabelled = Vec::new();
    let documents = read(source, root, &mut |descriptor, outcome| {
        let error = match outcome {
            Ok(document) => {
                let (given, stated) = (&descriptor.media_type, document.media_type());
                if !given.is_empty() && !stated.is_empty() && given != stated {
                    mislabelled.push(DocumentFault {
                        digest: descriptor.digest.clone(),
                        detail: format!("it says {stated}, its descriptor {given}"),
                    });
                }
                return Ok(());
            }
            Err(error) => error,
        };
        if descriptor.digest == root.digest || !is_about_bytes(&error) {
            return Err(error);
        }
        faults.push(DocumentFault {
            digest: descriptor.digest.clone(),
            detail: in_words(&error),
        });
        Ok(())
    })
    .await?;
    Ok(ReadDocuments {
        documents,
        faults,
        mislabelled,
    })
}

async fn read(
    source: &AnySource,
    root: &Descriptor,
    tell: &mut dyn FnMut(&Descriptor, Result<&Document>) -> Result<()>,
) -> Result<Documents> {
    let mut documents = Documents::new();
    let mut open = vec![root.clone()];
    let mut count = 0;
    while let Some(descriptor) = open.pop() {
        if documents.get(&descriptor.digest).is_some() {
            // The bytes are known; what this descriptor says of them is not.
            match again(&documents, &descriptor) {
                Ok(document) => tell(&descriptor, Ok(&document))?,
                Err(error) => tell(&descriptor, Err(error))?,
            }
            continue;
        }
        count += 1;
        if count > MAX_ENTRIES {
            return Err(soci_image::Error::TooManyEntries { limit: MAX_ENTRIES }.into());
        }
        let is_root = descriptor.digest == root.digest;
        if !is_root && (descriptor.size > DOCUMENT_LIMIT || !source.contains(&descriptor).await?) {
            continue;
        }
        let (bytes, document) = match one(source, &descriptor).await {
            Ok(read) => read,
            Err(error) => {
                tell(&descriptor, Err(error))?;
                continue;
            }
        };
        tell(&descriptor, Ok(&document))?;
        match document {
            Document::Index(index) => open.extend(index.manifests.iter().rev().cloned()),
            Document::Manifest(manifest) => {
                let config = &manifest.config;
                let needed = manifest.is_image() && descriptor.platform.is_none();
                if needed && documents.get(&config.digest).is_none() && source.contains(config).await? {
                    match config_of(source, config).await {
                        Ok(bytes) => documents.insert(config, bytes)?,
                        Err(error) => tell(config, Err(error))?,
                    }
                }
            }
            Document::Other { .. } => {}
        }
        documents.insert(&descriptor, bytes)?;
    }
    Ok(documents)
}

async fn one(source: &AnySource, descriptor: &Descriptor) -> Result<(Vec<u8>, Document)> {
    let bytes = source.document(descriptor).await?;
    let document = parse(&bytes, descriptor)?;
    Ok((bytes, document))
}

/// A config that says a platform.
async fn config_of(source: &AnySource, config: &Descriptor) -> Result<Vec<u8>> {
    let bytes = source.document(config).await?;
    match Platform::from_config(&bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(Error::Document {
            digest: config.digest.clone(),
            source,
        }),
    }
}

fn again(documents: &Documents, descriptor: &Descriptor) -> Result<Document> {
    let bytes = documents.require(&descriptor.digest)?;
    descriptor.check(bytes)?;
    parse(bytes, descriptor)
}

fn parse(bytes: &[u8], descriptor: &Descriptor) -> Result<Document> {
    Document::parse(bytes, &descriptor.media_type).map_err(|source| Error::Document {
        digest: descriptor.digest.clone(),
        source,
    })
}

/// Whether the bytes of a document are to blame, not the place or the way to it.
pub(crate) fn is_about_bytes(error: &Error) -> bool {
    match error {
        Error::DigestMismatch { .. }
        | Error::SizeMismatch { .. }
        | Error::DocumentTooLarge { .. }
        | Error::Document { .. }
        | Error::Image(_) => true,
        Error::Registry(error) => matches!(
            **error,
            RegistryError::Digest { .. } | RegistryError::Protocol { .. }
        ),
        _ => false,
    }
}

/// A fault of bytes without the digest, which its reader has.
pub(crate) fn in_words(error: &Error) -> String {
    match error {
        Error::DigestMismatch { found, .. } => format!("its bytes have the digest {found}"),
        Error::SizeMismatch { expected, found, .. } => {
            format!("it has {found} bytes, its descriptor says {expected}")
        }
        Error::Document { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
