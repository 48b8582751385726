//! From bytes to values: JSON documents one after the other, and a cursor that knows where it is.

use serde_json::{Map, Value};

use super::Running;
use super::documents;
use crate::moment::Moment;

/// The largest input that is read. A task has about 5 KB in the answers of ECS.
pub const MAX_BYTES: usize = 64 << 20;

/// ECS' quota is 10 a task definition, and it adds helpers of its own, as for Service Connect.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html> (2026-11-29)
pub(super) const MAX_CONTAINERS: usize = 50;

/// Why an input cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More than [`MAX_BYTES`].
    #[error("it has more than {} MiB, which is refused", MAX_BYTES >> 20)]
    TooLarge,
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// No JSON.
    #[error("it is no JSON: {0}")]
    Syntax(String),
    /// A value of another type than the API has there.
    #[error("{path} is {found}, not {expected}")]
    Type {
        /// `tasks[3].containers[0].image`
        path: String,
        /// `a text`
        expected: &'static str,
        /// `a number`
        found: &'static str,
    },
    /// A text that is not of the form that the API has there.
    #[error("{path}: {text:?} is no {expected}")]
    Form {
        /// `tasks[3].containers[0].imageDigest`
        path: String,
        /// `digest`
        expected: &'static str,
        /// What is there.
        text: String,
    },
    /// More containers than ECS lets a task have.
    #[error("{path} has {found} entries; a task has at most {MAX_CONTAINERS} containers")]
    TooMany {
        /// `tasks[3].containers`
        path: String,
        /// How many there are.
        found: usize,
    },
    /// A document that is none of those that are read.
    #[error("{place}{what}")]
    Unknown {
        /// `document 2: `, or nothing where there is one.
        place: String,
        /// What it is instead.
        what: String,
        /// What to pass instead.
        help: &'static str,
    },
}

impl ReadError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { help, .. } => Some(help),
            Self::Syntax(_) | Self::Empty => {
                Some("pass what `aws ecs describe-tasks … --output json` prints")
            }
            _ => None,
        }
    }
}

impl Running {
    /// Reads documents and adds what they say: one, several one after the other, or a list of them.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        if bytes.len() > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let values: Vec<Value> = serde_json::Deserializer::from_slice(bytes)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| ReadError::Syntax(error.to_string()))?;
        // Lists may hold lists: of pages, of events by hour.
        let mut queue: Vec<Value> = values.into_iter().rev().collect();
        let (mut number, mut is_list) = (0, queue.len() > 1);
        if queue.is_empty() {
            return Err(ReadError::Empty);
        }
        while let Some(value) = queue.pop() {
            match value {
                Value::Array(items) => {
                    is_list = true;
                    queue.extend(items.into_iter().rev());
                }
                value => {
                    number += 1;
                    let place = if is_list {
                        format!("document {number}: ")
                    } else {
                        String::new()
                    };
                    documents::add(self, value, &place)?;
                }
            }
        }
        match number {
            0 => Err(ReadError::Empty),
            _ => Ok(()),
        }
    }
}

/// An object, and the way to it for messages.
#[derive(Clone)]
pub(super) struct At<'v> {
    map: &'v Map<String, Value>,
    path: String,
}

impl<'v> At<'v> {
    pub(super) fn new(map: &'v Map<String, Value>, path: &str) -> Self {
        Self {
            map,
            path: path.to_owned(),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn to(&self, key: &str) -> String {
        match self.path.is_empty() || self.path.ends_with(": ") {
            true => format!("{}{key}", self.path),
            false => format!("{}.{key}", self.path),
        }
    }

    fn wrong(&self, key: &str, expected: &'static str, value: &Value) -> ReadError {
        ReadError::Type {
            path: self.to(key),
            expected,
            found: kind(value),
        }
    }

    /// A text; an empty one counts as absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'v str>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(value) => Err(self.wrong(key, "a text", value)),
        }
    }

    pub(super) fn owned(&self, key: &str) -> Result<Option<String>, ReadError> {
        Ok(self.text(key)?.map(str::to_owned))
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(key, "a whole number from 0 on", value)),
            },
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(value) => Err(self.wrong(key, "true or false", value)),
        }
    }

    pub(super) fn moment(&self, key: &str) -> Result<Option<Moment>, ReadError> {
        let read = match self.get(key) {
            None => return Ok(None),
            Some(Value::String(text)) => Moment::parse(text),
            Some(Value::Number(number)) => number.as_f64().and_then(Moment::from_seconds),
            Some(value) => return Err(self.wrong(key, "a time", value)),
        };
        match read {
            Some(moment) => Ok(Some(moment)),
            None => Err(ReadError::Form {
                path: self.to(key),
                expected: "time",
                text: self.get(key).map(Value::to_string).unwrap_or_default(),
            }),
        }
    }

    pub(super) fn form(&self, key: &str, expected: &'static str, text: &str) -> ReadError {
        ReadError::Form {
            path: self.to(key),
            expected,
            text: text.to_owned(),
        }
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<Self>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self {
                map,
                path: self.to(key),
            })),
            Some(value) => Err(self.wrong(key, "an object", value)),
        }
    }

    /// The objects of a list; none where it is absent.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Self>, ReadError> {
        let items = match self.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(value) => return Err(self.wrong(key, "a list", value)),
        };
        let mut objects = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let path = format!("{}[{at}]", self.to(key));
            match item {
                Value::Object(map) => objects.push(Self { map, path }),
                value => {
                    return Err(ReadError::Type {
                        path,
                        expected: "an object",
                        found: kind(value),
                    });
                }
            }
        }
        Ok(objects)
    }

    /// The objects of a list of a task's containers.
    pub(super) fn containers(&self, key: &str) -> Result<Vec<Self>, ReadError> {
        let found = self.objects(key)?;
        match found.len() {
            0..=MAX_CONTAINERS => Ok(found),
            more => Err(ReadError::TooMany {
                path: self.to(key),
                found: more,
            }),
        }
    }

    pub(super) fn value(&self) -> Value {
        Value::Object(self.map.clone())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'v str> {
        self.map.keys().map(String::as_str)
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
