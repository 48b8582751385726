//! Fields of an event by name, with a path for messages.

use serde_json::{Map, Value};
use soci_image::Digest;

use super::EventError;

pub(super) fn known(object: &Map<String, Value>, names: &[&str]) -> Result<(), EventError> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(other) => Err(field(
            &shown(other),
            &format!("is unknown: there are {}", names.join(", ")),
        )),
        None => Ok(()),
    }
}

pub(super) fn digest(object: &Map<String, Value>, within: &str, name: &str) -> Result<Digest, EventError> {
    let text = text(object, within, name)?;
    let path = match within {
        "" => name.to_owned(),
        within => format!("{within}.{name}"),
    };
    Digest::parse(text).map_err(|error| field(&path, &error.to_string()))
}

pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    within: &str,
    name: &str,
) -> Result<&'a str, EventError> {
    let path = match within {
        "" => name.to_owned(),
        within => format!("{within}.{name}"),
    };
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(field(&path, "is not a text")),
        None => Err(field(&path, "is missing")),
    }
}

pub(super) fn field(name: &str, problem: &str) -> EventError {
    EventError::Field {
        field: name.to_owned(),
        problem: problem.to_owned(),
    }
}

/// A foreign word in a message: quoted, and not without end.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(100).collect();
    format!("{short:?}")
}
