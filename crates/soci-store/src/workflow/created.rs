//! When an image was made, as it says itself.

use serde::Deserialize;
use soci_image::Image;

use super::read::read_documents;
use crate::Result;
use crate::store::{AnySource, Source};

/// The part of a config that is looked at.
#[derive(Deserialize)]
struct Config {
    created: Option<String>,
}

/// The `created` of the image's config, as it stands there: RFC 3339 by
/// <https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties> (checked 2026-11-29). Of several
/// platforms the first that has one counts; `None` if none has.
///
/// # Errors
/// What reading the documents gives.
pub async fn created(source: &AnySource) -> Result<Option<String>> {
    for root in source.roots().await? {
        let documents = read_documents(source, &root.descriptor).await?;
        let image = Image::read(&root.descriptor, &documents)?;
        for entry in image.images() {
            if !entry.manifest.is_image() {
                continue;
            }
            let config = source.document(&entry.manifest.config).await?;
            let config: Option<Config> = serde_json::from_slice(&config).ok();
            if let Some(created) = config.and_then(|config| config.created) {
                return Ok(Some(created));
            }
        }
    }
    Ok(None)
}
