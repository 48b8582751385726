//! Searches of a disk that is a list of paths, and the two matchers against those of ripgrep.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use ignore::gitignore::GitignoreBuilder;
use proptest::prelude::*;

use super::*;

/// Files with their texts; folders are what is in front of names. A text of `->` makes it a link.
struct Files(BTreeMap<&'static str, &'static str>);

impl Files {
    fn full(path: &str) -> String {
        match path {
            "" => "/srv/repo".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/srv/repo/{path}"),
        }
    }
}

impl Disk for Files {
    fn here(&self) -> Option<String> {
        Some("/srv/repo".to_owned())
    }

    fn kind(&self, path: &str) -> Option<EntryKind> {
        let full = Self::full(path);
        if self.0.contains_key(full.as_str()) {
            return Some(EntryKind::File);
        }
        let inside = below(&full, "");
        let is_folder = self.0.keys().any(|file| file.starts_with(&inside));
        is_folder.then_some(EntryKind::Folder)
    }

    fn entries(&self, folder: &str) -> Result<Vec<Entry>, String> {
        let inside = below(&Self::full(folder), "");
        let mut entries = BTreeMap::new();
        for (path, text) in &self.0 {
            let Some(rest) = path.strip_prefix(&inside) else {
                continue;
            };
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, EntryKind::Folder),
                None if *text == "->" => (rest, EntryKind::Other),
                None => (rest, EntryKind::File),
            };
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries
            .into_iter()
            .map(|(name, kind)| Entry { name, kind })
            .collect())
    }

    fn text(&self, path: &str) -> Option<String> {
        self.0
            .get(Self::full(path).as_str())
            .map(|text| (*text).to_owned())
    }
}

fn found(files: &[(&'static str, &'static str)], words: &[&str]) -> Result<Vec<String>, DiscoverError> {
    let disk = Files(files.iter().copied().collect());
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Ok(discover(&words, &disk)?
        .into_iter()
        .map(|found| format!("{} {:?}", found.path, found.by))
        .collect())
}

const PLAIN: &[(&str, &str)] = &[
    ("/srv/repo/deploy/.aws/taskdef.json", "{}"),
    ("/srv/repo/deploy/link-taskdef.json", "->"),
    ("/srv/repo/deploy/notes.json", "{}"),
    ("/srv/repo/deploy/[odd].json", "{}"),
    ("/srv/repo/infra/.terraform/main.tf", ""),
    ("/srv/repo/infra/main.tf", ""),
    ("/srv/repo/node_modules/x/taskdef.json", "{}"),
    ("/srv/repo/taskdef.json", "{}"),
];

#[test]
fn folders_are_searched_by_name_and_words_mean_themselves() {
    for (words, expected) in [
        (
            vec!["."],
            vec![
                "deploy/.aws/taskdef.json Name",
                "infra/main.tf Name",
                "taskdef.json Name",
            ],
        ),
        (vec!["./deploy/"], vec!["deploy/.aws/taskdef.json Name"]),
        (vec!["/srv/repo/infra"], vec!["/srv/repo/infra/main.tf Name"]),
        (vec!["node_modules"], vec!["node_modules/x/taskdef.json Name"]),
        (
            vec!["deploy/link-taskdef.json"],
            vec!["deploy/link-taskdef.json Word"],
        ),
        (vec!["deploy/[odd].json"], vec!["deploy/[odd].json Word"]),
        (
            vec!["deploy/*.json", "-", "deploy/notes.json"],
            vec!["deploy/[odd].json Glob", "deploy/notes.json Glob", "- Word"],
        ),
        (
            vec!["./**/{taskdef,main}.{json,tf}"],
            vec![
                "deploy/.aws/taskdef.json Glob",
                "infra/main.tf Glob",
                "taskdef.json Glob",
            ],
        ),
    ] {
        assert_eq!(found(PLAIN, &words).expect("files"), expected, "{words:?}");
    }
}

#[test]
fn words_that_lead_nowhere_are_told() {
    for (word, message) in [
        ("none.json", "there is no file or folder none.json"),
        ("deploy/*.toml", "no file matches deploy/*.toml"),
        ("none/*.json", "no file matches none/*.json"),
        (
            "x[",
            "cannot read the glob x[: a `[` has no `]`, or a `\\` stands at the end",
        ),
        ("{a", "cannot read the glob {a: a `{` has no `}`"),
    ] {
        let error = found(PLAIN, &[word]).expect_err("nothing");
        assert_eq!(error.to_string(), message);
    }
    let error = found(&[("/srv/repo/a/b.json", "")], &["a"]).expect_err("nothing");
    assert!(error.help().expect("a help").contains(".gitignore"), "{error}");
}

#[test]
fn what_git_ignores_is_passed_over_unless_it_is_named() {
    let files = &[
        ("/srv/.git/HEAD", ""),
        ("/srv/.gitignore", "/repo/old\n"),
        ("/.gitignore", "*\n"),
        ("/srv/repo/.gitignore", "cdk.out/\n*-taskdef.json\n"),
        ("/srv/repo/a-taskdef.json", ""),
        ("/srv/repo/cdk.out/taskdef.json", ""),
        ("/srv/repo/deploy/.gitignore", "!b-taskdef.json\n# c\n\n/local\n"),
        ("/srv/repo/deploy/a-taskdef.json", ""),
        ("/srv/repo/deploy/b-taskdef.json", ""),
        ("/srv/repo/deploy/local/taskdef.json", ""),
        ("/srv/repo/deploy/x/local/taskdef.json", ""),
        ("/srv/repo/old/taskdef.json", ""),
    ];
    for (word, expected) in [
        (
            ".",
            vec!["deploy/b-taskdef.json Name", "deploy/x/local/taskdef.json Name"],
        ),
        (
            "deploy/**/*.json",
            vec!["deploy/b-taskdef.json Glob", "deploy/x/local/taskdef.json Glob"],
        ),
        ("a-taskdef.json", vec!["a-taskdef.json Word"]),
        ("cdk.out", vec!["cdk.out/taskdef.json Name"]),
        ("old", vec!["old/taskdef.json Name"]),
    ] {
        assert_eq!(found(files, &[word]).expect("files"), expected, "{word}");
    }
    // Without a repository nothing above the working folder counts.
    let files = &[("/.gitignore", "*\n"), ("/srv/repo/taskdef.json", "")];
    assert_eq!(found(files, &["."]).expect("files"), ["taskdef.json Name"]);
}

/// Parts with wildcards, so that many of them match. What ripgrep reads otherwise than git does is not among them:
/// `a**b`, `**/**`, an end of `**`, and classes that are inverted, which match `/` there.
fn pattern() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("*a"),
        Just("b*"),
        Just("?"),
        Just("[ab]"),
        Just("[a-c]"),
        Just("."),
        Just("\\a"),
        Just("#"),
    ];
    let part = prop::collection::vec(word, 1..3).prop_map(|words| words.concat());
    let inner = prop_oneof![part.clone(), Just("**".to_owned()), Just("*".to_owned())];
    (
        prop::option::of(inner),
        prop::collection::vec(part, 1..3),
        any::<bool>(),
    )
        .prop_map(|(first, parts, anywhere)| {
            let rest = parts.join(if anywhere { "/**/" } else { "/" });
            first.map_or(rest.clone(), |first| format!("{first}/{rest}"))
        })
}

/// A line with what `.gitignore` has beside patterns.
fn line() -> impl Strategy<Value = String> {
    let around = (
        prop_oneof![Just(""), Just("!"), Just("/"), Just("!/")],
        prop_oneof![Just(""), Just("/"), Just(" ")],
    );
    (around, pattern()).prop_map(|((before, after), pattern)| format!("{before}{pattern}{after}"))
}

fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("ba"),
        Just("c"),
        Just(".a"),
        Just("a b"),
        Just("#")
    ];
    prop::collection::vec(name, 1..5).prop_map(|names| names.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_of_gitignore_mean_what_they_mean_to_ripgrep(
        lines in prop::collection::vec(line(), 1..4),
        path in path(),
        is_folder: bool,
    ) {
        let mut theirs = GitignoreBuilder::new("/srv/repo");
        for line in &lines {
            theirs.add_line(None, line).expect("a line");
        }
        let theirs = theirs.build().expect("lines that were taken");
        let expected = theirs.matched(format!("/srv/repo/{path}"), is_folder).is_ignore();
        let disk = OneIgnore(lines.join("\n"));
        let ours = Ignores::above("", &disk).with("", &disk).list(&path, is_folder);
        prop_assert_eq!(ours, expected, "{:?} {} {}", lines, path, is_folder);
    }

    #[test]
    fn globs_match_what_they_match_for_ripgrep(word in pattern(), path in path()) {
        let theirs = GlobBuilder::new(&word).literal_separator(true).build().expect("a glob");
        let ours = Pattern::of_word(&word).expect("a glob");
        prop_assert_eq!(ours.matches(&path), theirs.compile_matcher().is_match(&path), "{} {}", word, path);
    }

    #[test]
    fn no_text_makes_a_matcher_panic_or_hang(word: String, path: String) {
        if let Ok(pattern) = Pattern::of_word(&word) {
            let _ = pattern.matches(&path);
        }
        let disk = OneIgnore(word);
        let _ = Ignores::above("", &disk).with("", &disk).list(&path, false);
    }
}

/// A repository with one `.gitignore` and nothing else.
struct OneIgnore(String);

impl Disk for OneIgnore {
    fn here(&self) -> Option<String> {
        Some("/srv/repo".to_owned())
    }

    fn kind(&self, path: &str) -> Option<EntryKind> {
        (path == "/srv/repo/.git").then_some(EntryKind::Folder)
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, String> {
        Ok(Vec::new())
    }

    fn text(&self, path: &str) -> Option<String> {
        (path == gitignore::FILE).then(|| self.0.clone())
    }
}

/// Ripgrep does not know these; git does.
#[test]
fn classes_with_names_are_those_of_posix() {
    let fits =
        |pattern: &str, name: &str| Pattern::of_line(pattern).is_some_and(|pattern| pattern.matches(name));
    assert!(fits("[[:alpha:]][[:digit:]]", "b7"));
    assert!(!fits("[^[:upper:]_]", "A") && !fits("[^[:upper:]_]", "_") && fits("[^[:upper:]_]", "a"));
    assert!(!fits("[[:nothing:]]", "a") && !fits("[a", "a") && fits("[]a]", "]"));
}
