//! The images of a file or a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use soci_image::facts::{Effect, ImageFacts};
use soci_image::{Descriptor, Digest};
use soci_store::archive::{ArchiveSource, GivenFile, Holds};
use soci_store::memory::MemoryDestination;
use soci_store::store::{AnyBlob, AnyDestination, AnySource, Root, Source};
use soci_store::workflow::{
    Apart, Decision, Examined, Indexed, Options, PlannedLayer, convert, examine, plan,
};
use soci_store::{Error, ReadAt, block_on};
use soci_ztoc::ztoc::{Toc, Ztoc};
use wasm_bindgen::prelude::wasm_bindgen;

use super::files::Files;
use super::host::{self, HostFile};
use crate::Objection;

/// The images of a place.
#[wasm_bindgen]
pub struct Images {
    source: AnySource,
    /// The host's files, by their numbers.
    files: Vec<Arc<dyn ReadAt>>,
    holds: Holds,
    /// Layers with fewer bytes stay without a zTOC.
    min_layer_size: u64,
    roots: Vec<Root>,
    /// Layers that were read.
    read: BTreeMap<Digest, Read>,
    settled: Vec<Settled>,
    open: Option<Files>,
}

/// A layer that was read.
struct Read {
    apart: Option<Apart>,
    table: Vec<u8>,
}

/// An image of which everything is known.
struct Settled {
    now: Examined,
    converted: Option<Examined>,
    /// zTOCs by layer.
    ztocs: BTreeMap<Digest, Vec<u8>>,
}

/// A file of a folder.
#[derive(Deserialize)]
struct Named {
    path: String,
    size: f64,
}

#[wasm_bindgen]
impl Images {
    /// Opens the host's files: one, which is an archive of images or a layer, or those of a folder, as JSON of `path` and
    /// `size`, in the order of their numbers. `min_layer_size` is that of `convert`.
    #[wasm_bindgen(constructor)]
    pub fn open(
        name: &str,
        files: &str,
        is_folder: bool,
        min_layer_size: Option<f64>,
    ) -> Result<Self, Objection> {
        let named: Vec<Named> = serde_json::from_str(files).map_err(|error| Objection(error.to_string()))?;
        let files: Vec<Arc<dyn ReadAt>> = (0..named.len())
            .map(|number| Arc::new(HostFile(number as u32)) as Arc<dyn ReadAt>)
            .collect();
        let (source, holds) = match (is_folder, named.first(), files.first()) {
            (false, Some(only), Some(file)) => {
                let progress = |bytes: u64| host::progress(bytes as f64);
                ArchiveSource::image_or_layer(name, Arc::clone(file), only.size as u64, &progress)?
            }
            _ => {
                let given = named.into_iter().zip(&files).map(|(named, file)| GivenFile {
                    path: named.path,
                    bytes: Arc::clone(file),
                    size: named.size as u64,
                });
                (ArchiveSource::folder(name, given.collect())?, Holds::Images)
            }
        };
        let source = AnySource::Archive(source);
        Ok(Self {
            roots: block_on(source.roots())?,
            source,
            files,
            holds,
            min_layer_size: min_layer_size.map_or(Options::MIN_LAYER_SIZE, |size| size as u64),
            read: BTreeMap::new(),
            settled: Vec::new(),
            open: None,
        })
    }

    /// Whether it is one layer and no image.
    #[wasm_bindgen(js_name = isLayer)]
    pub fn is_layer(&self) -> bool {
        self.holds == Holds::Layer
    }

    /// Whether it is an archive of an engine, whose layers are not compressed as they are in a registry.
    #[wasm_bindgen(js_name = isOfEngine)]
    pub fn is_of_engine(&self) -> bool {
        matches!(&self.source, AnySource::Archive(source) if source.is_docker_archive())
    }

    /// The layers to read, each once, as JSON: `mediaType`, `digest`, `size`, where it lies (`file`, `offset`, `length`),
    /// and whether its zTOC is wanted (`index`).
    pub fn layers(&self) -> Result<String, Objection> {
        let mut seen = BTreeSet::new();
        let mut layers = Vec::new();
        for root in &self.roots {
            // What is wrong with an image is said when it is settled.
            let Ok(plan) = block_on(plan(&self.source, &self.options_for(root))) else {
                continue;
            };
            for PlannedLayer { descriptor, decision } in plan.layers() {
                if seen.insert(descriptor.digest.clone())
                    && let Some((file, offset, length)) = self.place(descriptor)
                {
                    layers.push(json!({
                        "mediaType": descriptor.media_type,
                        "digest": descriptor.digest.as_str(),
                        "size": descriptor.size,
                        "file": file,
                        "offset": offset,
                        "length": length,
                        "index": matches!(decision, Decision::Index),
                    }));
                }
            }
        }
        Ok(Value::Array(layers).to_string())
    }

    /// Takes what came of a layer in another worker.
    pub fn keep(&mut self, digest: &str, outcome: &str, table: Vec<u8>) -> Result<(), Objection> {
        let digest = Digest::parse(digest).map_err(|error| Objection(error.to_string()))?;
        let apart = serde_json::from_str(outcome).map_err(|error| Objection(error.to_string()))?;
        self.read.insert(digest, Read { apart, table });
        Ok(())
    }

    /// Joins what is known, and gives it as JSON, an item for each image: its `names`, the facts `now` and, if anything of
    /// it can be lazy, once `converted`; with the `report` of that; otherwise the `problem`, and the reason for each layer.
    pub fn settle(&mut self) -> Result<String, Objection> {
        let mut told = Vec::new();
        self.settled.clear();
        for root in &self.roots {
            let (settled, value) = self.settle_image(root)?;
            self.settled.push(settled);
            told.push(value);
        }
        Ok(Value::Array(told).to_string())
    }

    /// The facts of an image, byte for byte those of `inspect --format json`.
    pub fn facts(&self, image: usize, converted: bool) -> Option<String> {
        Some(self.examined(image, converted)?.to_json())
    }

    /// What somebody else has found out about one image or several, the output of `inspect --format json`, as `settle`
    /// gives it.
    pub fn describe(facts: &str) -> Result<String, Objection> {
        let one = |facts: &str| ImageFacts::from_json(facts).map_err(|error| Objection(error.to_string()));
        let value: Value = serde_json::from_str(facts).map_err(|error| Objection(error.to_string()))?;
        let all = match value {
            Value::Array(list) => list
                .iter()
                .map(|value| one(&value.to_string()))
                .collect::<Result<Vec<_>, _>>()?,
            _ => vec![one(facts)?],
        };
        Ok(all
            .iter()
            .map(|facts| described(facts, Vec::new()))
            .collect::<Value>()
            .to_string())
    }

    /// The zTOC of a layer, if the image has one of it once converted.
    pub fn ztoc(&self, image: usize, layer: &str) -> Option<Vec<u8>> {
        let layer = Digest::parse(layer).ok()?;
        self.settled.get(image)?.ztocs.get(&layer).cloned()
    }

    /// Opens the file system of a platform of an image, and gives its sums as JSON.
    pub fn files(&mut self, image: usize, platform: usize) -> Option<String> {
        let facts = self.examined(image, false)?;
        let layers = facts.platforms.get(platform)?.layers.iter();
        let tables: Vec<Option<Toc>> = layers.map(|layer| self.table(&layer.digest)).collect();
        let tables: Vec<Option<&Toc>> = tables.iter().map(Option::as_ref).collect();
        let files = Files::of(&tables);
        let summary = files.summary().to_string();
        self.open = Some(files);
        Some(summary)
    }

    /// What is in a directory of the open file system, as JSON.
    pub fn list(&self, node: usize) -> Option<String> {
        Some(self.open.as_ref()?.list(node).to_string())
    }

    /// What of the open file system has this text in its name, as JSON.
    pub fn search(&self, text: &str) -> Option<String> {
        Some(self.open.as_ref()?.search(text).to_string())
    }
}

impl Images {
    fn settle_image(&self, root: &Root) -> Result<(Settled, Value), Objection> {
        let tag = Some(root.descriptor.digest.as_str());
        let now = only(block_on(examine(&self.source, tag))?)?;
        let options = self.options_for(root);
        let layers: BTreeSet<&Digest> = (now.facts.platforms.iter())
            .flat_map(|platform| &platform.layers)
            .map(|layer| &layer.digest)
            .collect();
        for layer in layers {
            if let Some(Read {
                apart: Some(apart),
                table,
            }) = self.read.get(layer)
            {
                options
                    .indexed
                    .keep_apart(layer, apart.clone(), table, &options)?;
            }
        }
        let destination = MemoryDestination::new();
        let made = destination.made();
        let report = convert(
            &self.source,
            AnyDestination::Memory(destination),
            None,
            &options,
            &|_| {},
        );
        let names = (root.names.iter()).filter_map(|name| name.full.as_deref().or(name.tag.as_deref()));
        let mut value = described(&now.facts, names.collect());
        value["spans"] = json!(now.spans);
        let mut settled = Settled {
            now,
            converted: None,
            ztocs: BTreeMap::new(),
        };
        match report {
            Ok(report) => {
                let (blobs, images) = made.take();
                let AnySource::Archive(source) = &self.source else {
                    return Err(Objection("the images are in no file".to_owned()));
                };
                let converted = AnySource::Archive(source.with(&images, blobs.clone())?);
                let converted = only(block_on(examine(&converted, None))?)?;
                settled.ztocs = ztocs(&converted.facts, blobs);
                value["oddities"] = oddities(&converted.facts);
                value["converted"] = json!(converted.facts);
                value["spans"] = json!(converted.spans);
                value["report"] = json!(report);
                settled.converted = Some(converted);
            }
            Err(error) => {
                if let Error::NothingToIndex { layers } = &error {
                    let reasons = layers.iter();
                    value["reasons"] = reasons
                        .map(|(layer, reason)| (layer.to_string(), json!(reason.to_string())))
                        .collect();
                }
                value["problem"] = json!(error.to_string());
            }
        }
        Ok((settled, value))
    }

    /// As the command line has them, for one image.
    fn options_for(&self, root: &Root) -> Options {
        Options {
            tag: Some(root.descriptor.digest.to_string()),
            min_layer_size: self.min_layer_size,
            indexed: Arc::new(Indexed::default()),
            ..Options::default()
        }
    }

    fn examined(&self, image: usize, converted: bool) -> Option<&ImageFacts> {
        let settled = self.settled.get(image)?;
        Some(match converted {
            true => &settled.converted.as_ref()?.facts,
            false => &settled.now.facts,
        })
    }

    /// Where a blob lies: the number of its file, the offset in it, and how many bytes are there.
    fn place(&self, blob: &Descriptor) -> Option<(usize, u64, u64)> {
        let AnyBlob::File(blob) = block_on(self.source.open(blob)).ok()? else {
            return None;
        };
        let (file, offset) = blob.place();
        let number = self.files.iter().position(|known| Arc::ptr_eq(known, file))?;
        Some((number, offset, blob.remaining()))
    }

    fn table(&self, layer: &Digest) -> Option<Toc> {
        let read = self.read.get(layer)?;
        Ztoc::from_bytes(&read.table).ok().map(Ztoc::into_toc)
    }
}

/// Facts and what is odd about them.
fn described(facts: &ImageFacts, names: Vec<&str>) -> Value {
    json!({
        "names": names,
        "now": facts,
        "oddities": oddities(facts),
        "spans": {},
    })
}

/// What is odd, in words.
fn oddities(facts: &ImageFacts) -> Value {
    let oddities = facts.oddities.iter().map(|oddity| {
        let harmful = matches!(
            oddity.effect(),
            Effect::PullFails | Effect::WrongContents | Effect::ReadsFail
        );
        json!({ "text": oddity.to_string(), "harmful": harmful })
    });
    oddities.collect()
}

fn only(images: Vec<Examined>) -> Result<Examined, Objection> {
    images
        .into_iter()
        .next()
        .ok_or_else(|| Objection("the image is gone".to_owned()))
}

/// The zTOCs that the facts name, by layer.
fn ztocs(facts: &ImageFacts, mut blobs: BTreeMap<Digest, Vec<u8>>) -> BTreeMap<Digest, Vec<u8>> {
    let layers = facts.platforms.iter().flat_map(|platform| &platform.layers);
    layers
        .filter_map(|layer| Some((layer.digest.clone(), blobs.remove(&layer.ztoc.as_ref()?.digest)?)))
        .collect()
}
