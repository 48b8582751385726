//! Small layouts and archives to read from.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod converted;
pub(crate) mod made;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::{Descriptor, Digest};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A flag that nobody raises.
pub(crate) fn never() -> Arc<AtomicBool> {
    Arc::default()
}

/// The files of a layout, by name.
pub(crate) struct Files(pub(crate) Vec<(String, Vec<u8>)>);

impl Files {
    /// A layout with these blobs and an `index.json` with these entries.
    pub(crate) fn layout(blobs: &[&[u8]], entries: &[String]) -> Self {
        let mut files = vec![("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
        for blob in blobs {
            files.push((blob_name(&Digest::sha256(blob)), blob.to_vec()));
        }
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        files.push(("index.json".into(), index.into_bytes()));
        Self(files)
    }

    pub(crate) fn write_folder(&self, folder: &Path) {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("temporary folder");
            fs::write(path, bytes).expect("temporary folder");
        }
    }

    pub(crate) fn archive(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, &bytes[..])
                .expect("memory");
        }
        builder.into_inner().expect("memory")
    }
}

pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// An entry of `index.json`, with annotations given as JSON.
pub(crate) fn entry(bytes: &[u8], annotations: &str) -> String {
    let Descriptor { digest, size, .. } = Descriptor::of(MANIFEST, bytes);
    let annotations = if annotations.is_empty() {
        String::new()
    } else {
        format!(r#","annotations":{{{annotations}}}"#)
    };
    format!(r#"{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{size}{annotations}}}"#)
}

/// Every file below a folder, sorted, with its contents.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fn walk(folder: &Path, below: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, below, found);
            } else {
                let name = path.strip_prefix(below).expect("below").to_path_buf();
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
