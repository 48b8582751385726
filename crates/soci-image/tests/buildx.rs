//! Images as docker buildx, bake and buildctl write them: the recorded facts hold, conversion keeps
//! attestations readable, and what the reference makes of the images themselves is made here too.
#![allow(clippy::disallowed_methods, reason = "tests read the vectors from disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use soci_image::convert::{Conversion, LayerIndex, PlatformIndex, convert, remove, witnesses};
use soci_image::image::Image;
use soci_image::{
    Descriptor, Digest, Documents, ImageFacts, Layout, Manifest, SkipReason, SociIndex, annotation,
};

/// Documents and `index.json` of a layout, read from a folder or an archive.
struct Stored {
    index_json: Vec<u8>,
    documents: Documents,
}

fn read(path: &Path) -> Stored {
    let mut stored = Stored {
        index_json: Vec::new(),
        documents: Documents::new(),
    };
    if path.is_dir() {
        stored.index_json = fs::read(path.join("index.json")).unwrap();
        for blob in fs::read_dir(path.join("blobs/sha256")).unwrap() {
            add(&mut stored.documents, fs::read(blob.unwrap().path()).unwrap());
        }
        return stored;
    }
    let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        match name.as_str() {
            "index.json" => stored.index_json = bytes,
            name if name.starts_with("blobs/") => add(&mut stored.documents, bytes),
            _ => {}
        }
    }
    stored
}

fn add(documents: &mut Documents, bytes: Vec<u8>) {
    if bytes.first() == Some(&b'{') {
        documents.add(bytes);
    }
}

/// Every layout of the recordings with the facts that were written down about it.
fn recordings() -> Vec<(String, PathBuf, Value)> {
    let root = soci_tests::buildx_vectors();
    let text = fs::read(root.join("cases.json")).unwrap();
    let all: Value = serde_json::from_slice(&text).unwrap();
    let mut found = Vec::new();
    for case in all["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        for (file, facts) in case["contents"].as_object().into_iter().flatten() {
            if facts["unreadable"] != true {
                found.push((
                    format!("{name}/{file}"),
                    root.join(name).join(file),
                    facts.clone(),
                ));
            }
        }
    }
    assert!(found.len() >= 35, "only {} recordings", found.len());
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[test]
fn recorded_facts_hold() {
    let mut attested = 0;
    for (name, path, recorded) in recordings() {
        let stored = read(&path);
        let mut images = BTreeMap::new();
        let mut attestations = BTreeMap::new();
        for image in Layout::parse(&stored.index_json).unwrap().images {
            let image = Image::read(&image.descriptor, &stored.documents).unwrap();
            let facts = ImageFacts::of(&image, &stored.documents, &[]);
            assert_eq!(facts.oddities, [], "{name}");
            for platform in facts.platforms {
                images.insert(platform.manifest.digest.to_string(), platform);
            }
            for attestation in facts.attestations {
                attestations.insert(attestation.manifest.digest.to_string(), attestation);
            }
        }
        let recorded_images: BTreeSet<String> =
            list(&recorded, "images").map(|i| text(&i["digest"])).collect();
        assert_eq!(
            images.keys().cloned().collect::<BTreeSet<_>>(),
            recorded_images,
            "{name}"
        );
        for image in list(&recorded, "images") {
            let ours = &images[&text(&image["digest"])];
            assert_eq!(
                ours.platform.as_ref().unwrap().to_string(),
                text(&image["platform"]),
                "{name}"
            );
            assert_eq!(ours.config.digest.to_string(), text(&image["config"]));
            assert_eq!(ours.config.media_type, text(&image["config_media_type"]));
            assert_eq!(ours.layers.len(), list(image, "layers").count(), "{name}");
            for (ours, layer) in ours.layers.iter().zip(list(image, "layers")) {
                assert_eq!(ours.digest.to_string(), text(&layer["digest"]));
                assert_eq!(Some(ours.size), layer["size"].as_u64());
                let compression = match layer["compression"].as_str().unwrap() {
                    "none" | "tar" => "uncompressed",
                    other => other,
                };
                assert_eq!(ours.compression.name(), compression, "{name}");
            }
        }
        let recorded_attestations = list(&recorded, "attestations").count();
        assert_eq!(attestations.len(), recorded_attestations, "{name}");
        for attestation in list(&recorded, "attestations") {
            let ours = &attestations[&text(&attestation["digest"])];
            assert!(ours.refers_to_present, "{name}");
            assert_eq!(
                ours.refers_to.as_ref().unwrap().to_string(),
                text(&attestation["refers_to"])
            );
            let subject = ours.subject.as_ref().map(Digest::to_string).unwrap_or_default();
            assert_eq!(subject, text(&attestation["subject"]), "{name}");
            let statements: Vec<String> = list(attestation, "statements")
                .map(|s| text(&s["predicate_type"]))
                .collect();
            assert_eq!(ours.statements, statements, "{name}");
            attested += 1;
        }
    }
    assert!(attested >= 20, "only {attested} attestations");
}

#[test]
fn attestations_stay_readable_after_conversion() {
    let (mut attested, mut came_back) = (0, 0);
    for (name, path, _) in recordings() {
        let stored = read(&path);
        for listed in Layout::parse(&stored.index_json).unwrap().images {
            let before = Image::read(&listed.descriptor, &stored.documents).unwrap();
            let Some(conversion) = converted(&before, &stored.documents, &BTreeMap::new()) else {
                continue;
            };
            let documents = conversion.documents(&stored.documents);
            let after = Image::read(&conversion.root, &documents).unwrap();
            let facts = ImageFacts::of(&after, &documents, &[]);
            assert!(
                facts
                    .oddities
                    .iter()
                    .all(|o| o.effect() == soci_image::facts::Effect::None),
                "{name}: {:?}",
                facts.oddities
            );
            for (old, new) in before.attestations().iter().zip(after.attestations()) {
                assert_eq!(
                    old.descriptor.digest, new.descriptor.digest,
                    "{name}: its bytes changed"
                );
                assert_eq!(old.descriptor.platform, new.descriptor.platform);
                assert_eq!(
                    old.descriptor.annotation(annotation::REFERENCE_TYPE),
                    new.descriptor.annotation(annotation::REFERENCE_TYPE)
                );
                let of = |image: &Image, reference: Option<Digest>| {
                    image
                        .images()
                        .iter()
                        .find(|i| Some(&i.descriptor.digest) == reference.as_ref())
                        .map(|i| i.id)
                };
                let reference = of(&after, new.reference());
                assert!(reference.is_some(), "{name}: it is about no image");
                assert_eq!(
                    of(&before, old.reference()),
                    reference,
                    "{name}: it is about another image"
                );
                attested += 1;
            }
            assert_eq!(before.attestations().len(), after.attestations().len());
            came_back += usize::from(check_removal(&name, &before, &after, &documents));
        }
    }
    assert!(attested >= 20, "only {attested} attestations");
    assert!(came_back >= 15, "only {came_back} images came back");
}

/// Removal gives the first bytes back where an attestation proves how the builder spelled them; elsewhere it leaves the image as it was but for the spelling. Says whether the bytes came back.
fn check_removal(name: &str, before: &Image, after: &Image, documents: &Documents) -> bool {
    let removal = remove(after, documents).unwrap();
    let documents = removal.documents(documents);
    let removed = Image::read(&removal.root, &documents).unwrap();
    assert_eq!(removal.root.annotations, before.root.annotations);
    assert!(removed.soci_indexes().is_empty(), "{name}");
    let plain = |image: &Image| -> Vec<(Vec<Descriptor>, BTreeMap<String, String>)> {
        let images = image.images();
        images
            .iter()
            .map(|i| (i.manifest.layers.clone(), i.manifest.annotations.clone()))
            .collect()
    };
    assert_eq!(plain(&removed), plain(before), "{name}");
    let docker = before
        .images()
        .iter()
        .any(|i| i.manifest.media_type.contains("docker"));
    // Statements of an image without a name are about nothing; only the newer form has a subject.
    let proven = before.attestations().iter().any(|attestation| {
        let manifest = attestation.manifest.as_ref().unwrap();
        manifest.subject.is_some() || !witnesses(before).is_empty()
    });
    let came_back = removal.root.digest == before.root.digest;
    assert_eq!(came_back, proven && !docker, "{name}");
    came_back
}

/// Converts all platforms with the zTOCs that are known, or made-up ones where none is; `None` for an
/// image of which no layer can be indexed.
fn converted(
    image: &Image,
    documents: &Documents,
    known: &BTreeMap<Digest, LayerIndex>,
) -> Option<Conversion> {
    let outcome = |layer: &Descriptor| {
        if let Some(reason) = SkipReason::of_media_type(&layer.media_type) {
            return LayerIndex::Skipped(reason);
        }
        known.get(&layer.digest).cloned().unwrap_or(LayerIndex::Ztoc {
            digest: Digest::sha256(layer.digest.as_str().as_bytes()),
            size: 1000,
            span_size: 4 << 20,
            disable_xattrs: false,
            shaped: None,
        })
    };
    let platforms: Vec<PlatformIndex> = image
        .select(&[])
        .unwrap()
        .into_iter()
        .map(|choice| PlatformIndex {
            layers: image.images()[choice.id]
                .manifest
                .layers
                .iter()
                .map(outcome)
                .collect(),
            prefetch: BTreeMap::new(),
            choice,
        })
        .collect();
    match convert(image, documents, &platforms, "AWS SOCI CLI v0.2") {
        Ok(conversion) => Some(conversion),
        Err(soci_image::Error::NothingToIndex) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn images_and_soci_indexes_are_those_of_the_reference() {
    let reference = soci_tests::buildx_vectors().join("reference");
    let recordings = recordings();
    let (mut manifests, mut indexes) = (0, 0);
    for folder in fs::read_dir(&reference).unwrap() {
        let folder = folder.unwrap().path().join("all-platforms");
        let result: Value = serde_json::from_slice(&fs::read(folder.join("result.json")).unwrap()).unwrap();
        if result["exit_code"] != 0 {
            continue;
        }
        let theirs = read(&folder);
        let soci: Vec<SociIndex> = theirs
            .documents
            .iter()
            .filter_map(|(_, b)| SociIndex::parse(b).ok())
            .collect();
        let sizes = |digest: &Digest| theirs_size(&result, digest);
        let known = soci.iter().flat_map(|index| &index.ztocs).map(|entry| {
            assert_eq!(Some(entry.size), sizes(&entry.digest));
            let outcome = LayerIndex::Ztoc {
                digest: entry.digest.clone(),
                size: entry.size,
                span_size: entry.span_size.unwrap(),
                disable_xattrs: entry.disable_xattrs,
                shaped: None,
            };
            (entry.layer.clone(), outcome)
        });
        let known: BTreeMap<_, _> = known.collect();
        let mut ours = Documents::new();
        for (_, path, _) in &recordings {
            let stored = read(path);
            for listed in Layout::parse(&stored.index_json).unwrap().images {
                let image = Image::read(&listed.descriptor, &stored.documents).unwrap();
                for blob in converted(&image, &stored.documents, &known)
                    .into_iter()
                    .flat_map(|c| c.blobs)
                {
                    ours.add(blob.bytes);
                }
            }
        }
        for (digest, bytes) in theirs.documents.iter() {
            if SociIndex::parse(bytes).is_ok() {
                assert!(
                    ours.get(digest).is_some(),
                    "{}: SOCI index {digest}",
                    folder.display()
                );
                indexes += 1;
            } else if Manifest::parse(bytes).is_ok_and(|m| m.is_image() && m.soci_index_digest().is_some()) {
                assert!(
                    ours.get(digest).is_some(),
                    "{}: manifest {digest}",
                    folder.display()
                );
                manifests += 1;
            }
        }
    }
    assert!(
        manifests >= 39 && indexes >= 39,
        "{manifests} manifests, {indexes} indexes"
    );
}

fn theirs_size(result: &Value, digest: &Digest) -> Option<u64> {
    let blobs = &result["all_blobs"];
    blobs[digest.hex()].as_u64().or(blobs[digest.as_str()].as_u64())
}
