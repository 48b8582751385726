//! An image whose layers have zTOCs, layer by layer: what `cat` and `estimate` look paths up in.

use soci_image::image::ImageEntry;
use soci_image::media_type::ZTOC;
use soci_image::{Descriptor, Platform, SociIndex};
use soci_store::workflow::{self, Examined, Options, UnpackedLayer};
use soci_store::{
    Location, block_on,
    store::{AnySource, Source},
};
use soci_ztoc::ztoc::Ztoc;

use crate::context::Context;
use crate::error::CommandError;
use crate::places;

/// Flags that choose an image of a place.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Which of several images, by tag, full name or digest
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Platform to read from; needed if there are several
    #[arg(short, long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
}

/// The one image that the flags choose.
pub fn the_image(source: &AnySource, place: &Location, which: &Which) -> Result<Examined, CommandError> {
    let tag = places::wanted_tag(place, which.tag.as_deref())?;
    let images = block_on(workflow::examine_documents(source, tag.as_deref()))
        .map_err(|error| places::failed(&error))?;
    let count = images.len();
    match <[Examined; 1]>::try_from(images) {
        Ok([image]) => Ok(image),
        Err(_) => {
            Err(CommandError::usage(format!("{place} has {count} images")).help("choose one with --tag"))
        }
    }
}

/// The layers of the platform meant, and its SOCI index.
pub fn choose<'a>(
    image: &'a Examined,
    platform: Option<&Platform>,
) -> Result<(&'a [Descriptor], SociIndex), CommandError> {
    let entry = entry_for(image, platform)?;
    Ok((&entry.manifest.layers, index_of(image, entry)?))
}

/// The image for the platform meant.
pub fn entry_for<'a>(
    image: &'a Examined,
    platform: Option<&Platform>,
) -> Result<&'a ImageEntry, CommandError> {
    let wanted: Vec<Platform> = platform.cloned().into_iter().collect();
    let choices = image
        .image
        .select(&wanted)
        .map_err(|error| CommandError::failed(error.to_string()))?;
    let [choice] = &choices[..] else {
        let names: Vec<String> = choices.iter().map(|choice| choice.platform.to_string()).collect();
        return Err(
            CommandError::usage(format!("the image is there for {}", names.join(", ")))
                .help("choose one with --platform"),
        );
    };
    image
        .image
        .images()
        .into_iter()
        .find(|entry| entry.id == choice.id)
        .ok_or_else(|| CommandError::failed("the image has no manifest for this platform"))
}

/// The SOCI index that a client finds for an image.
pub fn index_of(image: &Examined, entry: &ImageEntry) -> Result<SociIndex, CommandError> {
    let annotated = entry.manifest.soci_index_digest();
    let of_subject = || {
        image.documents.iter().find_map(|(_, bytes)| {
            let index = SociIndex::parse(bytes).ok()?;
            (index.subject.as_ref()?.digest == entry.descriptor.digest).then_some(index)
        })
    };
    let index = match annotated {
        Some(digest) => image
            .documents
            .get(&digest)
            .and_then(|bytes| SociIndex::parse(bytes).ok()),
        None => of_subject(),
    };
    index.ok_or_else(|| {
        CommandError::failed("the image has no SOCI index").help("convert it: cargo soci convert SRC DST")
    })
}

/// A layer whose files can be found and read.
pub struct LayerView<'a> {
    /// The layer.
    pub layer: &'a Descriptor,
    /// Its zTOC; made on the spot for a layer without one.
    pub ztoc: Ztoc,
    /// Where its bytes come from.
    pub bytes: Bytes<'a>,
}

/// Where the bytes of a layer come from.
pub enum Bytes<'a> {
    /// The layer as it is stored: its spans are fetched.
    Stored(&'a AnySource),
    /// It was read whole.
    Unpacked(UnpackedLayer),
}

/// Through its zTOC; a layer without one is read whole.
pub fn open_layer<'a>(
    source: &'a AnySource,
    layer: &'a Descriptor,
    index: &SociIndex,
    context: &Context,
) -> Result<LayerView<'a>, CommandError> {
    let failed = |error| places::failed(&error);
    let Some(entry) = index.ztoc_of(&layer.digest) else {
        context.detail(&format!(
            "layer {} has no zTOC: reading all of its {} bytes",
            layer.digest, layer.size
        ));
        let options = Options {
            cancel: context.cancel.flag(),
            ..Options::default()
        };
        let (ztoc, unpacked) = workflow::unpack(source, layer, &options, &|_| {}).map_err(failed)?;
        return Ok(LayerView {
            layer,
            ztoc,
            bytes: Bytes::Unpacked(unpacked),
        });
    };
    let descriptor = Descriptor::new(ZTOC, entry.digest.clone(), entry.size);
    let ztoc = block_on(workflow::read_ztoc(source, &descriptor))
        .map_err(failed)?
        .ok_or_else(|| {
            CommandError::failed(format!(
                "the zTOC {} of layer {} is damaged",
                entry.digest, layer.digest
            ))
            .help("convert the image again")
        })?;
    Ok(LayerView {
        layer,
        ztoc,
        bytes: Bytes::Stored(source),
    })
}

impl LayerView<'_> {
    /// Reads bytes of the layer as it is stored, or of its tar if it was read whole.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), CommandError> {
        match &self.bytes {
            Bytes::Stored(source) => block_on(source.read_at(self.layer, offset, buffer)),
            Bytes::Unpacked(unpacked) => unpacked.read_at(offset, buffer),
        }
        .map_err(|error| places::failed(&error))
    }
}
