//! Folders are searched past what git ignores: compared with git itself, over lists of patterns.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_soci::documents::Documents;
use proptest::prelude::*;

/// Every folder of the tree, each with the same files.
const FOLDERS: [&str; 14] = [
    "", "a", "a/b", "a/b/c", "a/ab", "ab", "ab/a", "b", "b/.a", "b/a b", "c", "c/#", "c/!a", "c/a/b",
];
const FILES: [&str; 3] = ["taskdef.json", "task-definition.json", "ab-taskdef.json"];

/// What git is told about nothing but the repository: not by this machine, not by its user.
fn git(folder: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=false"])
        .args(words)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .current_dir(folder)
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("names of ASCII")
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    git(folder.path(), &["init", "--quiet"]);
    for inner in FOLDERS {
        let inner = folder.path().join(inner);
        std::fs::create_dir_all(&inner).expect("a folder");
        for file in FILES {
            std::fs::write(inner.join(file), "{}").expect("a file");
        }
    }
    folder
}

/// A line of `.gitignore`, also of the kinds that other readers understand otherwise than git does.
fn line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "b",
        "ab",
        "*a",
        "b*",
        "?",
        "[ab]",
        "[!a]",
        "[^a]",
        "[a-c]",
        "[]-a]",
        ".",
        "\\a",
        "#",
        "\\#",
        "\\!",
        "*",
        "**",
        "taskdef",
        "task*",
        ".json",
        "*.json",
        "taskdef.json",
        "ab-taskdef.json",
        "[[:alpha:]]",
        " ",
        "\\ ",
        "a**b",
    ]);
    let part = prop::collection::vec(word, 1..3).prop_map(|words| words.concat());
    let parts = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let before = prop::sample::select(vec!["", "", "!", "/", "!/", "**/", "\u{FEFF}", " "]);
    let after = prop::sample::select(vec!["", "", "/", "/**", "/*", " ", "  ", "\\ ", "\t", "\r"]);
    let line = (before, parts, after).prop_map(|(before, parts, after)| format!("{before}{parts}{after}"));
    // To git 2.39 `task**/*` lists the file `taskdef.json`, against its own documentation.
    line.prop_filter("stars behind a letter and before a slash", |line| {
        let inner = line.split("**/").collect::<Vec<_>>();
        let (_, before) = inner.split_last().expect("one part at least");
        before
            .iter()
            .all(|part| part.is_empty() || part.ends_with(['/', '!', '*', '\u{FEFF}']))
    })
}

fn ours(root: &Path) -> BTreeSet<String> {
    let words = [root.to_str().expect("UTF-8").to_owned()];
    match Documents::read(&words, || Ok(())) {
        Ok(documents) => documents
            .inputs()
            .iter()
            .map(|input| {
                Path::new(&input.path)
                    .strip_prefix(root)
                    .expect("below it")
                    .display()
                    .to_string()
            })
            .collect(),
        // Nothing is left.
        Err(error) => {
            assert!(error.to_string().contains("no "), "{error}");
            BTreeSet::new()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_git_does_not_ignore(
        lines in prop::collection::vec(line(), 1..5),
        inner in prop::collection::vec(line(), 0..3),
        at in prop::sample::select(vec!["a", "a/b", "c"]),
    ) {
        thread_local!(static TREE: tempfile::TempDir = tree());
        TREE.with(|tree| {
            let root = tree.path();
            for folder in ["a", "a/b", "c"] {
                let _ = std::fs::remove_file(root.join(folder).join(".gitignore"));
            }
            std::fs::write(root.join(".gitignore"), lines.join("\n")).expect("a file");
            std::fs::write(root.join(at).join(".gitignore"), inner.join("\n")).expect("a file");
            let listed = git(root, &["ls-files", "--others", "--exclude-standard"]);
            let theirs: BTreeSet<String> = listed
                .lines()
                .filter(|path| !path.ends_with(".gitignore"))
                .map(str::to_owned)
                .collect();
            prop_assert_eq!(ours(root), theirs, "{:?}, in {}: {:?}", lines, at, inner);
            Ok(())
        })?;
    }
}
