//! `--metadata-file`: what buildx's file of that name says about an image, for scripts that read it, and the SOCI
//! indexes beside it.

use std::path::Path;

use serde_json::json;
use soci_image::Reference;
use soci_store::Location;
use soci_store::workflow::Report;

use crate::error::{CommandError, OrFail};
use crate::output::OutputFile;

/// Where images can be found now.
pub(super) enum Published<'a> {
    /// At this place, under the names that they have there.
    At(&'a Location),
    /// In registries, one image under all these names.
    Under(&'a [Reference]),
}

/// Writes the file: one object for one image, an object per image under its name for several.
pub(super) fn write(path: &Path, report: &Report, published: &Published<'_>) -> Result<(), CommandError> {
    let documents: Vec<(String, serde_json::Value)> = report
        .images
        .iter()
        .map(|image| {
            let names = match published {
                Published::At(Location::Registry(reference)) => vec![full_name(reference)],
                Published::At(_) => image.names.clone(),
                Published::Under(names) => names.iter().map(full_name).collect(),
            };
            let indexes: serde_json::Map<String, serde_json::Value> = image
                .platforms
                .iter()
                .filter_map(|platform| {
                    Some((platform.platform.clone(), json!(platform.soci_index.as_ref()?)))
                })
                .collect();
            let mut document = json!({
                "containerimage.descriptor": {
                    "mediaType": image.media_type,
                    "digest": image.digest,
                    "size": image.size,
                },
                "containerimage.digest": image.digest,
                "soci.index.digests": indexes,
            });
            if !names.is_empty() {
                document["image.name"] = json!(names.join(","));
            }
            (
                names
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| image.digest.to_string()),
                document,
            )
        })
        .collect();
    let document = match documents.as_slice() {
        [(_, only)] => only.clone(),
        several => serde_json::Value::Object(several.iter().cloned().collect()),
    };
    let mut text = serde_json::to_string_pretty(&document).or_fail(|| "cannot write JSON".to_owned())?;
    text.push('\n');
    let mut file = OutputFile::create(path)?;
    file.write(text.as_bytes())?;
    file.commit()
}

fn full_name(reference: &Reference) -> String {
    reference.tag_or_latest().map_or_else(
        || reference.to_string(),
        |tag| format!("{}:{tag}", reference.name()),
    )
}
