//! A converted image in a folder, to be spoilt.

use std::fs;
use std::path::{Path, PathBuf};

use soci_image::{Digest, SociIndex};
use soci_store::Location;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Consequence, Options, VerifiedImage};
use soci_ztoc::ztoc::{EncodedZtoc, Ztoc, ZtocParts};

use super::{Files, never};

/// A converted image in a folder, to be spoilt.
pub(crate) struct Image {
    _folder: tempfile::TempDir,
    pub(crate) layout: PathBuf,
}

impl Image {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let layout = folder.path().join("layout");
        let input = soci_tests::image_vectors()
            .join("inputs")
            .join(format!("{name}.tar"));
        let options = Options {
            min_layer_size: 0,
            span_size: 65536,
            ..Options::default()
        };
        convert(&input, &layout, &options);
        Self {
            _folder: folder,
            layout,
        }
    }

    /// The image of a layout in memory, converted.
    pub(crate) fn of(files: &Files, options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (input, layout) = (folder.path().join("input"), folder.path().join("layout"));
        files.write_folder(&input);
        convert(&input, &layout, options);
        Self {
            _folder: folder,
            layout,
        }
    }

    /// The same image in a folder of its own.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let layout = folder.path().join("layout");
        for (name, bytes) in super::tree(&self.layout) {
            let path = layout.join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("temporary folder");
            fs::write(path, bytes).expect("temporary folder");
        }
        Self {
            _folder: folder,
            layout,
        }
    }

    /// Converts in place.
    pub(crate) fn convert_again(&self, options: &Options) -> soci_store::Result<workflow::Report> {
        let source = AnySource::open(&place(&self.layout), &never())?;
        let destination = AnyDestination::create(&place(&self.layout), &never())?;
        workflow::convert(&source, destination, None, options, &|_| {})
    }

    pub(crate) fn verify(&self) -> VerifiedImage {
        self.verify_with(&Options::default()).expect("verifies")
    }

    pub(crate) fn verify_with(&self, options: &Options) -> soci_store::Result<VerifiedImage> {
        let source = AnySource::open(&place(&self.layout), &never())?;
        let images = soci_store::block_on(workflow::examine_documents(&source, None))?;
        workflow::verify(&source, &images[0], options, &|_| {})
    }

    /// Causes and consequences, each once, in their order.
    pub(crate) fn causes(&self) -> Vec<(&'static str, Consequence)> {
        let mut causes: Vec<_> = self
            .verify()
            .findings
            .iter()
            .map(|finding| (finding.cause, finding.consequence))
            .collect();
        causes.dedup();
        causes
    }

    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        self.layout.join("blobs").join(digest.replace(':', "/"))
    }

    pub(crate) fn blobs(&self) -> Vec<(String, Vec<u8>)> {
        let mut blobs: Vec<_> = fs::read_dir(self.layout.join("blobs/sha256"))
            .expect("a layout")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let digest = format!("sha256:{}", entry.file_name().to_string_lossy());
                (digest, fs::read(entry.path()).expect("a blob"))
            })
            .collect();
        blobs.sort();
        blobs
    }

    /// The SOCI index manifest and its digest.
    pub(crate) fn soci(&self) -> (String, String) {
        let is_soci = |bytes: &Vec<u8>| SociIndex::parse(bytes).is_ok();
        let (digest, bytes) = self
            .blobs()
            .into_iter()
            .find(|(_, bytes)| is_soci(bytes))
            .expect("a SOCI index");
        (digest, String::from_utf8(bytes).expect("JSON"))
    }

    /// The zTOC of the first layer and its digest.
    pub(crate) fn ztoc(&self) -> (String, Vec<u8>) {
        let index = SociIndex::parse(self.soci().1.as_bytes()).expect("a SOCI index");
        let digest = index.ztocs[0].digest.to_string();
        let bytes = fs::read(self.path(&digest)).expect("a zTOC");
        (digest, bytes)
    }

    /// Puts other bytes in the place of a blob, and everything that points at it is written again, up to the top.
    pub(crate) fn replace(&self, old: &str, bytes: &[u8]) {
        let old_size = fs::metadata(self.path(old)).expect("a blob").len();
        let new = Digest::sha256(bytes).to_string();
        assert_ne!(old, new, "nothing would be spoilt");
        fs::remove_file(self.path(old)).expect("a blob");
        fs::write(self.path(&new), bytes).expect("a layout");
        let repoint = |text: &str| {
            text.replace(
                &format!(r#""digest":"{old}","size":{old_size}"#),
                &format!(r#""digest":"{new}","size":{}"#, bytes.len()),
            )
            .replace(old, &new)
        };
        // One after the other: replacing one may replace others that point at both.
        let points = |(_, bytes): &(String, Vec<u8>)| {
            bytes.starts_with(b"{") && std::str::from_utf8(bytes).is_ok_and(|text| text.contains(old))
        };
        while let Some((digest, bytes)) = self.blobs().into_iter().find(points) {
            let text = String::from_utf8(bytes).expect("just looked at");
            self.replace(&digest, repoint(&text).as_bytes());
        }
        let index = self.layout.join("index.json");
        let text = fs::read_to_string(&index).expect("index.json");
        fs::write(&index, repoint(&text)).expect("a layout");
    }

    pub(crate) fn change_soci(&self, change: impl FnOnce(&str) -> String) {
        let (digest, text) = self.soci();
        self.replace(&digest, change(&text).as_bytes());
    }

    pub(crate) fn change_ztoc(&self, change: impl FnOnce(&mut ZtocParts)) {
        let (digest, bytes) = self.ztoc();
        let mut parts = Ztoc::from_bytes(&bytes).expect("a zTOC").into_parts();
        change(&mut parts);
        let ztoc = Ztoc::from_parts(parts).expect("still a zTOC");
        self.replace(&digest, &EncodedZtoc::new(ztoc).expect("encodes").to_bytes());
    }

    /// The image index and its digest.
    pub(crate) fn index(&self) -> (String, String) {
        let text = fs::read_to_string(self.layout.join("index.json")).expect("index.json");
        let start = text.find("sha256:").expect("a digest");
        let digest = text[start..start + 71].to_string();
        let index = fs::read_to_string(self.path(&digest)).expect("an index");
        (digest, index)
    }
}

pub(crate) fn place(path: &Path) -> Location {
    path.to_str().expect("UTF-8").parse().expect("a location")
}

fn convert(input: &Path, layout: &Path, options: &Options) {
    let destination = AnyDestination::create(&place(layout), &never()).expect("creates");
    let source = AnySource::open(&place(input), &never()).expect("opens");
    workflow::convert(&source, destination, None, options, &|_| {}).expect("converts");
}
