//! Image indexes (and manifest lists): a view of the raw bytes, and the form they get once changed.

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::error::Result;
use crate::json::{Entries, Fields, Json};

/// An image index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// `schemaVersion`, 2 in all that is written today.
    pub schema_version: u64,
    /// `mediaType`; empty when the document gives none.
    pub media_type: String,
    /// `artifactType`; empty when the document gives none.
    pub artifact_type: String,
    /// What it lists; absent and `null` read as nothing.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index is about.
    pub subject: Option<Descriptor>,
    /// Annotations, in the order of their keys.
    pub annotations: BTreeMap<String, String>,
    /// Fields that this crate does not know, in the document's order.
    pub unknown: Vec<(String, Json)>,
}

const FIELDS: [&str; 6] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "manifests",
    "subject",
    "annotations",
];

impl Index {
    /// An index of these manifests and nothing else.
    pub fn of(media_type: &str, manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type.to_owned(),
            artifact_type: String::new(),
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
            unknown: Vec::new(),
        }
    }

    /// Reads an index.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_json(Json::parse(bytes)?)
    }

    pub(crate) fn from_json(value: Json) -> Result<Self> {
        let mut fields = Fields::new(value, &FIELDS, "")?;
        Ok(Self {
            schema_version: fields.number("schemaVersion")?,
            media_type: fields.string("mediaType")?,
            artifact_type: fields.string("artifactType")?,
            manifests: fields.descriptors("manifests")?,
            subject: fields.descriptor("subject")?,
            annotations: fields.string_map("annotations")?,
            unknown: fields.unknown,
        })
    }

    /// The document as Go would write it; unknown fields come last.
    pub fn to_vec(&self) -> Vec<u8> {
        self.to_json().to_vec()
    }

    pub(crate) fn to_json(&self) -> Json {
        Entries::default()
            .always("schemaVersion", self.schema_version)
            .string("mediaType", &self.media_type)
            .string("artifactType", &self.artifact_type)
            .descriptors("manifests", &self.manifests)
            .optional("subject", self.subject.as_ref().map(Descriptor::to_json))
            .string_map("annotations", &self.annotations)
            .and_unknown(&self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::{OCI_INDEX, OCI_MANIFEST};

    #[test]
    fn gos_own_form_is_a_fixed_point() {
        let mut index = Index::of(OCI_INDEX, vec![Descriptor::of(OCI_MANIFEST, b"{}")]);
        index.annotations.insert("k".into(), "v".into());
        let bytes = index.to_vec();
        assert_eq!(Index::parse(&bytes).unwrap(), index);
        assert_eq!(Index::parse(&bytes).unwrap().to_vec(), bytes);
        assert!(bytes.starts_with(br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index"#));
    }
}
