//! What the target over whole images does.

use std::collections::BTreeMap;

use soci_image::convert::{LayerIndex, PlatformIndex, convert, remove};
use soci_image::image::Image;
use soci_image::inventory::inventory;
use soci_image::{Descriptor, Digest, Documents, ImageFacts, LayerCompression, SkipReason};

/// A whole image: documents with a NUL between them, the root first; `@N` in one stands for the digest of the N-th,
/// which must come later. The image is read, described, converted, converted again and unconverted.
pub fn tree(text: &str) {
    let mut documents = Documents::new();
    let mut digests: BTreeMap<usize, Digest> = BTreeMap::new();
    let parts: Vec<&str> = text.split('\0').take(10).collect();
    let mut root = Vec::new();
    for (number, part) in parts.iter().enumerate().rev() {
        let mut part = (*part).to_owned();
        for (other, digest) in &digests {
            part = part.replace(&format!("@{other}"), digest.as_str());
        }
        root = part.into_bytes();
        digests.insert(number, documents.add(root.clone()));
    }
    let root = Descriptor::of("", &root);
    let Ok(image) = Image::read(&root, &documents) else {
        return;
    };
    describe(&image, &documents);
    let Ok(platforms) = index(&image) else {
        return;
    };
    let Ok(conversion) = convert(&image, &documents, &platforms, "fuzz") else {
        return;
    };
    let documents = conversion.documents(&documents);
    let converted = Image::read(&conversion.root, &documents).expect("our own image");
    describe(&converted, &documents);
    assert_eq!(converted.attestations().len(), image.attestations().len());

    let platforms = index(&converted).expect("all platforms are known");
    let again = convert(&converted, &documents, &platforms, "fuzz").expect("it was converted before");
    assert!(!again.changed);

    let removal = remove(&converted, &documents).expect("our own image");
    let documents = removal.documents(&documents);
    let removed = Image::read(&removal.root, &documents).expect("our own image");
    let facts = ImageFacts::of(&removed, &documents, &[]);
    assert!(facts.platforms.iter().all(|platform| platform.soci.is_none()));
}

fn describe(image: &Image, documents: &Documents) {
    let facts = ImageFacts::of(image, documents, &[]);
    assert_eq!(ImageFacts::from_json(&facts.to_json()).as_ref(), Ok(&facts));
    for oddity in &facts.oddities {
        assert!(!oddity.to_string().is_empty());
    }
    let _ = inventory(image, documents);
}

fn index(image: &Image) -> soci_image::Result<Vec<PlatformIndex>> {
    let outcome = |layer: &Descriptor| {
        if LayerCompression::of(&layer.media_type).can_be_indexed() {
            LayerIndex::Ztoc {
                digest: Digest::sha256(layer.digest.as_str().as_bytes()),
                size: 1,
                span_size: 4 << 20,
                disable_xattrs: layer.size.is_multiple_of(2),
                shaped: None,
            }
        } else {
            LayerIndex::Skipped(SkipReason::Zstd)
        }
    };
    let images = image.images();
    let platform = |choice: soci_image::image::Choice| PlatformIndex {
        layers: images[choice.id].manifest.layers.iter().map(outcome).collect(),
        prefetch: BTreeMap::new(),
        choice,
    };
    Ok(image.select(&[])?.into_iter().map(platform).collect())
}
