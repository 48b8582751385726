//! Any bytes as each kind of document: what is read is written, and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soci_image::soci_index::prefetch;
use soci_image::{Descriptor, Document, Index, Json, Layout, Manifest, Platform, SociIndex};

fuzz_target!(|bytes: &[u8]| {
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
    for given in ["", soci_image::media_type::OCI_INDEX, soci_image::media_type::DOCKER_MANIFEST] {
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
});
