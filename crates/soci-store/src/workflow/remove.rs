//! SOCI out of an image again.

use soci_image::Image;
use soci_image::convert;

use super::options::Options;
use super::plan::PlannedImage;
use super::publish::put_image;
use super::read::{read_documents, select};
use super::report::{ImageReport, PlatformReport};
use super::run::rename;
use super::summary::report_of;
use crate::store::{AnyDestination, AnySource, Destination, Published, Source};
use crate::{Error, Result, block_on};

/// Takes out of the images that the options choose what a conversion added, and writes them to `destination`, under
/// `tag` if there is one. An image without SOCI is written as it is, and its report says so.
///
/// On an error nothing is visible at the destination, and what had been written is taken back.
pub fn remove(
    source: &AnySource,
    destination: AnyDestination,
    tag: Option<&str>,
    options: &Options,
) -> Result<Vec<ImageReport>> {
    let mut destination = destination.near(source);
    destination.read_from(source)?;
    match block_on(prepare(source, &destination, tag, options)) {
        Ok((published, reports)) => {
            block_on(destination.publish(&published))?;
            Ok(reports)
        }
        Err(error) => {
            block_on(destination.abort());
            Err(error)
        }
    }
}

async fn prepare(
    source: &AnySource,
    destination: &AnyDestination,
    tag: Option<&str>,
    options: &Options,
) -> Result<(Vec<Published>, Vec<ImageReport>)> {
    let roots = select(source.roots().await?, options.tag.as_deref())?;
    if tag.is_some() && roots.len() > 1 {
        let place = "a destination with a tag".into();
        return Err(Error::SeveralImages {
            images: roots.len(),
            place,
        });
    }
    let mut published = Vec::new();
    let mut reports = Vec::new();
    for root in roots {
        let documents = read_documents(source, &root.descriptor).await?;
        let image = Image::read(&root.descriptor, &documents)?;
        let mut witnessed = documents.clone();
        let more = convert::witnesses(&image)
            .into_iter()
            .chain(convert::configs(&image));
        for statement in more {
            if witnessed.get(&statement.digest).is_none() && source.contains(&statement).await? {
                witnessed.insert(&statement, source.document(&statement).await?)?;
            }
        }
        let conversion = convert::remove(&image, &witnessed)?;
        let planned = PlannedImage {
            root,
            image,
            documents,
            platforms: Vec::new(),
        };
        put_image(source, destination, &planned, &conversion, &|_| false).await?;
        let mut root = planned.root.clone();
        if let Some(tag) = tag {
            rename(&mut root.names, tag);
        }
        let platforms = conversion
            .platforms
            .iter()
            .map(|platform| PlatformReport {
                platform: platform.choice.platform.to_string(),
                source_manifest: platform.old_manifest.clone(),
                manifest: platform.manifest.digest.clone(),
                soci_index: None,
                layers: Vec::new(),
                prefetch_artifacts: 0,
            })
            .collect();
        reports.push(report_of(&root, &conversion, platforms));
        published.push(Published {
            root,
            descriptor: conversion.root,
        });
    }
    Ok((published, reports))
}
