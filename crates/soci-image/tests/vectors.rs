//! Conversion against what the reference makes of the same images: every document byte for byte, or
//! the case is in one of the lists below with its reason.

mod common;

use common::{Case, cases};
use soci_image::Digest;

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

/// Cases that the reference refuses and that convert here.
const ACCEPTED: &[&str] = &["re-two-arm64-after-amd64", "re-two-both-then-amd64"];

/// Cases whose input a store refuses or takes for several images before it comes to conversion.
const ELSEWHERE: &[&str] = &["two-images", "wrong-digest-dir"];

#[test]
fn documents_are_those_of_the_reference() {
    let mut seen = 0;
    let mut different = Vec::new();
    for case in cases() {
        if case.command() != "convert" || case.exit() != 0 || ELSEWHERE.contains(&case.name()) {
            continue;
        }
        let differing = check(&case);
        let listed = DIFFERENT.iter().find(|(name, ..)| *name == case.name());
        let expected: Vec<&str> = listed.map(|(_, kinds, _)| kinds.to_vec()).unwrap_or_default();
        if differing != expected {
            different.push(format!(
                "{}: differs in {differing:?}, listed {expected:?}",
                case.name()
            ));
        }
        seen += 1;
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(seen >= 85, "only {seen} cases were compared");
}

/// Converts a case's input as its arguments say; gives the kinds of documents that differ.
fn check(case: &Case) -> Vec<&'static str> {
    let source = case.source();
    let conversion = case.convert(&source);
    let documents = conversion.documents(&source.documents);
    let mut differing = Vec::new();
    for (kind, expected) in case.expected_documents() {
        let digest = Digest::sha256(&expected);
        let ours = documents.get(&digest);
        if ours != Some(&expected[..]) && !differing.contains(&kind) {
            differing.push(kind);
        }
    }
    if differing.is_empty() {
        assert_eq!(conversion.root.digest, case.top()[0].digest, "{}", case.name());
        let names = &source.root.annotations;
        assert_eq!(
            &conversion.root.annotations,
            names,
            "{}: names are lost",
            case.name()
        );
    }
    differing.sort_unstable();
    differing
}
