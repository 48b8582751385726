//! README and docs: every command line of ours that they show is one that the program understands, and every
//! relative link leads to a file. (`workflows.rs` also runs the commands of the workflow pages.)

use std::fs;
use std::path::{Path, PathBuf};

use cargo_soci::cli;
use cargo_soci::invocation::Caller;

/// Every page: README, the other pages at the root, all of docs.
fn pages() -> Vec<PathBuf> {
    let root = soci_tests::repository();
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    collect(&root.join("docs"), &mut pages);
    pages
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder that can be listed").path();
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// Our commands in the code blocks of a page, fenced or indented, without comments and shell around them.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if !fenced && !line.starts_with("    ") {
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        let line = line.split(" #").next().unwrap_or(line);
        for part in line.split(['|', ';']).flat_map(|part| part.split("&&")) {
            let part = part.split(" > ").next().unwrap_or(part).trim();
            let ours = ["cargo soci ", "docker soci "]
                .iter()
                .find_map(|prefix| part.strip_prefix(prefix));
            if let Some(rest) = ours {
                found.push(
                    rest.split_whitespace()
                        .map(|word| word.trim_matches('\'').to_owned())
                        .collect(),
                );
            }
        }
    }
    found
}

#[test]
fn command_lines_in_the_docs_are_understood() {
    let mut seen = 0;
    for page in pages() {
        for words in commands(&read(&page)) {
            // What comes behind `docker soci build` is docker's.
            if words.first().is_some_and(|word| word == "build")
                && words.last().is_some_and(|word| word == ".")
            {
                continue;
            }
            seen += 1;
            let argv = ["cargo-soci".to_owned()].into_iter().chain(words.iter().cloned());
            if let Err(error) = cli::command(Caller::Direct).try_get_matches_from(argv) {
                assert!(
                    !error.use_stderr(),
                    "{}: `cargo soci {}` is not understood:\n{error}",
                    page.display(),
                    words.join(" ")
                );
            }
        }
    }
    assert!(
        seen > 20,
        "only {seen} commands found: the pages or this test have changed their form"
    );
}

#[test]
fn relative_links_lead_to_files() {
    let mut seen = 0;
    for page in pages() {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let target = page.parent().expect("a page lies in a folder").join(path);
            assert!(
                target.exists(),
                "{} links to {link}, which is not there",
                page.display()
            );
        }
    }
    assert!(
        seen > 20,
        "only {seen} links found: the pages or this test have changed their form"
    );
}

/// The messages that the page on troubleshooting explains are still those of the program.
#[test]
fn messages_that_are_explained_exist() {
    let root = soci_tests::repository();
    let page = read(&root.join("docs/troubleshooting.md"));
    let table = page
        .split("## Messages")
        .nth(1)
        .expect("the page has a list of messages");
    let mut sources = String::new();
    for folder in ["cargo-soci", "soci-store", "soci-registry"] {
        sources.push_str(&rust(&root.join("crates").join(folder).join("src")));
    }
    let mut seen = 0;
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let message = line.split('`').nth(1).expect("it begins with one");
        // What stands in braces there is filled in.
        let found = sources.contains(message)
            || (message == "could be a folder or an image in a registry"
                && sources.contains("or an image in a registry: write"))
            || (message == "nothing to index" && sources.contains("NothingToIndex"));
        assert!(found, "no message says {message:?}");
        seen += 1;
    }
    assert!(seen > 15, "only {seen} messages: the page has changed its form");
}

/// All sources below a folder, continued texts joined.
fn rust(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&rust(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&read(&path));
        }
    }
    text
}
