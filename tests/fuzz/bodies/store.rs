//! What is asserted about foreign layouts, archives and locations; the fuzz targets and the replay of seeds share it.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::Digest;
use soci_store::archive::{ArchiveDestination, ArchiveSource};
use soci_store::layout::LayoutSource;
use soci_store::store::{AnyDestination, AnySource};
use soci_store::workflow::{self, Options};
use soci_store::{Location, block_on};

/// Any bytes as an archive, as it comes on standard input.
pub(crate) fn archive(bytes: &[u8]) {
    if let Ok(archive) = ArchiveSource::receive("fuzz", bytes, &AtomicBool::default()) {
        image(&AnySource::Archive(archive));
    }
}

/// A layout: files with a NUL between them, `index.json` first, then blobs; `@N` stands for the digest of the N-th,
/// which must come later.
pub(crate) fn layout(text: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a temporary folder");
    let parts: Vec<&str> = text.split('\0').take(8).collect();
    let mut digests: Vec<(usize, Digest)> = Vec::new();
    for (number, part) in parts.iter().enumerate().rev() {
        let mut content = (*part).to_owned();
        for (other, digest) in &digests {
            content = content.replace(&format!("@{other}"), digest.as_str());
        }
        if number == 0 {
            fs::write(folder.path().join("index.json"), content).expect("a temporary folder");
        } else {
            let digest = Digest::sha256(content.as_bytes());
            fs::write(blobs.join(digest.hex()), content).expect("a temporary folder");
            digests.push((number, digest));
        }
    }
    if let Ok(layout) = LayoutSource::open(folder.path()) {
        image(&AnySource::Layout(layout));
    }
}

/// Any text as a location: what is read is shown, and reads back the same.
pub(crate) fn location(text: &str) {
    if let Ok(location) = text.parse::<Location>() {
        assert_eq!(location.to_string().parse::<Location>().as_ref(), Ok(&location));
    }
}

/// Whatever can be read of an image is examined, converted and, if that worked, good.
fn image(source: &AnySource) {
    let options = Options {
        min_layer_size: 0,
        jobs: NonZeroUsize::MIN,
        ..Options::default()
    };
    if let Ok(images) = block_on(workflow::examine(source, None)) {
        for image in images {
            // Faults are fine; a panic is not.
            let _ = workflow::verify(source, &image, &options, &|_| {});
        }
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let write = fs::File::create(file.path()).expect("a temporary file");
    let cancel: Arc<AtomicBool> = Arc::default();
    let destination = ArchiveDestination::stream("fuzz", Box::new(write), Arc::clone(&cancel));
    let converted = workflow::convert(
        source,
        AnyDestination::Archive(destination),
        None,
        &options,
        &|_| {},
    );
    if converted.is_ok() {
        reads_back(file.path(), &options);
    }
}

fn reads_back(path: &Path, options: &Options) {
    let written = ArchiveSource::open(path, &options.cancel).expect("our own archive");
    let written = AnySource::Archive(written);
    let images = block_on(workflow::examine(&written, None)).expect("our own image");
    assert!(images.iter().any(|image| {
        image
            .facts
            .platforms
            .iter()
            .any(|platform| platform.soci.is_some())
    }));
}
