//! A layer on top of an image that repeats some of it: files that a start needs, so that they come together and before
//! the program asks for them, and directories whose attributes a lazy client would lose.
//!
//! ```text
//! layers of the image ─► tables of contents ─► what is to be repeated ─► its bytes, out of few spans ─► tar ─► gzip
//!                                  │                                                                  │
//!                                  └──────────────── the same file system, or an error ◄──────────────┘
//! ```
//!
//! The layers of the image stay; its config and its manifest change. A layer of an earlier run is replaced. The result
//! is a source like any other: [`convert`](super::convert) reads it, and finds made already what had to be read here.

mod contents;
mod documents;
mod write;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use soci_image::image::ImageEntry;
use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest, TopLayer};
use soci_rootfs::{FileType, Layer, Restated, Rootfs, lost_directories};
use soci_ztoc::ztoc::{Compression, Toc, Ztoc};

use self::contents::Layers;
use self::documents::{Below, Documents};
use super::above;
use super::indexed::Indexed;
use super::options::{Observer, Options};
use super::plan::{Decision, Plan, PlannedLayer, WHOLE, plan};
use super::report::{LeftFile, RepeatedLayer};
use super::reuse::{self, Reuse};
use super::start::{Needed, SpanSums};
use super::survey::{self, Known};
use super::views::{Contents, contents};
use crate::overlay::Overlay;
use crate::store::{AnySource, Source};
use crate::{Error, Result, block_on};

/// What a layer on top repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeat {
    /// The files that the start of [`Options::start`] needs.
    pub start: bool,
    /// Directories whose attributes a lazy client would lose.
    pub directories: bool,
}

/// Puts a layer on top of the images and platforms that the options choose.
///
/// # Errors
/// [`Error::OnTop`] where it cannot be proved that the file system stays the same: a layer that cannot be read as one
/// that the zTOC format holds, or that cannot be unpacked.
pub fn put_on_top(
    source: AnySource,
    options: &Options,
    repeat: Repeat,
    observer: Observer<'_>,
) -> Result<(AnySource, Vec<RepeatedLayer>)> {
    let traffic_before = source
        .registry()
        .map(|registry| registry.repository().client().traffic());
    let lenient = Options {
        strict: false,
        reuse: Reuse::None,
        start: None,
        ..options.clone()
    };
    let plan = block_on(plan(&source, &lenient))?;
    let images = documents::below(&source, &plan)?;
    let mut topping = Topping {
        source: &source,
        options,
        lenient: &lenient,
        repeat,
        known: BTreeMap::new(),
        ztocs: BTreeMap::new(),
        indexed: Indexed::default(),
    };
    topping.read(&plan, &images, observer)?;
    let mut documents = Documents::default();
    let mut reports = Vec::new();
    let mut made_of = BTreeMap::new();
    for below in &images {
        let (report, written) = topping.one(below, observer)?;
        if let Some((written, _)) = &written {
            made_of.insert(written.descriptor.digest.clone(), 0);
        }
        documents.add(below, written)?;
        reports.push(report);
    }
    let indexed = topping.indexed;
    let (roots, documents, blobs) = documents.finish(&plan)?;
    let originals = (plan.images.iter().zip(&roots))
        .map(|(planned, new)| (new.descriptor.digest.clone(), planned.root.descriptor.clone()))
        .collect();
    let roots = above::with_others(block_on(source.roots())?, &plan, roots);
    let overlay = Overlay {
        base: source,
        roots,
        originals,
        documents,
        blobs,
        indexed,
        made_of,
        repeated: reports.clone(),
        traffic_before,
    };
    Ok((AnySource::Overlay(Box::new(overlay)), reports))
}

/// What is known while layers are put on top.
struct Topping<'a> {
    source: &'a AnySource,
    options: &'a Options,
    lenient: &'a Options,
    repeat: Repeat,
    /// What is in the layers.
    known: BTreeMap<Digest, Known>,
    /// zTOCs that were at hand.
    ztocs: BTreeMap<Digest, Ztoc>,
    /// Layers that were read and indexed.
    indexed: Indexed,
}

impl Topping<'_> {
    /// Finds out what is in all layers: by zTOCs that are at hand, else by reading them.
    fn read(&mut self, plan: &Plan, images: &[Below], observer: Observer<'_>) -> Result<()> {
        let mut open: BTreeMap<&Digest, &Descriptor> = BTreeMap::new();
        for layer in images.iter().flat_map(|image| &image.layers) {
            if matches!(layer.decision, Decision::Index) {
                open.insert(&layer.descriptor.digest, &layer.descriptor);
            }
        }
        let wanted: Vec<&Descriptor> = open.values().copied().collect();
        let ztocs = &mut self.ztocs;
        block_on(reuse::at_hand(
            plan,
            &wanted,
            self.source,
            self.options,
            &mut |layer, ztoc| {
                ztocs.insert(layer.clone(), ztoc);
            },
        ))?;
        for (layer, ztoc) in &self.ztocs {
            if let Some(table) = self.options.tables.keep(ztoc.toc().clone()) {
                let known = Known {
                    table,
                    compression: ztoc.compression(),
                    mount: Some(soci_rootfs::Mount::of(ztoc)),
                };
                self.known.insert(layer.clone(), known);
            }
        }
        let unread: Vec<Descriptor> = open
            .into_iter()
            .filter(|(digest, _)| !self.known.contains_key(*digest))
            .map(|(_, layer)| layer.clone())
            .collect();
        let read = survey::read(&unread, self.source, None, self.lenient, &self.indexed, observer)?;
        self.known.extend(read);
        for image in images {
            for layer in &image.layers {
                self.read_whole(image, layer)?;
            }
        }
        Ok(())
    }

    /// A layer that stays without a zTOC decides about paths as well.
    fn read_whole(&mut self, image: &Below, layer: &PlannedLayer) -> Result<()> {
        let digest = &layer.descriptor.digest;
        if self.known.contains_key(digest) {
            return Ok(());
        }
        if self.options.cancel.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let refused = |why: &dyn std::fmt::Display| {
            image.refused(format!(
                "what its layer {digest} holds cannot be known, so nothing proves that the files stay the same: {why}"
            ))
        };
        let toc = match &layer.decision {
            Decision::Skip(reason @ (SkipReason::Foreign | SkipReason::NotALayer { .. })) => {
                return Err(refused(reason));
            }
            _ => match contents(self.source, &layer.descriptor, &self.options.cancel)? {
                Contents::Known(toc) => toc,
                Contents::Odd(reason) => return Err(refused(&reason)),
                Contents::Damaged => {
                    return Err(refused(&"it is damaged, or in a compression that is not read"));
                }
            },
        };
        let Some(table) = self.options.tables.keep(toc) else {
            return Err(refused(&super::tables::Tables::NO_ROOM));
        };
        let known = Known {
            table,
            compression: Compression::Uncompressed,
            mount: None,
        };
        self.known.insert(digest.clone(), known);
        Ok(())
    }

    /// The layer for the image of one platform, and its mark; none if there is nothing to repeat.
    fn one(
        &self,
        below: &Below,
        observer: Observer<'_>,
    ) -> Result<(RepeatedLayer, Option<(write::Written, TopLayer)>)> {
        let known: Vec<&Known> = below
            .layers
            .iter()
            .map(|layer| &self.known[&layer.descriptor.digest])
            .collect();
        let mut tocs: Vec<Option<&Toc>> = known.iter().map(|known| Some(known.table.toc())).collect();
        let rootfs = Rootfs::new(&tocs);
        let start = self.options.start.as_ref().filter(|_| self.repeat.start);
        let needed = start.map(|start| start.needs().of(&tocs));
        // What only containerd itself reads is not worth a layer.
        let files = match (start, &needed) {
            (Some(start), Some(needed)) if needed.files > 0 => start.needs().files(),
            _ => Vec::new(),
        };
        let (directories, restated) = self.restated(&rootfs, &known, files);
        let is_file = |entry: &&soci_rootfs::Found| entry.file_type == FileType::Regular;
        let mut report = RepeatedLayer {
            platform: below.platform.clone(),
            replaced: below.replaced,
            digest: None,
            size: 0,
            unpacked_size: 0,
            comes_whole: true,
            files: restated.entries.iter().filter(is_file).count(),
            directories,
            image_size: below.layers.iter().map(|layer| layer.descriptor.size).sum(),
            spared: self.spared(below, &known, needed.as_ref()),
            left_below: left(&restated),
        };
        let start = start.filter(|_| report.files > 0);
        let mark = TopLayer::new(start.map(|start| start.trace().clone()), directories > 0);
        let Some(mark) = mark else {
            return Ok((report, None));
        };
        if below.layers.len() >= MOST_LAYERS {
            return Err(below.refused(format!(
                "it has {} layers, and overlayfs takes {MOST_LAYERS}",
                below.layers.len()
            )));
        }
        let layers = Layers {
            source: self.source,
            layers: &below.layers,
            ztocs: &self.ztocs,
            indexed: &self.indexed,
            options: self.options,
            observer,
        };
        let gathered = layers.gather(&restated, &tocs, below)?;
        let (written, outcome) = write::write(&restated, &gathered, below.media_type(), self.lenient)?;
        let toc = outcome
            .toc()
            .ok_or_else(|| below.refused("the layer itself is not one that the zTOC format holds".into()))?;
        tocs.push(Some(toc));
        let copies = |entry: usize| {
            let found = restated.entries.get(entry)?;
            Some((found.layer, found.entry?))
        };
        Rootfs::new(&tocs)
            .is_unchanged_by_top(&copies)
            .map_err(|changed| below.refused(format!("the files would not stay the same: {changed}")))?;
        report.digest = Some(written.descriptor.digest.clone());
        report.size = written.descriptor.size;
        report.unpacked_size = written.unpacked_size;
        report.comes_whole = written.descriptor.size < WHOLE;
        if !report.comes_whole {
            let digest = &written.descriptor.digest;
            self.indexed
                .keep(digest.clone(), outcome.indexed(digest, self.lenient));
        }
        Ok((report, Some((written, mark))))
    }

    /// The spans that the start would need of the layers below.
    fn spared(&self, below: &Below, known: &[&Known], needed: Option<&Needed>) -> SpanSums {
        let mut spared = SpanSums::default();
        let needed = needed.map_or(&[][..], |needed| &needed.layers);
        for ((layer, known), needs) in below.layers.iter().zip(known).zip(needed) {
            if known.mount.is_none() {
                continue;
            }
            let digest = &layer.descriptor.digest;
            let sums = |ztoc: &Ztoc| SpanSums::of(needs, ztoc);
            let of_layer = match self.ztocs.get(digest) {
                Some(ztoc) => Some(sums(ztoc)),
                None => self.indexed.lend_ztoc(digest, sums),
            };
            spared += of_layer.unwrap_or_default();
        }
        spared
    }

    /// What is to be repeated, and how many directories of it because a client would lose their attributes.
    fn restated(&self, rootfs: &Rootfs<'_>, known: &[&Known], files: Vec<Vec<u8>>) -> (usize, Restated) {
        let lost = match self.repeat.directories {
            false => Vec::new(),
            true => {
                let layers: Vec<Layer<'_>> = known
                    .iter()
                    .map(|known| match &known.mount {
                        Some(mount) => Layer::mounted(known.table.toc(), mount),
                        None => Layer::unpacked(known.table.toc()),
                    })
                    .collect();
                lost_directories(&layers)
            }
        };
        let comes_whole = |layer: usize| known[layer].mount.is_none();
        let count = lost.len();
        (count, rootfs.restate(lost, files, &comes_whole))
    }
}

fn left(restated: &Restated) -> Vec<LeftFile> {
    let left = restated.left_below.iter();
    left.map(|(path, reason)| LeftFile {
        path: String::from_utf8_lossy(path).into_owned(),
        reason: reason.to_string(),
    })
    .collect()
}

/// The most layers that containerd and Docker mount above each other
/// (<https://github.com/moby/moby/blob/v28.0.0/layer/layer_store.go>, `maxLayerDepth` 125; the limit of the image
/// tools is 127; read 2026-11-29).
const MOST_LAYERS: usize = 125;

/// An image of one platform, for messages.
fn refused(entry: &ImageEntry, problem: String) -> Error {
    Error::OnTop {
        image: entry.descriptor.digest.clone(),
        problem,
    }
}
