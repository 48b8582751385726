//! The container image `cargo-soci`: a static program, certificate authorities, and nothing else, written as an OCI
//! image layout by this code: no builder is needed, and the same commit gives the same digest.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::archive::{Tar, gzip};
use super::package::{read, write};
use super::time::timestamp;
use super::{Platform, Release, build, licences};
use crate::npm;
use crate::run::{Outcome, root};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Writes `cargo-soci-VERSION-image.tar`, an OCI archive of all platforms that images have.
pub(super) fn write_archive(release: &Release, platforms: &[Platform], build: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("container image: {error}");
    let mut blobs = Blobs::default();
    let mut manifests = Vec::new();
    for platform in platforms {
        let Some(architecture) = platform.architecture else {
            continue;
        };
        let program = read(&build::binary(*platform, build))?;
        let tar = layer(&program, platforms, release.time)?;
        let diff_id = digest(&tar);
        let layer = blobs.put(LAYER, gzip(&tar).map_err(failed)?);
        let config = config(architecture, &diff_id, release);
        let config = blobs.put(CONFIG, config.to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
            "annotations": annotations(release),
        });
        let mut descriptor = blobs.put(MANIFEST, manifest.to_string().into_bytes());
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        manifests.push(descriptor);
    }
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": annotations(release),
    });
    let mut root = blobs.put(INDEX, index.to_string().into_bytes());
    root["annotations"] = json!({"org.opencontainers.image.ref.name": release.version});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [root]});
    let mut tar = Tar::new(Vec::new(), release.time);
    tar.file("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)
        .map_err(failed)?;
    for (digest, bytes) in &blobs.blobs {
        let name = format!("blobs/{}", digest.replace(':', "/"));
        tar.file(&name, 0o644, bytes).map_err(failed)?;
    }
    tar.file("index.json", 0o644, index.to_string().as_bytes())
        .map_err(failed)?;
    write(&archive(release), &tar.finish().map_err(failed)?)
}

/// Where the image is.
pub(super) fn archive(release: &Release) -> std::path::PathBuf {
    release
        .folder
        .join(format!("cargo-soci-{}-image.tar", release.version))
}

/// Blobs in the order in which they were made: children before parents.
#[derive(Default)]
struct Blobs {
    blobs: Vec<(String, Vec<u8>)>,
}

impl Blobs {
    fn put(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = digest(&bytes);
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        self.blobs.push((digest, bytes));
        descriptor
    }
}

fn layer(program: &[u8], platforms: &[Platform], time: u64) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("container image: {error}");
    let mut tar = Tar::new(Vec::new(), time);
    for name in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        tar.folder(name, 0o755).map_err(failed)?;
    }
    tar.file(
        "etc/ssl/certs/ca-certificates.crt",
        0o644,
        authorities().as_bytes(),
    )
    .map_err(failed)?;
    // Temporary files: a layer that passes once is kept in /var/tmp.
    tar.folder("tmp/", 0o1777).map_err(failed)?;
    for name in ["usr/", "usr/bin/"] {
        tar.folder(name, 0o755).map_err(failed)?;
    }
    tar.file("usr/bin/cargo-soci", 0o755, program).map_err(failed)?;
    for name in [
        "usr/share/",
        "usr/share/licenses/",
        "usr/share/licenses/cargo-soci/",
    ] {
        tar.folder(name, 0o755).map_err(failed)?;
    }
    let licences = [
        ("LICENSE", read(&root().join("LICENSE"))?),
        (
            "THIRD-PARTY-LICENSES.txt",
            licences::of_program(platforms)?.into_bytes(),
        ),
    ];
    for (name, bytes) in licences {
        tar.file(&format!("usr/share/licenses/cargo-soci/{name}"), 0o644, &bytes)
            .map_err(failed)?;
    }
    tar.folder("var/", 0o755).map_err(failed)?;
    tar.folder("var/tmp/", 0o1777).map_err(failed)?;
    tar.folder("work/", 0o777).map_err(failed)?;
    tar.finish().map_err(failed)
}

fn config(architecture: &str, diff_id: &str, release: &Release) -> Value {
    let created = timestamp(release.time);
    json!({
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Entrypoint": ["/usr/bin/cargo-soci"],
            "Env": ["PATH=/usr/bin", "HOME=/work"],
            "WorkingDir": "/work",
            "Labels": annotations(release),
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "cargo xtask dist"}],
    })
}

fn annotations(release: &Release) -> Value {
    json!({
        "org.opencontainers.image.created": timestamp(release.time),
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.source": "https://github.com/cargo-soci/cargo-soci",
        "org.opencontainers.image.title": "cargo-soci",
        "org.opencontainers.image.version": release.version,
    })
}

/// Mozilla's certificate authorities as one PEM file, where TLS libraries look for it.
fn authorities() -> String {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(certificate).as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", npm::hex(&Sha256::digest(bytes)))
}
