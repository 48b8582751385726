//! An object read as Go reads it into a struct: keys match whatever their case, a repeated key adds
//! to what the earlier one gave, and keys of no field are unknown.

use std::collections::BTreeMap;

use super::Json;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{Error, Result};

/// The fields of one object; what is taken from it leaves it.
pub(crate) struct Fields<'p> {
    path: &'p str,
    known: Vec<(&'static str, Json)>,
    /// Entries whose key is no field, in their order.
    pub(crate) unknown: Vec<(String, Json)>,
}

impl<'p> Fields<'p> {
    /// Sorts the entries of `value` into known and unknown ones.
    pub(crate) fn new(value: Json, names: &[&'static str], path: &'p str) -> Result<Self> {
        let Json::Object(entries) = value else {
            return Err(Error::field(
                if path.is_empty() { "the document" } else { path },
                format!("expected an object, found {}", value.kind()),
            ));
        };
        let mut known: Vec<(&'static str, Json)> = Vec::new();
        let mut unknown = Vec::new();
        for (key, value) in entries {
            let name = names
                .iter()
                .find(|name| **name == key)
                .or_else(|| names.iter().find(|name| same_but_for_case(name, &key)));
            let Some(&name) = name else {
                unknown.push((key, value));
                continue;
            };
            match known.iter_mut().find(|(have, _)| *have == name) {
                // The one field that is a struct and no pointer: `null` leaves it alone.
                Some(_) if name == "config" && value == Json::Null => {}
                Some((_, earlier)) => merge(earlier, value),
                None => known.push((name, value)),
            }
        }
        Ok(Self { path, known, unknown })
    }

    /// The path of a field, for messages: `parent.child`, or `child` at the top.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A field's value; `null` is as good as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.known.iter().position(|(have, _)| *have == name)?;
        match self.known.swap_remove(at).1 {
            Json::Null => None,
            value => Some(value),
        }
    }

    /// A string, empty when absent.
    pub(crate) fn string(&mut self, name: &str) -> Result<String> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Json::String(text)) => Ok(text),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// A digest that must be there.
    pub(crate) fn digest(&mut self, name: &str) -> Result<Digest> {
        let text = self.string(name)?;
        if text.is_empty() {
            return Err(Error::field(self.path(name), "a digest is missing"));
        }
        Digest::parse(&text).map_err(|error| Error::field(self.path(name), error.to_string()))
    }

    /// A whole number, 0 when absent.
    pub(crate) fn number(&mut self, name: &str) -> Result<u64> {
        match self.take(name) {
            None => Ok(0),
            Some(Json::Number(text)) => match text.parse::<i64>() {
                Ok(number) if number >= 0 => Ok(number.unsigned_abs()),
                _ => Err(Error::field(
                    self.path(name),
                    format!(
                        "expected a whole number of 0 or more, found {}",
                        crate::error::shorten(&text)
                    ),
                )),
            },
            Some(other) => Err(self.wrong(name, "a number", &other)),
        }
    }

    /// An array; `None` when absent or `null`.
    pub(crate) fn array(&mut self, name: &str) -> Result<Option<Vec<Json>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(name, "an array", &other)),
        }
    }

    /// An array of strings, empty when absent.
    pub(crate) fn strings(&mut self, name: &str) -> Result<Vec<String>> {
        let items = self.array(name)?.unwrap_or_default();
        let text = |item| match item {
            Json::String(text) => Ok(text),
            Json::Null => Ok(String::new()),
            other => Err(self.wrong(name, "an array of strings", &other)),
        };
        items.into_iter().map(text).collect()
    }

    /// A map of strings, empty when absent; the last of repeated keys counts.
    pub(crate) fn string_map(&mut self, name: &str) -> Result<BTreeMap<String, String>> {
        let entries = match self.take(name) {
            None => return Ok(BTreeMap::new()),
            Some(Json::Object(entries)) => entries,
            Some(other) => return Err(self.wrong(name, "an object of strings", &other)),
        };
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let text = match value {
                Json::String(text) => text,
                Json::Null => String::new(),
                other => return Err(self.wrong(name, "an object of strings", &other)),
            };
            map.insert(key, text);
        }
        Ok(map)
    }

    /// A descriptor; `None` when absent.
    pub(crate) fn descriptor(&mut self, name: &str) -> Result<Option<Descriptor>> {
        let value = self.take(name);
        value
            .map(|value| Descriptor::from_json(value, &self.path(name)))
            .transpose()
    }

    /// An array of descriptors, empty when absent.
    pub(crate) fn descriptors(&mut self, name: &str) -> Result<Vec<Descriptor>> {
        let items = self.array(name)?.unwrap_or_default();
        items
            .into_iter()
            .enumerate()
            .map(|(i, item)| Descriptor::from_json(item, &self.path(&format!("{name}[{i}]"))))
            .collect()
    }

    fn wrong(&self, name: &str, expected: &str, found: &Json) -> Error {
        Error::field(
            self.path(name),
            format!("expected {expected}, found {}", found.kind()),
        )
    }
}

/// A value read into what an earlier one left: objects add entries, arrays are read item into item
/// and end where the new one ends, `null` clears what it can.
fn merge(earlier: &mut Json, value: Json) {
    match (earlier, value) {
        (Json::Object(have), Json::Object(more)) => have.extend(more),
        (Json::Array(have), Json::Array(more)) => {
            have.truncate(more.len());
            for (i, item) in more.into_iter().enumerate() {
                match have.get_mut(i) {
                    Some(place) => merge(place, item),
                    None => have.push(item),
                }
            }
        }
        // Go leaves strings and numbers alone at `null` and clears lists, maps and pointers.
        (Json::String(_) | Json::Number(_) | Json::Bool(_), Json::Null) => {}
        (place, value) => *place = value,
    }
}

/// Go's folding: ASCII letters, and the two characters outside of ASCII that fold to one.
pub(crate) fn same_but_for_case(name: &str, key: &str) -> bool {
    let fold = |c: char| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(key.chars().map(fold))
}
