//! An image that has a little of everything, made from nothing.

use std::io::Write;

use flate2::write::GzEncoder;
use soci_image::{Descriptor, Digest};

use super::Files;

pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer as it is stored, and its uncompressed digest.
pub(crate) struct Layer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) diff_id: Digest,
}

impl Layer {
    pub(crate) fn gzip(tar: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(tar).expect("memory");
        Self {
            bytes: encoder.finish().expect("memory"),
            diff_id: Digest::sha256(tar),
        }
    }
}

/// A tar of files with these contents; names that end in `+x` get an extended attribute.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        if name.ends_with("+x") {
            let records = [("SCHILY.xattr.user.note", &b"yes"[..])];
            builder.append_pax_extensions(records).expect("memory");
        }
        builder.append_data(&mut header, name, *content).expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// Letters that compress to about half, and refer far back.
pub(crate) fn letters(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let words: Vec<Vec<u8>> = (0..300)
        .map(|_| (0..12).map(|_| b'a' + (next() % 26) as u8).collect())
        .collect();
    let mut text = Vec::with_capacity(length);
    while text.len() < length {
        text.extend_from_slice(&words[next() as usize % words.len()]);
        text.push(b'0' + (next() % 10) as u8);
    }
    text.truncate(length);
    text
}

pub(crate) fn config(architecture: &str, diff_ids: &[&Digest]) -> Vec<u8> {
    let diff_ids: Vec<String> = diff_ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    )
    .into_bytes()
}

pub(crate) fn point(media_type: &str, bytes: &[u8]) -> String {
    let Descriptor { digest, size, .. } = Descriptor::of(media_type, bytes);
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

pub(crate) fn manifest(config: &[u8], layers: &[&[u8]]) -> Vec<u8> {
    let layers: Vec<String> = layers.iter().map(|layer| point(LAYER, layer)).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        super::MANIFEST,
        point(CONFIG, config),
        layers.join(",")
    )
    .into_bytes()
}

/// Two platforms with a large layer, another one with an extended attribute, a small one each, and an attestation.
pub(crate) fn image() -> Files {
    let large = letters(500_000, 1);
    let large = Layer::gzip(&tar(&[
        ("app/one", &large[..200_000]),
        ("app/two", &large[200_000..]),
        ("app/none", b""),
    ]));
    let noted = Layer::gzip(&tar(&[("noted+x", &letters(150_000, 2)), ("app/three", b"3")]));
    let mut blobs = vec![large.bytes.clone(), noted.bytes.clone()];
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let small = Layer::gzip(&tar(&[("small", architecture.as_bytes())]));
        let config = config(architecture, &[&large.diff_id, &noted.diff_id, &small.diff_id]);
        let manifest = manifest(&config, &[&large.bytes, &noted.bytes, &small.bytes]);
        let point = point(super::MANIFEST, &manifest);
        let entry = point.replace(
            '}',
            &format!(r#","platform":{{"architecture":"{architecture}","os":"linux"}}}}"#),
        );
        if architecture == "amd64" {
            entries.push((entry, Some(attestation(&manifest))));
        } else {
            entries.push((entry, None));
        }
        blobs.extend([small.bytes, config, manifest]);
    }
    let mut list = Vec::new();
    let mut last = Vec::new();
    for (entry, attestation) in entries {
        list.push(entry);
        if let Some((entry, documents)) = attestation {
            last.push(entry);
            blobs.extend(documents);
        }
    }
    list.extend(last);
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        list.join(",")
    )
    .into_bytes();
    let named = point(INDEX, &index).replace(
        '}',
        r#","annotations":{"org.opencontainers.image.ref.name":"1"}}"#,
    );
    blobs.push(index);
    let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
    Files::layout(&blobs, &[named])
}

/// A statement about an image, as BuildKit lists it, and its documents.
fn attestation(image: &[u8]) -> (String, Vec<Vec<u8>>) {
    let statement = br#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicate":{}}"#.to_vec();
    let config = config("unknown", &[]);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        super::MANIFEST,
        point(CONFIG, &config),
        point("application/vnd.in-toto+json", &statement)
    )
    .into_bytes();
    let about = Digest::sha256(image);
    let entry = point(super::MANIFEST, &manifest).replace(
        '}',
        &format!(
            r#","annotations":{{"vnd.docker.reference.digest":"{about}","vnd.docker.reference.type":"attestation-manifest"}},"platform":{{"architecture":"unknown","os":"unknown"}}}}"#
        ),
    );
    (entry, vec![statement, config, manifest])
}
