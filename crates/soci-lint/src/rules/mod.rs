//! The rules. Each has a file of its own: what it says, why, an example, where the fact is from.
//!
//! A rule looks at a document, a task or a container and puts [`Finding`]s into a [`Sink`]. What a
//! finding does to the verdict ([`Effect`]) is independent of whether it is listed: ignoring a rule
//! changes no verdict.

mod architecture_not_in_image;
mod catalogue;
mod depends_on_start_timeout;
pub(crate) mod dockerrun;
pub(crate) mod duplicate_key;
mod ecr_host_unverified;
mod empty_image;
mod ephemeral_storage;
mod every_image_needs_an_index;
mod has_soci_index;
mod health_check_start_period;
pub(crate) mod image_facts_missing;
mod image_in_another_region;
mod image_not_in_ecr_private;
mod image_of_aws;
mod image_syntax;
mod image_too_small;
pub(crate) mod kind_not_read;
mod latest_tag;
pub(crate) mod launch_type_undecided;
mod layers_below_minimum;
mod little_is_lazy;
mod malformed_ecr_host;
mod missing_image;
mod no_containers;
mod no_soci_index;
mod no_soci_index_for_platform;
pub(crate) mod not_a_task_definition;
mod not_fargate;
mod not_fargate_by_default;
pub(crate) mod not_plain_json;
pub(crate) mod odd_suppression;
mod placeholder_image;
mod platform_version;
mod platform_version_retired;
pub(crate) mod platform_version_undecided;
mod pull_through_cache;
mod repository_credentials;
mod service_grace_period;
mod shared;
mod sink;
mod soci_index_damaged;
mod soci_index_v1_only;
mod soci_tag_suffix;
pub(crate) mod syntax_error;
mod tag_not_pinned;
pub(crate) mod template_not_rendered;
pub(crate) mod unreadable_file;
mod unresolved_container;
mod unresolved_image;
pub(crate) mod unused_parameter;
pub(crate) mod windows_task;
mod wrong_type;
mod zstd_layers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use catalogue::RULES;
pub(crate) use sink::{Emitted, Sink};

use crate::Options;
use crate::data::urls;
use crate::model::{Container, Document, Task};
use crate::report::Verdict;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It will not work, or not lazily.
    Error,
    /// It probably is not what was meant.
    Warning,
    /// Good to know.
    Info,
    /// Not listed.
    Off,
}

impl Severity {
    /// As in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Off => "off",
        }
    }
}

impl std::str::FromStr for Severity {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, crate::Error> {
        [Self::Error, Self::Warning, Self::Info, Self::Off]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| crate::Error::Severity {
                severity: text.to_owned(),
            })
    }
}

/// A rule, for lists and documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// `SOCI201`.
    pub code: String,
    /// `image-not-in-ecr-private`.
    pub name: String,
    /// Its own severity; `off` rules run when they are selected or given a severity.
    pub severity: Severity,
    /// One sentence.
    pub summary: String,
    /// What its findings do to the verdict: `not-lazy`, `unknown`, or nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Verdict>,
    /// Its page.
    pub url: String,
    /// Its page as Markdown; absent in a build without the feature `documentation`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub documentation: String,
}

/// What a finding does to the verdict of the containers it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// The image is known to be loaded lazily, unless something else speaks against it.
    Lazy,
    Unknown,
    NotLazy,
}

/// What a rule looks at.
pub(crate) enum Check {
    Document(fn(&Document<'_>, &mut Sink<'_, '_>)),
    Task(fn(&Task<'_>, &mut Sink<'_, '_>)),
    Container(fn(&Task<'_>, &Container<'_>, &mut Sink<'_, '_>)),
    /// The reader finds it, before there is a document.
    Reader,
}

/// A rule with its page.
pub(crate) struct Rule {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) effect: Effect,
    /// Whether it runs only when it is selected or given a severity.
    pub(crate) opt_in: bool,
    pub(crate) check: Check,
    /// The first line of the doc comment above it.
    pub(crate) summary: &'static str,
    /// The doc comment above it: the page. Empty without the feature `documentation`.
    pub(crate) docs: &'static str,
}

impl Rule {
    /// The severity in a run; `None` if the rule does not run at all.
    pub(crate) fn severity_in(&self, options: &Options) -> Option<Severity> {
        let names = |word: &String| self.is_named(word);
        let own = options
            .severity
            .iter()
            .filter(|(word, _)| self.is_named(word))
            // The longest word is the most exact.
            .max_by_key(|(word, _)| word.len())
            .map(|(_, severity)| *severity);
        let selected = options.select.iter().any(names);
        if self.opt_in && !selected && own.is_none_or(|severity| severity == Severity::Off) {
            return None;
        }
        let listed =
            (options.select.is_empty() || selected || own.is_some()) && !options.ignore.iter().any(names);
        if !listed {
            return Some(Severity::Off);
        }
        let fallback = match self.severity {
            Severity::Off if selected => Severity::Info,
            severity => severity,
        };
        Some(own.unwrap_or(fallback))
    }

    /// Whether a word of the options means this rule: its code, its name, the beginning of its code, `all`.
    pub(crate) fn is_named(&self, word: &str) -> bool {
        let upper = word.to_ascii_uppercase();
        word == self.name
            || word == "all"
            || upper.len() >= 4 && upper.starts_with("SOCI") && self.code.starts_with(&upper)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}.md", urls::RULES, self.code)
    }

    /// The first sentence of the page.
    pub(crate) fn summary(&self) -> &'static str {
        self.summary.trim()
    }

    fn info(&self) -> RuleInfo {
        RuleInfo {
            code: self.code.to_owned(),
            name: self.name.to_owned(),
            severity: self.severity,
            summary: self.summary().to_owned(),
            verdict: match self.effect {
                Effect::None => None,
                Effect::Lazy => Some(Verdict::Lazy),
                Effect::Unknown => Some(Verdict::Unknown),
                Effect::NotLazy => Some(Verdict::NotLazy),
            },
            url: self.url(),
            documentation: match self.docs {
                "" => String::new(),
                _ => crate::docs::page(self),
            },
        }
    }
}

/// All rules, by code.
pub fn rules() -> Vec<RuleInfo> {
    RULES.iter().map(|rule| rule.info()).collect()
}

/// The page of a rule by code or name, as Markdown.
pub fn explain(rule: &str) -> Option<String> {
    let found = RULES
        .iter()
        .find(|known| known.name == rule || known.code.eq_ignore_ascii_case(rule))?;
    Some(crate::docs::page(found))
}

/// Rules that a word of the options means.
pub(crate) fn matching(word: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().filter(move |rule| rule.is_named(word))
}

/// Declares a rule; its doc comment becomes its page.
macro_rules! rule {
    (
        #[doc = $summary:literal]
        $(#[doc = $doc:literal])*
        $id:ident, $code:literal, $name:literal, $severity:ident, $effect:ident, $check:expr $(, $opt_in:ident)?
    ) => {
        #[doc = $summary]
        $(#[doc = $doc])*
        pub(crate) static $id: $crate::rules::Rule = $crate::rules::Rule {
            code: $code,
            name: $name,
            severity: $crate::rules::Severity::$severity,
            effect: $crate::rules::Effect::$effect,
            opt_in: $crate::rules::rule!(@opt_in $($opt_in)?),
            check: $check,
            summary: $summary,
            docs: match cfg!(feature = "documentation") {
                true => concat!($summary, "\n" $(, $doc, "\n")*),
                false => "",
            },
        };
    };
    (@opt_in) => { false };
    (@opt_in opt_in) => { true };
}
pub(crate) use rule;
