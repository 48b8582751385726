//! What a caller may ask for; the same keys in the configuration, the Action and the page.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::facts::ImageFactsEntry;
use crate::kind::Kind;
use crate::rules;
use crate::terms::{LaunchType, Severity};

/// Options of [`crate::lint`]. Unknown keys are errors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// What the files are, where the content should not decide.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "kind")]
    pub kind: Option<Kind>,
    /// Values of CloudFormation parameters, pseudo parameters (`AWS::Region`) and template words (`TAG` of `${TAG}`).
    pub params: BTreeMap<String, String>,
    /// Values of the root module's Terraform variables, as `--var` gives them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// Paths of files with values of Terraform variables, as `--var-file` gives them; later ones count for more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub var_files: Vec<String>,
    /// Rules to run, by code, name or the beginning of a code (`SOCI2`); empty runs all that are on by default.
    pub select: Vec<String>,
    /// Rules whose findings are not listed; verdicts stay what they are.
    pub ignore: Vec<String>,
    /// Severities other than the rules' own.
    pub severity: BTreeMap<String, Severity>,
    /// The platform version the tasks run on, where a caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// The launch type the tasks run with, where a caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<LaunchType>,
    /// The region the tasks run in, where a caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What is known about images.
    pub image_facts: Vec<ImageFactsEntry>,
}

/// The kinds that are read; an error names those and no others.
fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Kind>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    word.as_deref()
        .map(str::parse)
        .transpose()
        .map_err(serde::de::Error::custom)
}

impl Options {
    /// Reads options from JSON; an empty text gives the defaults.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let options: Self = serde_json::from_str(text).map_err(|error| Error::Options {
            reason: error.to_string(),
        })?;
        options.check()?;
        Ok(options)
    }

    /// Objects to rules, kinds and versions that do not exist.
    pub fn check(&self) -> Result<(), Error> {
        let named = |place: &str, rule: &str| {
            if rules::matching(rule).next().is_some() {
                return Ok(());
            }
            Err(Error::UnknownRule {
                place: place.to_owned(),
                rule: rule.to_owned(),
            })
        };
        for rule in &self.select {
            named("select", rule)?;
        }
        for rule in &self.ignore {
            named("ignore", rule)?;
        }
        for rule in self.severity.keys() {
            named("severity", rule)?;
        }
        if let Some(kind) = self.kind
            && !kind.is_read()
        {
            return Err(Error::Kind {
                kind: kind.as_str().to_owned(),
            });
        }
        if let Some(version) = &self.platform_version {
            let number = version
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
            if !number && version != "LATEST" {
                return Err(Error::PlatformVersion {
                    version: version.clone(),
                });
            }
        }
        crate::facts::check(&self.image_facts)
    }
}
