//! The rules' pages, out of their doc comments.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{Effect, RULES, Rule};
use crate::terms::{Consumer, Severity, Verdict};

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

/// The generated pages: file name under `docs/rules` and content.
pub fn docs() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = RULES
        .iter()
        .map(|rule| (format!("{}.md", rule.code), page(rule)))
        .collect();
    pages.push(("README.md".to_owned(), index()));
    pages
}

/// One rule's page.
pub(crate) fn page(rule: &Rule) -> String {
    let (summary, rest) = rule
        .docs
        .trim()
        .split_once('\n')
        .unwrap_or((rule.docs.trim(), ""));
    let mut page = String::new();
    let _ = writeln!(page, "# {}: {}\n", rule.code, rule.name);
    let _ = writeln!(page, "{}\n", summary.trim());
    let _ = writeln!(page, "{}\n", facts(rule));
    for line in rest.trim().lines() {
        // Doc comments have one space between the slashes and the text.
        let _ = writeln!(page, "{}", line.strip_prefix(' ').unwrap_or(line));
    }
    page
}

fn facts(rule: &Rule) -> String {
    let severity = match (rule.severity.as_str(), rule.opt_in) {
        (_, true) => "off until selected".to_owned(),
        ("off", false) => "not listed until selected".to_owned(),
        (severity, false) => severity.to_owned(),
    };
    let verdict = match rule.effect {
        Effect::NotLazy => "`not-lazy`",
        Effect::Unknown => "`unknown`",
        Effect::Lazy => "`lazy`",
        Effect::None => "none",
    };
    let consumers = match rule.consumers.len() == Consumer::ALL.len() {
        true => String::new(),
        false => {
            let words = rule
                .consumers
                .iter()
                .map(|consumer| format!("`{}`", consumer.as_str()));
            format!(" Asked for {} only.", words.collect::<Vec<_>>().join(" and "))
        }
    };
    format!(
        "Severity: {severity}. Verdict: {verdict}.{consumers} Allow it with `soci-lint: allow {}`.",
        rule.name
    )
}

fn index() -> String {
    let groups = [
        ("SOCI1", "Where it runs"),
        ("SOCI2", "Where the image lives"),
        ("SOCI3", "What the image is"),
        ("SOCI4", "How it is deployed"),
        ("SOCI9", "The document"),
    ];
    let mut page = "# Rules\n\nGenerated from the rules themselves (`cargo xtask gen`). `cargo soci explain CODE` prints a page.\n".to_owned();
    for (prefix, title) in groups {
        let _ = writeln!(
            page,
            "\n## {title}\n\n| code | name | severity | |\n|---|---|---|---|"
        );
        for rule in RULES.iter().filter(|rule| rule.code.starts_with(prefix)) {
            let _ = writeln!(
                page,
                "| [{0}]({0}.md) | {1} | {2} | {3} |",
                rule.code,
                rule.name,
                rule.severity.as_str(),
                rule.summary()
            );
        }
    }
    page
}

/// All rules, by code.
pub fn rules() -> Vec<RuleInfo> {
    RULES.iter().map(|rule| info(rule)).collect()
}

/// The page of a rule by code or name, as Markdown.
pub fn explain(rule: &str) -> Option<String> {
    let found = RULES
        .iter()
        .find(|known| known.name == rule || known.code.eq_ignore_ascii_case(rule))?;
    Some(page(found))
}

fn info(rule: &Rule) -> RuleInfo {
    RuleInfo {
        code: rule.code.to_owned(),
        name: rule.name.to_owned(),
        severity: rule.severity,
        summary: rule.summary().to_owned(),
        verdict: match rule.effect {
            Effect::None => None,
            Effect::Lazy => Some(Verdict::Lazy),
            Effect::Unknown => Some(Verdict::Unknown),
            Effect::NotLazy => Some(Verdict::NotLazy),
        },
        url: rule.url(),
        documentation: match rule.docs {
            "" => String::new(),
            _ => page(rule),
        },
    }
}
