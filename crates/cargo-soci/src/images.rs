//! What images are in their registries now: each asked once, several at once, within a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use soci_image::facts::ImageFacts;
use soci_image::{EcrHost, Reference};
use soci_lint::Verdict;
use soci_store::store::AnySource;
use soci_store::{Error, block_on, workflow};

use crate::at_once::each;
use crate::causes;
use crate::context::Context;
use crate::error::CommandError;
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

impl CheckImages {
    /// Whether to look up an image on which the linter gave this verdict without knowing it.
    pub fn wants(self, image: &Reference, verdict: Verdict) -> bool {
        match self {
            Self::Off => false,
            Self::Auto => verdict == Verdict::Unknown && EcrHost::parse(image.registry()).is_some(),
            Self::On => true,
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
    if locked(troubles).contains_key(registry) {
        return Ok(Looked::Unasked);
    }
    let trouble = |error: &CommandError| {
        locked(troubles)
            .entry(registry.to_owned())
            .or_insert_with(|| Trouble {
                problem: error.message().to_owned(),
                help: error.help_text().map(str::to_owned),
            });
        Looked::Unasked
    };
    if Instant::now() >= until {
        let problem = format!("not all images were asked about within {} s", PATIENCE.as_secs());
        return Ok(trouble(&CommandError::failed(problem)));
    }
    let source = match context.registries.try_source(reference, context) {
        Ok(source) => AnySource::Registry(source),
        Err(NotAsked::Command(error)) => return Ok(trouble(&error)),
        Err(NotAsked::Store(error)) => return of_error(&error, trouble),
    };
    let images = match depth {
        Depth::Presence => block_on(workflow::examine_presence(&source, None)),
        Depth::Read => block_on(workflow::examine(&source, None)),
    };
    match images {
        Ok(images) => Ok(match images.into_iter().next() {
            Some(image) => Looked::Known(Box::new(image.facts)),
            None => Looked::Odd("the registry lists no image under this name".to_owned()),
        }),
        Err(error) => of_error(&error, trouble),
    }
}

fn of_error(error: &Error, trouble: impl Fn(&CommandError) -> Looked) -> Result<Looked, CommandError> {
    use soci_registry::RegistryError as Problem;
    let Error::Registry(problem) = error else {
        return match error {
            Error::Interrupted => Err(CommandError::interrupted()),
            other => Ok(Looked::Odd(other.to_string())),
        };
    };
    Ok(match problem.as_ref() {
        interrupted if interrupted.is_interrupted() => return Err(places::failed(error)),
        missing if missing.is_not_found() => Looked::Missing,
        // What is about one repository or one document of the registry.
        Problem::Denied { .. }
        | Problem::Digest { .. }
        | Problem::TooLarge { .. }
        | Problem::Protocol { .. } => Looked::Odd(problem.to_string()),
        _ => trouble(&causes::of_registry(problem)),
    })
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
