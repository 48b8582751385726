//! Image manifests: a view of the raw bytes, and the form they get once they are changed.

use std::collections::BTreeMap;

use crate::annotation;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::Result;
use crate::json::{Entries, Fields, Json};
use crate::media_type::{DOCKER_CONFIG, OCI_CONFIG};

/// An image manifest (or an artifact in that form).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `schemaVersion`, 2 in all that is written today.
    pub schema_version: u64,
    /// `mediaType`; empty when the document gives none.
    pub media_type: String,
    /// `artifactType`; empty when the document gives none.
    pub artifact_type: String,
    /// The config.
    pub config: Descriptor,
    /// The layers, lowest first; absent and `null` read as none.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// Annotations, in the order of their keys.
    pub annotations: BTreeMap<String, String>,
    /// Fields that this crate does not know, in the document's order.
    pub unknown: Vec<(String, Json)>,
}

const FIELDS: [&str; 7] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "subject",
    "annotations",
];

impl Manifest {
    /// Reads a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_json(Json::parse(bytes)?)
    }

    pub(crate) fn from_json(value: Json) -> Result<Self> {
        let mut fields = Fields::new(value, &FIELDS, "")?;
        let config = fields.take("config").unwrap_or_else(|| Json::Object(Vec::new()));
        Ok(Self {
            schema_version: fields.number("schemaVersion")?,
            media_type: fields.string("mediaType")?,
            artifact_type: fields.string("artifactType")?,
            config: Descriptor::from_json(config, "config")?,
            layers: fields.descriptors("layers")?,
            subject: fields.descriptor("subject")?,
            annotations: fields.string_map("annotations")?,
            unknown: fields.unknown,
        })
    }

    /// Whether it is a runnable image, by the type of its config.
    pub fn is_image(&self) -> bool {
        matches!(&*self.config.media_type, OCI_CONFIG | DOCKER_CONFIG)
    }

    /// The SOCI index manifest v2 that it names: the annotation's text, which may be no digest.
    pub fn soci_index_annotation(&self) -> Option<&str> {
        self.annotations.get(annotation::INDEX_DIGEST).map(String::as_str)
    }

    /// The SOCI index manifest v2 that it names, if that is a digest.
    pub fn soci_index_digest(&self) -> Option<Digest> {
        self.soci_index_annotation()
            .and_then(|text| Digest::parse(text).ok())
    }

    /// Points at another config, which is given.
    pub fn set_config(&mut self, config: &[u8]) {
        self.config.digest = Digest::sha256(config);
        self.config.size = config.len() as u64;
        if !self.config.data.is_empty() {
            self.config.data = config.to_vec();
        }
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
            .always("config", self.config.to_json())
            .descriptors("layers", &self.layers)
            .optional("subject", self.subject.as_ref().map(Descriptor::to_json))
            .string_map("annotations", &self.annotations)
            .and_unknown(&self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn a_changed_manifest_keeps_unknown_fields_behind_the_known_ones() {
        let text = format!(
            "{{\n  \"new\": {{\"b\": 1.50, \"a\": null}},\n  \"layers\": null,\n  \"config\": {{\"mediaType\": \"{OCI_CONFIG}\", \"digest\": \"{D}\", \"size\": 2, \"x\": true}},\n  \"schemaVersion\": 2\n}}"
        );
        let mut manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert!(manifest.is_image());
        manifest.annotations.insert("a".into(), "<b>".into());
        assert_eq!(
            String::from_utf8(manifest.to_vec()).unwrap(),
            format!(
                r#"{{"schemaVersion":2,"config":{{"mediaType":"{OCI_CONFIG}","digest":"{D}","size":2,"x":true}},"layers":[],"annotations":{{"a":"\u003cb\u003e"}},"new":{{"b":1.50,"a":null}}}}"#
            )
        );
    }

    #[test]
    fn errors_name_the_descriptor() {
        let text = format!(
            r#"{{"config":{{"digest":"{D}"}},"layers":[{{"digest":"{D}"}},{{"digest":"sha256:0"}}]}}"#
        );
        let error = Manifest::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            error.starts_with("layers[1].digest: `sha256:0` is not a digest"),
            "{error}"
        );
        let error = Manifest::parse(b"{\"layers\":[]}").unwrap_err().to_string();
        assert_eq!(error, "config.digest: a digest is missing");
    }
}
