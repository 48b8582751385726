//! One image, from its name to its new tag.
//!
//! Whatever comes twice, late, or at once with another does no harm: what a tag names now counts, and it moves only if
//! it still names what was read. A sibling tag has no such condition of its own, so the tag beside it is looked at once
//! more when it was moved: who moved it last sees the newest image, and goes on with that.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::{Digest, Reference};
use soci_registry::{NativeClient, Traffic};
use soci_store::registry::RegistrySource;
use soci_store::store::AnySource;
use soci_store::workflow::{
    self, LayerOutcome, Named, Options, Over, Progress, Report, Reuse, Tables, TagModel, named_now,
    stands_for_another,
};
use soci_store::{Error, block_on};

use crate::event::Request;
use crate::record::Outcome;
use crate::settings::Settings;

/// How often an image is converted because its tag was moved meanwhile, before somebody else has to.
const ROUNDS: usize = 5;

/// What converts images.
pub struct Images<'a> {
    /// What the function is told.
    pub settings: &'a Settings,
    /// The registries.
    pub client: &'a NativeClient,
    /// Raised to stop.
    pub cancel: &'a Arc<AtomicBool>,
    /// What is done of the image, for the next call if this one is stopped.
    pub progress: &'a Arc<Progress>,
}

/// How it was before the conversion.
struct Before {
    sibling: Option<Digest>,
    traffic: Traffic,
}

/// The name that a request is about.
pub fn name(request: &Request) -> Option<&Reference> {
    match request {
        Request::Push { image, .. } | Request::Image { image, .. } => Some(image),
        Request::Other(_) => None,
    }
}

impl Images<'_> {
    /// Does what is asked for, if it is ours to do.
    ///
    /// # Errors
    /// [`Error::Interrupted`], and nothing else.
    pub fn answer(&self, request: &Request) -> Result<Outcome, Error> {
        let (image, pushed, earlier) = match request {
            Request::Other(what) => return Ok(ignored(what)),
            Request::Push { image, digest } => match not_ours(image, self.settings) {
                Some(reason) => return Ok(ignored(reason)),
                None => (image, Some(digest), None),
            },
            Request::Image {
                image,
                pushed,
                resume,
            } => {
                let earlier = resume.as_ref().and_then(|resume| resume.index.clone());
                (image, pushed.as_ref(), earlier)
            }
        };
        match self.convert(image, pushed, earlier) {
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(Error::NothingToIndex { layers }) => Ok(Outcome::NothingToIndex {
                reason: Error::NothingToIndex { layers }.to_string(),
            }),
            Err(error) if pushed.is_some() && error.is_not_found() && self.is_gone(image) => {
                Ok(ignored("the tag was deleted since the push"))
            }
            Err(error) => Ok(Outcome::Failed {
                reason: error.to_string(),
            }),
            Ok(outcome) => Ok(outcome),
        }
    }

    fn convert(
        &self,
        image: &Reference,
        pushed: Option<&Digest>,
        earlier: Option<Digest>,
    ) -> Result<Outcome, Error> {
        let traffic = self.client.traffic();
        let target = self.settings.tag_model.soci_name(image)?;
        let options = Options {
            earlier,
            progress: Some(Arc::clone(self.progress)),
            ..self.options()
        };
        let mut rounds = 1..=ROUNDS;
        loop {
            let is_last = rounds.next().is_none_or(|round| round == ROUNDS);
            let source = self.open(image)?;
            let read = block_on(named_now(&source))?;
            // Of what came after the push there is, or was, another event.
            if let Some(pushed) = pushed.filter(|pushed| **pushed != read) {
                return Ok(ignored(&format!("the tag names {read} by now, not {pushed}")));
            }
            if let Some(outcome) = self.look(&source, pushed.is_some(), &options)? {
                return Ok(outcome);
            }
            let named = Named {
                source: image,
                names: std::slice::from_ref(&target),
                over: match self.settings.tag_model {
                    TagModel::Replace => Over::WhatWasRead,
                    TagModel::Sibling => Over::Anything,
                },
            };
            let before = Before {
                sibling: self.sibling(&target),
                traffic,
            };
            let done = named.convert(self.client, &options, &|_| {});
            match done {
                Ok(report) if self.settings.tag_model == TagModel::Replace => {
                    return Ok(self.outcome(&target, &report, &before));
                }
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                // A sibling of what the tag names no more, or a tag that was moved under our hands.
                Ok(report) => match self.still_names(image, report.images[0].source_digest.clone())? {
                    true => return Ok(self.outcome(&target, &report, &before)),
                    false if is_last => {
                        return Ok(Outcome::Failed {
                            reason: format!("{image} was moved {ROUNDS} times while it was converted"),
                        });
                    }
                    false => {}
                },
                Err(error) if is_last || self.still_names(image, read)? => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// What there is to say without converting.
    fn look(&self, source: &AnySource, is_push: bool, options: &Options) -> Result<Option<Outcome>, Error> {
        let looking = Options {
            reuse: Reuse::None,
            progress: None,
            ..options.clone()
        };
        let plan = match block_on(workflow::plan(source, &looking)) {
            Err(Error::Image(error @ soci_image::Error::Kind { .. })) => {
                return Ok(Some(ignored(&error.to_string())));
            }
            plan => plan?,
        };
        let tools = plan.tools();
        let is_ours = tools.contains(&*options.build_tool_identifier);
        Ok(match (tools.is_empty(), is_ours) {
            (true, _) => None,
            (false, false) => {
                let tools: Vec<&str> = tools.into_iter().collect();
                Some(ignored(&format!("it has an index of {}", tools.join(", "))))
            }
            // Our own push, or that of whoever converts before pushing.
            (false, true) if is_push => Some(ignored("it is SOCI-enabled already")),
            // Whoever asks by name may want it mended.
            (false, true) => None,
        })
    }

    fn outcome(&self, target: &Reference, report: &Report, before: &Before) -> Outcome {
        let image = &report.images[0];
        let layers = report.layers();
        let count = |is: fn(&LayerOutcome) -> bool| layers.iter().filter(|layer| is(&layer.outcome)).count();
        let indexed = count(|outcome| matches!(outcome, LayerOutcome::Indexed { .. }));
        let is_new = match &before.sibling {
            Some(sibling) => *sibling != image.digest,
            None => image.changed || !image.repaired.is_empty(),
        };
        if !is_new {
            return Outcome::Already {
                digest: image.digest.clone(),
            };
        }
        let after = self.client.traffic();
        Outcome::Converted {
            name: target.to_string(),
            digest: image.digest.clone(),
            indexed,
            reused: count(|outcome| matches!(outcome, LayerOutcome::Reused { .. })),
            received: after.received.saturating_sub(before.traffic.received),
            sent: after.sent.saturating_sub(before.traffic.sent),
        }
    }

    /// What a sibling names before the conversion. What cannot be read there is replaced like what is not there.
    fn sibling(&self, target: &Reference) -> Option<Digest> {
        match self.settings.tag_model {
            TagModel::Replace => None,
            TagModel::Sibling => self
                .open(target)
                .and_then(|source| block_on(named_now(&source)))
                .ok(),
        }
    }

    fn options(&self) -> Options {
        Options {
            platforms: self.settings.platforms.clone(),
            span_size: self.settings.span_size,
            min_layer_size: self.settings.min_layer_size,
            tables: Tables::with_room(self.settings.tables),
            cancel: Arc::clone(self.cancel),
            ..Options::default()
        }
    }

    fn open(&self, image: &Reference) -> Result<AnySource, Error> {
        block_on(RegistrySource::open(self.client, image)).map(AnySource::Registry)
    }

    /// Whether the tag names this image now.
    fn still_names(&self, image: &Reference, read: Digest) -> Result<bool, Error> {
        match self.open(image).and_then(|source| block_on(named_now(&source))) {
            Ok(now) => Ok(now == read),
            // Of what is gone nothing can be converted again.
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn is_gone(&self, image: &Reference) -> bool {
        let now = self.open(image).and_then(|source| block_on(named_now(&source)));
        now.is_err_and(|error| error.is_not_found())
    }
}

/// Why a push is not for us, as far as its name says.
fn not_ours(image: &Reference, settings: &Settings) -> Option<&'static str> {
    let tag = image.tag().unwrap_or_default();
    let is_meant = |globs: &Option<crate::settings::Globs>, text: &str| {
        globs.as_ref().is_none_or(|globs| globs.matches(text))
    };
    if !is_meant(&settings.repositories, image.repository()) {
        Some("its repository is not in SOCI_REPOSITORIES")
    } else if !is_meant(&settings.tags, tag) {
        Some("its tag is not in SOCI_TAGS")
    } else if settings
        .except_tags
        .as_ref()
        .is_some_and(|globs| globs.matches(tag))
    {
        Some("its tag is in SOCI_EXCEPT_TAGS")
    } else if stands_for_another(tag) {
        Some("its tag stands for a signature, an attestation or a list of referrers")
    } else if settings.tag_model == TagModel::Sibling && tag.ends_with(workflow::SIBLING_SUFFIX) {
        Some("its tag is that of a SOCI-enabled sibling")
    } else {
        None
    }
}

fn ignored(reason: &str) -> Outcome {
    Outcome::Ignored {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_forms_of_tags_say_what_is_not_ours() {
        let settings = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Settings::read(pairs.iter().map(owned)).expect("good settings")
        };
        let why = |name: &str, settings: &Settings| {
            let image = Reference::parse(&format!("r.example/{name}")).expect("a name");
            not_ours(&image, settings)
        };
        let filtered = settings(&[
            ("SOCI_REPOSITORIES", "shop/*"),
            ("SOCI_TAGS", "v*"),
            ("SOCI_EXCEPT_TAGS", "*-rc"),
            ("SOCI_TAG_MODEL", "sibling"),
        ]);
        assert_eq!(why("shop/web:v1", &filtered), None);
        for (name, said) in [
            ("web:v1", "SOCI_REPOSITORIES"),
            ("shop/web:1", "SOCI_TAGS"),
            ("shop/web:v1-rc", "SOCI_EXCEPT_TAGS"),
            ("shop/web:v1-soci", "sibling"),
        ] {
            let reason = why(name, &filtered).unwrap_or_default();
            assert!(reason.contains(said), "{name}: {reason}");
        }
        let everything = settings(&[]);
        assert_eq!(why("web:v1-soci", &everything), None);
        let signature = format!("web:sha256-{}.sig", "0".repeat(64));
        assert!(why(&signature, &everything).is_some());
    }
}
