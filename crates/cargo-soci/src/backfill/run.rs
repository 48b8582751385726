//! All images of the repositories, several at once.

use std::sync::{Mutex, PoisonError};

use soci_image::Reference;
use soci_store::workflow::Options;
use soci_store::{block_on, registry::RegistrySource};

use super::chosen::Filter;
use super::dates::Dates;
use super::image;
use super::layers::Layers;
use super::queue::Queue;
use super::report::{LeftOut, Report, Row, told};
use crate::at_once::each;
use crate::build::publish::TagModel;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// How a run goes.
pub struct Settings {
    /// Which tags.
    pub filter: Filter,
    /// How new.
    pub dates: Dates,
    /// What the tags name afterwards.
    pub model: TagModel,
    /// How layers are indexed.
    pub options: Options,
    /// Images at the same time.
    pub at_once: usize,
    /// Bytes for the tables of contents of one image.
    pub tables: u64,
    /// Only look.
    pub dry_run: bool,
    /// Where images are handed over, instead of being converted here.
    pub queue: Option<Queue>,
}

/// Converts what is chosen in the repositories. An interruption gives the report of what was done until then.
pub fn run(
    repositories: &[Reference],
    settings: &Settings,
    context: &Context,
) -> Result<Report, CommandError> {
    let mut report = Report::default();
    let mut images = Vec::new();
    for repository in repositories {
        let (chosen, left_out) = list(repository, settings, context)?;
        images.extend(chosen);
        report.repositories.push(left_out);
    }
    let layers = Layers::default();
    let rows = Mutex::new(Vec::new());
    let done = each(&images, settings.at_once, |image| {
        context.cancel.check()?;
        let outcome = match &settings.queue {
            Some(queue) => queue.send(image),
            None => image::convert(image, settings, &layers, context)?,
        };
        context.note(&told(image, &outcome));
        let row = Row {
            image: image.to_string(),
            outcome,
        };
        rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        Ok(())
    });
    match done {
        Ok(_) => {}
        Err(error) if error.exit() == Exit::Interrupted => {}
        Err(error) => return Err(error),
    }
    report.images = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    let order = |row: &Row| images.iter().position(|image| image.to_string() == row.image);
    report.images.sort_by_cached_key(order);
    report.not_reached = images.len() - report.images.len();
    let traffic = context.registries.traffic();
    report.received = traffic.received;
    report.sent = traffic.sent;
    Ok(report)
}

/// The chosen images of a repository.
fn list(
    repository: &Reference,
    settings: &Settings,
    context: &Context,
) -> Result<(Vec<Reference>, LeftOut), CommandError> {
    let source: RegistrySource = context.registries.source(repository, context)?;
    let tags = block_on(source.repository().tags())
        .map_err(|error| places::failed(&soci_store::Error::from(error)))?;
    let chosen = settings.filter.choose(repository, &tags);
    let mut images = Vec::new();
    for tag in &chosen.tags {
        let named = repository.with_tag(tag);
        images.push(named.map_err(|error| {
            CommandError::failed(format!("{} lists a tag that is none", repository.name())).because(&error)
        })?);
    }
    let dated = settings.dates.choose(images, settings.at_once, context)?;
    let left_out = LeftOut {
        repository: repository.name(),
        tags: tags.len(),
        not_meant: chosen.not_meant,
        not_images: chosen.not_images,
        other_shards: chosen.elsewhere,
        older: dated.older,
        undated: dated.undated.iter().map(ToString::to_string).collect(),
    };
    Ok((dated.images, left_out))
}
