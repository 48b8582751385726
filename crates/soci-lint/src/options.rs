//! What a caller may ask for; the same keys in the configuration, the Action and the page.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use soci_image::facts::ImageFacts;

use crate::error::Error;
use crate::kind::Kind;
use crate::terms::{Consumer, LaunchType, Severity};

/// Options of [`crate::lint`]. Unknown keys are errors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// What runs the images: `fargate`, `sagemaker`, or `containerd` with the SOCI snapshotter.
    #[serde(
        rename = "for",
        skip_serializing_if = "Consumer::is_fargate",
        deserialize_with = "consumer"
    )]
    pub consumer: Consumer,
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
    /// Containers that need not be loaded lazily, each with a reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Acceptance>,
    /// What holds for the small helpers that AWS publishes, such as `aws-for-fluent-bit`.
    pub sidecars: Sidecars,
}

/// Containers that need not be loaded lazily. `*` stands for any text; where both patterns are there, both
/// have to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Acceptance {
    /// Names of containers, as in `xray*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Images as task definitions name them, as in `public.ecr.aws/xray/*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// Whether known small helpers of AWS are accepted without being named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sidecars {
    /// They are: the list is shipped with the linter.
    #[default]
    Accept,
    /// They are judged like any other container.
    Judge,
}

impl std::str::FromStr for Sidecars {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "accept" => Ok(Self::Accept),
            "judge" => Ok(Self::Judge),
            _ => Err(Error::Options {
                reason: format!("sidecars: `{text}` is neither accept nor judge"),
            }),
        }
    }
}

/// A line: `container=NAME image=IMAGE -- REASON`, with one of the two or both.
impl std::str::FromStr for Acceptance {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let wrong = || Error::Accept {
            reason: format!(
                "`{}`: write container=NAME, image=IMAGE or both, and -- why",
                line.trim()
            ),
        };
        let (words, reason) = line.split_once("--").ok_or_else(wrong)?;
        let mut entry = Self {
            reason: reason.trim().to_owned(),
            ..Self::default()
        };
        for word in words.split_whitespace() {
            let (key, value) = word.split_once('=').ok_or_else(wrong)?;
            let pattern = match key {
                "container" => &mut entry.container,
                "image" => &mut entry.image,
                _ => return Err(wrong()),
            };
            if pattern.replace(value.to_owned()).is_some() {
                return Err(wrong());
            }
        }
        let is_empty = entry.container.is_none() && entry.image.is_none() || entry.reason.is_empty();
        if is_empty { Err(wrong()) } else { Ok(entry) }
    }
}

impl Acceptance {
    /// What it is about, for messages.
    pub(crate) fn names(&self) -> String {
        let parts = [("container", &self.container), ("image", &self.image)];
        let named: Vec<String> = parts
            .iter()
            .filter_map(|(key, pattern)| Some(format!("{key} `{}`", pattern.as_ref()?)))
            .collect();
        named.join(" with ")
    }
}

/// The kinds that are read; an error names those and no others.
fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Kind>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    word.as_deref()
        .map(str::parse)
        .transpose()
        .map_err(serde::de::Error::custom)
}

/// The consumers that there is a verdict for; an error says why others are none.
fn consumer<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Consumer, D::Error> {
    let word = String::deserialize(deserializer)?;
    word.parse().map_err(serde::de::Error::custom)
}

/// What is known about one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFactsEntry {
    /// The image as task definitions name it; `*` stands for any text, so that `*/web:*` is about the
    /// repository `web` of any registry.
    pub image: String,
    /// Its facts, as `cargo soci inspect --format json` prints them.
    #[schemars(with = "serde_json::Value")]
    pub facts: ImageFacts,
}
