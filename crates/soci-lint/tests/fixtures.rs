//! Documents and what is said about them. `fixtures/err` holds one for each trouble, named by the code of
//! its rule; `fixtures/ok` is silent under all rules; `fixtures/quirks` are forms that real documents have.
//!
//! `NAME.options.json` beside a document holds the options of its run; in it `"@no-index"` stands for the
//! facts of `fixtures/facts/no-index.json`.
//!
//! `fixtures/terraform` has files that are linted alone and folders that are modules: what stands in a folder
//! is asked for, what is below it is read when it is named.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests read their files; the crate does not"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use soci_lint::{
    Beside, Format, Input, Options, RenderOptions, Report, Verdict, lint, lint_beside, render, rules,
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Documents of a folder: file name, content, options.
fn documents(name: &str) -> Vec<(String, Input, Options)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file.ends_with(".options.json") {
            continue;
        }
        let options = path.with_extension("options.json");
        let options = match std::fs::read_to_string(&options) {
            Ok(text) => read_options(&text),
            Err(_) => Options::default(),
        };
        let input = Input {
            path: file.clone(),
            bytes: std::fs::read(&path).unwrap(),
        };
        found.push((file, input, options));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty());
    found
}

fn read_options(text: &str) -> Options {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    for entry in value
        .get_mut("image-facts")
        .and_then(serde_json::Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(name) = entry["facts"].as_str().and_then(|facts| facts.strip_prefix('@')) {
            let path = folder("facts").join(format!("{name}.json"));
            entry["facts"] = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        }
    }
    Options::from_json(&value.to_string()).unwrap()
}

fn run(input: &Input, options: &Options) -> (Report, String) {
    let sources = std::slice::from_ref(input);
    let report = lint(sources, options);
    let rendering = RenderOptions {
        sources,
        ..RenderOptions::default()
    };
    let text = render(&report, Format::Human, &rendering);
    (report, text)
}

#[test]
fn troubles_are_found_where_they_are() {
    let mut codes = BTreeSet::new();
    for (name, input, options) in documents("err") {
        let (report, text) = run(&input, &options);
        let code = name.split('_').next().unwrap();
        let found = report.findings.iter().any(|finding| finding.code == code);
        assert!(found, "{name}: no {code}\n{text}");
        codes.insert(code.to_owned());
        insta::assert_snapshot!(format!("err_{name}"), text);
    }
    let missing: Vec<String> = rules()
        .into_iter()
        .map(|rule| rule.code)
        .filter(|code| !codes.contains(code))
        .collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "rules without a document in fixtures/err"
    );
}

#[test]
fn ok_documents_are_silent_under_all_rules() {
    // These two are the reasons behind "eligible" and "lazy", no troubles.
    let reasons = ["SOCI301", "SOCI310"];
    for (name, input, options) in documents("ok") {
        let strict = Options {
            select: rules()
                .into_iter()
                .map(|rule| rule.code)
                .filter(|code| !reasons.contains(&code.as_str()))
                .collect(),
            ..options
        };
        let (report, text) = run(&input, &strict);
        assert_eq!(report.findings, [], "{name}\n{text}");
        assert!(report.summary.containers > 0, "{name}");
        // What a comment silenced is still what it is.
        if report.summary.suppressed == 0 {
            assert_eq!(report.summary.not_lazy, 0, "{name}");
        }
        let with_facts = !strict.image_facts.is_empty();
        if with_facts {
            assert_eq!(report.summary.verdict, Verdict::Lazy, "{name}\n{text}");
        }
    }
}

#[test]
fn quirks_of_real_documents_are_understood() {
    for (name, input, options) in documents("quirks") {
        let (_, text) = run(&input, &options);
        insta::assert_snapshot!(format!("quirks_{name}"), text);
    }
}

/// A folder of the fixtures, read as a run reads the disk.
struct OnDisk(PathBuf);

impl Beside for OnDisk {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(path)).ok()
    }

    fn folder(&self, path: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.0.join(path)) else {
            return Vec::new();
        };
        let files = entries.map(Result::unwrap).filter(|entry| entry.path().is_file());
        files
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }
}

#[test]
fn terraform_is_read_by_folder() {
    let mut seen = 0;
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder("terraform"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    for case in cases {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let (beside, paths) = match case.is_dir() {
            true => {
                let beside = OnDisk(case);
                let mut paths = beside.folder("");
                paths.retain(|path| path.ends_with(".tf"));
                paths.sort();
                (beside, paths)
            }
            // Alone: the folder around it is not there.
            false => (OnDisk(case.join("none")), vec![name.clone()]),
        };
        let inputs: Vec<Input> = paths
            .iter()
            .map(|path| Input {
                path: path.clone(),
                bytes: std::fs::read(beside.0.join(path))
                    .or_else(|_| std::fs::read(folder("terraform").join(path)))
                    .unwrap(),
            })
            .collect();
        let report = lint_beside(&inputs, &beside, &Options::default());
        let mut sources = inputs.clone();
        for file in &report.files {
            if let Some(bytes) = beside
                .file(&file.path)
                .filter(|_| inputs.iter().all(|input| input.path != file.path))
            {
                sources.push(Input {
                    path: file.path.clone(),
                    bytes,
                });
            }
        }
        let rendering = RenderOptions {
            sources: &sources,
            ..RenderOptions::default()
        };
        let text = [Format::Short, Format::Human].map(|format| render(&report, format, &rendering));
        insta::assert_snapshot!(format!("terraform_{name}"), text.join("\n"));
        seen += report.summary.containers;
    }
    assert!(seen > 35, "{seen}");
}
