//! How much memory the documents of a run may take, whatever they claim to be and however many there are.
//!
//! A few megabytes of a compressed archive can hold gigabytes of manifests, each of them small enough by itself. What
//! one place has given is counted over all images of it, each document once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use soci_image::Digest;

use crate::{Error, Result};

/// What a place may still give.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Spent>);

#[derive(Debug, Default)]
struct Spent {
    seen: HashSet<Digest>,
    bytes: u64,
}

impl Budget {
    /// Counts a document that was read.
    pub(crate) fn charge(&self, digest: &Digest, document: &[u8]) -> Result<()> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.seen.contains(digest) {
            return Ok(());
        }
        let bytes = spent.bytes + cost(document);
        if bytes > LIMIT {
            return Err(Error::DocumentBudget {
                documents: spent.seen.len() as u64,
                limit: LIMIT,
            });
        }
        spent.bytes = bytes;
        spent.seen.insert(digest.clone());
        Ok(())
    }
}

/// What a document takes in memory, at most about that: its bytes, and what is made of each value in it.
fn cost(document: &[u8]) -> u64 {
    let is_begin = |byte: &&u8| matches!(byte, b'{' | b'[' | b',' | b':');
    document.len() as u64 + VALUE * document.iter().filter(is_begin).count() as u64
}

/// A value in memory, as the largest of them are kept: descriptors with their texts.
const VALUE: u64 = 64;

/// Some 14,000 images of the usual kind.
const LIMIT: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_counts_once_and_all_of_them_together() {
        let budget = Budget::default();
        let document = vec![b' '; 4 << 20];
        let digest = |number: u8| Digest::sha256(&[number]);
        for number in 0..128 {
            budget.charge(&digest(number), &document).expect("it fits");
            budget.charge(&digest(number), &document).expect("it was counted");
        }
        let error = budget
            .charge(&digest(200), b"{}")
            .expect_err("too much")
            .to_string();
        assert!(
            error.contains("512 MiB") && error.contains("128 documents"),
            "{error}"
        );
        assert!(error.contains("--tag"), "{error}");
        budget.charge(&digest(3), &document).expect("it was counted");
    }

    #[test]
    fn many_small_values_count_more_than_their_bytes() {
        assert_eq!(cost(b"[[],[]]"), 7 + 4 * VALUE);
        assert_eq!(cost(br#"{"a":1}"#), 7 + 2 * VALUE);
    }
}
