//! The rules. Each has a file of its own: what it says, why, an example, where the fact is from.
//!
//! A rule looks at a document, a task or a container and puts [`Finding`]s into a [`Sink`]. What a
//! finding does to the verdict ([`Effect`]) is independent of whether it is listed: ignoring a rule
//! changes no verdict.

mod outcome;
mod shared;
mod sink;

pub(crate) use outcome::Outcome;
pub(crate) use sink::{Change, Emitted, File, Run, Sink, by_task, container_of};

use crate::Options;
use crate::data::urls;
use crate::model::{Container, Document, Task};
use crate::terms::{Consumer, Severity};

/// Rules about how ECS runs a task.
const ECS: &[Consumer] = &[Consumer::Fargate];

/// Rules about private ECR repositories.
const IN_ECR: &[Consumer] = &[Consumer::Fargate, Consumer::SageMaker];

/// Declares the modules, each with its rule, and the list of all rules by code.
macro_rules! catalogue {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// All rules, by code.
        pub(crate) static RULES: &[&Rule] = &[$(&$module::RULE,)*];

        /// The files that they are in.
        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($module),)*];
    };
}

catalogue! {
    not_fargate,
    not_fargate_by_default,
    launch_type_undecided,
    windows_task,
    platform_version_without_soci,
    platform_version_retired,
    platform_version_undecided,
    architecture_not_in_image,
    image_not_in_ecr_private,
    repository_credentials,
    image_in_another_region,
    pull_through_cache_repository,
    ecr_host_unverified,
    malformed_ecr_host,
    image_of_an_aws_account,
    newest_image,
    tag_shared_with_lambda,
    image_not_examined,
    no_soci_index,
    soci_index_v1_only,
    no_soci_index_for_platform,
    zstd_layers,
    image_small_for_lazy_loading,
    every_layer_below_minimum,
    little_is_lazy,
    soci_index_damaged,
    has_soci_index,
    latest_tag,
    tag_not_pinned,
    health_check_without_start_period,
    short_start_timeout,
    no_health_check_grace_period,
    ephemeral_storage_too_small,
    tag_without_soci_suffix,
    task_with_other_registries,
    not_a_task_definition,
    kind_not_read_yet,
    dockerrun_on_ec2,
    syntax_error,
    not_plain_json,
    template_not_rendered,
    duplicate_key,
    wrong_type,
    image_syntax,
    empty_image,
    missing_image,
    placeholder_image,
    unresolved_image,
    unresolved_container,
    no_containers,
    odd_suppression,
    unreadable_file,
    unused_parameter,
    kind_against_content,
    unused_image_facts,
    unused_acceptance,
    unused_suppression,
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
    /// The run as a whole.
    Run(fn(&Run<'_>, &mut Sink<'_>)),
    /// A file, whatever it is.
    File(fn(&File<'_>, &mut Sink<'_>)),
    Document(fn(&Document, &mut Sink<'_>)),
    Task(fn(&Task, &mut Sink<'_>)),
    Container(fn(&Task, &Container, &mut Sink<'_>)),
    /// What came of the findings of all others.
    Outcome(fn(&Outcome<'_>, &mut Sink<'_>)),
}

/// A rule with its page.
pub(crate) struct Rule {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) effect: Effect,
    /// Whether it runs only when it is selected or given a severity.
    pub(crate) opt_in: bool,
    /// Whether it says that something could not be read or was not judged: no filter hides that, only its own
    /// code or name in `ignore`.
    pub(crate) is_gate: bool,
    /// What the headline of an open verdict says has to be so, where this is one of the reasons.
    pub(crate) eligible_if: Option<&'static str>,
    /// Of several open reasons the lightest comes first: what is open about the image, then about the place
    /// (1), then facts that are missing (2).
    pub(crate) weight: u8,
    /// Who it is asked for: a rule about ECS has nothing to say about other consumers.
    pub(crate) consumers: &'static [Consumer],
    pub(crate) check: Check,
    /// The first line of the doc comment above it.
    pub(crate) summary: &'static str,
    /// The doc comment above it: the page. Empty without the feature `documentation`.
    pub(crate) docs: &'static str,
}

impl Rule {
    /// The severity in a run; `None` if the rule does not run at all.
    pub(crate) fn severity_in(&self, options: &Options) -> Option<Severity> {
        if !self.consumers.contains(&options.consumer) {
            return None;
        }
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
        let ignored = match self.is_gate {
            true => options.ignore.iter().any(|word| self.is_exactly(word)),
            false => options.ignore.iter().any(names),
        };
        let chosen = options.select.is_empty() || selected || own.is_some() || self.is_gate;
        let listed = chosen && !ignored;
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

    /// Whether a word is its code or its name.
    fn is_exactly(&self, word: &str) -> bool {
        word == self.name || word.eq_ignore_ascii_case(self.code)
    }

    /// Whether it is about the document itself, not about where it runs and what the image is.
    pub(crate) fn is_about_document(&self) -> bool {
        self.code.starts_with("SOCI9")
    }

    /// Whether it looks into images, of which nothing is known without facts.
    pub(crate) fn needs_facts(&self) -> bool {
        self.code.starts_with("SOCI3")
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}.md", urls::RULES, self.code)
    }

    /// The first sentence of the page.
    pub(crate) fn summary(&self) -> &'static str {
        self.summary.trim()
    }
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
        $id:ident = {
            code: $code:literal,
            name: $name:literal,
            severity: $severity:ident,
            effect: $effect:ident,
            check: $kind:ident($check:path),
            $($field:ident: $value:expr,)*
        }
    ) => {
        #[doc = $summary]
        $(#[doc = $doc])*
        pub(crate) static $id: $crate::rules::Rule = $crate::rules::Rule {
            code: $code,
            name: $name,
            severity: $crate::terms::Severity::$severity,
            effect: $crate::rules::Effect::$effect,
            check: $crate::rules::Check::$kind($check),
            summary: $summary,
            docs: match cfg!(feature = "documentation") {
                true => concat!($summary, "\n" $(, $doc, "\n")*),
                false => "",
            },
            $($field: $value,)*
            ..$crate::rules::BASE
        };
    };
}
pub(crate) use rule;

/// What a rule is unless it says otherwise.
const BASE: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Off,
    effect: Effect::None,
    opt_in: false,
    is_gate: false,
    eligible_if: None,
    weight: 0,
    consumers: &Consumer::ALL,
    check: Check::Run(|_, _| {}),
    summary: "",
    docs: "",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
        }
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn a_rule_is_in_the_file_of_its_name() {
        for (rule, file) in RULES.iter().zip(FILES) {
            assert_eq!(rule.name.replace('-', "_"), *file);
        }
    }
}
