//! The tags of a repository.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags> (checked 2026-11-29).

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::RegistryError;
use crate::repository::Repository;
use crate::transport::{Method, Transport};

/// Tags asked for at a time: the most that Amazon ECR gives.
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html> (`maxResults`, checked 2026-11-29)
const PAGE: &str = "1000";

/// One page. `null` stands for no tags in some registries.
#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl<T: Transport> Repository<T> {
    /// Every tag, each once, in the order of their bytes.
    ///
    /// # Errors
    /// [`RegistryError::NoRepository`] or [`RegistryError::NotFound`] if there is no such repository; a list that is
    /// no list of tags, or does not end within the limits.
    pub async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        let what = format!("list the tags of {}", self.name());
        let call = self.call(Method::Get, "tags/list", &what)?;
        let mut tags = BTreeSet::new();
        let mut take = |bytes: &[u8]| {
            let page: Page = serde_json::from_slice(bytes)
                .map_err(|_| self.protocol(&what, "the answer is not a list of tags"))?;
            tags.extend(page.tags.unwrap_or_default());
            Ok(())
        };
        let first = call.url.with_query("n", PAGE);
        self.pages(first, "application/json", &what, &mut take).await?;
        Ok(tags.into_iter().collect())
    }
}
