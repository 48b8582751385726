//! Opening the places that SRC and DST name, and turning the errors of the library into those of a command.

use soci_image::{Reference, SkipReason};
use soci_store::store::{AnyDestination, AnySource};
use soci_store::{Error, Location, LocationError};

use crate::causes;
use crate::context::Context;
use crate::error::CommandError;

/// Reads SRC or DST; the message of a text that is neither names what to write instead. What lies on the disk never
/// decides what a text means, but it tells what was meant.
pub fn location(text: &str) -> Result<Location, CommandError> {
    text.parse().map_err(|error: LocationError| {
        let (kind, prefix) = match (&error, std::fs::metadata(text)) {
            (LocationError::Ambiguous { .. }, Ok(found)) if found.is_dir() => ("folder", "oci"),
            (LocationError::Ambiguous { .. }, Ok(_)) => ("file", "oci-archive"),
            _ => return CommandError::usage(error.to_string()),
        };
        CommandError::usage(format!(
            "{text:?} is a {kind} here, and could be an image in a registry as well"
        ))
        .help(format!(
            "write {prefix}:{text}, or docker://{text} for the registry"
        ))
    })
}

/// Reads SRC, before any registry is asked and the password taken from stdin.
pub fn source(text: &str, context: &Context) -> Result<Location, CommandError> {
    let location = location(text)?;
    if location == Location::Stream {
        context.registries.leaves_stdin_to("the image")?;
    }
    Ok(location)
}

/// Opens an image of a registry for reading.
pub fn image(reference: &Reference, context: &Context) -> Result<AnySource, CommandError> {
    context
        .registries
        .source(reference, context)
        .map(AnySource::Registry)
}

/// Opens a place for reading.
pub fn open(location: &Location, context: &Context) -> Result<AnySource, CommandError> {
    match location {
        Location::Registry(reference) => image(reference, context),
        _ => AnySource::open(location, &context.cancel.flag()).map_err(|error| failed(&error)),
    }
}

/// Prepares a place for writing.
pub fn create(location: &Location, context: &Context) -> Result<AnyDestination, CommandError> {
    match location {
        Location::Registry(reference) => context
            .registries
            .destination(reference, context)
            .map(AnyDestination::Registry),
        _ => AnyDestination::create(location, &context.cancel.flag()).map_err(|error| failed(&error)),
    }
}

/// Prepares the place that an image was read from for writing.
pub fn create_in_place(location: &Location, context: &Context) -> Result<AnyDestination, CommandError> {
    Ok(match create(location, context)? {
        AnyDestination::Registry(destination) => AnyDestination::Registry(destination.in_place()),
        other => other,
    })
}

/// The one name that an image gets at a destination; `None` if it keeps those that it has.
pub fn new_tag(location: &Location) -> Option<&str> {
    match location {
        Location::Registry(reference) => reference.tag_or_latest(),
        _ => location.tag(),
    }
}

/// The image that `--tag` or the location itself asks for.
pub fn wanted_tag(location: &Location, flag: Option<&str>) -> Result<Option<String>, CommandError> {
    match (location.tag(), flag) {
        (Some(there), Some(flag)) if there != flag => Err(CommandError::usage(format!(
            "{location} asks for the image {there:?}, --tag for {flag:?}"
        ))
        .help("give the name once")),
        (there, flag) => Ok(flag.or(there).map(String::from)),
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        failed(&error)
    }
}

/// The error of a command, with the exit code that belongs to it and what to do where that is known.
pub fn failed(error: &Error) -> CommandError {
    let text = error.to_string();
    match error {
        Error::Interrupted => CommandError::interrupted(),
        Error::NothingToIndex { layers } => {
            let error = CommandError::nothing_to_index(text);
            let by_choice = layers.iter().any(|(_, reason)| reason.is_by_choice());
            match (
                by_choice,
                layers.iter().any(|(_, reason)| *reason == SkipReason::Zstd),
            ) {
                (true, _) => error
                    .help("--min-layer-size sets the minimum; small layers gain nothing from lazy loading"),
                (_, true) => {
                    error.help("--recompress gzip rewrites such layers; or build with compression=gzip")
                }
                _ => error,
            }
        }
        Error::Layer {
            source: soci_ztoc::Error::SpanSize { .. },
            ..
        } => CommandError::usage(text).help("give a --span-size above 0; the default is 4MiB"),
        Error::Location(_) => CommandError::usage(text),
        Error::Layer { .. } | Error::DigestMismatch { .. } | Error::SizeMismatch { .. } => {
            CommandError::failed(text)
                .help("the image is damaged: build or copy it again; nothing was written")
        }
        Error::SeveralImages { .. } => CommandError::usage(text),
        Error::Registry(problem) => causes::of_registry(problem),
        Error::Io { action, path, source } => causes::of_place(action, path, source),
        Error::Strict { .. } => CommandError::failed(text)
            .help("leave --strict out to convert the image without a zTOC for this layer"),
        _ => CommandError::failed(text),
    }
}
