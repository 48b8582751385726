//! An image on its way to this machine.

use std::sync::Arc;
use std::time::Instant;

use soci_image::SociIndex;
use soci_image::image::ImageEntry;
use soci_mount::{Error, Pulled, Wire};
use soci_start::{Client, Link};
use soci_store::store::{AnySource, Source};
use soci_store::workflow::Examined;
use soci_store::{Location, block_on};

use crate::commands::layer_progress::LayerProgress;
use crate::context::Context;
use crate::error::CommandError;
use crate::lazy_image::{Which, entry_for, index_of, the_image};
use crate::places;

/// An image of a place, and the way to it.
pub(crate) struct Opened {
    source: Arc<AnySource>,
    image: Examined,
    which: Which,
    /// When the pull began.
    pub(crate) begin: Instant,
    pub(crate) wire: Arc<Wire>,
}

impl Opened {
    /// Reads the documents of the image.
    pub(crate) fn new(
        source: &str,
        which: Which,
        link: Option<Link>,
        context: &Context,
    ) -> Result<Self, CommandError> {
        let begin = Instant::now();
        let location: Location = places::source(source, context)?;
        let source = Arc::new(places::open(&location, context)?);
        let image = the_image(&source, &location, &which)?;
        let stop = context.cancel.flag();
        let wire = Arc::new(match link {
            Some(link) => Wire::shaped(link, Client::MEASURED, stop),
            None => Wire::open(stop),
        });
        Ok(Self {
            source,
            image,
            which,
            begin,
            wire,
        })
    }

    /// The image for the platform that was asked for.
    pub(crate) fn entry(&self) -> Result<&ImageEntry, CommandError> {
        entry_for(&self.image, self.which.platform.as_ref())
    }

    /// Its SOCI index.
    pub(crate) fn index(&self) -> Result<SociIndex, CommandError> {
        index_of(&self.image, self.entry()?)
    }

    /// Its config document, compared with its digest.
    pub(crate) fn config(&self) -> Result<Vec<u8>, CommandError> {
        let config = &self.entry()?.manifest.config;
        block_on(self.source.document(config)).map_err(|error| places::failed(&error))
    }

    /// Fetches what a client fetches before it mounts; without an index all layers whole.
    pub(crate) fn pull(&self, index: Option<&SociIndex>, context: &Context) -> Result<Pulled, CommandError> {
        let progress = LayerProgress::new(context, "done", "fetched whole");
        let observer = |event| progress.event(event);
        soci_mount::pull(
            &self.source,
            &self.entry()?.manifest.layers,
            index,
            &self.wire,
            &context.cancel.flag(),
            self.begin,
            &observer,
        )
        .map_err(|error| cannot(&error))
    }
}

/// The error of a command.
pub(crate) fn cannot(error: &Error) -> CommandError {
    match error {
        Error::Store(error) => places::failed(error),
        Error::Interrupted => CommandError::interrupted(),
        Error::Ztoc { .. } => CommandError::failed(error.to_string()).help("convert the image again"),
        Error::Lacking { what, help } => CommandError::failed(what.clone()).help(help.clone()),
        Error::Container { what, help } if help.is_empty() => CommandError::failed(what.clone()),
        Error::Container { what, help } => CommandError::failed(what.clone()).help(help.clone()),
        _ => CommandError::failed(error.to_string()),
    }
}
