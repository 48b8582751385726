//! What a run found: one shape for the command line, the Action and the page.

#[cfg(feature = "snippets")]
pub mod columns;
mod escape;
mod github;
mod groups;
#[cfg(feature = "snippets")]
mod human;
mod markdown;
mod other_files;
#[cfg(not(feature = "snippets"))]
mod plain;
mod sarif;
mod short;
#[cfg(feature = "snippets")]
mod snippets;
mod summary;
pub(crate) mod write;

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fail_on::FailOn;
use crate::kind::Kind;
use crate::source::{Location, Syntax};
use crate::terms::{Consumer, Fargate, Severity, Verdict};
use crate::{Error, Input};

#[cfg(feature = "snippets")]
use escape::snippet_text;
pub use escape::{github_data, github_property, html, is_treacherous, json_text, markdown, terminal};

/// The version of the report's shape; grows when a field changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// Everything one call of [`crate::lint`] found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// What runs the images, if that is not Fargate: the verdicts are about it.
    #[serde(rename = "for", default, skip_serializing_if = "Consumer::is_fargate")]
    pub consumer: Consumer,
    /// Counts over all files.
    pub summary: Summary,
    /// The files in the order given.
    pub files: Vec<FileReport>,
    /// The findings, by severity, file, place and code.
    pub findings: Vec<Finding>,
    /// What the caller looked up about images, where it did.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    // In WASM the door that looks images up adds them itself, so the module need not know how to write them.
    #[cfg_attr(target_arch = "wasm32", serde(skip))]
    pub images: Vec<crate::options::ImageFactsEntry>,
    /// Stretches of the files, in bytes, that are sensitive: no line with them is shown as it is.
    #[serde(skip)]
    pub(crate) hidden: Vec<(String, std::ops::Range<usize>)>,
}

/// Counts over all files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// One word for all containers that are not accepted (for the accepted ones if there are no others):
    /// `not-lazy` if any is, else `unknown` if any is or there is none, else `lazy`.
    pub verdict: Verdict,
    /// Files looked at.
    pub files: u32,
    /// Task definitions in them.
    pub tasks: u32,
    /// Containers in those.
    pub containers: u32,
    /// Containers that are loaded lazily.
    pub lazy: u32,
    /// Containers that are not.
    pub not_lazy: u32,
    /// Containers that may be.
    pub unknown: u32,
    /// Containers that are not lazy or unknown and accepted: they are in none of the three counts above.
    #[serde(default)]
    pub accepted: u32,
    /// Findings of severity `error`.
    pub errors: u32,
    /// Findings of severity `warning`.
    pub warnings: u32,
    /// Findings of severity `info`.
    pub infos: u32,
    /// Findings silenced by comments in the files.
    pub suppressed: u32,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// The path as given.
    pub path: String,
    /// How it is written.
    pub syntax: Syntax,
    /// What it is.
    pub kind: Kind,
    /// Its task definitions.
    pub tasks: Vec<TaskReport>,
}

/// One task definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReport {
    /// Family, logical id, or the file's name where there is neither.
    pub id: String,
    /// Where it begins: its family or logical id.
    pub location: Location,
    /// Whether it runs on Fargate.
    pub fargate: Fargate,
    /// Why, in a sentence.
    pub fargate_reason: String,
    /// The platform it asks for, as in `linux/amd64`; `(by default)` is said where nothing was asked.
    pub platform: String,
    /// The worst verdict of its containers; `unknown` without any.
    pub verdict: Verdict,
    /// Its containers.
    pub containers: Vec<ContainerReport>,
}

/// One container of a task definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerReport {
    /// Its name; what stands in its place where that is an expression.
    pub name: String,
    /// The image: resolved as far as possible, with `${…}` for what is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    /// The file of the location; not always the task's (a template may hold the containers).
    #[serde(default)]
    pub file: String,
    /// The image, or the container where it has none.
    pub location: Location,
    /// The condition under which it exists, as in `HasProxyImage`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub condition: Option<String>,
    /// Whether it is loaded lazily.
    pub verdict: Verdict,
    /// Why a verdict other than `lazy` is accepted, if it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<String>,
    /// The verdict in a sentence.
    pub headline: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// What decided, the strongest first.
    pub reasons: Vec<Reason>,
}

/// What decided a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The rule's code.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// What is so, about the value in the file.
    pub message: String,
    /// The file of the location; not always the container's (a service may stand elsewhere).
    pub file: String,
    /// Where it is written.
    pub location: Location,
}

/// One thing to know or to mend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's code, as in `SOCI201`.
    pub code: String,
    /// The rule's name, as in `image-not-in-ecr-private`.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong with the value in the file.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// The file; empty for a finding about the call itself.
    pub file: String,
    /// Where; absent for a finding about the whole file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// Other places that take part.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub related: Vec<Related>,
    /// The rule's page.
    pub url: String,
    /// The task definition's id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task: Option<String>,
    /// The container's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// A change that mends it, where one is safe.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<Fix>,
}

/// A change that mends a finding: one stretch of one file is replaced, and every deployment that worked before works
/// the same after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What it does.
    pub description: String,
    /// The file; not always that of the finding.
    pub file: String,
    /// What is replaced.
    pub location: Location,
    /// What is written in its place; empty takes it out.
    pub replacement: String,
}

/// A place that takes part in a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Related {
    /// What it has to do with it.
    pub message: String,
    /// The file.
    pub file: String,
    /// Where.
    pub location: Location,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// What was found in snippets of the files, and a table of verdicts. Without the feature `snippets`, which
    /// the WASM module leaves out, places and containers are named instead.
    Human,
    /// One line a finding, one line a container.
    Short,
    /// The [`Report`] itself.
    Json,
    /// GitHub's workflow commands.
    Github,
    /// Tables for a job summary or a comment.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "human" => Ok(Self::Human),
            "short" => Ok(Self::Short),
            "json" => Ok(Self::Json),
            "github" => Ok(Self::Github),
            "markdown" => Ok(Self::Markdown),
            "sarif" => Ok(Self::Sarif),
            _ => Err(Error::Format {
                format: text.to_owned(),
            }),
        }
    }
}

/// How [`render`] writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct RenderOptions<'a> {
    /// Colours and bold by ANSI escapes (human only).
    pub color: bool,
    /// Columns of the terminal (human only). With 0 it is 100, and the last lines, which say how it ended, are whole.
    pub width: usize,
    /// What makes the run fail: a report that is for people ends with what did.
    pub fail_on: Option<FailOn>,
    /// The files, for the snippets of the human format; files not among them get none.
    pub sources: &'a [Input],
}

#[cfg(feature = "snippets")]
impl RenderOptions<'_> {
    fn columns(&self) -> usize {
        match self.width {
            0 => 100,
            width => width,
        }
    }
}

/// Writes a report.
pub fn render(report: &Report, format: Format, options: &RenderOptions<'_>) -> String {
    match format {
        #[cfg(feature = "snippets")]
        Format::Human => human::render(report, options),
        #[cfg(not(feature = "snippets"))]
        Format::Human => plain::render(report, options),
        Format::Short => short::render(report, options),
        Format::Json => {
            let text = serde_json::to_string_pretty(report)
                .expect("a report has string keys and no foreign serializer");
            let mut text = json_text(&text);
            text.push('\n');
            text
        }
        Format::Github => github::render(report, options),
        Format::Markdown => markdown::render(report, options),
        Format::Sarif => sarif::render(report, options),
    }
}

impl ContainerReport {
    /// The verdict as people read it: `not-lazy`, or `not-lazy, accepted`.
    fn verdict_text(&self) -> String {
        match self.accepted {
            Some(_) => format!("{}, accepted", self.verdict.as_str()),
            None => self.verdict.as_str().to_owned(),
        }
    }

    /// Why, and why that is accepted.
    fn why(&self) -> String {
        match &self.accepted {
            Some(reason) => format!("{reason} ({})", self.headline),
            None => self.headline.clone(),
        }
    }

    /// What would answer an open verdict that nobody accepted.
    fn answer(&self) -> Option<&str> {
        let is_open = self.verdict == Verdict::Unknown && self.accepted.is_none();
        self.next.as_deref().filter(|_| is_open)
    }
}

impl Report {
    /// What made the run fail under these options, if it did.
    fn failure(&self, options: &RenderOptions<'_>) -> Option<String> {
        options.fail_on.and_then(|fail_on| fail_on.reason(&self.summary))
    }
}

/// The JSON Schema of [`Report`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

/// The JSON Schema of [`crate::Options`].
pub fn options_schema() -> serde_json::Value {
    schemars::schema_for!(crate::Options).to_value()
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
