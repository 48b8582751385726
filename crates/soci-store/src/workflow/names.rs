//! An image of a registry, converted and put under its names.
//!
//! | tag model | the tag names | the SOCI-enabled image is |
//! |---|---|---|
//! | `replace` | the SOCI-enabled image | there |
//! | `sibling` | the image as built | under the tag with `-soci` appended |
//!
//! Every tag moves last, when all that it points at is there.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use soci_image::{Digest, Reference};
use soci_registry::Client;

use super::copy::copy;
use super::options::{Observer, Options};
use super::report::Report;
use super::reuse::{Reuse, ReusePlace};
use super::run::convert;
use crate::registry::{RegistryDestination, RegistrySource, Wire};
use crate::store::{AnyDestination, AnySource, Destination, Published, Source};
use crate::{Error, Result, block_on};

/// Which image the tag names afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TagModel {
    /// The SOCI-enabled one.
    Replace,
    /// The one as built.
    Sibling,
}

impl TagModel {
    /// The name of the SOCI-enabled image.
    ///
    /// # Errors
    /// If the longer tag is none.
    pub fn soci_name(self, name: &Reference) -> Result<Reference> {
        let tag = name.tag_or_latest().unwrap_or("latest");
        Ok(match self {
            Self::Replace => name.with_tag(tag)?,
            Self::Sibling => name.with_tag(&format!("{tag}{SIBLING_SUFFIX}"))?,
        })
    }
}

/// What the name that a place was opened with names now.
///
/// # Errors
/// If the place cannot be read, or has nothing under the name.
pub async fn named_now(place: &AnySource) -> Result<Digest> {
    let roots = place.roots().await?;
    let root = roots.into_iter().next().ok_or_else(|| Error::Place {
        place: "the registry".to_owned(),
        problem: "lists no image under this name".to_owned(),
    })?;
    Ok(root.descriptor.digest)
}

/// What the tags may name before they are moved.
#[derive(Clone, Copy, Debug)]
pub enum Over<'a> {
    /// Anything, or nothing.
    Anything,
    /// What was read: the tag is that of the source.
    WhatWasRead,
    /// This image, or nothing.
    This(&'a Digest),
}

/// An image and the tags that it gets.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// Where the image is.
    pub source: &'a Reference,
    /// The tags; the first one's repository is where it is converted, the others get what came out.
    pub names: &'a [Reference],
    /// What may be replaced.
    pub over: Over<'a>,
}

impl Named<'_> {
    /// Converts the image, and moves the tags.
    ///
    /// # Errors
    /// As [`convert`]; no tag was moved then, unless a later one could not be.
    pub fn convert(self, client: &Client<Wire>, options: &Options, observer: Observer<'_>) -> Result<Report> {
        let lead = self.lead()?;
        let in_place = lead.to_string() == self.source.to_string();
        let mut options = options.clone();
        if options.reuse != Reuse::None {
            options.reuse_referrers = in_place;
            if !in_place {
                options
                    .reuse_from
                    .extend(ReusePlace::at_destination(open(client, lead)?)?);
            }
        }
        let source = open(client, self.source)?;
        let destination = self.destination(client, lead)?;
        let report = convert(&source, destination, lead.tag_or_latest(), &options, observer)?;
        let [image] = report.images.as_slice() else {
            let images = report.images.len();
            let place = lead.to_string();
            return Err(Error::SeveralImages { images, place });
        };
        self.spread(client, &lead.with_digest(&image.digest), &options)?;
        Ok(report)
    }

    /// Puts the image under the tags as it is.
    ///
    /// # Errors
    /// As [`copy`].
    pub fn copy(self, client: &Client<Wire>, options: &Options) -> Result<()> {
        let lead = self.lead()?;
        let source = open(client, self.source)?;
        let placed = copy(
            &source,
            self.destination(client, lead)?,
            lead.tag_or_latest(),
            options,
        )?;
        match placed.first() {
            Some(image) => self.spread(client, &lead.with_digest(&image.descriptor.digest), options),
            None => Ok(()),
        }
    }

    fn lead(&self) -> Result<&Reference> {
        self.names.first().ok_or_else(|| Error::Place {
            place: self.source.to_string(),
            problem: "the image has no name to publish it under".into(),
        })
    }

    fn destination(&self, client: &Client<Wire>, name: &Reference) -> Result<AnyDestination> {
        let place = block_on(RegistryDestination::open(client, name))?;
        Ok(AnyDestination::Registry(match self.over {
            Over::Anything => place,
            Over::WhatWasRead => place.in_place(),
            Over::This(digest) => place.over(digest),
        }))
    }

    fn spread(&self, client: &Client<Wire>, image: &Reference, options: &Options) -> Result<()> {
        let source = open(client, image)?;
        spread(
            &source,
            image,
            self.names,
            &|name| self.destination(client, name),
            options,
        )
    }
}

/// Puts an image that has its first name under the others: a tag in the same repository, a copy in another. `place`
/// opens what a name says for writing.
///
/// # Errors
/// Those of `place`, and as [`copy`].
pub fn spread<E: From<Error>>(
    source: &AnySource,
    image: &Reference,
    names: &[Reference],
    place: &dyn Fn(&Reference) -> Result<AnyDestination, E>,
    options: &Options,
) -> Result<(), E> {
    let mut repositories: Vec<String> = Vec::new();
    for name in names {
        if !repositories.contains(&name.name()) {
            repositories.push(name.name());
        }
    }
    for repository in repositories {
        let mut tags = names.iter().filter(|name| name.name() == repository);
        let first = tags.next().expect("it is the repository of a name");
        if repository != image.name() {
            copy(source, place(first)?, first.tag_or_latest(), options)?;
        }
        for tag in tags {
            if options.cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted.into());
            }
            let roots = block_on(source.roots())?;
            let images: Vec<Published> = roots
                .into_iter()
                .map(|root| Published {
                    descriptor: root.descriptor.clone(),
                    root,
                })
                .collect();
            block_on(place(tag)?.publish(&images))?;
        }
    }
    Ok(())
}

fn open(client: &Client<Wire>, reference: &Reference) -> Result<AnySource> {
    block_on(RegistrySource::open(client, reference)).map(AnySource::Registry)
}

/// The tag convention of the AWS SOCI index builder
/// (<https://github.com/awslabs/cfn-ecr-aws-soci-index-builder>, read 2026-11-24).
pub const SIBLING_SUFFIX: &str = "-soci";

/// Whether a tag is by its form no name of an image: `sha256-…`, which lists what refers to an image, and cosign's
/// `sha256-….sig`, `.att`, `.sbom`.
///
/// <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema> and
/// <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery> (checked 2026-11-29).
pub fn stands_for_another(tag: &str) -> bool {
    let Some((algorithm, rest)) = tag.split_once('-') else {
        return false;
    };
    let hex = rest.split('.').next().unwrap_or_default();
    Digest::parse(&format!("{algorithm}:{hex}")).is_ok()
}
