//! Removal: what conversion added goes, all else stays.

use super::rewrite::{NewManifest, Rewrite};
use super::{Conversion, ConvertedPlatform};
use crate::annotation;
use crate::document::Documents;
use crate::error::Result;
use crate::image::{Choice, Image};

/// Takes SOCI out of an image: the annotation of each image manifest, the SOCI indexes v2 in its
/// indexes, and the index around a single manifest. An image that was in plain OCI form before its
/// conversion (Go's JSON, OCI media types, platforms in the index) gets its first bytes back; what the
/// conversion turned from Docker's types into OCI's, or from another spelling into this one, stays so.
pub fn remove(image: &Image, documents: &Documents) -> Result<Conversion> {
    let mut rewrite = Rewrite::new(image, documents);
    rewrite.drop_soci = true;
    let mut report = Vec::new();
    for entry in image.images() {
        if entry.manifest.soci_index_annotation().is_none() {
            continue;
        }
        let mut manifest = entry.manifest.clone();
        manifest.annotations.remove(annotation::INDEX_DIGEST);
        let descriptor = rewrite.replace(entry, NewManifest { manifest, soci: None });
        report.push(ConvertedPlatform {
            choice: Choice {
                id: entry.id,
                platform: entry.platform.clone().unwrap_or_default(),
            },
            old_manifest: entry.descriptor.digest.clone(),
            manifest: descriptor,
            soci_index: None,
        });
    }
    rewrite.finish(report)
}
