//! What users see in each format, of one run over several files.

use soci_lint::columns;
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

/// Names as long as they are on AWS, in a terminal that has no room for them.
fn long_names() -> Vec<Input> {
    let container = |name: &str, image: &str| format!(r#"{{ "name": "{name}", "image": "{image}" }}"#);
    let ecr = "210987654321.dkr.ecr.ap-southeast-2.amazonaws.com";
    let containers = [
        container(
            "order-processing-service-worker",
            &format!("{ecr}/platform/payments/order-processing-service:2026-11-28-release-candidate-3"),
        ),
        container(
            "metrics",
            "registry.internal.corporate.example.com:5000/observability/prometheus-remote-write-adapter:1.42.0",
        ),
        container(
            "sidecar-with-a-name-of-more-than-forty-columns",
            "quay.io/prometheus/node-exporter:v1.8.2",
        ),
    ];
    let service = r#"{
  "serviceName": "order-processing-production",
  "taskDefinition": "arn:aws:ecs:ap-southeast-2:210987654321:task-definition/order-processing-production-blue:1742",
  "launchType": "FARGATE"
}"#;
    let task = format!(
        r#"{{
  "family": "order-processing-production-blue",
  "executionRoleArn": "arn:aws:iam::210987654321:role/platform/order-processing-production-task-execution-role",
  "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
  "containerDefinitions": [{}]
}}"#,
        containers.join(",\n    ")
    );
    [
        ("deploy/production/task-definition.json", task.as_str()),
        ("deploy/production/service.json", service),
    ]
    .map(|(path, text)| Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    })
    .into()
}

#[test]
fn human_within_80_columns() {
    let files = long_names();
    let report = lint(&files, &Options::default());
    for width in [80, 50] {
        let options = RenderOptions {
            width,
            sources: &files,
            ..RenderOptions::default()
        };
        let text = render(&report, Format::Human, &options);
        for line in text.lines() {
            // A line of a file is cut, and what is marked in it stays whole; a name or a command does as well.
            let is_of_file = line.contains(" | ");
            let words = line.trim_start_matches([' ', '=']).trim_start_matches("note: ");
            assert!(
                columns::columns(line) <= width || is_of_file || !words.contains(' '),
                "{width}: {line}"
            );
        }
        insta::assert_snapshot!(format!("human_within_{width}_columns"), text);
    }
}

#[test]
fn containers_with_the_same_reason_share_a_row() {
    let task = |name: &str, containers: &[&str]| {
        let containers: Vec<String> = containers
            .iter()
            .map(|name| format!(r#"{{ "name": "{name}", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:1" }}"#))
            .collect();
        Input {
            path: format!("{name}.json"),
            bytes: format!(
                r#"{{ "family": "{name}", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
                "memory": "512", "containerDefinitions": [{}] }}"#,
                containers.join(", ")
            )
            .into_bytes(),
        }
    };
    let few = [
        task("shop-blue", &["web", "worker"]),
        task("shop-green", &["web", "worker"]),
        task("mail", &["mail"]),
    ];
    let many: Vec<Input> = (0..250)
        .map(|at| task(&format!("service-{at}"), &[&format!("container-{at}")]))
        .collect();
    let written = |files: &[Input], format| {
        let report = lint(files, &Options::default());
        let options = RenderOptions {
            width: 80,
            ..RenderOptions::default()
        };
        render(&report, format, &options)
    };
    insta::assert_snapshot!("grouped_few", written(&few, Format::Human));
    let human = written(&many, Format::Human);
    insta::assert_snapshot!("grouped_many", human);
    let markdown = written(&many, Format::Markdown);
    assert_eq!(markdown.matches("| ❔ unknown |").count(), 1, "{markdown}");
    assert!(markdown.contains("and 242 more"), "{markdown}");
    let json: Report = serde_json::from_str(&written(&many, Format::Json)).expect("a report");
    assert_eq!(json.files.len(), 250, "the JSON form has each");
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
