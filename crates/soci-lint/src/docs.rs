//! The rules' pages, out of their doc comments.

use std::fmt::Write;

use crate::rules::{Effect, RULES, Rule};

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
    format!(
        "Severity: {severity}. Verdict: {verdict}. Allow it with `soci-lint: allow {}`.",
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
