//! Conversion against what the reference makes of the same images: every document byte for byte, or
//! the case is in one of the lists below with its reason.
#![allow(clippy::disallowed_methods, reason = "tests read the vectors from disk")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Case, Source, case, cases};
use soci_image::convert::{BlobRole, Conversion, convert, create_v1, remove};
use soci_image::image::Image;
use soci_image::inventory::{Role, inventory};
use soci_image::soci_index::prefetch;
use soci_image::{Descriptor, Digest, Documents, ImageFacts, Index, Manifest, SociIndex};

/// Cases where ours differs on purpose: the kinds of documents that differ, and why ours is right.
const DIFFERENT: &[(&str, &[&str], &str)] = &[
    ("attested-all", &["index", "manifest"], ATTESTATION),
    ("attested-default", &["index", "manifest"], ATTESTATION),
    ("attested-one", &["index", "manifest"], ATTESTATION),
    ("attested-one-min0", &["index", "manifest"], ATTESTATION),
    ("artifact-fields", &["index"], DESCRIPTOR_ANNOTATIONS),
    ("desc-annotations", &["index"], DESCRIPTOR_ANNOTATIONS),
    ("index-of-index-all", &["index"], NESTED),
    ("index-of-index-amd64", &["index"], NESTED),
    ("missing-platform-all", &["index"], MISSING),
    ("missing-platform-amd64", &["index"], MISSING),
    ("unknown-fields", &["index", "manifest"], UNKNOWN_FIELDS),
    ("docker-list-amd64", &["index", "manifest"], NOT_CONVERTED),
    ("docker-in-oci-arm64", &["index", "manifest"], NOT_CONVERTED),
    ("no-media-type", &["index", "manifest"], NOT_CONVERTED),
    ("has-index-digest", &["index"], NOT_CONVERTED),
];

const ATTESTATION: &str = "attestations keep their bytes and their descriptors' annotations";
const DESCRIPTOR_ANNOTATIONS: &str = "annotations of descriptors survive";
const NESTED: &str = "an index inside the index stays and is converted in place";
const MISSING: &str = "a platform that lies elsewhere stays listed";
const UNKNOWN_FIELDS: &str = "fields that nobody here knows survive";
const NOT_CONVERTED: &str = "a platform that was not asked for keeps its bytes and its descriptor";

/// Cases whose input a store refuses, or takes for several images, before it comes to conversion.
const ELSEWHERE: &[&str] = &["two-images", "wrong-digest-dir"];

fn convertible() -> Vec<Case> {
    let is_ours =
        |case: &Case| case.command() == "convert" && case.exit() == 0 && !ELSEWHERE.contains(&case.name());
    cases().into_iter().filter(is_ours).collect()
}

#[test]
fn documents_are_those_of_the_reference() {
    let mut wrong = Vec::new();
    let cases = convertible();
    for case in &cases {
        let differing = differing_kinds(case);
        let listed = DIFFERENT.iter().find(|(name, ..)| *name == case.name());
        let expected: Vec<&str> = listed.map(|(_, kinds, _)| kinds.to_vec()).unwrap_or_default();
        if differing != expected {
            wrong.push(format!(
                "{}: differs in {differing:?}, listed {expected:?}",
                case.name()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 88, "only {} cases were compared", cases.len());
}

/// Converts a case's input as its arguments say; gives the kinds of documents that differ.
fn differing_kinds(case: &Case) -> Vec<&'static str> {
    let source = case.source();
    let conversion = case.convert(&source);
    let documents = conversion.documents(&source.documents);
    let mut differing = Vec::new();
    for (kind, expected) in case.expected_documents() {
        let ours = documents.get(&Digest::sha256(&expected));
        if ours != Some(&expected[..]) && !differing.contains(&kind) {
            differing.push(kind);
        }
    }
    if differing.is_empty() {
        assert_eq!(conversion.root.digest, case.top()[0].digest, "{}", case.name());
    }
    differing.sort_unstable();
    differing
}

#[test]
fn names_stay_with_the_image() {
    let mut named = 0;
    for case in convertible() {
        let source = case.source();
        let conversion = case.convert(&source);
        assert_eq!(
            conversion.root.annotations,
            source.root.annotations,
            "{}",
            case.name()
        );
        for image in &source.layout.images {
            for entry in &image.entries {
                let new = conversion.entry(entry);
                assert_eq!(new.annotations, entry.annotations);
                assert_eq!(new.digest, conversion.root.digest);
                named += usize::from(!entry.annotations.is_empty());
            }
        }
    }
    assert!(named >= 5, "only {named} cases have names");
}

#[test]
fn our_documents_where_they_differ() {
    for (name, ..) in DIFFERENT {
        let case = case(name);
        let source = case.source();
        let conversion = case.convert(&source);
        let text: Vec<String> = conversion
            .blobs
            .iter()
            .map(|blob| format!("{:?} {}", blob.role, String::from_utf8_lossy(&blob.bytes)))
            .collect();
        insta::assert_snapshot!(format!("different__{name}"), text.join("\n"));
    }
}

/// Cases that the reference refuses because of an earlier SOCI index: a second platform can be added,
/// and one of two converted again.
#[test]
fn converted_images_take_another_platform() {
    let first = case("two-amd64");
    let both = case("two-all");
    let mut source = first.source();
    let conversion = first.convert(&source);
    assert!(conversion.changed);
    source.documents = conversion.documents(&source.documents);
    source.root = conversion.root;

    let arm64 = case("two-arm64").convert(&source);
    assert!(arm64.changed);
    assert_eq!(
        arm64.root.digest,
        both.top()[0].digest,
        "one after the other is as both at once"
    );
    source.documents = arm64.documents(&source.documents);
    source.root = arm64.root;

    for again in ["two-amd64", "two-arm64", "two-all"] {
        let again = case(again).convert(&source);
        assert!(!again.changed);
        assert_eq!(again.blobs, []);
        assert_eq!(again.root, source.root);
    }
    for name in ["re-two-arm64-after-amd64", "re-two-both-then-amd64"] {
        assert_eq!(case(name).exit(), 1, "the reference refuses {name}");
    }
}

#[test]
fn converting_twice_changes_nothing() {
    for case in convertible() {
        let source = case.source();
        let first = case.convert(&source);
        let again = Source {
            root: first.root.clone(),
            documents: first.documents(&source.documents),
            layout: source.layout.clone(),
        };
        let second = case.convert(&again);
        assert!(!second.changed, "{}", case.name());
        assert_eq!(second.root, first.root, "{}", case.name());
        assert_eq!(second.blobs, [], "{}", case.name());
    }
}

/// Inputs that removal cannot give back, and why.
const NOT_GIVEN_BACK: &[(&str, &str)] = &[
    ("docker", DOCKER),
    ("docker-list-all", DOCKER),
    ("docker-list-amd64", DOCKER),
    ("annotations", CONVERTED_FORM),
    ("artifact-fields", CONVERTED_FORM),
    ("desc-annotations", CONVERTED_FORM),
    ("escapes", CONVERTED_FORM),
    ("key-forms", CONVERTED_FORM),
    ("pretty", CONVERTED_FORM),
    ("no-media-type", NO_MEDIA_TYPE),
    ("umoci", NO_MEDIA_TYPE),
    ("has-index-digest", "it had a SOCI annotation before"),
    ("nested-one", "an index of one image comes back as the manifest"),
];

const DOCKER: &str = "Docker's media types became OCI's";
const NO_MEDIA_TYPE: &str = "its documents do not say their media type";
const CONVERTED_FORM: &str = "the input is spelled in another way than Go spells it";

#[test]
fn removal_gives_the_first_bytes_back() {
    let mut given_back = 0;
    let mut wrong = Vec::new();
    for case in convertible() {
        let source = case.source();
        if !before_soci(&source) {
            continue;
        }
        let conversion = case.convert(&source);
        let documents = conversion.documents(&source.documents);
        let image = Image::read(&conversion.root, &documents).unwrap();
        let removal = remove(&image, &documents).unwrap();
        let documents = removal.documents(&documents);
        let facts = facts(&removal.root, &documents);
        assert!(
            facts.platforms.iter().all(|p| p.soci.is_none()),
            "{}",
            case.name()
        );

        let same = removal.root.digest == source.root.digest;
        let listed = NOT_GIVEN_BACK.iter().any(|(name, _)| *name == case.name());
        if same == listed {
            wrong.push(case.name().to_owned());
        }
        given_back += usize::from(same);
        let image = Image::read(&removal.root, &documents).unwrap();
        let again = remove(&image, &documents).unwrap();
        assert!(!again.changed, "{}: nothing is left to remove", case.name());
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(given_back >= 60, "only {given_back} images came back");
}

fn before_soci(source: &Source) -> bool {
    let image = Image::read(&source.root, &source.documents).unwrap();
    image.soci_indexes().is_empty()
}

#[test]
fn version_1_indexes_are_those_of_the_reference() {
    let mut seen = 0;
    for case in cases() {
        if case.command() != "create" || case.exit() != 0 {
            continue;
        }
        let source = case.source();
        let image = Image::read(&source.root, &source.documents).unwrap();
        let platforms = case.platform_indexes(&image, image.select(&[]).unwrap());
        let mut ours = Vec::new();
        for platform in &platforms {
            let entry = image.images()[platform.choice.id];
            let referrer = create_v1(entry, platform, common::TOOL).unwrap();
            let bytes = &referrer.blobs.last().unwrap().bytes;
            assert!(SociIndex::is_canonical(bytes));
            assert_eq!(SociIndex::parse(bytes).unwrap().subject, Some(referrer.subject));
            ours.push(bytes.clone());
            assert!(case.top().iter().any(|d| {
                d.digest == referrer.descriptor.digest && d.artifact_type == referrer.descriptor.artifact_type
            }));
        }
        for (kind, bytes) in case.expected_documents() {
            if kind == "soci-index" {
                assert!(ours.contains(&bytes), "{}", case.name());
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "only {seen} indexes were compared");
}

#[test]
fn every_converted_image_is_sound() {
    for case in convertible() {
        let source = case.source();
        let conversion = case.convert(&source);
        let documents = conversion.documents(&source.documents);
        check_order(&source.documents, &conversion);
        check_inventory(&conversion.root, &documents);
        let harmful: Vec<String> = facts(&conversion.root, &documents)
            .oddities
            .iter()
            .filter(|oddity| oddity.effect() > soci_image::facts::Effect::None)
            // It was missing before.
            .filter(|oddity| !matches!(oddity, soci_image::facts::Oddity::MissingManifest { .. }))
            .map(ToString::to_string)
            .collect();
        // The platform that was not asked for names an index that never was there.
        if case.name() != "has-index-digest" {
            assert!(harmful.is_empty(), "{}: {harmful:?}", case.name());
        }
        for platform in &conversion.platforms {
            let soci = platform.soci_index.as_ref();
            assert!(soci.is_none_or(|soci| SociIndex::is_canonical(documents.get(&soci.digest).unwrap())));
        }
    }
}

/// Whatever a new document names was there before it.
fn check_order(source: &Documents, conversion: &Conversion) {
    let mut known: Vec<Digest> = source.iter().map(|(digest, _)| digest.clone()).collect();
    let new: Vec<&Digest> = conversion
        .blobs
        .iter()
        .map(|blob| &blob.descriptor.digest)
        .collect();
    for blob in &conversion.blobs {
        let text = String::from_utf8(blob.bytes.clone()).unwrap();
        for digest in &new {
            if text.contains(digest.as_str()) {
                assert!(known.contains(digest), "{digest} is written too late");
            }
        }
        blob.descriptor.check(&blob.bytes).unwrap();
        known.push(blob.descriptor.digest.clone());
    }
}

/// The root comes last, every zTOC behind its layer, nothing twice.
fn check_inventory(root: &Descriptor, documents: &Documents) {
    let image = Image::read(root, documents).unwrap();
    let items = inventory(&image, documents).unwrap();
    assert_eq!(items.last().unwrap().descriptor.digest, root.digest);
    let mut digests: Vec<_> = items.iter().map(|item| &item.descriptor.digest).collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), items.len());
    let ztocs = items.iter().filter(|item| item.role == Role::Ztoc).count() as u64;
    let facts = facts(root, documents);
    let listed: BTreeSet<_> = facts
        .platforms
        .iter()
        .flat_map(|p| p.layers.iter().filter_map(|l| l.ztoc.as_ref()))
        .map(|ztoc| &ztoc.digest)
        .collect();
    assert_eq!(ztocs, listed.len() as u64);
    let known = image
        .images()
        .iter()
        .filter(|i| i.manifest.soci_index_digest().is_some())
        .count();
    assert!(known > 0 && ztocs > 0);
}

fn facts(root: &Descriptor, documents: &Documents) -> ImageFacts {
    let image = Image::read(root, documents).unwrap();
    let facts = ImageFacts::of(&image, documents, &[]);
    let text = facts.to_json();
    assert_eq!(ImageFacts::from_json(&text).unwrap(), facts);
    facts
}

#[test]
fn facts_of_images() {
    for name in [
        "mixed",
        "attested-all",
        "twice-prefetch",
        "missing-platform-all",
        "docker-list-all",
    ] {
        let case = case(name);
        let source = case.source();
        insta::assert_snapshot!(
            format!("facts__{name}__before"),
            facts(&source.root, &source.documents).to_json()
        );
        let conversion = case.convert(&source);
        let documents = conversion.documents(&source.documents);
        insta::assert_snapshot!(
            format!("facts__{name}__after"),
            facts(&conversion.root, &documents).to_json()
        );
    }
}

#[test]
fn nothing_to_index_is_an_error() {
    let source = case("single").source();
    let image = Image::read(&source.root, &source.documents).unwrap();
    let mut platforms = case("single").platform_indexes(&image, image.select(&[]).unwrap());
    for layer in &mut platforms[0].layers {
        *layer = soci_image::convert::LayerIndex::Skipped(soci_image::SkipReason::Zstd);
    }
    let error = convert(&image, &source.documents, &platforms, "t").unwrap_err();
    assert_eq!(error, soci_image::Error::NothingToIndex);
    platforms[0].layers.pop();
    let error = convert(&image, &source.documents, &platforms, "t")
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("1 layers were given for its 2"), "{error}");
    let none = image
        .select(&["linux/s390x".parse().unwrap()])
        .unwrap_err()
        .to_string();
    assert_eq!(
        none,
        "the image has no manifest for linux/s390x; it has linux/amd64"
    );
}

#[test]
fn documents_of_the_reference_are_written_as_they_were_read() {
    let mut seen = 0;
    for case in cases() {
        if case.exit() != 0 {
            continue;
        }
        for (kind, bytes) in case.expected_documents() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // Go writes no layers as `null`, which the image specification does not allow.
            if text.contains("\"layers\":null") {
                continue;
            }
            let again = match kind {
                "prefetch" => prefetch::artifact(&prefetch::parse(&bytes).unwrap()),
                "soci-index" => {
                    assert!(SociIndex::is_canonical(&bytes), "{text}");
                    SociIndex::parse(&bytes).unwrap().to_vec()
                }
                "manifest" => Manifest::parse(&bytes).unwrap().to_vec(),
                "index" => Index::parse(&bytes).unwrap().to_vec(),
                other => panic!("{other}"),
            };
            // A directory keeps documents of the input, however they are spelled.
            let is_gos = bytes.starts_with(b"{\"schemaVersion\":2,\"mediaType\"") || kind == "prefetch";
            assert!(!is_gos || again == bytes, "{}: {text}", case.name());
            seen += usize::from(is_gos);
        }
    }
    assert!(seen >= 300, "only {seen} documents");
}

/// The typed reader of another project finds in our documents what ours does.
#[test]
fn oci_spec_reads_the_same() {
    for case in convertible() {
        let source = case.source();
        let conversion = case.convert(&source);
        for blob in &conversion.blobs {
            match blob.role {
                BlobRole::Manifest | BlobRole::SociIndex => {
                    let ours = Manifest::parse(&blob.bytes).unwrap();
                    let theirs = oci_spec::image::ImageManifest::from_reader(&blob.bytes[..]).unwrap();
                    assert_eq!(
                        theirs.config().digest().to_string(),
                        ours.config.digest.to_string()
                    );
                    let layers: Vec<_> = theirs
                        .layers()
                        .iter()
                        .map(|l| (l.digest().to_string(), l.size()))
                        .collect();
                    let expected: Vec<_> = ours
                        .layers
                        .iter()
                        .map(|l| (l.digest.to_string(), l.size))
                        .collect();
                    assert_eq!(layers, expected);
                    let annotations = theirs.annotations().clone().unwrap_or_default();
                    assert_eq!(
                        annotations.into_iter().collect::<BTreeMap<_, _>>(),
                        ours.annotations
                    );
                }
                BlobRole::Index => {
                    let ours = Index::parse(&blob.bytes).unwrap();
                    let theirs = oci_spec::image::ImageIndex::from_reader(&blob.bytes[..]).unwrap();
                    for (theirs, ours) in theirs.manifests().iter().zip(&ours.manifests) {
                        assert_eq!(theirs.digest().to_string(), ours.digest.to_string());
                        let artifact_type = theirs.artifact_type().as_ref().map(ToString::to_string);
                        assert_eq!(artifact_type.unwrap_or_default(), ours.artifact_type);
                        let platform = theirs.platform().as_ref().map(|p| p.architecture().to_string());
                        assert_eq!(platform, ours.platform.as_ref().map(|p| p.architecture.clone()));
                    }
                    assert_eq!(theirs.manifests().len(), ours.manifests.len());
                }
                BlobRole::Config | BlobRole::Prefetch => {}
            }
        }
    }
}
