//! What a registry holds: blobs, manifests, tags, uploads, per repository.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::generated::GeneratedLayer;

/// A stored manifest.
#[derive(Clone, Debug)]
pub struct StoredManifest {
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
}

/// The content of one repository.
#[derive(Clone, Debug, Default)]
pub struct RepositoryContent {
    /// Blobs by digest.
    pub blobs: BTreeMap<String, Arc<Vec<u8>>>,
    /// Blobs that are made as they are read, by digest.
    pub generated: BTreeMap<String, Arc<GeneratedLayer>>,
    /// Manifests by digest.
    pub manifests: BTreeMap<String, StoredManifest>,
    /// Digests by tag.
    pub tags: BTreeMap<String, String>,
    /// Uploads in progress by id; `None` after a PUT that failed: nothing more is taken then.
    pub uploads: BTreeMap<String, Option<Vec<u8>>>,
}

/// `sha256:…` of bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    digest_of_hash(Sha256::new_with_prefix(bytes))
}

/// The digest of what this hash was given.
pub(crate) fn digest_of_hash(hash: Sha256) -> String {
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl RepositoryContent {
    /// Stores a blob and gives its digest.
    pub fn add_blob(&mut self, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        self.blobs.insert(digest.clone(), Arc::new(bytes.to_vec()));
        digest
    }

    /// Stores a manifest and gives its digest.
    pub fn add_manifest(&mut self, media_type: &str, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        let stored = StoredManifest {
            media_type: media_type.to_owned(),
            bytes: Arc::new(bytes.to_vec()),
        };
        self.manifests.insert(digest.clone(), stored);
        digest
    }

    /// The manifest of a tag or digest.
    pub fn manifest(&self, name: &str) -> Option<(&str, &StoredManifest)> {
        let digest = self.tags.get(name).map_or(name, String::as_str);
        self.manifests
            .get_key_value(digest)
            .map(|(digest, stored)| (digest.as_str(), stored))
    }

    /// The first thing that a manifest points at and that is not there.
    pub fn missing(&self, bytes: &[u8]) -> Option<String> {
        let document: Value = serde_json::from_slice(bytes).ok()?;
        let digest = |value: &Value| value.get("digest").and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| {
            document
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let blobs = document.get("config").into_iter().cloned().chain(list("layers"));
        let missing_blob = blobs
            // Foreign layers live elsewhere.
            .filter(|descriptor| descriptor.get("urls").is_none())
            .filter_map(|descriptor| digest(&descriptor))
            .find(|digest| !self.blobs.contains_key(digest) && !self.generated.contains_key(digest));
        missing_blob.or_else(|| {
            list("manifests")
                .iter()
                .filter_map(digest)
                .find(|digest| !self.manifests.contains_key(digest))
        })
    }

    /// Manifests whose subject is this digest, as descriptors.
    pub fn referrers(&self, subject: &str) -> Vec<Value> {
        let of = |(digest, stored): (&String, &StoredManifest)| {
            let document: Value = serde_json::from_slice(&stored.bytes).ok()?;
            if document.get("subject")?.get("digest")?.as_str()? != subject {
                return None;
            }
            let artifact_type = document
                .get("artifactType")
                .or_else(|| document.get("config")?.get("mediaType"))
                .cloned()
                .unwrap_or_default();
            let mut entry = serde_json::json!({
                "mediaType": stored.media_type,
                "digest": digest,
                "size": stored.bytes.len(),
                "artifactType": artifact_type,
            });
            if let Some(annotations) = document.get("annotations") {
                entry["annotations"] = annotations.clone();
            }
            Some(entry)
        };
        self.manifests.iter().filter_map(of).collect()
    }

    /// Everything below each tag that is not there: must be empty whenever somebody may look.
    pub fn broken_tags(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (tag, digest) in &self.tags {
            let mut queue = vec![digest.clone()];
            let mut seen = BTreeSet::new();
            while let Some(digest) = queue.pop() {
                if !seen.insert(digest.clone()) {
                    continue;
                }
                let Some(stored) = self.manifests.get(&digest) else {
                    broken.push(format!("{tag}: manifest {digest}"));
                    continue;
                };
                if let Some(missing) = self.missing(&stored.bytes) {
                    broken.push(format!("{tag}: {missing} below {digest}"));
                }
                let document: Value = serde_json::from_slice(&stored.bytes).unwrap_or_default();
                let children = document.get("manifests").and_then(Value::as_array).cloned();
                for child in children.unwrap_or_default() {
                    queue.extend(child.get("digest").and_then(Value::as_str).map(str::to_owned));
                }
            }
        }
        broken
    }
}
