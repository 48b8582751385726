//! Removal: what conversion added goes, all else stays.

use super::rewrite::{NewManifest, Rewrite, Spelling};
use super::{BlobRole, Conversion, ConvertedPlatform, NewBlob};
use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Documents;
use crate::error::Result;
use crate::image::{AttestationEntry, Choice, Image, ImageEntry};
use crate::json::Json;
use crate::manifest::Manifest;
use crate::media_type::IN_TOTO;

/// The largest statement that [`witnesses`] asks for; those of provenance have some ten kilobytes.
const MAX_WITNESS: u64 = 1 << 20;

/// Takes SOCI out of an image: the annotation of each image manifest, the SOCI indexes v2 in its
/// indexes, the index around a single manifest, and a layer on top that repeats.
///
/// An image that was in plain OCI form before its conversion (Go's JSON, OCI media types, platforms in
/// the index) gets its first bytes back. So does one that BuildKit indented, if an attestation proves
/// it: by the digest of the manifest before conversion. What the conversion turned from Docker's types
/// into OCI's stays so. `documents` may hold the [`witnesses`], and must hold the [`configs`] that are there.
pub fn remove(image: &Image, documents: &Documents) -> Result<Conversion> {
    let mut rewrite = Rewrite::new(image, documents);
    rewrite.drop_soci = true;
    let mut work = Vec::new();
    for entry in image.images() {
        let repeats = entry.top_layer(documents).is_some();
        if entry.manifest.soci_index_annotation().is_none() && !repeats {
            continue;
        }
        let mut manifest = entry.manifest.clone();
        if repeats {
            let (without, config) = entry.without_top_layer(documents)?;
            rewrite.add(NewBlob::of(BlobRole::Config, &without.config.media_type, config));
            manifest = without;
        }
        manifest.annotations.remove(annotation::INDEX_DIGEST);
        let proven = proven_spelling(entry, &manifest, image, documents);
        work.push((entry, manifest, proven));
    }
    // A builder spells all its documents alike.
    if work
        .iter()
        .any(|(_, _, proven)| *proven == Some(Spelling::Indented))
    {
        rewrite.spelling = Spelling::Indented;
    }
    let mut report = Vec::new();
    for (entry, manifest, proven) in work {
        let new = NewManifest {
            manifest,
            soci: None,
            spelling: proven.unwrap_or(rewrite.spelling),
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

/// The configs of all images: one that has a layer on top gets another one, and where the mark of the layer got lost
/// its config tells.
pub fn configs(image: &Image) -> Vec<Descriptor> {
    let images = image.images().into_iter();
    images.map(|entry| entry.manifest.config.clone()).collect()
}

/// Statements of attestations that may tell [`remove`] the digests from before conversion: those of
/// manifests that do not say it themselves. Whoever has them adds them to the documents; without them
/// an image that was indented comes back compact.
pub fn witnesses(image: &Image) -> Vec<Descriptor> {
    let attestations = image.attestations();
    let manifests = attestations.iter().filter_map(|entry| entry.manifest.as_ref());
    manifests
        .filter(|manifest| manifest.subject.is_none())
        .flat_map(|manifest| &manifest.layers)
        .filter(|layer| layer.media_type == IN_TOTO && layer.size <= MAX_WITNESS)
        .cloned()
        .collect()
}

/// How a manifest was spelled, if an attestation that is about it holds the digest of one spelling.
fn proven_spelling(
    entry: &ImageEntry,
    manifest: &Manifest,
    image: &Image,
    documents: &Documents,
) -> Option<Spelling> {
    let attestations = image.attestations();
    let before: Vec<Digest> = attestations
        .iter()
        .filter(|attestation| attestation.reference().as_ref() == Some(&entry.descriptor.digest))
        .flat_map(|attestation| digests_before(attestation, documents))
        .collect();
    let json = manifest.to_json();
    [Spelling::Compact, Spelling::Indented]
        .into_iter()
        .find(|spelling| {
            let bytes = spelling.write(&json);
            before.iter().any(|digest| digest.matches(&bytes))
        })
}

/// What an attestation is about by its own words: the subject of its manifest, those of its statements.
fn digests_before(attestation: &AttestationEntry, documents: &Documents) -> Vec<Digest> {
    let Some(manifest) = &attestation.manifest else {
        return Vec::new();
    };
    let mut digests: Vec<Digest> = Vec::new();
    digests.extend(manifest.subject.iter().map(|subject| subject.digest.clone()));
    for layer in manifest.layers.iter().filter(|layer| layer.media_type == IN_TOTO) {
        let statement = documents
            .get(&layer.digest)
            .and_then(|bytes| Json::parse(bytes).ok());
        let subjects = statement
            .as_ref()
            .and_then(|statement| statement.get("subject")?.as_array());
        for subject in subjects.into_iter().flatten() {
            let hex = subject
                .get("digest")
                .and_then(|digest| digest.get("sha256")?.as_str());
            digests.extend(hex.and_then(|hex| Digest::parse(&format!("sha256:{hex}")).ok()));
        }
    }
    digests
}
