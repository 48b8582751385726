//! The examples on the rules' pages: what each page calls a trouble is found, what it proposes is silent.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read their files; the crate does not"
)]

use soci_lint::{Acceptance, ImageFactsEntry, Input, Options, Report, Severity, docs, explain, lint, rules};

struct Block {
    /// What stands behind the fence: `json`, `yaml facts:no-index`.
    info: String,
    text: String,
    section: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        } else if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block {
                info: info.to_owned(),
                text: text.join("\n"),
                section: section.clone(),
            });
        }
    }
    blocks
}

/// The options that the words behind a fence stand for: `facts:NAME` (of `tests/fixtures/facts`),
/// `select:CODE`, `param:NAME:VALUE`, `kind:KIND`, `accept:CONTAINER:REASON`.
fn options(info: &str) -> Options {
    let mut options = Options::default();
    for word in info.split(' ').skip(1) {
        match word.split_once(':').unwrap() {
            ("facts", name) => {
                options.image_facts = vec![entry("*/web:1.4.2", name), entry("*/web:1.4.2-soci", "lazy")];
            }
            ("select", code) => options.select.push(code.to_owned()),
            ("kind", kind) => options.kind = Some(kind.parse().unwrap()),
            ("accept", pair) => {
                let (container, reason) = pair.split_once(':').unwrap();
                options.accept.push(Acceptance {
                    container: Some(container.to_owned()),
                    reason: reason.to_owned(),
                    ..Acceptance::default()
                });
            }
            ("param", pair) => {
                let (name, value) = pair.split_once(':').unwrap();
                options.params.insert(name.to_owned(), value.to_owned());
            }
            other => panic!("{other:?}"),
        }
    }
    options
}

fn entry(image: &str, facts: &str) -> ImageFactsEntry {
    let path = format!("{}/tests/fixtures/facts/{facts}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    ImageFactsEntry {
        image: image.to_owned(),
        facts: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")),
    }
}

fn run(block: &Block) -> Report {
    let file = Input {
        path: "task-definition".to_owned(),
        bytes: block.text.clone().into_bytes(),
    };
    lint(&[file], &options(&block.info))
}

fn codes(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

#[test]
fn examples_are_found_and_what_to_use_instead_is_silent() {
    let mut examples = 0;
    for rule in rules() {
        for block in blocks(&rule.documentation) {
            let mut report = run(&block);
            // The facts of a fence name two tags, of which an example has one.
            if rule.code != "SOCI920" {
                report.findings.retain(|finding| finding.code != "SOCI920");
            }
            let codes = codes(&report);
            match block.section.as_str() {
                "Example" => assert!(codes.contains(&rule.code.as_str()), "{}: {codes:?}", rule.code),
                "Use instead" => assert!(codes.is_empty(), "{}: {:#?}", rule.code, report.findings),
                section => panic!("{}: a block under {section}", rule.code),
            }
            examples += 1;
        }
    }
    assert!(examples > 80, "{examples} examples");
}

/// Every page explains and cites: a summary, why, an example, a source with a date.
#[test]
fn pages_have_all_parts() {
    for rule in rules() {
        let page = &rule.documentation;
        assert!(page.starts_with(&format!("# {}: {}\n", rule.code, rule.name)));
        assert!(page.contains("\n## Why\n"), "{}", rule.code);
        assert!(page.contains("\n## References\n\n* "), "{}", rule.code);
        let dated = page.contains("(20") || page.contains("lint.md");
        assert!(dated, "{}: no date", rule.code);
        assert!(rule.summary.ends_with('.'), "{}: {}", rule.code, rule.summary);
        // A file that cannot be read has no text to show.
        let example = page.contains("\n## Example\n") || rule.code == "SOCI917";
        assert!(example, "{}: no example", rule.code);
        assert_eq!(explain(&rule.code).as_ref(), Some(page));
        assert_eq!(explain(&rule.name).as_ref(), Some(page));
    }
    assert_eq!(explain("SOCI999"), None);
}

#[test]
fn there_is_a_page_for_each_rule_and_an_index() {
    let pages = docs();
    assert_eq!(pages.len(), rules().len() + 1);
    let (_, index) = pages.iter().find(|(name, _)| name == "README.md").unwrap();
    for rule in rules() {
        assert!(
            index.contains(&format!("[{0}]({0}.md)", rule.code)),
            "{}",
            rule.code
        );
        assert!(rule.url.ends_with(&format!("/{}.md", rule.code)));
    }
}

#[test]
fn only_reasons_and_opt_ins_are_off() {
    let off: Vec<String> = rules()
        .into_iter()
        .filter(|rule| rule.severity == Severity::Off)
        .map(|rule| rule.code)
        .collect();
    assert_eq!(off, ["SOCI301", "SOCI310", "SOCI402", "SOCI407", "SOCI408"]);
}
