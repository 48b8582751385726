//! Images brought over as they are: what a build made and nothing could be indexed of, or the original beside its
//! SOCI-enabled sibling.

use super::options::Options;
use super::plan::plan;
use super::publish::put_image;
use super::run::{rename, unchanged};
use crate::store::{AnyDestination, AnySource, Destination, Published};
use crate::{Error, Result, block_on};

/// Copies the images that the options choose, byte for byte, under their names or under `tag`. On an error nothing
/// is visible at the destination, and what had been written is taken back.
pub fn copy(
    source: &AnySource,
    #[allow(unused_mut, reason = "only files are told what is read")] mut destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
) -> Result<Vec<Published>> {
    #[cfg(feature = "native")]
    destination.read_from(source)?;
    match prepare(source, &destination, tag, options) {
        Ok(published) => {
            block_on(destination.publish(&published))?;
            Ok(published)
        }
        Err(error) => {
            block_on(destination.abort());
            Err(error)
        }
    }
}

fn prepare(
    source: &AnySource,
    destination: &AnyDestination,
    tag: Option<&str>,
    options: &Options,
) -> Result<Vec<Published>> {
    let lenient = Options {
        strict: false,
        ..options.clone()
    };
    let plan = block_on(plan(source, &lenient))?;
    if tag.is_some() && plan.images.len() > 1 {
        let place = "a destination with a tag".into();
        return Err(Error::SeveralImages {
            images: plan.images.len(),
            place,
        });
    }
    let mut published = Vec::new();
    for planned in &plan.images {
        let conversion = unchanged(planned);
        block_on(put_image(source, destination, planned, &conversion, &|_| false))?;
        let mut root = planned.root.clone();
        if let Some(tag) = tag {
            rename(&mut root.names, tag);
        }
        published.push(Published {
            root,
            descriptor: conversion.root,
        });
    }
    Ok(published)
}
