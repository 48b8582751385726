//! What there is to do: the images with all their documents, and a decision for each layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use soci_image::document::Documents;
use soci_image::image::{Choice, Image};
use soci_image::media_type::is_foreign_layer;
use soci_image::skip::SkipReason;
use soci_image::{Descriptor, Digest, TopLayer};

use super::options::Options;
use super::read::{read_for_conversion, select};
use super::reuse::{self, Reused};
use crate::store::{AnySource, Root, Source};
use crate::{Error, Result};

/// All that a conversion will do.
#[derive(Debug)]
pub struct Plan {
    /// The images, in the order of the source.
    pub images: Vec<PlannedImage>,
}

/// One image of the source.
#[derive(Debug)]
pub struct PlannedImage {
    /// How the source lists it.
    pub root: Root,
    /// Its tree of documents.
    pub image: Image,
    /// The bytes of those documents.
    pub documents: Documents,
    /// The platforms to work on.
    pub platforms: Vec<PlannedPlatform>,
}

/// One platform of an image.
#[derive(Debug)]
pub struct PlannedPlatform {
    /// Which image of the tree.
    pub choice: Choice,
    /// Its layers, lowest first.
    pub layers: Vec<PlannedLayer>,
}

/// One layer and what will be done with it.
#[derive(Debug, Clone)]
pub struct PlannedLayer {
    /// The layer.
    pub descriptor: Descriptor,
    /// What will be done.
    pub decision: Decision,
}

/// What will be done with a layer.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It will be read and indexed.
    Index,
    /// It has a zTOC already and is not read.
    Reuse(Arc<Reused>),
    /// It stays without a zTOC.
    Skip(SkipReason),
}

/// Reads the documents of the images asked for and decides about each layer.
pub async fn plan(source: &AnySource, options: &Options) -> Result<Plan> {
    let mut images = Vec::new();
    for root in select(source.roots().await?, options.tag.as_deref())? {
        images.push(plan_image(source, root, options).await?);
    }
    let mut plan = Plan { images };
    // For a start it is not known yet which zTOCs serve again: `survey` finds out.
    if options.start.is_none() {
        reuse::apply(&mut plan, source, options).await?;
    }
    Ok(plan)
}

impl Plan {
    /// The layers to index, each once, in the order of the manifests.
    pub fn layers_to_index(&self) -> Vec<&Descriptor> {
        let mut seen = BTreeSet::new();
        self.layers()
            .filter(|layer| matches!(layer.decision, Decision::Index))
            .map(|layer| &layer.descriptor)
            .filter(|layer| seen.insert(&layer.digest))
            .collect()
    }

    /// Whether a layer will have a zTOC.
    pub fn has_ztocs(&self) -> bool {
        self.layers()
            .any(|layer| matches!(layer.decision, Decision::Index | Decision::Reuse(_)))
    }

    /// Whether a layer has to be read for its zTOC.
    pub fn indexes_layers(&self) -> bool {
        self.layers()
            .any(|layer| matches!(layer.decision, Decision::Index))
    }

    /// The tools whose SOCI indexes v2 the platforms have already; empty if one platform has none, or there are none:
    /// what is indexed somewhere and not everywhere is to be converted.
    pub fn tools(&self) -> BTreeSet<&str> {
        let mut tools = BTreeSet::new();
        for planned in &self.images {
            let indexes = planned.image.soci_indexes();
            for platform in &planned.platforms {
                let id = platform.choice.id;
                let index = indexes.iter().find(|index| index.owner == Some(id));
                match index.and_then(|index| index.index.as_ref()) {
                    Some(index) => tools.insert(index.build_tool.as_str()),
                    None => return BTreeSet::new(),
                };
            }
        }
        tools
    }

    /// Every layer of every platform asked for.
    pub fn layers(&self) -> impl Iterator<Item = &PlannedLayer> {
        self.images
            .iter()
            .flat_map(|image| &image.platforms)
            .flat_map(|platform| &platform.layers)
    }
}

/// Reads one image; `platforms` as in [`Options`].
pub(crate) async fn plan_image(source: &AnySource, root: Root, options: &Options) -> Result<PlannedImage> {
    let documents = read_for_conversion(source, &root.descriptor).await?;
    let image = Image::read(&root.descriptor, &documents)?;
    let choices = image.select(&options.platforms)?;
    let entries: BTreeMap<usize, _> = image
        .images()
        .into_iter()
        .map(|entry| (entry.id, entry))
        .collect();
    let mut platforms = Vec::new();
    for choice in choices {
        let Some(entry) = entries.get(&choice.id) else {
            continue;
        };
        let mut layers = Vec::new();
        for descriptor in &entry.manifest.layers {
            let decision = decide(source, descriptor, options).await?;
            layers.push(PlannedLayer {
                descriptor: descriptor.clone(),
                decision,
            });
        }
        platforms.push(PlannedPlatform { choice, layers });
    }
    Ok(PlannedImage {
        root,
        image,
        documents,
        platforms,
    })
}

/// A layer that repeats what lies below comes whole if it is smaller: during the pull, that is faster for the start it was
/// made for, and costs others little (measured with soci-snapshotter 77fb4266, 2026-11-28: 65 MB without a zTOC cost
/// other starts 1 to 4 s).
pub const WHOLE: u64 = 10 << 20;

async fn decide(source: &AnySource, layer: &Descriptor, options: &Options) -> Result<Decision> {
    if !source.contains(layer).await? {
        if is_foreign_layer(&layer.media_type) || !layer.urls.is_empty() {
            return Ok(Decision::Skip(SkipReason::Foreign));
        }
        let place = "the source".into();
        return Err(Error::Missing {
            place,
            what: "layer",
            digest: layer.digest.clone(),
        });
    }
    // A small layer that repeats what lies below is there to come whole, a large one must not, whatever the minimum is.
    let repeats = TopLayer::of_descriptor(layer).is_some();
    if repeats && layer.size < WHOLE {
        return Ok(Decision::Skip(SkipReason::Repeats));
    }
    if !repeats && layer.size < options.min_layer_size {
        let reason = SkipReason::TooSmall {
            size: layer.size,
            minimum: options.min_layer_size,
        };
        return Ok(Decision::Skip(reason));
    }
    match SkipReason::of_media_type(&layer.media_type) {
        Some(reason) if options.strict => Err(Error::Strict {
            layer: layer.digest.clone(),
            reason,
        }),
        Some(reason) => Ok(Decision::Skip(reason)),
        None => Ok(Decision::Index),
    }
}

/// The layers that stay without a zTOC and why, each once.
pub(crate) fn reasons(plan: &Plan) -> Vec<(Digest, SkipReason)> {
    let mut seen = BTreeSet::new();
    plan.layers()
        .filter_map(|layer| match &layer.decision {
            Decision::Skip(reason) => Some((layer.descriptor.digest.clone(), reason.clone())),
            Decision::Index | Decision::Reuse(_) => None,
        })
        .filter(|(digest, _)| seen.insert(digest.clone()))
        .collect()
}
