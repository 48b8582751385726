//! Layers that cannot be loaded lazily, or not by every client, rewritten as one gzip member.
//!
//! ```text
//!   zstd ────────┐
//!   gzip, many ──┼─► uncompressed ─┬─► SHA-256, compared with the config's diff_id
//!   members      │                 └─► gzip, one member ─┬─► temporary file
//!   plain tar ───┘                                       └─► zTOC builder: digest, zTOC
//! ```
//!
//! The files of the image, and so the diff_ids and the config, stay the same; layer digests, manifests and
//! indexes change. Clients before soci-snapshotter 0.14 read only the first member of a gzip layer
//! (<https://github.com/awslabs/soci-snapshotter/releases/tag/v0.14.0>, read 2026-11-24), zstd none can read. The
//! digest of a layer is known only when it is complete, so it lies in an unnamed temporary file meanwhile.
//! The result is a source like any other: [`convert`](super::convert) reads it and finds the zTOCs made already.

mod documents;
mod layer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use soci_image::media_type::LayerCompression;
use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};

use self::layer::Rewritten;
use super::above;
use super::index_layer::{IndexedLayer, index_layer};
use super::indexed::Indexed;
use super::options::{Observer, Options};
use super::plan::{Decision, Plan, plan};
use crate::overlay::Overlay;
use crate::store::{AnySource, Source};
use crate::{Error, Result, block_on};

/// Annotation of eStargz, whose layers have one member per file.
const ESTARGZ: &str = "containerd.io/snapshot/stargz/toc.digest";

/// Which layers to rewrite, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recompress {
    /// Layers that cannot be loaded lazily (zstd) or are risky (gzip of several members).
    pub unsuitable: bool,
    /// Uncompressed layers, as `docker save` writes them.
    pub uncompressed: bool,
    /// gzip level, 1 to 9.
    pub level: u32,
}

impl Recompress {
    /// As `docker push` and `gzip` do without being told.
    pub const LEVEL: u32 = 6;
}

/// A layer that was rewritten.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecompressedLayer {
    /// Its digest before.
    pub source_digest: Digest,
    /// Its compressed bytes before.
    pub source_size: u64,
    /// Its media type before.
    pub source_media_type: String,
    /// Its digest now.
    pub digest: Digest,
    /// Its compressed bytes now.
    pub size: u64,
    /// Why it was rewritten.
    pub reason: &'static str,
}

/// Rewrites the layers of the platforms and images that the options choose. A source without any such layer
/// comes back as it was, but with the zTOCs of the layers that had to be read to know.
pub fn recompress(
    source: AnySource,
    options: &Options,
    recompress: Recompress,
    observer: Observer<'_>,
) -> Result<(AnySource, Vec<RecompressedLayer>)> {
    let traffic_before = source
        .registry()
        .map(|registry| registry.repository().client().traffic());
    // What cannot be indexed as it is, is what this is for.
    let lenient = Options {
        strict: false,
        ..options.clone()
    };
    let plan = block_on(plan(&source, &lenient))?;
    let work = candidates(&plan, recompress);
    let indexed = Indexed::default();
    let diff_ids = documents::diff_ids(&source, &plan, &work)?;
    let rewritten = run(&source, &work, &diff_ids, options, recompress, &indexed, observer)?;
    let mut report = Vec::new();
    for layer in &work {
        let old = &layer.descriptor;
        if let Some(new) = rewritten.get(&old.digest) {
            report.push(RecompressedLayer {
                source_digest: old.digest.clone(),
                source_size: old.size,
                source_media_type: old.media_type.clone(),
                digest: new.descriptor.digest.clone(),
                size: new.descriptor.size,
                reason: new.reason,
            });
        }
    }
    let made_of = (report.iter())
        .map(|layer: &RecompressedLayer| (layer.digest.clone(), layer.source_size))
        .collect();
    let (roots, documents) = documents::rewrite(&plan, &rewritten)?;
    let originals = (plan.images.iter().zip(&roots))
        .map(|(planned, new)| (new.descriptor.digest.clone(), planned.root.descriptor.clone()))
        .collect();
    let roots = above::with_others(block_on(source.roots())?, &plan, roots);
    let mut blobs = BTreeMap::new();
    for (_, layer) in rewritten {
        blobs.insert(layer.descriptor.digest, layer.blob);
    }
    let overlay = Overlay {
        base: source,
        roots,
        originals,
        documents,
        blobs,
        indexed,
        made_of,
        repeated: Vec::new(),
        traffic_before,
    };
    Ok((AnySource::Overlay(Box::new(overlay)), report))
}

/// A layer that may have to be rewritten.
struct Candidate {
    descriptor: Descriptor,
    /// `None`: only reading it tells.
    reason: Option<&'static str>,
}

/// Each layer once, in the order of the manifests.
fn candidates(plan: &Plan, recompress: Recompress) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let mut candidates = Vec::new();
    for layer in plan.layers() {
        let descriptor = &layer.descriptor;
        let compression = LayerCompression::of(&descriptor.media_type);
        let reason = match (&layer.decision, compression) {
            (Decision::Skip(SkipReason::Foreign), _) => continue,
            (_, LayerCompression::Uncompressed) if recompress.uncompressed => Some("uncompressed"),
            _ if !recompress.unsuitable => continue,
            (Decision::Skip(SkipReason::Zstd), _) => Some("zstd"),
            (Decision::Index, LayerCompression::Gzip) => {
                descriptor.annotation(ESTARGZ).map(|_| "several gzip members")
            }
            // Its zTOC is there already, so it need not be read, unless its descriptor says that it should be.
            (_, LayerCompression::Gzip) if descriptor.annotation(ESTARGZ).is_some() => {
                Some("several gzip members")
            }
            _ => continue,
        };
        if seen.insert(&descriptor.digest) {
            candidates.push(Candidate {
                descriptor: descriptor.clone(),
                reason,
            });
        }
    }
    candidates
}

/// All candidates, several at once, the largest first.
fn run(
    source: &AnySource,
    work: &[Candidate],
    diff_ids: &BTreeMap<Digest, Digest>,
    options: &Options,
    recompress: Recompress,
    indexed: &Indexed,
    observer: Observer<'_>,
) -> Result<BTreeMap<Digest, Rewritten>> {
    let mut order: Vec<&Candidate> = work.iter().collect();
    // A stable sort, and taken from the end.
    order.sort_by_key(|candidate| candidate.descriptor.size);
    let open = Mutex::new(order);
    let done = Mutex::new(Ok(BTreeMap::new()));
    let stop = AtomicBool::new(false);
    let thread = || {
        let _ending = Ending(&stop);
        loop {
            let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (Some(candidate), false) = (next, stop.load(Ordering::Relaxed)) else {
                return;
            };
            let outcome = one(
                source, candidate, diff_ids, options, recompress, indexed, &stop, observer,
            );
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match (outcome, done.as_mut()) {
                (Ok(Some(rewritten)), Ok(all)) => {
                    all.insert(candidate.descriptor.digest.clone(), rewritten);
                }
                (Ok(_), _) => {}
                (Err(error), Ok(_)) => {
                    stop.store(true, Ordering::Relaxed);
                    *done = Err(error);
                }
                // The first error is the cause, later ones are its echo.
                (Err(_), Err(_)) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.get().min(work.len()) {
            scope.spawn(thread);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the others stop when a thread panics: the scope then ends with its panic.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[allow(clippy::too_many_arguments)] // one call, and a struct of borrowed things would say no more
fn one(
    source: &AnySource,
    candidate: &Candidate,
    diff_ids: &BTreeMap<Digest, Digest>,
    options: &Options,
    recompress: Recompress,
    indexed: &Indexed,
    stop: &AtomicBool,
    observer: Observer<'_>,
) -> Result<Option<Rewritten>> {
    let layer = &candidate.descriptor;
    let reason = match candidate.reason {
        Some(reason) => reason,
        None => match block_on(index_layer(layer, source, None, options, stop, observer))? {
            IndexedLayer::Indexed { facts, .. } if facts.members > 1 => "several gzip members",
            known => {
                indexed.keep(layer.digest.clone(), known);
                return Ok(None);
            }
        },
    };
    let diff_id = diff_ids.get(&layer.digest).ok_or_else(|| Error::Recompress {
        digest: layer.digest.clone(),
        problem: "the config of its image has no diff_id for it".into(),
    })?;
    let (rewritten, known) = layer::rewrite(
        source,
        layer,
        diff_id,
        reason,
        options,
        recompress.level,
        stop,
        observer,
    )?;
    indexed.keep(rewritten.descriptor.digest.clone(), known);
    Ok(Some(rewritten))
}
