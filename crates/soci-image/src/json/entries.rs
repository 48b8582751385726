//! An object written as Go writes a struct: fields in their order, those that are empty left out where
//! the struct says so, and unknown fields last.

use std::collections::BTreeMap;

use super::Json;
use crate::descriptor::Descriptor;

/// The entries of one object, for the names that [`super::Fields`] reads.
#[derive(Default)]
pub(crate) struct Entries(Vec<(String, Json)>);

impl Entries {
    /// A field that is there even when it is empty.
    pub(crate) fn always(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// A value, if there is one.
    pub(crate) fn optional(self, name: &str, value: Option<Json>) -> Self {
        match value {
            Some(value) => self.always(name, value),
            None => self,
        }
    }

    /// A string, unless it is empty.
    pub(crate) fn string(self, name: &str, text: &str) -> Self {
        self.optional(name, (!text.is_empty()).then(|| text.into()))
    }

    /// An array of strings, unless it is empty.
    pub(crate) fn strings(self, name: &str, texts: &[String]) -> Self {
        let array = || Json::Array(texts.iter().map(|text| Json::from(&**text)).collect());
        self.optional(name, (!texts.is_empty()).then(array))
    }

    /// A map of strings, unless it is empty.
    pub(crate) fn string_map(self, name: &str, map: &BTreeMap<String, String>) -> Self {
        let entry = |(key, text): (&String, &String)| (key.clone(), Json::from(&**text));
        let object = || Json::Object(map.iter().map(entry).collect());
        self.optional(name, (!map.is_empty()).then(object))
    }

    /// An array of descriptors, which is there even when it is empty.
    pub(crate) fn descriptors(self, name: &str, descriptors: &[Descriptor]) -> Self {
        let array = descriptors.iter().map(Descriptor::to_json).collect();
        self.always(name, Json::Array(array))
    }

    /// The object, with the fields that its reader did not know behind the others.
    pub(crate) fn and_unknown(mut self, unknown: &[(String, Json)]) -> Json {
        self.0.extend(unknown.iter().cloned());
        Json::Object(self.0)
    }
}
