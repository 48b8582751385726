//! Small images made on the spot: layers of gzip'd tars whose bytes follow from a number.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::registry::{RepositoryContent, digest_of};

/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image in memory.
#[derive(Clone, Debug)]
pub struct MadeImage {
    /// Layers as they are stored, gzip'd.
    pub layers: Vec<Vec<u8>>,
    /// The config document.
    pub config: Vec<u8>,
    /// The manifest document.
    pub manifest: Vec<u8>,
}

impl MadeImage {
    /// An image of linux/amd64 with a layer for each pair of seed and size in bytes.
    pub fn new(layers: &[(u64, usize)]) -> Self {
        let tars: Vec<Vec<u8>> = layers
            .iter()
            .map(|(seed, size)| layer_tar(*seed, *size))
            .collect();
        Self::of_tars(&tars)
    }

    /// An image of linux/amd64 with these tars as layers.
    pub fn of_tars(tars: &[Vec<u8>]) -> Self {
        Self::stored(tars, tars.iter().map(|tar| gzip(tar)).collect())
    }

    /// The same with what the config says of the container: `Entrypoint`, `Env`, `User` …
    pub fn with_config(tars: &[Vec<u8>], config: &serde_json::Value) -> Self {
        Self::stored_with(tars, tars.iter().map(|tar| gzip(tar)).collect(), config)
    }

    /// The image of `new` with each layer in two gzip members.
    pub fn of_two_members(layers: &[(u64, usize)]) -> Self {
        let tars: Vec<Vec<u8>> = layers
            .iter()
            .map(|(seed, size)| layer_tar(*seed, *size))
            .collect();
        let members = |tar: &Vec<u8>| {
            let (first, second) = tar.split_at(tar.len() / 2);
            [gzip(first), gzip(second)].concat()
        };
        Self::stored(&tars, tars.iter().map(members).collect())
    }

    /// An image of linux/amd64 with these tars as layers, stored in these bytes.
    fn stored(tars: &[Vec<u8>], layers: Vec<Vec<u8>>) -> Self {
        Self::stored_with(tars, layers, &json!({}))
    }

    fn stored_with(tars: &[Vec<u8>], layers: Vec<Vec<u8>>, config: &serde_json::Value) -> Self {
        let diff_ids: Vec<String> = tars.iter().map(|tar| digest_of(tar)).collect();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string()
        .into_bytes();
        Self {
            manifest: manifest(&config, &layers),
            layers,
            config,
        }
    }

    /// The same image with a date in its config.
    pub fn made_at(self, created: &str) -> Self {
        let mut config: serde_json::Value = serde_json::from_slice(&self.config).expect("it is ours");
        config["created"] = created.into();
        let config = config.to_string().into_bytes();
        Self {
            manifest: manifest(&config, &self.layers),
            layers: self.layers,
            config,
        }
    }

    /// Puts the image into a repository under a tag and gives its digest.
    pub fn store(&self, content: &mut RepositoryContent, tag: &str) -> String {
        for layer in &self.layers {
            content.add_blob(layer);
        }
        content.add_blob(&self.config);
        let digest = content.add_manifest(MANIFEST, &self.manifest);
        content.tags.insert(tag.to_owned(), digest.clone());
        digest
    }

    /// Writes the image into a new OCI layout.
    pub fn write_layout(&self, folder: &Path, tag: &str) {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).expect("the folder is writable");
        for bytes in self.layers.iter().chain([&self.config, &self.manifest]) {
            let digest = digest_of(bytes);
            let name = digest.strip_prefix("sha256:").expect("a SHA-256");
            fs::write(blobs.join(name), bytes).expect("the folder is writable");
        }
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": MANIFEST, "digest": digest_of(&self.manifest), "size": self.manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }]});
        fs::write(folder.join("index.json"), index.to_string()).expect("the folder is writable");
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
            .expect("the folder is writable");
    }

    /// Digests of the layers.
    pub fn layer_digests(&self) -> Vec<String> {
        self.layers.iter().map(|layer| digest_of(layer)).collect()
    }
}

/// The order of keys that Go gives: a conversion taken back gives these bytes again.
fn manifest(config: &[u8], layers: &[Vec<u8>]) -> Vec<u8> {
    let descriptor = |media_type: &str, bytes: &[u8]| {
        let (digest, size) = (digest_of(bytes), bytes.len());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let listed: Vec<String> = layers
        .iter()
        .map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer))
        .collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
        descriptor("application/vnd.oci.image.config.v1+json", config),
        listed.join(",")
    )
    .into_bytes()
}

/// Bytes that follow from a seed and do not compress.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A tar of files of 100 KB and less under `layerSEED/`.
fn layer_tar(seed: u64, size: usize) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    // As builders do: a directory that a layer only implies depends on the layers below it.
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_size(0);
    header.set_mode(0o755);
    header.set_mtime(1_700_000_000);
    builder
        .append_data(&mut header, format!("layer{seed}/"), &[][..])
        .expect("memory takes all");
    for (number, content) in noise(seed, size).chunks(100_000).enumerate() {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        builder
            .append_data(&mut header, format!("layer{seed}/file{number}"), content)
            .expect("memory takes all");
    }
    builder.into_inner().expect("memory takes all")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
