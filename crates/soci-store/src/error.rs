//! The one error type of this crate.

use std::path::PathBuf;

use soci_image::Digest;

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

    /// The cancel flag was raised.
    #[error("interrupted")]
    Interrupted,
}
