//! What holds for every image, not just for those that somebody recorded.

use std::collections::BTreeMap;

use proptest::prelude::*;
use soci_image::convert::{Conversion, LayerIndex, PlatformIndex, convert, remove};
use soci_image::facts::Effect;
use soci_image::image::Image;
use soci_image::media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use soci_image::{
    Descriptor, Digest, Documents, ImageFacts, Index, Json, Manifest, Platform, SkipReason, annotation,
};

/// A made-up image in plain OCI form.
#[derive(Debug, Clone)]
struct Made {
    root: Descriptor,
    documents: Documents,
}

#[derive(Debug, Clone)]
struct OneImage {
    platform: Platform,
    layers: Vec<(u8, bool)>,
    annotations: BTreeMap<String, String>,
    own_annotations: BTreeMap<String, String>,
    same_annotations: bool,
    embedded: bool,
    attested: bool,
    unknown: bool,
}

fn annotations() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-c<é]{1,2}", ".{0,3}", 0..3)
}

fn platform() -> impl Strategy<Value = Platform> {
    prop_oneof![
        Just(Platform::new("linux", "amd64")),
        Just(Platform::new("linux", "s390x")),
        Just(Platform {
            variant: "v8".into(),
            ..Platform::new("linux", "arm64")
        }),
        Just(Platform {
            os_version: "10.0.17763.1".into(),
            os_features: vec!["win32k".into()],
            ..Platform::new("windows", "amd64")
        }),
    ]
}

fn one_image() -> impl Strategy<Value = OneImage> {
    (
        platform(),
        proptest::collection::vec((0u8..4, any::<bool>()), 0..4),
        annotations(),
        annotations(),
        proptest::array::uniform4(any::<bool>()),
    )
        .prop_map(
            |(platform, layers, annotations, own_annotations, [same, embedded, attested, unknown])| {
                OneImage {
                    platform,
                    layers,
                    annotations,
                    own_annotations,
                    same_annotations: same,
                    embedded,
                    attested,
                    unknown,
                }
            },
        )
}

fn images() -> impl Strategy<Value = Vec<OneImage>> {
    proptest::collection::vec(one_image(), 1..4)
}

fn layer(number: u8, zstd: bool) -> Descriptor {
    let media_type = if zstd {
        "application/vnd.oci.image.layer.v1.tar+zstd"
    } else {
        "application/vnd.oci.image.layer.v1.tar+gzip"
    };
    Descriptor::new(media_type, Digest::sha256(&[number]), 1000 + u64::from(number))
}

/// Bytes as a builder spells them: compact, or indented.
fn spelled(bytes: Vec<u8>, indented: bool) -> Vec<u8> {
    if indented {
        Json::parse(&bytes).unwrap().to_indented()
    } else {
        bytes
    }
}

fn manifest(image: &OneImage, indented: bool, documents: &mut Documents) -> Descriptor {
    let config = format!(
        r#"{{"architecture":"{}","os":"{}"}}"#,
        image.platform.architecture, image.platform.os
    );
    let manifest = Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST.into(),
        artifact_type: String::new(),
        config: Descriptor::of(OCI_CONFIG, config.as_bytes()),
        layers: image
            .layers
            .iter()
            .map(|(number, zstd)| layer(*number, *zstd))
            .collect(),
        subject: None,
        annotations: image.annotations.clone(),
        unknown: unknown(image.unknown),
    };
    documents.add(config.into_bytes());
    let bytes = spelled(manifest.to_vec(), indented);
    let own = if image.same_annotations {
        image.annotations.clone()
    } else {
        image.own_annotations.clone()
    };
    let descriptor = Descriptor {
        annotations: own,
        platform: Some(image.platform.clone()),
        data: if image.embedded { bytes.clone() } else { Vec::new() },
        unknown: unknown(image.unknown),
        ..Descriptor::of(OCI_MANIFEST, &bytes)
    };
    documents.add(bytes);
    descriptor
}

fn unknown(there: bool) -> Vec<(String, Json)> {
    let field = || {
        (
            "x-new".to_owned(),
            Json::parse(b"[1.50,{\"b\":null,\"a\":1}]").unwrap(),
        )
    };
    if there { vec![field()] } else { Vec::new() }
}

/// An index of the images, their attestations behind them, and perhaps an index inside it.
fn made(
    images: &[OneImage],
    nested: bool,
    indented: bool,
    index_annotations: &BTreeMap<String, String>,
) -> Made {
    let mut documents = Documents::new();
    let mut entries = Vec::new();
    let mut attestations = Vec::new();
    for image in images {
        let descriptor = manifest(image, indented, &mut documents);
        if image.attested {
            let subject = Descriptor::new(OCI_MANIFEST, descriptor.digest.clone(), descriptor.size);
            let about = Manifest {
                subject: Some(subject),
                layers: Vec::new(),
                ..Manifest::parse(documents.get(&descriptor.digest).unwrap()).unwrap()
            };
            let bytes = spelled(about.to_vec(), indented);
            attestations.push(Descriptor {
                annotations: BTreeMap::from([
                    (annotation::REFERENCE_TYPE.into(), "attestation-manifest".into()),
                    (annotation::REFERENCE_DIGEST.into(), descriptor.digest.to_string()),
                ]),
                platform: Some(Platform::new("unknown", "unknown")),
                ..Descriptor::of(OCI_MANIFEST, &bytes)
            });
            documents.add(bytes);
        }
        entries.push(descriptor);
    }
    if nested {
        let inner = Index::of(OCI_INDEX, vec![entries.pop().unwrap()]);
        let inner = spelled(inner.to_vec(), indented);
        entries.push(Descriptor::of(OCI_INDEX, &inner));
        documents.add(inner);
    }
    entries.extend(attestations);
    // A platform that lies elsewhere.
    entries.push(Descriptor {
        platform: Some(Platform::new("linux", "riscv64")),
        ..Descriptor::of(OCI_MANIFEST, b"elsewhere")
    });
    let mut index = Index::of(OCI_INDEX, entries);
    index.annotations.clone_from(index_annotations);
    let bytes = spelled(index.to_vec(), indented);
    let root = Descriptor {
        annotations: BTreeMap::from([(annotation::REF_NAME.into(), "1.0".into())]),
        ..Descriptor::of(OCI_INDEX, &bytes)
    };
    documents.add(bytes);
    Made { root, documents }
}

/// Converts the images whose number is in `which`, with zTOCs of that span size.
fn converted(made: &Made, which: &[bool], span_size: u64) -> Option<Conversion> {
    let image = Image::read(&made.root, &made.documents).unwrap();
    let outcome = |layer: &Descriptor| match SkipReason::of_media_type(&layer.media_type) {
        Some(reason) => LayerIndex::Skipped(reason),
        None => LayerIndex::Ztoc {
            digest: Digest::sha256(format!("{}{span_size}", layer.digest).as_bytes()),
            size: 7,
            span_size,
            disable_xattrs: false,
            shaped: None,
        },
    };
    let platforms: Vec<_> = image
        .select(&[])
        .unwrap()
        .into_iter()
        .filter(|choice| which[choice.id % which.len()])
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
    match convert(&image, &made.documents, &platforms, "cargo-soci") {
        Ok(conversion) => Some(conversion),
        Err(soci_image::Error::NothingToIndex) => None,
        Err(error) => panic!("{error}"),
    }
}

fn after(made: &Made, conversion: &Conversion) -> Made {
    Made {
        root: conversion.root.clone(),
        documents: conversion.documents(&made.documents),
    }
}

fn facts(made: &Made) -> ImageFacts {
    ImageFacts::of(
        &Image::read(&made.root, &made.documents).unwrap(),
        &made.documents,
        &[],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removal_undoes_conversion(
        images in images(), nested: bool, indented: bool, which in proptest::collection::vec(any::<bool>(), 3),
        index_annotations in annotations(),
    ) {
        let source = made(&images, nested, indented, &index_annotations);
        let Some(conversion) = converted(&source, &which, 4 << 20) else { return Ok(()) };
        prop_assert!(conversion.changed);
        let target = after(&source, &conversion);
        let image = Image::read(&target.root, &target.documents).unwrap();
        // An attestation of a converted image must prove the indentation.
        let proven = image.attestations().iter().any(|attestation| {
            let about = image.images().into_iter().find(|i| Some(&i.descriptor.digest) == attestation.reference().as_ref());
            about.is_some_and(|about| about.manifest.soci_index_digest().is_some())
        });
        prop_assume!(!indented || proven);
        let removal = remove(&image, &target.documents).unwrap();
        prop_assert_eq!(&removal.root, &source.root);
        prop_assert!(removal.blobs.iter().all(|blob| source.documents.get(&blob.descriptor.digest).is_some()));
    }

    #[test]
    fn the_way_does_not_matter(images in images(), nested: bool, first in 0usize..3) {
        let source = made(&images, nested, false, &BTreeMap::new());
        let Some(at_once) = converted(&source, &[true], 4 << 20) else { return Ok(()) };
        // Another span size first, then one image, then all.
        let mut target = source.clone();
        if let Some(other) = converted(&target, &[true], 1 << 20) {
            target = after(&target, &other);
        }
        let mut one = vec![false; images.len()];
        one[first % images.len()] = true;
        if let Some(other) = converted(&target, &one, 4 << 20) {
            target = after(&target, &other);
        }
        let all = converted(&target, &[true], 4 << 20).unwrap();
        prop_assert_eq!(&all.root, &at_once.root);
        let again = converted(&after(&target, &all), &[true], 4 << 20).unwrap();
        prop_assert!(!again.changed);
        prop_assert_eq!(again.blobs, []);
    }

    #[test]
    fn converted_images_are_sound(images in images(), nested: bool, which in proptest::collection::vec(any::<bool>(), 3)) {
        let source = made(&images, nested, false, &BTreeMap::new());
        let Some(conversion) = converted(&source, &which, 4 << 20) else { return Ok(()) };
        let target = after(&source, &conversion);
        let before = facts(&source);
        let facts = facts(&target);
        // What was missing before is missing still.
        let new = |o: &&soci_image::facts::Oddity| o.effect() > Effect::None && !before.oddities.contains(o);
        prop_assert_eq!(facts.oddities.iter().filter(new).collect::<Vec<_>>(), Vec::<&soci_image::facts::Oddity>::new());
        prop_assert_eq!(before.platforms.len(), facts.platforms.len());
        for (old, new) in before.platforms.iter().zip(&facts.platforms) {
            prop_assert_eq!(old.layers.iter().map(|l| &l.digest).collect::<Vec<_>>(), new.layers.iter().map(|l| &l.digest).collect::<Vec<_>>());
            if new.soci.is_none() {
                prop_assert_eq!(&old.manifest, &new.manifest, "what is not converted keeps its bytes");
            }
        }
        for (old, new) in before.attestations.iter().zip(&facts.attestations) {
            prop_assert_eq!(&old.manifest, &new.manifest);
            prop_assert!(new.refers_to_present);
        }
        // Embedded manifests are those that the descriptor names.
        let image = Image::read(&target.root, &target.documents).unwrap();
        for entry in image.images() {
            let data = &entry.descriptor.data;
            prop_assert!(data.is_empty() || entry.descriptor.digest.matches(data));
        }
        prop_assert_eq!(ImageFacts::from_json(&facts.to_json()).unwrap(), facts);
    }
}
