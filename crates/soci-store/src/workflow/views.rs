//! Whether a layer looks the same lazily as unpacked (`docs/what-is-written.md`).
//!
//! Most layers answer that alone, as soon as they are read: whatever lies below and above them, nothing in them is
//! shown differently. A layer that implies directories of which it does not know the attributes depends on
//! others: its zTOC waits until all layers of its images are known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest};
#[cfg(feature = "native")]
use soci_rootfs::{Changed, Rootfs};
use soci_rootfs::{
    Client, Comparison, Difference, Layer, Mount, UnpackFault, Verdict, Weight, compare, settle,
};
use soci_ztoc::ztoc::{
    BuildOptions, BuildOutcome, Compression, EncodedZtoc, Toc, Unindexable, Ztoc, ZtocBuilder,
};

use super::options::Options;
use super::plan::{Decision, Plan, PlannedLayer};
use super::report::Remark;
use super::reuse::Reused;
use super::tables::{Table, Tables};
use super::uncompress::uncompress;
use crate::Result;
use crate::store::AnySource;

/// What is kept of the layers that were read.
pub(super) struct Views {
    /// Where each layer lies: as the lowest one of an image, above others, or both.
    places: BTreeMap<Digest, (bool, bool)>,
    allow_differences: bool,
    looks_paths_up: bool,
    tables: Tables,
    known: Mutex<Known>,
}

/// Layers that were read.
#[derive(Default)]
struct Known {
    /// How they look; none if there was no room to keep it.
    views: BTreeMap<Digest, Option<View>>,
    /// Those without room that have a zTOC and should have been compared with the layers around them.
    untold: BTreeSet<Digest>,
}

impl Known {
    fn view(&self, layer: &Digest) -> Option<&View> {
        self.views.get(layer)?.as_ref()
    }
}

/// A layer as it looks.
#[derive(Debug, Clone)]
pub(crate) struct View {
    toc: Arc<Table>,
    /// None: it is unpacked.
    mount: Option<Mount>,
}

impl View {
    /// A layer that is mounted with this zTOC; none if there is no room for its table of contents.
    /// `cut_owners` are entries whose owners it does not hold, where that is known.
    pub(crate) fn mounted(
        ztoc: Ztoc,
        disable_xattrs: bool,
        cut_owners: &[usize],
        tables: &Tables,
    ) -> Option<Self> {
        let mount = Mount::of(&ztoc);
        let mount = if disable_xattrs {
            mount.without_xattrs()
        } else {
            mount
        };
        Some(Self {
            mount: Some(mount),
            toc: tables.keep(ztoc.into_toc().with_cut_owners(cut_owners))?,
        })
    }

    /// A layer that is unpacked.
    pub(crate) fn unpacked(toc: Toc, tables: &Tables) -> Option<Self> {
        Some(Self {
            toc: tables.keep(toc)?,
            mount: None,
        })
    }

    /// The same layer, unpacked.
    pub(crate) fn without_ztoc(&self) -> Self {
        Self {
            toc: Arc::clone(&self.toc),
            mount: None,
        }
    }

    fn layer(view: Option<&Self>) -> Layer<'_> {
        match view {
            None => Layer::unknown(),
            Some(Self { toc, mount: None }) => Layer::unpacked(toc),
            Some(Self {
                toc,
                mount: Some(mount),
            }) => Layer::mounted(toc, mount),
        }
    }
}

/// What is to be said of how a layer looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is not the same lazily as unpacked, or cannot be unpacked.
    Wrong(SkipReason),
    /// That depends on a layer that is not known.
    Unknown(String),
}

/// Looks at a whole image: at each layer, lowest first, as far as it is known. None: it looks the same.
pub(crate) fn look(stack: &[Option<&View>]) -> Vec<Option<Look>> {
    let layers: Vec<Layer<'_>> = stack.iter().map(|view| View::layer(*view)).collect();
    compare(&layers).layers.iter().map(look_of).collect()
}

/// Whether the highest layer of an image repeats what lies below it, as far as tables of contents tell.
#[cfg(feature = "native")]
pub(crate) fn repeats(stack: &[Option<&View>]) -> std::result::Result<(), Changed> {
    let tocs: Vec<Option<&Toc>> = stack.iter().map(|view| Some(view.as_ref()?.toc.toc())).collect();
    Rootfs::new(&tocs).is_repeated_by_top()
}

/// What is known of a layer as soon as it was read.
pub(super) enum Standing {
    /// It looks the same, whatever lies below and above.
    Same,
    /// That depends on other layers.
    Open,
    /// It does not look the same.
    Different(SkipReason),
}

/// What is said of the layers in the end.
#[derive(Default)]
pub(super) struct Settlement {
    /// Layers that are left without a zTOC.
    pub(super) left_out: BTreeMap<Digest, SkipReason>,
    /// What else is to be said of layers.
    pub(super) remarks: BTreeMap<Digest, Remark>,
}

impl Views {
    pub(super) fn new(plan: &Plan, options: &Options) -> Self {
        let mut places: BTreeMap<Digest, (bool, bool)> = BTreeMap::new();
        for layers in stacks(plan) {
            for (index, layer) in layers.iter().enumerate() {
                let place = places.entry(layer.descriptor.digest.clone()).or_default();
                place.0 |= index == 0;
                place.1 |= index > 0;
            }
        }
        Self {
            places,
            allow_differences: options.allow_differences,
            looks_paths_up: !options.prefetch.is_empty(),
            tables: options.tables.clone(),
            known: Mutex::default(),
        }
    }

    /// What the layer itself says.
    pub(super) fn judge(&self, layer: &Digest, toc: &Toc, mount: &Mount) -> Standing {
        let (lowest, above) = self.places.get(layer).copied().unwrap_or((true, true));
        let this = Layer::mounted(toc, mount);
        let below = Layer::unknown();
        let lone = lowest.then(|| compare(&[this]));
        let upper = above.then(|| compare(&[below, this]));
        let verdicts: Vec<Verdict> = [lone, upper].into_iter().flatten().filter_map(last).collect();
        if let Some(reason) = verdicts.iter().find_map(reason) {
            return Standing::Different(reason);
        }
        match verdicts.iter().any(|verdict| verdict.differences.unknown > 0) {
            true => Standing::Open,
            false => Standing::Same,
        }
    }

    /// The same of a layer whose zTOC was there before, and what later layers need to know of it.
    pub(super) fn judge_reused(&self, layer: &Digest, reused: &Reused) -> Standing {
        let mut standing = self.judge(layer, &reused.toc, &reused.mount);
        if self.allow_differences {
            standing = Standing::Same;
        }
        let mounted = !matches!(standing, Standing::Different(_));
        let view = View {
            toc: Arc::clone(&reused.toc),
            mount: mounted.then(|| reused.mount.clone()),
        };
        self.lock().views.insert(layer.clone(), Some(view));
        standing
    }

    /// Whether layers that look different are indexed all the same.
    pub(super) fn allows_differences(&self) -> bool {
        self.allow_differences
    }

    /// Keeps what later layers need to know of one that has a zTOC.
    pub(super) fn mounted(&self, layer: &Digest, ztoc: Ztoc) {
        let view = View::mounted(ztoc, false, &[], &self.tables);
        self.keep(layer, view, self.allow_differences);
    }

    /// The same of one whose zTOC waits.
    pub(super) fn waits(&self, layer: &Digest, ztoc: &Ztoc) {
        let mount = Some(Mount::of(ztoc));
        let toc = self.tables.keep(ztoc.toc().clone());
        self.keep(layer, toc.map(|toc| View { toc, mount }), true);
    }

    /// Keeps what later layers need to know of one that has none.
    pub(super) fn unpacked(&self, layer: &Digest, toc: Toc) {
        let view = View::unpacked(toc, &self.tables);
        self.keep(layer, view, false);
    }

    fn keep(&self, layer: &Digest, view: Option<View>, is_to_be_compared: bool) {
        let mut known = self.lock();
        if view.is_none() && is_to_be_compared {
            known.untold.insert(layer.clone());
        }
        known.views.insert(layer.clone(), view);
    }

    /// Looks at whole images, once all layers are read. `open` says whether any layer depends on others; if not,
    /// nothing new can come out. Small layers are read where they are needed.
    pub(super) fn settle(
        &self,
        plan: &Plan,
        source: &AnySource,
        open: bool,
        cancel: &AtomicBool,
    ) -> Result<Settlement> {
        let mut settlement = Settlement::default();
        // Paths of files to prefetch may lead through any layer.
        if open || self.allow_differences || self.looks_paths_up {
            for layer in stacks(plan).into_iter().flatten() {
                self.read_if_small(layer, source, cancel)?;
            }
        }
        if !open && !self.allow_differences {
            return Ok(settlement);
        }
        for layers in stacks(plan) {
            let known = self.lock();
            let stack: Vec<Layer<'_>> = layers
                .iter()
                .map(|layer| View::layer(known.view(&layer.descriptor.digest)))
                .collect();
            for layer in &known.untold {
                let remark = Remark {
                    code: Remark::VIEW_UNKNOWN,
                    message: Tables::NO_ROOM.into(),
                };
                settlement.remarks.insert(layer.clone(), remark);
            }
            if self.allow_differences {
                settlement.remarks(layers, &compare(&stack));
                continue;
            }
            let settled = settle(&stack);
            for (layer, verdict) in layers.iter().zip(&settled.left_out) {
                if let Some(reason) = verdict.as_ref().and_then(reason) {
                    let digest = layer.descriptor.digest.clone();
                    settlement.left_out.entry(digest).or_insert(reason);
                }
            }
            settlement.remarks(layers, &settled.rest);
        }
        Ok(settlement)
    }

    /// What is in the layers, if paths are looked up in them.
    pub(super) fn tables(&self) -> BTreeMap<Digest, Arc<Table>> {
        let known = self.lock();
        let views = known.views.iter().filter(|_| self.looks_paths_up);
        views
            .filter_map(|(layer, view)| Some((layer.clone(), Arc::clone(&view.as_ref()?.toc))))
            .collect()
    }

    fn read_if_small(&self, layer: &PlannedLayer, source: &AnySource, cancel: &AtomicBool) -> Result<()> {
        let descriptor = &layer.descriptor;
        let small = matches!(
            layer.decision,
            Decision::Skip(SkipReason::TooSmall { .. } | SkipReason::Repeats | SkipReason::Zstd)
        );
        if !small || descriptor.size > CHEAP || self.lock().views.contains_key(&descriptor.digest) {
            return Ok(());
        }
        if let Contents::Known(toc) = contents(source, descriptor, cancel)? {
            self.unpacked(&descriptor.digest, toc);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settlement {
    /// What a comparison says of layers that keep their zTOCs or have none.
    fn remarks(&mut self, layers: &[PlannedLayer], comparison: &Comparison) {
        for (layer, verdict) in layers.iter().zip(&comparison.layers) {
            let digest = layer.descriptor.digest.clone();
            if let Some(remark) = remark(verdict) {
                self.remarks.entry(digest).or_insert(remark);
            }
        }
    }
}

/// The layers of each platform of each image, each stack once.
fn stacks(plan: &Plan) -> Vec<&[PlannedLayer]> {
    let mut seen = BTreeSet::new();
    plan.images
        .iter()
        .flat_map(|image| &image.platforms)
        .map(|platform| &platform.layers[..])
        .filter(|layers| {
            let digests: Vec<&Digest> = layers.iter().map(digest).collect();
            seen.insert(digests)
        })
        .collect()
}

fn digest(layer: &PlannedLayer) -> &Digest {
    &layer.descriptor.digest
}

fn last(comparison: Comparison) -> Option<Verdict> {
    comparison.layers.into_iter().next_back()
}

/// Why a layer is better left without a zTOC.
pub(crate) fn reason(verdict: &Verdict) -> Option<SkipReason> {
    if let Some(fault) = &verdict.unpack {
        let detail = fault.to_string();
        return Some(SkipReason::CannotBeUnpacked { detail });
    }
    if let Client::Refuses(refused) = &verdict.client {
        let detail = refused.to_string();
        return Some(SkipReason::SnapshotterRefuses { detail });
    }
    (verdict.differences.harmful > 0).then(|| SkipReason::LooksDifferent {
        detail: harmful(verdict),
    })
}

/// Why a layer that cannot have a zTOC cannot be pulled either, or only why it cannot have one.
pub(crate) fn reason_of_unindexable(reason: &Unindexable) -> SkipReason {
    match UnpackFault::of_skipped(reason) {
        Some(fault) => SkipReason::CannotBeUnpacked {
            detail: fault.to_string(),
        },
        None => SkipReason::UnsupportedTar {
            detail: reason.to_string(),
        },
    }
}

fn look_of(verdict: &Verdict) -> Option<Look> {
    if let Some(reason) = reason(verdict) {
        return Some(Look::Wrong(reason));
    }
    let differences = &verdict.differences;
    let unknown = |difference: &&Difference| difference.weight == Weight::Unknown;
    let first = differences.listed.iter().find(unknown)?;
    Some(Look::Unknown(format!("{first}{}", more(differences.unknown))))
}

/// What a verdict says of a layer, for reports.
fn remark(verdict: &Verdict) -> Option<Remark> {
    Some(match look_of(verdict)? {
        Look::Wrong(reason) => Remark::of(&reason),
        Look::Unknown(message) => Remark {
            code: Remark::VIEW_UNKNOWN,
            message,
        },
    })
}

/// What is in a layer that has no zTOC.
pub(crate) enum Contents {
    /// Its table of contents.
    Known(Toc),
    /// No zTOC could hold it; why, and whether containerd can unpack it.
    Odd(SkipReason),
    /// It is damaged.
    Damaged,
}

/// Reads a layer whole, whatever its compression, for what is in it.
pub(crate) fn contents(source: &AnySource, layer: &Descriptor, cancel: &AtomicBool) -> Result<Contents> {
    let mut reading = Reading::new();
    let outcome = uncompress(source, layer, cancel, &|_| {}, &mut |bytes| {
        reading.push(bytes);
        Ok(())
    })?;
    Ok(match outcome {
        Ok(_) => reading.finish().unwrap_or(Contents::Damaged),
        Err(_) => Contents::Damaged,
    })
}

/// A table of contents while its layer passes by uncompressed.
pub(crate) struct Reading(std::result::Result<ZtocBuilder, soci_ztoc::Error>);

impl Reading {
    pub(crate) fn new() -> Self {
        // One span: nobody needs more.
        let options = BuildOptions::new(Compression::Uncompressed, "").with_span_size(1 << 40);
        Self(ZtocBuilder::new(options))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if let Ok(builder) = &mut self.0
            && let Err(error) = builder.push(bytes)
        {
            self.0 = Err(error);
        }
    }

    /// What was read.
    ///
    /// # Errors
    /// If it is not a tar.
    pub(crate) fn finish(self) -> std::result::Result<Contents, soci_ztoc::Error> {
        Ok(match self.finish_encoded()? {
            Ok(encoded) => Contents::Known(encoded.into_ztoc().into_toc()),
            Err(reason) => Contents::Odd(reason),
        })
    }

    /// The same as a zTOC of one span, to be read elsewhere; or why no table can hold what was read.
    pub(super) fn finish_encoded(
        self,
    ) -> std::result::Result<std::result::Result<EncodedZtoc, SkipReason>, soci_ztoc::Error> {
        Ok(match self.0?.finish()? {
            BuildOutcome::Indexed(built) => Ok(built.into_encoded()),
            BuildOutcome::Skipped(skipped) => Err(reason_of_unindexable(&skipped.reason)),
        })
    }
}

/// The first harmful differences, and how many more there are.
fn harmful(verdict: &Verdict) -> String {
    let differences = &verdict.differences;
    let told = differences
        .listed
        .iter()
        .filter(|difference| difference.weight == Weight::Harmful);
    let mut told: Vec<String> = told.take(TOLD).map(ToString::to_string).collect();
    let count = differences.harmful;
    if count > told.len() as u64 {
        told.push(format!("{} more", count - told.len() as u64));
    }
    told.join("; ")
}

fn more(count: u64) -> String {
    match count - 1 {
        0 => String::new(),
        more => format!("; {more} more"),
    }
}

/// Differences that a reason names.
const TOLD: usize = 3;

/// Layers up to this size are read although they get no zTOC, if that decides about another layer.
pub(crate) const CHEAP: u64 = 16 << 20;
