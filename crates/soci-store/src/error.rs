//! The one error type of this crate.

use std::path::PathBuf;

use soci_image::{Digest, SkipReason};

/// What can go wrong between a place where images live and the workflow over it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A location that the grammar does not know or that could be two things.
    #[error(transparent)]
    Location(#[from] crate::location::LocationError),

    /// The operating system refused to read or write.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// "read", "write", "rename" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },

    /// The place is there but is not what it should be.
    #[error("{place}: {problem}")]
    Place {
        /// The path or reference as the user gave it.
        place: String,
        /// What is wrong and what to do about it.
        problem: String,
    },

    /// An API that is asked in a registry's stead does not tell something.
    #[error("cannot read {what}: {why}")]
    Untold {
        /// "the manifest 1.4 of HOST/app" …
        what: String,
        /// Why not.
        why: String,
    },

    /// An API that is asked in a registry's stead knows no such image.
    #[error("{what} is not in its registry")]
    NotTold {
        /// The image.
        what: String,
    },

    /// A blob that something points at is not there.
    #[error("{place}: {what} {digest} is missing")]
    Missing {
        /// The place that was looked in.
        place: String,
        /// "manifest", "layer" …
        what: &'static str,
        /// The digest that was looked for.
        digest: Digest,
    },

    /// The bytes of a blob are not those that its descriptor names.
    #[error("{what} {expected} has the digest {found}: its bytes were changed or damaged")]
    DigestMismatch {
        /// "layer", "manifest" …
        what: &'static str,
        /// What the descriptor says.
        expected: Digest,
        /// What the bytes have.
        found: Digest,
    },

    /// A blob is longer or shorter than its descriptor says.
    #[error("{what} {digest} has {found} bytes, its descriptor says {expected}")]
    SizeMismatch {
        /// "layer", "manifest" …
        what: &'static str,
        /// The blob.
        digest: Digest,
        /// What the descriptor says.
        expected: u64,
        /// How many there are; for a blob that is too long, how many were seen.
        found: u64,
    },

    /// A document is larger than any registry takes.
    #[error("{what} {digest} has {size} bytes, at most {limit} are read")]
    DocumentTooLarge {
        /// "manifest", "index" …
        what: &'static str,
        /// The document.
        digest: Digest,
        /// Its size.
        size: u64,
        /// [`DOCUMENT_LIMIT`](crate::store::DOCUMENT_LIMIT).
        limit: u64,
    },

    /// The documents of a place would take more memory than a run may use for them.
    #[error(
        "after {documents} documents, the manifests, indexes and configs there take more than {} MiB of memory, \
         which is refused: choose one image with --tag, or one platform",
        limit >> 20
    )]
    DocumentBudget {
        /// How many were read before.
        documents: u64,
        /// Bytes in memory.
        limit: u64,
    },

    /// A document cannot be read, or the image cannot be converted as asked.
    #[error(transparent)]
    Image(#[from] soci_image::Error),

    /// A layer is damaged.
    #[error("layer {digest}: {source}")]
    Layer {
        /// The layer.
        digest: Digest,
        /// What the zTOC builder met.
        source: soci_ztoc::Error,
    },

    /// A registry could not be asked, refused, or answered what it must not.
    #[error(transparent)]
    Registry(Box<soci_registry::RegistryError>),

    /// A document below the root of an image cannot be read.
    #[error("document {digest}: {source}")]
    Document {
        /// The document.
        digest: Digest,
        /// What is wrong with it.
        source: soci_image::Error,
    },

    /// No image of the place has the tag that was asked for.
    #[error("no image is called {tag:?}; {}", known_names(known))]
    NoSuchTag {
        /// The tag or name that was asked for.
        tag: String,
        /// Those that there are.
        known: Vec<String>,
    },

    /// A layer would stay without a zTOC, which strictness forbids.
    #[error("layer {layer} cannot be indexed: {reason}")]
    Strict {
        /// The layer.
        layer: Digest,
        /// Why not.
        reason: SkipReason,
    },

    /// Not one layer of the images can be indexed.
    #[error("no layer can be indexed: {}", reasons(layers))]
    NothingToIndex {
        /// The layers and why not.
        layers: Vec<(Digest, SkipReason)>,
    },

    /// Two images are to be written under one name.
    #[error("the source has {images} images, but {place} can take one: choose one with --tag")]
    SeveralImages {
        /// How many there are.
        images: usize,
        /// The destination.
        place: String,
    },

    /// A layer cannot be rewritten in another compression.
    #[error("cannot rewrite layer {digest}: {problem}")]
    Recompress {
        /// The layer, or the config that says what is in it.
        digest: Digest,
        /// What is wrong.
        problem: String,
    },

    /// A layer that repeats cannot be put on top of an image.
    #[error("cannot put a layer on top of the image {image}: {problem}")]
    OnTop {
        /// The image's manifest.
        image: Digest,
        /// Why not, and what to do about it.
        problem: String,
    },

    /// The cancel flag was raised.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Whether a manifest or blob is not where it was looked for.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::NotTold { .. } => true,
            Self::Registry(error) => error.is_not_found(),
            _ => false,
        }
    }
}

impl From<soci_registry::RegistryError> for Error {
    fn from(error: soci_registry::RegistryError) -> Self {
        if error.is_interrupted() {
            Self::Interrupted
        } else {
            Self::Registry(Box::new(error))
        }
    }
}

fn known_names(known: &[String]) -> String {
    match known {
        [] => "its images have no names: leave the tag out".into(),
        names => format!("there is {}", names.join(", ")),
    }
}

/// Equal reasons once, with the number of layers that have them.
fn reasons(layers: &[(Digest, SkipReason)]) -> String {
    let sizes = layers.iter().filter_map(|(_, reason)| match reason {
        SkipReason::TooSmall { size, minimum } => Some((*size, *minimum)),
        _ => None,
    });
    let mut texts = Vec::new();
    if let Some((largest, minimum)) = sizes.clone().max() {
        let number = layer_count(sizes.count());
        texts.push(format!(
            "{number} below the minimum of {minimum} bytes (the largest has {largest})"
        ));
    }
    let others = layers
        .iter()
        .filter(|(_, reason)| !matches!(reason, SkipReason::TooSmall { .. }));
    let mut counted: Vec<(String, usize)> = Vec::new();
    for (_, reason) in others {
        let reason = reason.to_string();
        match counted.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, number)) => *number += 1,
            None => counted.push((reason, 1)),
        }
    }
    texts.extend(
        counted
            .into_iter()
            .map(|(reason, number)| format!("{}: {reason}", layer_count(number))),
    );
    if texts.is_empty() {
        "the image has no layers".into()
    } else {
        texts.join("; ")
    }
}

fn layer_count(number: usize) -> String {
    if number == 1 {
        "1 layer".into()
    } else {
        format!("{number} layers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_index_says_why_in_few_words() {
        let digest = Digest::sha256(b"");
        let small = |size| (digest.clone(), SkipReason::TooSmall { size, minimum: 10 });
        let zstd = || (digest.clone(), SkipReason::Zstd);
        let say = |layers| Error::NothingToIndex { layers }.to_string();
        assert_eq!(say(vec![]), "no layer can be indexed: the image has no layers");
        assert_eq!(
            say(vec![
                small(3),
                zstd(),
                small(9),
                zstd(),
                (digest.clone(), SkipReason::Foreign)
            ]),
            "no layer can be indexed: 2 layers below the minimum of 10 bytes (the largest has 9); 2 layers: \
             compressed with zstd, which SOCI cannot index; 1 layer: a foreign layer that is only at its URL"
        );
    }
}
