//! What options do, and what is said about those that cannot be.

use soci_lint::{Error, Fargate, Input, Kind, LaunchType, Options, Report, Severity, Verdict, lint};

const TASK: &str = r#"{
  "family": "shop",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "512",
  "memory": "1024",
  "containerDefinitions": [
    { "name": "web", "image": "210987654321.dkr.ecr.eu-central-1.amazonaws.com/web:latest" },
    { "name": "proxy", "image": "nginx:1.27" }
  ]
}
"#;

fn run(text: &str, options: &str) -> Report {
    let options = Options::from_json(options).unwrap_or_else(|error| panic!("{error}"));
    let input = Input {
        path: "task-definition.json".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    lint(&[input], &options)
}

fn codes(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    tasks
        .flat_map(|task| &task.containers)
        .map(|container| container.verdict)
        .collect()
}

#[test]
fn rules_are_selected_and_ignored_by_code_name_and_beginning() {
    for (options, expected) in [
        ("", vec!["SOCI201", "SOCI401"]),
        (r#"{"select": ["SOCI2"]}"#, vec!["SOCI201"]),
        (r#"{"select": ["latest-tag"]}"#, vec!["SOCI401"]),
        (r#"{"ignore": ["soci4"]}"#, vec!["SOCI201"]),
        (r#"{"ignore": ["all"]}"#, vec![]),
        (
            r#"{"select": ["all"], "ignore": ["SOCI2", "SOCI4"]}"#,
            vec!["SOCI301"],
        ),
        (
            r#"{"severity": {"SOCI408": "warning"}}"#,
            vec!["SOCI201", "SOCI401", "SOCI408"],
        ),
    ] {
        let report = run(TASK, options);
        assert_eq!(codes(&report), expected, "{options}");
        assert_eq!(
            verdicts(&report),
            [Verdict::Unknown, Verdict::NotLazy],
            "{options}"
        );
    }
}

#[test]
fn the_most_exact_severity_counts() {
    let report = run(
        TASK,
        r#"{"severity": {"SOCI": "info", "SOCI2": "error", "image-not-in-ecr-private": "warning"}}"#,
    );
    let severities: Vec<Severity> = report.findings.iter().map(|finding| finding.severity).collect();
    assert!(severities.contains(&Severity::Warning) && severities.contains(&Severity::Info));
    assert_eq!((report.summary.errors, report.summary.warnings), (0, 1));
}

#[test]
fn where_it_runs_can_be_told() {
    let both = TASK.replace("[\"FARGATE\"]", "[\"EC2\", \"FARGATE\"]");
    let fargate = |options: &str| run(&both, options).files[0].tasks[0].fargate;
    assert_eq!(fargate(""), Fargate::Undecided);
    assert_eq!(fargate(r#"{"launch-type": "FARGATE_SPOT"}"#), Fargate::Yes);
    assert_eq!(fargate(r#"{"launch-type": "EC2"}"#), Fargate::No);
    let old = run(TASK, r#"{"platform-version": "1.3.0"}"#);
    assert_eq!(verdicts(&old), [Verdict::NotLazy, Verdict::NotLazy]);
    assert_eq!(LaunchType::ManagedInstances.as_str(), "MANAGED_INSTANCES");
}

#[test]
fn template_words_and_parameters_are_filled_in() {
    let template = TASK.replace("nginx:1.27", "${REGISTRY}/nginx:1.27");
    let open = run(&template, "");
    assert_eq!(verdicts(&open), [Verdict::Unknown, Verdict::Unknown]);
    let given = run(&template, r#"{"params": {"REGISTRY": "ghcr.io/me"}}"#);
    assert_eq!(verdicts(&given), [Verdict::Unknown, Verdict::NotLazy]);
    assert!(codes(&run(&template, r#"{"params": {"REGSTRY": "ghcr.io"}}"#)).contains(&"SOCI918"));
}

#[test]
fn a_kind_can_be_told() {
    let odd = r#"{ "name": "web", "image": "nginx" }"#;
    assert_eq!(codes(&run(odd, "")), ["SOCI901"]);
    let told = run(odd, r#"{"kind": "container-definitions"}"#);
    assert_eq!(told.files[0].kind, Kind::ContainerDefinitions);
    assert_eq!(verdicts(&told), [Verdict::NotLazy]);
}

#[test]
fn options_that_cannot_be_are_errors_that_say_so() {
    for (options, message) in [
        ("{", "options: EOF while parsing an object at line 1 column 1"),
        (r#"{"slect": []}"#, "options: unknown field `slect`"),
        (r#"{"select": ["SOCI999"]}"#, "select: there is no rule `SOCI999`"),
        (r#"{"ignore": ["latest"]}"#, "ignore: there is no rule `latest`"),
        (
            r#"{"severity": {"x": "error"}}"#,
            "severity: there is no rule `x`",
        ),
        (
            r#"{"severity": {"SOCI201": "fatal"}}"#,
            "options: unknown variant `fatal`",
        ),
        (r#"{"kind": "compose"}"#, "there is no kind `compose` to read"),
        (
            r#"{"platform-version": "newest"}"#,
            "`newest` is no platform version",
        ),
        (
            r#"{"launch-type": "fargate"}"#,
            "options: unknown variant `fargate`",
        ),
        (
            r#"{"image-facts": [{"image": "a"}]}"#,
            "options: missing field `facts`",
        ),
    ] {
        let error = Options::from_json(options).unwrap_err().to_string();
        assert!(error.contains(message), "{options}: {error}");
        assert!(!error.ends_with('.'), "{error}");
    }
}

#[test]
fn facts_are_checked() {
    let facts = include_str!("fixtures/facts/lazy.json");
    let entry = |image: &str| format!("{{\"image\": \"{image}\", \"facts\": {facts}}}");
    let options = |entries: &[String]| format!("{{\"image-facts\": [{}]}}", entries.join(","));
    let twice = Options::from_json(&options(&[entry("a"), entry("a")]));
    assert_eq!(
        twice,
        Err(Error::FactsTwice {
            image: "a".to_owned()
        })
    );
    let unnamed = Options::from_json(&options(&[entry(" ")])).unwrap_err();
    assert_eq!(unnamed.to_string(), "image facts: an entry has an empty `image`");
    let other = options(&[entry("a").replace("soci-image-facts/1", "soci-image-facts/9")]);
    let error = Options::from_json(&other).unwrap_err().to_string();
    assert!(error.contains("`soci-image-facts/9`"), "{error}");
    // The exact name wins over a pattern before it.
    let none = include_str!("fixtures/facts/no-index.json");
    let pattern = format!("{{\"image\": \"*\", \"facts\": {none}}}");
    let exact = entry("210987654321.dkr.ecr.eu-central-1.amazonaws.com/web:latest");
    let report = run(TASK, &options(&[pattern, exact]));
    assert_eq!(verdicts(&report), [Verdict::Lazy, Verdict::NotLazy]);
}
