//! zTOCs that are there already: found in the SOCI indexes of other places, so that a layer need not be read.
//!
//! A zTOC serves again for a layer of the same digest if its SOCI index says the same span size, shape and build tool
//! (or another tool, if the options take any). Whoever may write to a repository can put a SOCI index v1 beside an
//! image, so those of the source are looked at only where the result goes to the same place. None is taken on its
//! word: it is read, must fit the layer, and one of its spans is read back.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

use soci_image::media_type::{SOCI_INDEX_V1, ZTOC};
use soci_image::soci_index::ZtocEntry;
use soci_image::{Descriptor, Digest, Image, SociIndex};
use soci_rootfs::Mount;
use soci_ztoc::ztoc::Ztoc;

use super::index_layer::{ZtocSummary, prefetch_candidates, spans_of_entries};
use super::options::Options;
use super::plan::{Decision, Plan, PlannedImage};
use super::read::{read_documents, select};
use super::sample::{Sample, SpanSource, check_span};
#[cfg(feature = "native")]
use super::survey::Known as LayerTable;
use super::tables::Table;
use crate::checked;
use crate::store::{AnySource, DOCUMENT_LIMIT, Source};
use crate::{Error, Result, block_on};

/// Which zTOCs serve again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// None: every layer is read.
    None,
    /// Those of the build tool that the options name.
    #[default]
    SameTool,
    /// Those of any build tool.
    AnyTool,
}

/// A place that may have zTOCs already.
#[derive(Debug, Clone)]
pub struct ReusePlace {
    /// How messages call it.
    pub name: String,
    /// The place.
    pub source: Arc<AnySource>,
    /// Nobody asked to look there: whatever is wrong there is as if nothing were.
    pub optional: bool,
}

impl ReusePlace {
    /// What has the destination's name already; `None` if nothing has, or its registry does not say: one that wants a
    /// login says so when it is written to.
    ///
    /// # Errors
    /// What reading gives where that is not the registry's refusal.
    #[allow(clippy::arc_with_non_send_sync, reason = "it is both where there are threads")]
    pub fn at_destination(there: AnySource) -> Result<Option<Self>> {
        match block_on(there.roots()) {
            Ok(_) => Ok(Some(Self {
                name: "the destination".to_owned(),
                source: Arc::new(there),
                optional: true,
            })),
            Err(Error::Registry(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What was found there; of an optional place trouble is nothing found.
    fn forgive<V: Default>(&self, outcome: Result<V>) -> Result<V> {
        match self.optional {
            true => forgive(&self.name, &self.source, outcome),
            false => outcome,
        }
    }
}

/// Trouble with what nobody asked for is nothing found, with a note.
fn forgive<V: Default>(name: &str, place: &AnySource, outcome: Result<V>) -> Result<V> {
    match outcome {
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => {
            if let Some(registry) = place.registry() {
                let line = format!("no zTOCs from {name}: {error}");
                registry.repository().client().note(&line);
            }
            Ok(V::default())
        }
        found => found,
    }
}

/// A zTOC that serves again.
#[derive(Debug, Clone)]
pub struct Reused {
    /// Who made it.
    pub tool: String,
    /// The place it was found at, as messages call it.
    pub from: String,
    pub(crate) facts: ZtocSummary,
    /// What a client would show of the layer.
    pub(crate) toc: Arc<Table>,
    pub(crate) mount: Mount,
    /// `None`: the source itself.
    pub(crate) place: Option<Arc<AnySource>>,
}

/// How messages call the source.
const SOURCE: &str = "the source";

/// The largest zTOC that is read; the checkpoints of a layer of 250 GiB need as much.
const LARGEST: u64 = 2 << 30;

/// A zTOC that some SOCI index names.
struct Known {
    entry: ZtocEntry,
    tool: String,
    /// Position in the list of places.
    place: usize,
}

/// Changes the decision for every layer that has a zTOC already.
pub(crate) async fn apply(plan: &mut Plan, source: &AnySource, options: &Options) -> Result<()> {
    // A local layer is read in no time, and reading it heals a damaged zTOC: only who asks gets less.
    let worth = source.is_remote() || !options.reuse_from.is_empty() || options.reuse == Reuse::AnyTool;
    if options.reuse == Reuse::None || !worth || plan.layers_to_index().is_empty() {
        return Ok(());
    }
    let known = gather(plan, source, options).await?;
    let mut chosen: BTreeMap<Digest, Option<Arc<Reused>>> = BTreeMap::new();
    for layer in plan.images.iter_mut().flat_map(layers) {
        if !matches!(layer.decision, Decision::Index) {
            continue;
        }
        let descriptor = &layer.descriptor;
        if !chosen.contains_key(&descriptor.digest) {
            let candidates = known.get(&descriptor.digest).map_or(&[][..], Vec::as_slice);
            let reused = choose(descriptor, candidates, source, options).await?;
            if let (Some(reused), Some(progress)) = (&reused, &options.progress)
                && reused.place.is_none()
            {
                progress.add(descriptor, &reused.facts, options);
            }
            chosen.insert(descriptor.digest.clone(), reused.map(Arc::new));
        }
        if let Some(Some(reused)) = chosen.get(&descriptor.digest) {
            layer.decision = Decision::Reuse(Arc::clone(reused));
        }
    }
    Ok(())
}

/// What is in the layers to index of which any zTOC is there, however it is cut and whoever made it.
#[cfg(feature = "native")]
pub(super) async fn tables(
    plan: &Plan,
    source: &AnySource,
    options: &Options,
) -> Result<BTreeMap<Digest, LayerTable>> {
    let mut tables = BTreeMap::new();
    let layers = plan.layers_to_index();
    at_hand(plan, &layers, source, options, &mut |layer, ztoc| {
        let (compression, mount) = (ztoc.compression(), Some(Mount::of(&ztoc)));
        if let Some(table) = options.tables.keep(ztoc.into_toc()) {
            let known = LayerTable {
                table,
                compression,
                mount,
            };
            tables.insert(layer.clone(), known);
        }
    })
    .await?;
    Ok(tables)
}

/// Tells a zTOC of each of these layers of which any is there, however it is cut and whoever made it.
#[cfg(feature = "native")]
pub(super) async fn at_hand(
    plan: &Plan,
    layers: &[&Descriptor],
    source: &AnySource,
    options: &Options,
    tell: &mut dyn FnMut(&Digest, Ztoc),
) -> Result<()> {
    if options.reuse == Reuse::None || layers.is_empty() {
        return Ok(());
    }
    let known = gather(plan, source, options).await?;
    for layer in layers {
        for known in known.get(&layer.digest).into_iter().flatten() {
            let from = options.reuse_from.get(known.place);
            let place: &AnySource = from.map_or(source, |from| &from.source);
            let found = serving(layer, known, place, source).await;
            let found = match from {
                Some(from) => from.forgive(found)?,
                None => forgive(SOURCE, source, found)?,
            };
            if let Some(ztoc) = found {
                tell(&layer.digest, ztoc);
                break;
            }
        }
    }
    Ok(())
}

/// All zTOCs that are known for the layers of the plan.
async fn gather(plan: &Plan, source: &AnySource, options: &Options) -> Result<BTreeMap<Digest, Vec<Known>>> {
    let mut known: BTreeMap<Digest, Vec<Known>> = BTreeMap::new();
    for (place, from) in options.reuse_from.iter().enumerate() {
        from.forgive(look(from, place, &mut known).await)?;
    }
    let own = options.reuse_from.len();
    for planned in &plan.images {
        let referrers = options.reuse_referrers;
        let found = collect(source, &planned.image, own, referrers, &mut known).await;
        forgive(SOURCE, source, found)?;
    }
    if let Some(earlier) = &options.earlier {
        let found = recall(source, earlier, own, &mut known).await;
        forgive("an earlier run", source, found)?;
    }
    Ok(known)
}

/// The zTOCs that an earlier run left in the source's repository.
async fn recall(
    source: &AnySource,
    earlier: &Digest,
    place: usize,
    known: &mut BTreeMap<Digest, Vec<Known>>,
) -> Result<()> {
    if let Some(bytes) = source.manifest(earlier).await? {
        add(&SociIndex::parse(&bytes)?, place, known);
    }
    Ok(())
}

fn add(index: &SociIndex, place: usize, known: &mut BTreeMap<Digest, Vec<Known>>) {
    for entry in &index.ztocs {
        let tool = index.build_tool.clone();
        known.entry(entry.layer.clone()).or_default().push(Known {
            entry: entry.clone(),
            tool,
            place,
        });
    }
}

/// The zTOCs that the images of a place have.
async fn look(from: &ReusePlace, place: usize, known: &mut BTreeMap<Digest, Vec<Known>>) -> Result<()> {
    for root in select(from.source.roots().await?, None)? {
        let documents = read_documents(&from.source, &root.descriptor).await?;
        // What else lies there is nobody's fault.
        if let Ok(image) = Image::read(&root.descriptor, &documents) {
            collect(&from.source, &image, place, true, known).await?;
        }
    }
    Ok(())
}

fn layers(image: &mut PlannedImage) -> impl Iterator<Item = &mut super::plan::PlannedLayer> {
    image
        .platforms
        .iter_mut()
        .flat_map(|platform| &mut platform.layers)
}

/// The zTOCs of an image: of its SOCI indexes v2, which its own digest covers, and with `referrers` of those of v1
/// that refer to what has no v2.
async fn collect(
    source: &AnySource,
    image: &Image,
    place: usize,
    referrers: bool,
    known: &mut BTreeMap<Digest, Vec<Known>>,
) -> Result<()> {
    for entry in image.soci_indexes() {
        entry.index.iter().for_each(|index| add(index, place, known));
    }
    for entry in image.images() {
        if !referrers || entry.manifest.soci_index_digest().is_some() {
            continue;
        }
        for descriptor in source.referrers_told(&entry.descriptor, SOCI_INDEX_V1).await? {
            let readable = descriptor.size <= DOCUMENT_LIMIT && source.contains(&descriptor).await?;
            if readable && let Ok(index) = SociIndex::parse(&source.document(&descriptor).await?) {
                add(&index, place, known);
            }
        }
    }
    Ok(())
}

/// The best of the zTOCs known for a layer: of the tool asked for before others, in the order of the places.
async fn choose(
    layer: &Descriptor,
    candidates: &[Known],
    source: &AnySource,
    options: &Options,
) -> Result<Option<Reused>> {
    let is_ours = |known: &&Known| known.tool == options.build_tool_identifier;
    let ours = candidates.iter().filter(is_ours);
    let others = candidates
        .iter()
        .filter(|known| options.reuse == Reuse::AnyTool && !is_ours(known));
    let shape = options
        .start
        .as_ref()
        .and_then(|start| start.mark_of(&layer.digest));
    let shape = shape.map(|shaped| shaped.shape);
    for known in ours.chain(others) {
        // Spans that are cut otherwise are another zTOC, even if they are cut for the same start.
        if known.entry.shaped.as_ref().map(|shaped| &shaped.shape) != shape.as_ref() {
            continue;
        }
        if known
            .entry
            .span_size
            .is_some_and(|size| size != options.span_size)
        {
            continue;
        }
        let from = options.reuse_from.get(known.place);
        let place: &AnySource = from.map_or(source, |from| &from.source);
        let outcome = facts(layer, known, place, source, options).await;
        let outcome = match from {
            Some(from) => from.forgive(outcome)?,
            None => forgive(SOURCE, source, outcome)?,
        };
        if let Some((facts, ztoc)) = outcome {
            let mount = Mount::of(&ztoc);
            // Without room the layer is read, which may need less.
            let Some(toc) = options.tables.keep(ztoc.into_toc()) else {
                return Ok(None);
            };
            return Ok(Some(Reused {
                tool: known.tool.clone(),
                from: from.map_or_else(|| SOURCE.to_owned(), |from| from.name.clone()),
                facts,
                mount,
                toc,
                place: from.map(|from| Arc::clone(&from.source)),
            }));
        }
    }
    Ok(None)
}

/// What the new SOCI index will say about the zTOC; `None` if it does not serve after all.
async fn facts(
    layer: &Descriptor,
    known: &Known,
    place: &AnySource,
    source: &AnySource,
    options: &Options,
) -> Result<Option<(ZtocSummary, Ztoc)>> {
    let entry = &known.entry;
    let Some(ztoc) = serving(layer, known, place, source).await? else {
        return Ok(None);
    };
    if ztoc.span_size() != options.span_size {
        return Ok(None);
    }
    let start = options.start.as_ref();
    let facts = ZtocSummary {
        digest: entry.digest.clone(),
        size: entry.size,
        spans: 0,
        members: 0,
        disable_xattrs: options.optimize_xattrs && !ztoc.needs_xattrs(),
        prefetch: prefetch_candidates(&ztoc, &options.prefetch),
        shaped: start.and_then(|start| start.mark_of(&layer.digest)),
        start: start.and_then(|start| start.layer(&layer.digest, &ztoc, None, entry.shaped.is_some())),
        spans_of_entries: spans_of_entries(&ztoc, &options.prefetch),
    };
    Ok(Some((facts, ztoc)))
}

/// A zTOC that is good for the layer; `None` if it is not there or is none.
async fn serving(
    layer: &Descriptor,
    known: &Known,
    place: &AnySource,
    source: &AnySource,
) -> Result<Option<Ztoc>> {
    let entry = &known.entry;
    let descriptor = Descriptor::new(ZTOC, entry.digest.clone(), entry.size);
    if entry.size > LARGEST || !place.contains(&descriptor).await? {
        return Ok(None);
    }
    let Some(ztoc) = read(place, &descriptor).await? else {
        return Ok(None);
    };
    if ztoc.compressed_size() != layer.size {
        return Ok(None);
    }
    if ztoc.refusal().is_some() || !reads_back(layer, source, &ztoc).await? {
        return Ok(None);
    }
    Ok(Some(ztoc))
}

/// Whether a random span of the layer is what the zTOC says.
async fn reads_back(layer: &Descriptor, source: &AnySource, ztoc: &Ztoc) -> Result<bool> {
    let sample = Sample {
        spans: 1,
        seed: RandomState::new().build_hasher().finish(),
    };
    let mut spans = SpanSource::new(source, layer, ztoc);
    for id in sample.choose(ztoc.span_count()) {
        if check_span(&mut spans, id).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A zTOC whose digest is right; `None` if it is not or cannot be read as one.
pub async fn read(place: &AnySource, descriptor: &Descriptor) -> Result<Option<Ztoc>> {
    let Ok(bytes) = checked::read(place, descriptor).await? else {
        return Ok(None);
    };
    Ok(Ztoc::from_bytes(&bytes).ok())
}
