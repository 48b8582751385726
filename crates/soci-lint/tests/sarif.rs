//! SARIF: valid by the published schema, and fingerprints that do not depend on lines.

#![expect(
    clippy::disallowed_methods,
    reason = "the test reads its files; the crate does not"
)]

use serde_json::Value;
use soci_lint::{FailOn, Format, Input, Options, RenderOptions, lint, render};

const TASK: &str = r#"{
  "family": "shop",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "512",
  "memory": "1024",
  "containerDefinitions": [
    { "name": "web", "image": "210987654321.dkr.ecr.eu-central-1.amazonaws.com/web:latest" },
    { "name": "[x](1)\u001b[2J", "image": "nginx:1.27" },
    { "name": "proxy", "image": "nginx:1.27" }
  ]
}
"#;

fn sarif(path: &str, text: &str, options: &Options) -> Value {
    let files = [Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }];
    let rendering = RenderOptions {
        fail_on: Some(FailOn::Unknown),
        sources: &files,
        ..RenderOptions::default()
    };
    serde_json::from_str(&render(&lint(&files, options), Format::Sarif, &rendering)).unwrap()
}

fn schema() -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/sarif-2.1.0.json");
    let text = std::fs::read_to_string(path).unwrap();
    // Its pattern of languages has a bracket too many, which ECMA 262 does not take; no language is written here.
    let odd = r#""pattern": "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$""#;
    assert_eq!(text.matches(odd).count(), 2);
    let schema: Value = serde_json::from_str(&text.replace(odd, r#""pattern": "^[a-z]""#)).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn valid(log: &Value) {
    let errors: Vec<String> = schema()
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{log:#}");
}

#[test]
fn a_report_is_valid_sarif() {
    let options = Options {
        params: [("Nowhere".to_owned(), "x".to_owned())].into(),
        ..Options::default()
    };
    let log = sarif("deploy/with space/\u{e4}.json", TASK, &options);
    valid(&log);
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
    // The schema does see faults.
    let mut broken = log;
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema().is_valid(&broken));
}

#[test]
fn every_document_of_the_fixtures_gives_valid_sarif() {
    let schema = schema();
    let mut seen = 0;
    for folder in ["err", "quirks", "ok"] {
        let path = format!("{}/tests/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".options.json") {
                continue;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let log = sarif(&name, &text, &Options::default());
            assert!(schema.is_valid(&log), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let prints = |text: &str| -> Vec<Value> {
        let log = sarif("task.json", text, &Options::default());
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .into_iter()
            .map(|result| result["partialFingerprints"]["primaryLocationLineHash"].clone())
            .collect()
    };
    let before = prints(TASK);
    let moved = TASK.replace("\"networkMode\"", "\n\n\n  \"networkMode\"");
    assert_eq!(prints(&moved), before);
    let distinct: std::collections::BTreeSet<String> = before.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), before.len());
    let elsewhere = prints(&TASK.replace("nginx:1.27", "quay.io/a/nginx:1.27"));
    assert_ne!(elsewhere, before);
}
