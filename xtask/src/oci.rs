//! Small OCI layouts for the demo and the benchmarks, written from layers that are already there.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Writes an OCI layout with one image for linux/amd64 whose layers are the given gzip'd tars, under `tag`.
pub(crate) fn write_layout(path: &Path, layers: &[PathBuf], tag: &str) -> io::Result<()> {
    let blobs = path.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let mut descriptors = Vec::new();
    let mut diff_ids = Vec::new();
    for layer in layers {
        let (digest, size) = hash(File::open(layer)?)?;
        let (diff_id, _) = hash(GzDecoder::new(io::BufReader::new(File::open(layer)?)))?;
        let blob = blobs.join(&digest);
        if !blob.exists() && fs::hard_link(layer, &blob).is_err() {
            fs::copy(layer, &blob)?;
        }
        descriptors.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": format!("sha256:{digest}"),
            "size": size,
        }));
        diff_ids.push(format!("sha256:{diff_id}"));
    }
    let config = put(
        &blobs,
        &json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}),
        "application/vnd.oci.image.config.v1+json",
    )?;
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": descriptors});
    let mut manifest = put(&blobs, &manifest, manifest_type)?;
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    fs::write(
        path.join("index.json"),
        json!({"schemaVersion": 2, "manifests": [manifest]}).to_string(),
    )
}

/// Writes a document as a blob; gives its descriptor.
fn put(blobs: &Path, document: &Value, media_type: &str) -> io::Result<Value> {
    let bytes = document.to_string();
    let (digest, size) = hash(bytes.as_bytes())?;
    fs::write(blobs.join(&digest), &bytes)?;
    Ok(json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size}))
}

/// The hex SHA-256 and the length of what `from` gives.
fn hash(mut from: impl Read) -> io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
    Ok((
        hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        size,
    ))
}
