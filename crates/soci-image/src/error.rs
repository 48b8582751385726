//! What can be wrong with a digest, a reference, a document or a conversion.

use crate::digest::Digest;

/// Everything that this crate refuses. Messages are fragments that read well after "failed to …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that is not a digest of a known algorithm.
    #[error("`{value}` is not a digest: {reason}")]
    Digest {
        /// The text, shortened when it is long.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// Text that is not an image reference.
    #[error("`{value}` is not an image reference: {reason} at byte {offset}")]
    Reference {
        /// The text, shortened when it is long.
        value: String,
        /// Where the trouble begins, in bytes from the start of the text.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },

    /// Text that is not a platform.
    #[error("`{value}` is not a platform: {reason}")]
    Platform {
        /// The text, shortened when it is long.
        value: String,
        /// What is wrong with it and what would be right.
        reason: &'static str,
    },

    /// Bytes that are no JSON, or nest deeper than any image document does.
    #[error("invalid JSON at byte {offset}: {reason}")]
    Json {
        /// Offset of the first wrong byte.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },

    /// A document above the size that registries accept.
    #[error("the document has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },

    /// A field that is missing or holds the wrong thing.
    #[error("{path}: {reason}")]
    Field {
        /// The field, as in `manifests[2].digest`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A document that is not of the kind that was asked for.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What was asked for.
        expected: &'static str,
        /// What the document is.
        found: String,
    },

    /// A document whose bytes are not those of its descriptor.
    #[error("content does not match its descriptor: expected {expected}, found {found}")]
    Mismatch {
        /// Digest (or size) that the descriptor states.
        expected: String,
        /// Digest (or size) of the bytes.
        found: String,
    },

    /// A document that the conversion needs and was not given.
    #[error("the document {digest} is needed and was not given")]
    MissingDocument {
        /// Its digest.
        digest: Digest,
    },

    /// Indexes that contain each other, or too deep a chain of them.
    #[error("image indexes nest deeper than {limit} levels at {digest}")]
    IndexDepth {
        /// The index that is one too many.
        digest: Digest,
        /// The limit.
        limit: usize,
    },

    /// More entries than any image has.
    #[error("the image lists more than {limit} manifests")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },

    /// What was given for an image does not fit it.
    #[error("the work on manifest {manifest} does not fit it: {reason}")]
    Unfit {
        /// Digest of the image manifest.
        manifest: Digest,
        /// What does not fit.
        reason: String,
    },

    /// No image of a platform that was asked for.
    #[error("the image has no manifest for {platform}; it has {present}")]
    NoSuchPlatform {
        /// The platform.
        platform: String,
        /// Those that are there, as a list for people.
        present: String,
    },

    /// No layer got a zTOC, so there is nothing that conversion could add.
    #[error("nothing to index: no layer of the chosen platforms has a zTOC")]
    NothingToIndex,
}

/// The result of everything fallible here.
pub type Result<T> = std::result::Result<T, Error>;

/// Text for an error message: at most 80 characters of it.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 80;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Error {
    /// A field error.
    pub(crate) fn field(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field {
            path: path.into(),
            reason: reason.into(),
        }
    }
}
