//! Images with something wrong: each oddity is found, said, and says what it does to a client.
#![allow(clippy::disallowed_methods, reason = "a test reads the documentation")]

use std::collections::BTreeMap;

use soci_image::convert::{Conversion, LayerIndex, PlatformIndex, convert, create_v1};
use soci_image::facts::{Effect, NoZtoc, Oddity};
use soci_image::image::Image;
use soci_image::media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use soci_image::soci_index::SociVersion;
use soci_image::{
    Descriptor, Digest, Documents, ImageFacts, Index, Manifest, Platform, SkipReason, annotation,
};

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A converted image of one platform with two layers, the second too small.
struct Converted {
    documents: Documents,
    index: Index,
    image: Digest,
    soci: Digest,
}

fn source() -> (Descriptor, Documents) {
    let mut documents = Documents::new();
    let config = br#"{"architecture":"amd64","os":"linux"}"#;
    documents.add(config.to_vec());
    let manifest = Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST.into(),
        artifact_type: String::new(),
        config: Descriptor::of(OCI_CONFIG, config),
        layers: vec![
            Descriptor::new(GZIP, Digest::sha256(b"large"), 20_000_000),
            Descriptor::new(GZIP, Digest::sha256(b"small"), 1_000),
        ],
        subject: None,
        annotations: BTreeMap::new(),
        unknown: Vec::new(),
    };
    let bytes = manifest.to_vec();
    let root = Descriptor::of(OCI_MANIFEST, &bytes);
    documents.add(bytes);
    (root, documents)
}

fn platform_index(image: &Image) -> PlatformIndex {
    PlatformIndex {
        choice: image.select(&[]).unwrap().remove(0),
        layers: vec![
            LayerIndex::Ztoc {
                digest: Digest::sha256(b"ztoc"),
                size: 100_000,
                span_size: 4 << 20,
                disable_xattrs: false,
                shaped: None,
            },
            LayerIndex::Skipped(SkipReason::TooSmall {
                size: 1_000,
                minimum: 10 << 20,
            }),
        ],
        prefetch: BTreeMap::new(),
    }
}

fn conversion() -> (Conversion, Documents) {
    let (root, documents) = source();
    let image = Image::read(&root, &documents).unwrap();
    let conversion = convert(&image, &documents, &[platform_index(&image)], "cargo-soci").unwrap();
    let documents = conversion.documents(&documents);
    (conversion, documents)
}

impl Converted {
    fn new() -> Self {
        let (conversion, documents) = conversion();
        let platform = &conversion.platforms[0];
        Self {
            index: Index::parse(documents.get(&conversion.root.digest).unwrap()).unwrap(),
            image: platform.manifest.digest.clone(),
            soci: platform.soci_index.as_ref().unwrap().digest.clone(),
            documents,
        }
    }

    fn facts(mut self) -> ImageFacts {
        let bytes = self.index.to_vec();
        let root = Descriptor::of(OCI_INDEX, &bytes);
        self.documents.add(bytes);
        let image = Image::read(&root, &self.documents).unwrap();
        ImageFacts::of(&image, &self.documents, &[])
    }

    /// The image with its SOCI index replaced by these bytes.
    fn with_index(mut self, bytes: Vec<u8>) -> Self {
        let digest = self.documents.add(bytes.clone());
        let mut manifest = Manifest::parse(self.documents.get(&self.image).unwrap()).unwrap();
        manifest
            .annotations
            .insert(annotation::INDEX_DIGEST.into(), digest.to_string());
        let manifest = manifest.to_vec();
        let image = self.documents.add(manifest.clone());
        self.index.manifests[0].digest = image.clone();
        self.index.manifests[0].size = manifest.len() as u64;
        self.index.manifests[1].digest = digest.clone();
        self.index.manifests[1].size = bytes.len() as u64;
        self.index.manifests[1]
            .annotations
            .insert(annotation::IMAGE_MANIFEST_DIGEST.into(), image.to_string());
        self.image = image;
        self.soci = digest;
        self
    }

    fn soci_text(&self) -> String {
        String::from_utf8(self.documents.get(&self.soci).unwrap().to_vec()).unwrap()
    }
}

/// Kinds, worst effect and texts of an image's oddities, digests shortened.
fn summary(facts: &ImageFacts) -> String {
    let mut lines = Vec::new();
    for oddity in &facts.oddities {
        let kind = serde_json::to_value(oddity).unwrap()["kind"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut text = oddity.to_string();
        while let Some(at) = text.find("sha256:") {
            let end = (at + 7 + 64).min(text.len());
            text.replace_range(at..end, &format!("<{}>", text[at + 7..at + 11].to_owned()));
        }
        lines.push(format!("{kind} [{:?}] {text}", oddity.effect()));
    }
    let totals = &facts.totals;
    lines.push(format!(
        "lazy: {} of {} layers",
        totals.lazy_layers, totals.layers
    ));
    lines.join("\n")
}

#[test]
fn a_sound_image_has_none() {
    let facts = Converted::new().facts();
    assert_eq!(facts.oddities, []);
    let platform = facts.platform(&Platform::new("linux", "amd64")).unwrap();
    assert_eq!(platform.layers[1].no_ztoc, Some(NoZtoc::LeftOut));
    assert_eq!(platform.totals.lazy_permille(), 999);
    let soci = platform.soci.as_ref().unwrap();
    assert_eq!(soci.smallest_indexed, Some(20_000_000));
    assert_eq!(soci.largest_left_out, Some(1_000));
    assert_eq!(facts.platform(&Platform::new("linux", "arm64")), None);
}

#[test]
fn each_oddity_is_found_and_said() {
    let mut found = Vec::new();
    let mut show = |name: &str, image: Converted| {
        found.push(format!("== {name}\n{}", summary(&image.facts())));
    };

    let mut image = Converted::new();
    image.index.manifests.reverse();
    show("SOCI index first", image);

    let image = Converted::new();
    let mut without = Documents::new();
    for (digest, bytes) in image
        .documents
        .iter()
        .filter(|(digest, _)| **digest != image.soci)
    {
        assert_eq!(without.add(bytes.to_vec()), *digest);
    }
    show(
        "SOCI index gone",
        Converted {
            documents: without,
            ..Converted::new()
        },
    );

    let mut image = Converted::new();
    image.index.manifests.pop();
    show("SOCI index not listed", image);

    let mut image = Converted::new();
    image.index.manifests[1].artifact_type.clear();
    show("artifact type lost", image);

    let image = Converted::new();
    let pretty = image.soci_text().replacen(':', ": ", 1).into_bytes();
    show("SOCI index with a blank", image.with_index(pretty));

    let image = Converted::new();
    let other = image
        .soci_text()
        .replace("soci.index.v2", "soci.index.v9")
        .into_bytes();
    show("SOCI index of an unknown version", image.with_index(other));

    let image = Converted::new();
    let layer = Digest::sha256(b"large");
    let other = image
        .soci_text()
        .replace(layer.as_str(), Digest::sha256(b"other").as_str())
        .into_bytes();
    show("zTOC of another layer", image.with_index(other));

    let mut image = Converted::new();
    image.index.manifests[1].annotations.insert(
        annotation::IMAGE_MANIFEST_DIGEST.into(),
        Digest::sha256(b"gone").to_string(),
    );
    show("SOCI index of an image that is gone", image);

    let mut image = Converted::new();
    let other = image
        .soci_text()
        .replace("cargo-soci", "another-tool")
        .into_bytes();
    let listed = Descriptor {
        digest: image.documents.add(other.clone()),
        size: other.len() as u64,
        ..image.index.manifests[1].clone()
    };
    image.index.manifests[1] = listed;
    show("another SOCI index is listed", image);

    let mut image = Converted::new();
    let second = image.documents.get(&image.image).unwrap().to_vec();
    let second = String::from_utf8(second)
        .unwrap()
        .replace("{\"schemaVersion\":2", "{ \"schemaVersion\":2");
    image.index.manifests.push(Descriptor {
        digest: image.documents.add(second.clone().into_bytes()),
        size: second.len() as u64,
        ..image.index.manifests[0].clone()
    });
    show("a second image of the platform", image);

    let mut image = Converted::new();
    image.index.manifests.push(Descriptor {
        platform: Some(Platform::new("linux", "arm64")),
        ..Descriptor::of(OCI_MANIFEST, b"elsewhere")
    });
    image.index.manifests.push(Descriptor {
        annotations: BTreeMap::from([
            (annotation::REFERENCE_TYPE.into(), "attestation-manifest".into()),
            (
                annotation::REFERENCE_DIGEST.into(),
                Digest::sha256(b"old").to_string(),
            ),
        ]),
        platform: Some(Platform::new("unknown", "unknown")),
        ..Descriptor::of(OCI_MANIFEST, b"statement")
    });
    show("a platform elsewhere, an attestation of nothing", image);

    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn conversion_puts_a_soci_index_behind_the_images() {
    let mut image = Converted::new();
    image.index.manifests.reverse();
    let bytes = image.index.to_vec();
    let root = Descriptor::of(OCI_INDEX, &bytes);
    image.documents.add(bytes);
    let tree = Image::read(&root, &image.documents).unwrap();
    let again = convert(&tree, &image.documents, &[platform_index(&tree)], "cargo-soci").unwrap();
    let documents = again.documents(&image.documents);
    assert_eq!(again.root.digest, conversion().0.root.digest);
    let facts = ImageFacts::of(&Image::read(&again.root, &documents).unwrap(), &documents, &[]);
    assert_eq!(facts.oddities, []);
}

#[test]
fn a_version_1_index_is_found_through_its_referrer() {
    let (root, mut documents) = source();
    let image = Image::read(&root, &documents).unwrap();
    let referrer = create_v1(image.images()[0], &platform_index(&image), "cargo-soci").unwrap();
    for blob in &referrer.blobs {
        documents.add(blob.bytes.clone());
    }
    let facts = ImageFacts::of(&image, &documents, &[referrer.descriptor]);
    let soci = facts.platforms[0].soci.as_ref().unwrap();
    assert_eq!(soci.version, SociVersion::V1);
    assert_eq!(soci.build_tool, "cargo-soci");
    assert!(facts.platforms[0].layers[0].ztoc.is_some());
    // Clients of today do not ask for it.
    assert!(matches!(&facts.oddities[..], [Oddity::SociIndexV1 { .. }]));
    assert_eq!((facts.totals.lazy_layers, facts.totals.lazy_bytes), (0, 0));
}

#[test]
fn effects_are_ordered_by_how_bad_they_are() {
    assert!(Effect::PullFails > Effect::ImageNotLazy);
    assert!(Effect::ImageNotLazy > Effect::LayerNotLazy);
    assert!(Effect::LayerNotLazy > Effect::None);
}

#[test]
fn facts_of_another_form_are_refused() {
    let text = Converted::new().facts().to_json();
    let newer = text.replace("soci-image-facts/1", "soci-image-facts/2");
    assert!(
        ImageFacts::from_json(&newer)
            .unwrap_err()
            .to_string()
            .contains("soci-image-facts/2")
    );
    assert!(
        ImageFacts::from_json("{}")
            .unwrap_err()
            .to_string()
            .contains("schema")
    );
    let more = text.replacen('{', "{\"added\":1,", 1);
    assert!(ImageFacts::from_json(&more).is_ok(), "a newer minor form is read");
}

#[test]
fn the_documented_example_is_read() {
    let page = std::fs::read_to_string(soci_tests::repository().join("docs/image-facts.md")).unwrap();
    let example = page
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let facts = ImageFacts::from_json(example).unwrap();
    let written: serde_json::Value = serde_json::from_str(&facts.to_json()).unwrap();
    let documented: serde_json::Value = serde_json::from_str(example).unwrap();
    assert_eq!(written, documented, "the example has all fields and no other");
    // Every kind of oddity that a snapshot of this crate shows is in the table.
    let shown = include_str!("snapshots/oddities__each_oddity_is_found_and_said.snap");
    let kinds = shown
        .lines()
        .filter_map(|line| line.split_once(" ["))
        .map(|(kind, _)| kind);
    for kind in kinds {
        assert!(page.contains(&format!("`{kind}`")), "{kind} is not documented");
    }
}
