//! What a client fetches before the container is created: all zTOCs, and whole the layers that have none or whose zTOC
//! it does not take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use soci_image::media_type::ZTOC;
use soci_image::{Descriptor, SociIndex};
use soci_rootfs::{Client, Rootfs};
use soci_store::block_on;
use soci_store::store::AnySource;
use soci_store::workflow::{self, Event, Observer, Options, UnpackedLayer};
use soci_ztoc::ztoc::Ztoc;

use crate::layer::{Contents, Layer, Spans};
use crate::wire::Wire;
use crate::{Error, Result};

/// An image that can be mounted.
#[derive(Debug)]
pub struct Pulled {
    /// When a client would have set up what it needs beside the layers.
    pub(crate) set_up: Instant,
    pub(crate) layers: Vec<Layer>,
    told: Vec<PulledLayer>,
}

/// A layer of it, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PulledLayer {
    /// Its digest.
    pub digest: String,
    /// Bytes as it is stored.
    pub compressed: u64,
    /// Bytes of its tar.
    pub uncompressed: u64,
    /// Bytes of its zTOC; none if it was fetched whole.
    pub ztoc: Option<u64>,
    /// Its spans; none if it was fetched whole.
    pub spans: Option<usize>,
    /// Why it was fetched whole although it has a zTOC.
    pub refused: Option<String>,
}

/// Fetches what a client needs before it mounts; without an index all layers, as a client that is not lazy does. The
/// documents that name all of it were asked for from `begin` on.
///
/// # Errors
/// [`Error::Store`], [`Error::Ztoc`], [`Error::Interrupted`]; a layer that cannot be unpacked.
pub fn pull(
    source: &Arc<AnySource>,
    layers: &[Descriptor],
    index: Option<&SociIndex>,
    wire: &Wire,
    cancel: &Arc<AtomicBool>,
    begin: Instant,
    observer: Observer<'_>,
) -> Result<Pulled> {
    let (ztocs, arrived) = ztocs(source, layers, index, wire, wire.documents(begin))?;
    let set_up = wire.set_up(arrived);
    let clients = clients(&ztocs, layers, index);
    let whole: Vec<bool> = clients.iter().map(|client| *client != Client::Mounts).collect();
    let options = Options {
        cancel: Arc::clone(cancel),
        ..Options::default()
    };
    if whole.contains(&true) {
        wire.wait(set_up)?;
    }
    let mut unpacked = fetch_whole(source, layers, &whole, wire, &options, observer)?;
    let mut pulled = Pulled {
        set_up,
        layers: Vec::new(),
        told: Vec::new(),
    };
    for (number, (descriptor, ztoc)) in layers.iter().zip(ztocs).enumerate() {
        let (ztoc, contents) = match (unpacked[number].take(), ztoc) {
            (Some((ztoc, unpacked)), _) => (ztoc, Contents::Whole(unpacked)),
            (None, Some(ztoc)) => {
                let spans = Spans::new(Arc::clone(source), &ztoc)
                    .map_err(crate::error::system("write into", std::env::temp_dir()))?;
                (ztoc, Contents::Spans(spans))
            }
            (None, None) => return Err(Error::Interrupted),
        };
        let is_lazy = matches!(contents, Contents::Spans(_));
        let entry = index.and_then(|index| index.ztoc_of(&descriptor.digest));
        pulled.told.push(PulledLayer {
            digest: descriptor.digest.to_string(),
            compressed: descriptor.size,
            uncompressed: ztoc.uncompressed_size(),
            ztoc: entry.filter(|_| is_lazy).map(|entry| entry.size),
            spans: is_lazy.then(|| ztoc.span_count()),
            refused: match &clients[number] {
                Client::Refuses(why) => Some(why.to_string()),
                _ => None,
            },
        });
        pulled.layers.push(Layer {
            number,
            descriptor: descriptor.clone(),
            ztoc,
            contents,
        });
    }
    Ok(pulled)
}

impl Pulled {
    /// Its layers, lowest first.
    pub fn layers(&self) -> &[PulledLayer] {
        &self.told
    }
}

/// All zTOCs at once: their requests go out together. Gives when the last one has come as well.
fn ztocs(
    source: &AnySource,
    layers: &[Descriptor],
    index: Option<&SociIndex>,
    wire: &Wire,
    asked: Instant,
) -> Result<(Vec<Option<Ztoc>>, Instant)> {
    let mut arrived = asked;
    let mut ztocs = Vec::with_capacity(layers.len());
    for layer in layers {
        let Some(entry) = index.and_then(|index| index.ztoc_of(&layer.digest)) else {
            ztocs.push(None);
            continue;
        };
        let descriptor = Descriptor::new(ZTOC, entry.digest.clone(), entry.size);
        let ztoc = block_on(workflow::read_ztoc(source, &descriptor))?;
        arrived = wire.arrive(asked, entry.size);
        ztocs.push(Some(ztoc.ok_or_else(|| Error::Ztoc {
            ztoc: entry.digest.to_string(),
            layer: layer.digest.to_string(),
        })?));
    }
    Ok((ztocs, arrived))
}

/// What the client does with each layer.
fn clients(ztocs: &[Option<Ztoc>], layers: &[Descriptor], index: Option<&SociIndex>) -> Vec<Client> {
    let mounts = mounts(ztocs.iter().map(Option::as_ref), layers, index);
    let views: Vec<_> = ztocs
        .iter()
        .zip(&mounts)
        .map(|(ztoc, mount)| match (ztoc, mount) {
            (Some(ztoc), Some(mount)) => soci_rootfs::Layer::mounted(ztoc.toc(), mount),
            _ => soci_rootfs::Layer::unknown(),
        })
        .collect();
    Rootfs::mounted(&views).1
}

/// What the client makes of each zTOC.
pub(crate) fn mounts<'a>(
    ztocs: impl Iterator<Item = Option<&'a Ztoc>>,
    layers: &[Descriptor],
    index: Option<&SociIndex>,
) -> Vec<Option<soci_rootfs::Mount>> {
    let without_xattrs = |layer: &Descriptor| {
        let entry = index.and_then(|index| index.ztoc_of(&layer.digest));
        entry.is_some_and(|entry| entry.disable_xattrs)
    };
    ztocs
        .zip(layers)
        .map(|(ztoc, layer)| {
            let mount = soci_rootfs::Mount::of(ztoc?);
            Some(match without_xattrs(layer) {
                true => mount.without_xattrs(),
                false => mount,
            })
        })
        .collect()
}

/// A layer that came whole, unpacked, with the zTOC of its tar.
type WholeLayer = (Ztoc, UnpackedLayer);

/// Layers that come whole, three at a time as containerd fetches them.
fn fetch_whole(
    source: &AnySource,
    layers: &[Descriptor],
    whole: &[bool],
    wire: &Wire,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Vec<Option<WholeLayer>>> {
    let results: Mutex<Vec<Option<Result<WholeLayer>>>> = Mutex::new(layers.iter().map(|_| None).collect());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(layer) = layers.get(number) else { return };
                    if !whole[number] {
                        continue;
                    }
                    let made = fetch_one(source, layer, wire, options, observer);
                    results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(made);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(Option::transpose).collect()
}

/// Layers that containerd fetches at once.
const AT_ONCE: usize = 3;

fn fetch_one(
    source: &AnySource,
    layer: &Descriptor,
    wire: &Wire,
    options: &Options,
    observer: Observer<'_>,
) -> Result<WholeLayer> {
    let begun = Instant::now();
    let slowly = |event: Event| {
        if let Event::LayerAdvanced { bytes, .. } = &event {
            // Who asks to stop stops the reading itself.
            let _ = wire.wait(wire.arrive(begun, *bytes));
        }
        observer(event);
    };
    Ok(workflow::unpack(source, layer, options, &slowly)?)
}
