//! An image with a start layer on top that it does not have yet: what the start would fetch of it.

use std::collections::BTreeSet;

use soci_rootfs::{FileType, Restated, Rootfs};
use soci_ztoc::ztoc::Ztoc;

use crate::estimate::{Fetched, Image, Layer};
use crate::hot::hot;
use crate::touch::touch;
use crate::trace::Trace;
use crate::weights::of_layers;

/// The image with a start layer for this trace, and what the start then fetches of each layer; none if there is nothing
/// that it could repeat. `layers` are those of `rootfs` and `image`, lowest first, each with its table of contents and its
/// bytes as it is stored; a layer that is not known is left out. Below `whole_below` compressed bytes the start layer has no
/// zTOC.
///
/// How well its files compress is what they take in the layers that they lie in.
pub fn with_start_layer(
    image: &Image,
    rootfs: &Rootfs<'_>,
    layers: &[Option<(&Ztoc, u64)>],
    trace: &Trace,
    whole_below: u64,
) -> Option<(Image, Vec<Fetched>)> {
    let is_lazy = |layer: usize| image.layers.get(layer).is_some_and(|layer| layer.ztoc.is_some());
    let none: [Vec<u8>; 0] = [];
    let restated = rootfs.restate(none, hot([trace]), &|layer| !is_lazy(layer));
    let repeated: BTreeSet<&[u8]> = files(&restated).map(|found| &found.path[..]).collect();
    let named = |path: &[u8]| {
        rootfs
            .find(path)
            .is_ok_and(|found| repeated.contains(&found.path[..]))
    };
    // What only containerd reads is not worth a layer.
    if !trace.files.iter().any(|opened| named(&opened.path)) {
        return None;
    }
    let mut top = Layer {
        compressed: 0,
        uncompressed: END,
        ztoc: None,
    };
    for found in &restated.entries {
        top.uncompressed += BLOCK + found.size.next_multiple_of(BLOCK);
    }
    let weights = of_layers(layers);
    for found in files(&restated) {
        if let (Some(weights), Some(entry)) = (&weights[found.layer], found.entry) {
            top.compressed += weights.share(entry).compressed;
        }
    }
    let rest = Trace {
        files: (trace.files.iter())
            .filter(|opened| !named(&opened.path))
            .cloned()
            .collect(),
        ..trace.clone()
    };
    let mounted: Vec<Option<&Ztoc>> = (layers.iter().enumerate())
        .map(|(number, layer)| layer.filter(|_| is_lazy(number)).map(|(ztoc, _)| ztoc))
        .collect();
    let touched = touch(&rest, rootfs, &mounted);
    let mut fetched: Vec<Fetched> = touched.layers.iter().map(Fetched::of).collect();
    let mut whole = Fetched::default();
    if top.compressed >= whole_below {
        // All of its spans are read, one after the other.
        whole = Fetched {
            spans: top.uncompressed.div_ceil(SPAN),
            compressed: top.compressed,
            uncompressed: top.uncompressed,
        };
        top.ztoc = Some(whole.spans * CHECKPOINT);
    }
    fetched.push(whole);
    let mut image = image.clone();
    image.layers.push(top);
    Some((image, fetched))
}

fn files(restated: &Restated) -> impl Iterator<Item = &soci_rootfs::Found> {
    let entries = restated.entries.iter();
    entries.filter(|found| found.file_type == FileType::Regular)
}

/// Bytes of a tar block: a header, and what contents are filled up to.
const BLOCK: u64 = 512;

/// Bytes of the blocks that end a tar.
const END: u64 = 1024;

/// Bytes of a span, unless others are asked for.
const SPAN: u64 = 4 << 20;

/// Bytes of a zTOC for each span: checkpoint and digest.
const CHECKPOINT: u64 = 32_785 + 80;
