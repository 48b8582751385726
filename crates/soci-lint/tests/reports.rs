//! What users see in each format, of one run over several files.

use soci_lint::{FailOn, Fargate, Format, Input, Options, RenderOptions, Report, Verdict, lint, render};

fn files() -> Vec<Input> {
    let input = |path: &str, text: &str| Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    vec![
        input(
            "deploy/task-definition.json",
            r#"{
  "family": "shop",
  "requiresCompatibilities": ["EC2", "FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "512",
  "memory": "1024",
  "containerDefinitions": [
    { "name": "web", "image": "210987654321.dkr.ecr.eu-central-1.amazonaws.com/web:latest" },
    { "name": "proxy|<b>", "image": "nginx:1.27" },
    { "name": "new\nline\u001b[2J", "image": "${IMAGE}" }
  ]
}
"#,
        ),
        input(
            "deploy/service.json",
            r#"{
  "serviceName": "shop",
  "launchType": "FARGATE",
  "platformVersion": "1.3.0",
  "loadBalancers": [{ "containerName": "web", "containerPort": 80, "targetGroupArn": "arn" }]
}
"#,
        ),
        input("notes.json", "{}\n"),
    ]
}

fn written(format: Format, color: bool) -> String {
    let files = files();
    let report = lint(&files, &Options::default());
    let options = RenderOptions {
        color,
        width: 100,
        sources: &files,
        ..RenderOptions::default()
    };
    render(&report, format, &options)
}

#[test]
fn human() {
    insta::assert_snapshot!(written(Format::Human, false));
}

#[test]
fn human_in_colour() {
    let colored = written(Format::Human, true);
    assert!(colored.contains("\u{1b}[1;31mnot-lazy\u{1b}[0m"));
    assert!(colored.contains("\u{1b}]8;;"), "codes are links");
    assert!(
        !colored.contains("\u{1b}[2J"),
        "the document's own escapes are not"
    );
}

#[test]
fn human_without_sources() {
    let report = lint(&files(), &Options::default());
    insta::assert_snapshot!(render(&report, Format::Human, &RenderOptions::default()));
}

#[test]
fn short() {
    insta::assert_snapshot!(written(Format::Short, false));
}

#[test]
fn github() {
    insta::assert_snapshot!(written(Format::Github, false));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(written(Format::Markdown, false));
}

#[test]
fn json() {
    let text = written(Format::Json, false);
    let report: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(report, lint(&files(), &Options::default()));
    insta::assert_snapshot!(text);
}

/// Every property that a report has is in the schema, and what the schema requires is there.
#[test]
fn the_schema_describes_the_report() {
    let schema = soci_lint::schema();
    let report: serde_json::Value = serde_json::from_str(&written(Format::Json, false)).unwrap();
    let definitions = &schema["$defs"];
    let mut checked = 0;
    let mut check = |value: &serde_json::Value, schema: &serde_json::Value| {
        let properties = schema["properties"].as_object().unwrap();
        for (key, _) in value.as_object().unwrap() {
            assert!(properties.contains_key(key), "{key}");
        }
        for key in schema["required"].as_array().unwrap() {
            assert!(value.get(key.as_str().unwrap()).is_some(), "{key}");
        }
        checked += 1;
    };
    check(&report, &schema);
    check(&report["summary"], &definitions["Summary"]);
    for file in report["files"].as_array().unwrap() {
        check(file, &definitions["FileReport"]);
        for task in file["tasks"].as_array().unwrap() {
            check(task, &definitions["TaskReport"]);
            for container in task["containers"].as_array().unwrap() {
                check(container, &definitions["ContainerReport"]);
            }
        }
    }
    for finding in report["findings"].as_array().unwrap() {
        check(finding, &definitions["Finding"]);
    }
    assert!(checked > 10);
}

#[test]
fn the_service_in_the_same_folder_takes_part() {
    let report = lint(&files(), &Options::default());
    let task = &report.files[0].tasks[0];
    assert_eq!(task.fargate, Fargate::Yes);
    assert_eq!(
        task.fargate_reason,
        "the service `shop` runs the task with FARGATE"
    );
    assert!(
        task.containers
            .iter()
            .all(|container| container.verdict == Verdict::NotLazy)
    );
    assert_eq!(task.containers[0].reasons[0].code, "SOCI106");
    assert_eq!(task.containers[0].reasons[0].file, "deploy/service.json");

    let mut elsewhere = files();
    elsewhere[1].path = "other/service.json".to_owned();
    let report = lint(&elsewhere, &Options::default());
    assert_eq!(report.files[0].tasks[0].fargate, Fargate::Undecided);
}

#[test]
fn a_service_finds_its_task_by_family_in_any_folder() {
    let mut files = files();
    files[1].path = "other/service.json".to_owned();
    let text = String::from_utf8(files[1].bytes.clone()).unwrap();
    let named = text.replace(
        "\"launchType\"",
        "\"taskDefinition\": \"arn:aws:ecs:eu-central-1:210987654321:task-definition/shop:7\", \"launchType\"",
    );
    files[1].bytes = named.into_bytes();
    let report = lint(&files, &Options::default());
    assert_eq!(report.files[0].tasks[0].fargate, Fargate::Yes);
}

#[test]
fn a_run_fails_by_what_it_is_told_to() {
    let report = lint(&files(), &Options::default());
    assert!(FailOn::NotLazy.is_met_by(&report.summary));
    assert!(!FailOn::Never.is_met_by(&report.summary));
}
