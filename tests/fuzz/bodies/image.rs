//! What the targets over documents and names of images do with any bytes.

#[path = "image/tree.rs"]
mod tree;

use soci_image::soci_index::prefetch;
use soci_image::{
    Descriptor, Digest, Document, EcrHost, Index, Json, Layout, Manifest, Platform, Reference, SociIndex,
};

pub use tree::tree;

/// Any bytes as each kind of document: what is read is written, and reads back the same.
pub fn documents(bytes: &[u8]) {
    if let Ok(value) = Json::parse(bytes) {
        assert_eq!(Json::parse(&value.to_vec()).as_ref(), Ok(&value));
    }
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert_eq!(Manifest::parse(&manifest.to_vec()).as_ref(), Ok(&manifest));
    }
    if let Ok(index) = Index::parse(bytes) {
        assert_eq!(Index::parse(&index.to_vec()).as_ref(), Ok(&index));
    }
    if let Ok(descriptor) = Descriptor::parse(bytes) {
        assert_eq!(Descriptor::parse(&descriptor.to_vec()).as_ref(), Ok(&descriptor));
    }
    if let Ok(index) = SociIndex::parse(bytes) {
        let written = index.to_vec();
        assert!(SociIndex::is_canonical(&written));
        assert_eq!(SociIndex::parse(&written).as_ref(), Ok(&index));
    }
    if SociIndex::is_canonical(bytes) {
        assert_eq!(Manifest::parse(bytes).expect("it was read").to_vec(), bytes);
    }
    if let Ok(ranges) = prefetch::parse(bytes) {
        let artifact = prefetch::artifact(&ranges);
        let joined = prefetch::parse(&artifact).expect("our own artifact");
        assert_eq!(prefetch::artifact(&joined), artifact);
    }
    for given in [
        "",
        soci_image::media_type::OCI_INDEX,
        soci_image::media_type::DOCKER_MANIFEST,
    ] {
        let _ = Document::parse(bytes, given);
    }
    if let Ok(layout) = Layout::parse(bytes) {
        for image in &layout.images {
            for name in image.names() {
                let _ = layout.pick(Some(name));
            }
        }
        let _ = layout.pick(None);
    }
    let _ = Platform::from_config(bytes);
}

/// Any text as a digest, a reference, a platform or an ECR host: what is read is shown, and reads back the same.
pub fn names(text: &str) {
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(reference) = Reference::parse(text) {
        let shown = reference.to_string();
        assert_eq!(
            Reference::parse(&shown).expect("the normal form").to_string(),
            shown
        );
        let _ = EcrHost::parse(reference.registry());
    }
    if let Ok(platform) = Platform::parse(text) {
        assert_eq!(Platform::parse(&platform.to_string()).as_ref(), Ok(&platform));
        assert_eq!(platform.normalised().normalised(), platform.normalised());
        assert!(platform.matches(&platform));
    }
    if let Some(host) = EcrHost::parse(text) {
        assert_eq!(EcrHost::parse(&host.to_string()), Some(host));
    }
}
