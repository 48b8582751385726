//! What images are in their registries now: each asked once, several at once, within a time.
//!
//! A private registry of Amazon ECR that cannot be reached, or refuses, is asked once more by its own API, which other
//! endpoints and other rights lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use soci_image::Reference;
use soci_image::facts::ImageFacts;
use soci_store::store::AnySource;
use soci_store::workflow::{Answer, Examined};
use soci_store::{Error, block_on, workflow};

use crate::at_once::each;
use crate::causes;
use crate::context::Context;
use crate::error::CommandError;
use crate::escape;
use crate::places;
use crate::registries::NotAsked;

/// Which images are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckImages {
    /// None.
    Off,
    /// Those whose verdict hangs on it, in private ECR registries.
    Auto,
    /// All.
    On,
}

impl From<CheckImages> for soci_lint::CheckImages {
    fn from(check: CheckImages) -> Self {
        match check {
            CheckImages::Off => Self::Off,
            CheckImages::Auto => Self::Auto,
            CheckImages::On => Self::On,
        }
    }
}

/// How closely an image is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its documents, and whether layers and zTOCs are there.
    Presence,
    /// The zTOCs are read as well, and the registry is asked for a byte of a layer.
    Read,
}

/// How many images are asked about at once.
const AT_ONCE: usize = 8;

/// How long registries are asked, all together.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a registry said about an image.
#[derive(Debug, Clone)]
pub enum Looked {
    /// What it is.
    Known(Box<ImageFacts>),
    /// There is no such image.
    Missing,
    /// It is there, or may be, and cannot be looked at: why.
    Odd(String),
    /// Its registry cannot be asked, which [`Images::troubles`] says.
    Unasked,
}

/// What registries said.
#[derive(Debug, Default)]
pub struct Images {
    known: BTreeMap<String, Looked>,
    troubles: BTreeMap<String, Trouble>,
}

/// Why a registry cannot be asked, and what helps.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What happened.
    pub problem: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether ECR's own API was asked in its stead.
    pub is_told_by_api: bool,
}

impl Trouble {
    /// What became of the registry, in a sentence.
    pub fn sentence(&self, registry: &str) -> String {
        match self.is_told_by_api {
            true => format!(
                "{registry} itself was not asked about all images ({}); ECR's own API was asked about them",
                self.problem
            ),
            false => format!("{registry} was not asked: {}", self.problem),
        }
    }
}

/// An image that a registry does not tell about.
struct Refused {
    /// As a command that needs the image says it.
    error: CommandError,
    /// Whether it holds for the registry as a whole, or for this repository alone.
    is_whole: bool,
}

/// What an attempt to look at an image brought.
enum Attempt {
    Looked(Looked),
    Refused(Refused),
}

/// What asking ECR's own API brought.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "there is nobody to ask"))]
enum Told {
    /// It answered.
    Looked(Looked),
    /// It cannot be asked: why, and what helps.
    Failed(String, Option<&'static str>),
    /// There is nothing to ask: another registry, or no credentials.
    Nobody,
}

impl Images {
    /// What is known about an image; `None` if nobody asked.
    pub fn about(&self, reference: &Reference) -> Option<&Looked> {
        self.known.get(&reference.to_string())
    }

    /// The registries that could not be asked, each once.
    pub fn troubles(&self) -> &BTreeMap<String, Trouble> {
        &self.troubles
    }

    /// Adds what is known from elsewhere.
    pub fn tell(&mut self, reference: &Reference, facts: ImageFacts) {
        self.known
            .insert(reference.to_string(), Looked::Known(Box::new(facts)));
    }

    /// Asks about images that nobody asked about yet.
    pub fn ask(
        &mut self,
        wanted: &[Reference],
        depth: Depth,
        context: &Context,
        until: Instant,
    ) -> Result<(), CommandError> {
        let mut seen = BTreeSet::new();
        let wanted: Vec<&Reference> = wanted
            .iter()
            .filter(|reference| {
                let name = reference.to_string();
                !self.known.contains_key(&name) && seen.insert(name)
            })
            .collect();
        let troubles = Mutex::new(std::mem::take(&mut self.troubles));
        let looked = each(&wanted, AT_ONCE, |reference| {
            let looked = look(reference, depth, &troubles, context, until)?;
            Ok((reference.to_string(), looked))
        })?;
        self.troubles = troubles.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.known.extend(looked);
        Ok(())
    }
}

/// One image; an error only if the run was interrupted.
fn look(
    reference: &Reference,
    depth: Depth,
    troubles: &Mutex<BTreeMap<String, Trouble>>,
    context: &Context,
    until: Instant,
) -> Result<Looked, CommandError> {
    let registry = reference.registry();
    let known = locked(troubles)
        .get(registry)
        .map(|trouble| trouble.is_told_by_api);
    if known == Some(false) {
        return Ok(Looked::Unasked);
    }
    let note = |error: &CommandError, is_told_by_api| {
        locked(troubles)
            .entry(registry.to_owned())
            .or_insert_with(|| Trouble {
                problem: error.message().to_owned(),
                help: error.help_text().map(str::to_owned),
                is_told_by_api,
            });
    };
    if Instant::now() >= until {
        let problem = format!("not all images were asked about within {} s", PATIENCE.as_secs());
        note(&CommandError::failed(problem), false);
        return Ok(Looked::Unasked);
    }
    let refused = match known {
        Some(_) => None,
        None => match by_registry(reference, depth, context)? {
            Attempt::Looked(looked) => return Ok(looked),
            Attempt::Refused(refused) => Some(refused),
        },
    };
    match (by_api(reference, depth, context)?, refused) {
        (Told::Looked(looked), refused) => {
            if let Some(refused) = refused {
                note(&refused.error, true);
            }
            Ok(looked)
        }
        (Told::Failed(words, _), None) => Ok(Looked::Odd(words)),
        (Told::Nobody, None) => Ok(Looked::Unasked),
        (told, Some(refused)) => {
            let error = refused.error_with(told);
            if refused.is_whole {
                note(&error, false);
                return Ok(Looked::Unasked);
            }
            Ok(Looked::Odd(error.message().to_owned()))
        }
    }
}

/// The facts of one image that the user named.
pub fn facts_of(reference: &Reference, context: &Context) -> Result<ImageFacts, CommandError> {
    let refused = match by_registry(reference, Depth::Read, context)? {
        Attempt::Looked(looked) => return known(reference, looked),
        Attempt::Refused(refused) => refused,
    };
    match by_api(reference, Depth::Read, context)? {
        Told::Looked(looked) => {
            let trouble = Trouble {
                problem: refused.error.message().to_owned(),
                help: None,
                is_told_by_api: true,
            };
            context.note(&escape::terminal(&trouble.sentence(reference.registry())));
            known(reference, looked)
        }
        told => Err(refused.error_with(told)),
    }
}

fn known(reference: &Reference, looked: Looked) -> Result<ImageFacts, CommandError> {
    match looked {
        Looked::Known(facts) => Ok(*facts),
        Looked::Missing => Err(
            CommandError::failed(format!("{reference} is not in its registry"))
                .help("check the name, the tag and that the image was pushed"),
        ),
        Looked::Odd(problem) => Err(CommandError::failed(format!(
            "{reference} cannot be looked at: {problem}"
        ))),
        Looked::Unasked => Err(CommandError::failed(format!(
            "{} cannot be asked",
            reference.registry()
        ))),
    }
}

impl Refused {
    /// The registry's words, and those of ECR's own API where it was asked too.
    fn error_with(&self, told: Told) -> CommandError {
        let message = self.error.message();
        let (message, help) = match told {
            Told::Failed(words, help) => (
                format!("{message}; and ECR's own API: {words}"),
                self.error.help_text().or(help),
            ),
            Told::Looked(_) | Told::Nobody => (message.to_owned(), self.error.help_text()),
        };
        let error = CommandError::with_exit(self.error.exit(), message);
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

fn by_registry(reference: &Reference, depth: Depth, context: &Context) -> Result<Attempt, CommandError> {
    let whole = |error| {
        Ok(Attempt::Refused(Refused {
            error,
            is_whole: true,
        }))
    };
    let source = match context.registries.try_source(reference, context) {
        Ok(source) => AnySource::Registry(source),
        Err(NotAsked::Command(error)) => return whole(error),
        Err(NotAsked::Store(error)) => return of_answer(Answer::of(Err(error))),
    };
    of_answer(Answer::of(examine(&source, depth)))
}

fn examine(source: &AnySource, depth: Depth) -> soci_store::Result<Vec<Examined>> {
    match depth {
        Depth::Presence => block_on(workflow::examine_presence(source, None)),
        Depth::Read => block_on(workflow::examine(source, None)),
    }
}

fn of_answer(answer: soci_store::Result<Answer>) -> Result<Attempt, CommandError> {
    Ok(match answer.map_err(|error| places::failed(&error))? {
        Answer::Known(facts) => Attempt::Looked(Looked::Known(facts)),
        Answer::Missing => Attempt::Looked(Looked::Missing),
        Answer::Odd(problem) => Attempt::Looked(Looked::Odd(problem)),
        Answer::Refused { problem, is_whole } => Attempt::Refused(Refused {
            error: causes::of_registry(&problem),
            is_whole,
        }),
    })
}

/// What ECR's own API knows about an image. What it could not tell is no reason to call an image lazy.
#[cfg(feature = "aws")]
fn by_api(reference: &Reference, depth: Depth, context: &Context) -> Result<Told, CommandError> {
    use std::sync::Arc;

    use soci_aws::account::AccountError;
    use soci_store::told::ToldSource;

    let unasked = |error: &AccountError| match error {
        AccountError::NoCredentials(_) => Told::Nobody,
        other => Told::Failed(other.to_string(), other.help()),
    };
    let logins = context.registries.account(context)?;
    let api = match crate::aws::images(&logins, reference) {
        None => return Ok(Told::Nobody),
        Some(Err(error)) => return Ok(unasked(&error)),
        Some(Ok(api)) => Arc::new(api),
    };
    let told = ToldSource::new(api.clone(), reference);
    let source = AnySource::Told(told.clone());
    let mut examined = examine(&source, depth);
    if depth == Depth::Read && matches!(examined, Err(Error::Untold { .. })) {
        // Blobs lie elsewhere (S3), which may be out of reach; whether they are there the API says.
        examined = examine(&source, Depth::Presence);
    }
    if context.cancel.is_set() {
        return Err(CommandError::interrupted());
    }
    if let Some(error) = api.account_error() {
        return Ok(unasked(&error));
    }
    Ok(Told::Looked(match examined {
        Err(error @ Error::NotTold { .. }) => {
            context.detail(&error.to_string());
            Looked::Missing
        }
        Err(error) => Looked::Odd(error.to_string()),
        Ok(images) => match Answer::first(images) {
            Ok(facts) if is_taken(&facts) && !told.gaps().is_empty() => Looked::Odd(told.gaps().join("; ")),
            Ok(facts) => Looked::Known(facts),
            Err(problem) => Looked::Odd(problem),
        },
    }))
}

#[cfg(not(feature = "aws"))]
fn by_api(_reference: &Reference, _depth: Depth, _context: &Context) -> Result<Told, CommandError> {
    Ok(Told::Nobody)
}

/// Whether clients take an index of one of its platforms.
#[cfg(feature = "aws")]
fn is_taken(facts: &ImageFacts) -> bool {
    let mut indexes = facts
        .platforms
        .iter()
        .filter_map(|platform| platform.soci.as_ref());
    indexes.any(soci_image::facts::SociFacts::is_taken)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
