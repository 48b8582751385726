//! Removal: what conversion added goes, all else stays.

use super::rewrite::{NewManifest, Rewrite, Spelling};
use super::{Conversion, ConvertedPlatform};
use crate::annotation;
use crate::digest::Digest;
use crate::document::Documents;
use crate::error::Result;
use crate::image::{Choice, Image, ImageEntry};
use crate::json::Json;
use crate::manifest::Manifest;

/// Takes SOCI out of an image: the annotation of each image manifest, the SOCI indexes v2 in its
/// indexes, and the index around a single manifest.
///
/// An image that was in plain OCI form before its conversion (Go's JSON, OCI media types, platforms in
/// the index) gets its first bytes back. So does one that BuildKit indented, if an attestation or a
/// platform that was not converted still shows that. What the conversion turned from Docker's types
/// into OCI's stays so.
pub fn remove(image: &Image, documents: &Documents) -> Result<Conversion> {
    let mut rewrite = Rewrite::new(image, documents);
    rewrite.drop_soci = true;
    rewrite.spelling = spelling(image, documents);
    let mut report = Vec::new();
    for entry in image.images() {
        if entry.manifest.soci_index_annotation().is_none() {
            continue;
        }
        let mut manifest = entry.manifest.clone();
        manifest.annotations.remove(annotation::INDEX_DIGEST);
        let new = NewManifest {
            spelling: spelling_of(entry, &manifest, image).unwrap_or(rewrite.spelling),
            manifest,
            soci: None,
        };
        let descriptor = rewrite.replace(entry, new);
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
    Ok(rewrite.finish(report))
}

/// How the image was spelled, by the manifests that conversion left alone: a builder spells all of
/// them alike.
fn spelling(image: &Image, documents: &Documents) -> Spelling {
    let untouched = image
        .images()
        .into_iter()
        .filter(|entry| entry.manifest.soci_index_annotation().is_none())
        .map(|entry| &entry.descriptor.digest);
    let attestations = image
        .attestations()
        .into_iter()
        .map(|entry| &entry.descriptor.digest);
    let mut known = untouched
        .chain(attestations)
        .filter_map(|digest| documents.get(digest))
        .peekable();
    let is_indented = |bytes: &[u8]| Json::parse(bytes).is_ok_and(|json| json.to_indented() == bytes);
    if known.peek().is_some() && known.all(is_indented) {
        Spelling::Indented
    } else {
        Spelling::Compact
    }
}

/// How a manifest was spelled, if the subject of an attestation still holds its digest.
fn spelling_of(entry: &ImageEntry, manifest: &Manifest, image: &Image) -> Option<Spelling> {
    let attestations = image.attestations();
    let mut subjects = attestations
        .iter()
        .filter(|attestation| attestation.reference().as_ref() == Some(&entry.descriptor.digest))
        .filter_map(|attestation| attestation.manifest.as_ref()?.subject.as_ref());
    let before: &Digest = &subjects.next()?.digest;
    let json = manifest.to_json();
    [Spelling::Compact, Spelling::Indented]
        .into_iter()
        .find(|spelling| before.matches(&spelling.write(&json)))
}
