//! What is known about images, and which containers it is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is known about one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFactsEntry {
    /// The image as task definitions name it; `*` stands for any text.
    pub image: String,
    /// Its facts, as `cargo soci inspect --format json` prints them.
    pub facts: serde_json::Value,
}

/// Objects to names that are none and to names that are there twice.
pub(crate) fn check(entries: &[ImageFactsEntry]) -> Result<(), Error> {
    for (at, entry) in entries.iter().enumerate() {
        if entry.image.trim().is_empty() {
            return Err(Error::FactsImage {
                reason: "an entry has an empty `image`".to_owned(),
            });
        }
        if entries[..at].iter().any(|other| other.image == entry.image) {
            return Err(Error::FactsTwice {
                image: entry.image.clone(),
            });
        }
    }
    Ok(())
}
