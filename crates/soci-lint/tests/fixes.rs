//! Changes that mend findings: where they are offered, that nothing but their place changes, and that the second time
//! finds nothing to do.

use proptest::prelude::*;
use soci_lint::{
    FailOn, Fixed, Format, ImageFactsEntry, Input, Nothing, Options, RenderOptions, apply, fix_beside,
    fixes_of, lint, render,
};

const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web";
const LAZY: &str = include_str!("fixtures/facts/lazy.json");

/// Facts about an image before its conversion and after it, under the tags `1.4` and `1.4-soci`.
fn facts() -> Vec<ImageFactsEntry> {
    let mut before: serde_json::Value = serde_json::from_str(LAZY).expect("facts");
    for platform in before["platforms"].as_array_mut().expect("platforms") {
        platform["soci"] = serde_json::Value::Null;
        for layer in platform["layers"].as_array_mut().expect("layers") {
            layer.as_object_mut().expect("a layer").remove("ztoc");
        }
    }
    let entry = |tag: &str, facts: serde_json::Value| ImageFactsEntry {
        image: format!("{IMAGE}:{tag}"),
        facts: serde_json::from_value(facts).expect("facts"),
    };
    let after = serde_json::from_str(LAZY).expect("facts");
    vec![entry("1.4", before), entry("1.4-soci", after)]
}

fn options() -> Options {
    Options {
        image_facts: facts(),
        ..Options::default()
    }
}

fn input(path: &str, text: &str) -> Input {
    Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn fixed(path: &str, text: &str) -> Fixed {
    fix_beside(&[input(path, text)], &Nothing, &options())
}

fn text(fixed: &Fixed) -> String {
    String::from_utf8(fixed.files[0].bytes.clone()).expect("text stays text")
}

const JSON: &str = r#"{
  // the shop, since 2019
  "family":   "shop",
  "requiresCompatibilities": [ "FARGATE" ], "networkMode": "awsvpc",
  "cpu": "512", "memory": "1024", // soci-lint: allow SOCI302 -- it was so once
  "containerDefinitions": [
    { "name": "web",   "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4" },
    { "name": "log", /* soci-lint: allow SOCI401, SOCI201 */ "image": "nginx:1.27", },
    // soci-lint: allow SOCI401
    { "name": "x", "image": "quay.io/a/b:1" }
  ]
}
"#;

const YAML: &str = "\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition   # the task
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: '256'
      Memory: '512'
      ContainerDefinitions:
        - Name: web
          Image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4'
          Command: [sh, -c, |
            # soci-lint: allow SOCI401
            exec web]
  Service:
    Type: AWS::ECS::Service
    Properties:
      TaskDefinition: !Ref Task
      # soci-lint: allow SOCI106
      DesiredCount: 2
      PlatformVersion: 1.3.0   # since 2020
";

const HCL: &str = r#"# the shop
resource "aws_ecs_task_definition" "web" {
  family                   = "web" # soci-lint: allow latest-tag
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([
    { name = "web", image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4", }, // kept
  ])
}

resource "aws_ecs_service" "web" {
  task_definition  = aws_ecs_task_definition.web.arn
  launch_type      = "FARGATE"
  platform_version = "1.3.0"
}
"#;

#[test]
fn formatting_and_comments_stay_in_every_format() {
    let json = fixed("task.json", JSON);
    assert_eq!(json.changes, 4, "{:#?}", json.report.findings);
    insta::assert_snapshot!("json", text(&json));
    let yaml = fixed(
        "service.yaml",
        &YAML.replace(
            "[sh, -c, |\n            # soci-lint: allow SOCI401\n            exec web]",
            "[web]",
        ),
    );
    assert_eq!(yaml.changes, 3, "{:#?}", yaml.report.findings);
    insta::assert_snapshot!("yaml", text(&yaml));
    let hcl = fixed("main.tf", HCL);
    assert_eq!(hcl.changes, 3, "{:#?}", hcl.report.findings);
    insta::assert_snapshot!("hcl", text(&hcl));
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    let text_of = |text: &str| self::text(&fixed("task.json", text));
    let plain = text_of(JSON);
    assert_eq!(text_of(&JSON.replace('\n', "\r\n")), plain.replace('\n', "\r\n"));
    assert_eq!(text_of(&format!("\u{FEFF}{JSON}")), format!("\u{FEFF}{plain}"));
}

/// What is put together, elsewhere, made by a tool, or a text, is left alone.
#[test]
fn what_is_not_safe_is_not_offered() {
    let untouched = |path: &str, text: &str| {
        let fixed = fixed(path, text);
        assert_eq!(fixed.changes, 0, "{path}: {:#?}", fixed.report.findings);
        assert!(!fixed.report.findings.is_empty(), "{path}");
        assert_eq!(self::text(&fixed), text, "{path}");
    };
    // A default is for other deployments too, and a parameter's value stands nowhere.
    let parameter = "Parameters:\n  V: {Type: String, Default: 1.3.0}\n";
    let with_parameter = YAML
        .replace("1.3.0   #", "!Ref V #")
        .replace("/web:1.4'", "/web@sha256:00'");
    let with_parameter = with_parameter.replace("      # soci-lint: allow SOCI106\n", "");
    untouched("service.yaml", &format!("{parameter}{with_parameter}"));
    // The same number is another version on Windows.
    let windows = HCL
        .replace(
            "  memory ",
            "  runtime_platform { operating_system_family = var.os }\n  memory ",
        )
        .replace(" # soci-lint: allow latest-tag", "")
        .replace("web:1.4\"", "web\"");
    untouched("main.tf", &format!("variable \"os\" {{}}\n{windows}"));
    // What looks like a comment is a line of a script.
    let script = "containerDefinitions:\n- name: a\n  image: quay.io/a/b:1\n  command:\n  - |\n    # soci-lint: allow SOCI401\n    true\n";
    untouched("task.yaml", script);
    // `describe-task-definition` will print it again.
    let described = format!(
        "{{\"taskDefinition\": {{\"taskDefinitionArn\": \"arn:x\", \"status\": \"ACTIVE\", \"family\": \"a\", \"requiresCompatibilities\": [\"FARGATE\"], \"containerDefinitions\": [{{\"name\": \"web\", \"image\": \"{IMAGE}:1.4\"}}]}}}}"
    );
    untouched("described.json", &described);
    // Another image under the tag.
    let mut other = options();
    let json = serde_json::to_string(&other.image_facts[1].facts).expect("facts");
    let config = other.image_facts[1].facts.platforms[0].config.digest.to_string();
    let changed = json.replace(&config, &config.replace('0', "1"));
    other.image_facts[1].facts = serde_json::from_str(&changed).expect("facts");
    let plain = JSON
        .replace("// soci-lint", "// x")
        .replace("/* soci-lint", "/* x");
    let fixed = fix_beside(&[input("task.json", &plain)], &Nothing, &other);
    assert_eq!(fixed.changes, 0, "{:#?}", fixed.report.findings);
}

#[test]
fn an_accepted_container_and_a_silenced_finding_are_left_alone() {
    let old = HCL.replace("\"1.3.0\"", "\"1.3.0\" # soci-lint: allow SOCI106 -- until May");
    let fixed_old = text(&fixed("main.tf", &old));
    assert!(
        fixed_old.contains("\"1.3.0\" # soci-lint: allow SOCI106 -- until May"),
        "{fixed_old}"
    );
    let accepted = JSON.replace(
        "\"name\": \"web\",",
        "\"name\": \"web\", /* soci-lint: accept -- a test */",
    );
    assert!(text(&fixed("task.json", &accepted)).contains("/web:1.4\""));
}

#[test]
fn sarif_has_the_changes() {
    let files = [input("main.tf", HCL)];
    let rendering = RenderOptions {
        fail_on: Some(FailOn::Error),
        sources: &files,
        ..RenderOptions::default()
    };
    let log = render(&lint(&files, &options()), Format::Sarif, &rendering);
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let fixes: Vec<&serde_json::Value> = results.iter().filter_map(|result| result.get("fixes")).collect();
    assert_eq!(fixes.len(), 3);
    let schema = include_str!("schemas/sarif-2.1.0.json").replace(
        r#""pattern": "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$""#,
        r#""pattern": "^[a-z]""#,
    );
    let schema = serde_json::from_str(&schema).expect("a schema");
    assert!(
        jsonschema::validator_for(&schema)
            .expect("a schema")
            .is_valid(&log)
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(fixes[0]).expect("JSON"));
}

/// Bits of a document in any order and form: each stands on lines of its own.
fn document() -> impl Strategy<Value = String> {
    let space = prop_oneof![
        Just(""),
        Just(" "),
        Just("   "),
        Just(" # a note"),
        Just(" # ä\u{1F600}")
    ];
    let silence = prop_oneof![
        Just(""),
        Just("# soci-lint: allow SOCI401"),
        Just("# soci-lint: allow SOCI106 SOCI401 -- both"),
        Just("# soci-lint: allow-file latest-tag, SOCI207"),
        Just("# soci-lint: allow nothing"),
        Just("# soci-lint: accept -- it is small"),
    ];
    let version = prop_oneof![
        Just("1.3.0"),
        Just("'1.3.0'"),
        Just("\"1.5.0\""),
        Just("LATEST"),
        Just("!Sub '1.3.0'"),
        Just("\"1.3.\\x30\"")
    ];
    let image = prop_oneof![
        Just(format!("{IMAGE}:1.4")),
        Just(format!("'{IMAGE}:1.4'")),
        Just(format!("!Sub \"{IMAGE}:1.4\"")),
        Just(format!("{IMAGE}:latest")),
        Just("nginx".to_owned()),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    (space, (silence.clone(), silence), version, image, end).prop_map(|(space, (first, second), version, image, end)| {
        format!(
            "Resources:\n  Task:{space}\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      {first}\n      RequiresCompatibilities: [FARGATE]\n      NetworkMode: awsvpc\n      Cpu: 256 {second}\n      Memory: 512\n      ContainerDefinitions:\n        {second}\n        - Name: web\n          Image: {image}{space} {first}\n  Service:\n    Type: AWS::ECS::Service\n    Properties:\n      TaskDefinition: !Ref Task\n      PlatformVersion: {version}{space}\n"
        )
        .replace('\n', end)
    })
}

proptest! {
    #[test]
    fn a_change_touches_its_place_only_and_the_second_time_finds_none(text in document()) {
        let files = [input("service.yaml", &text)];
        let report = lint(&files, &options());
        for fix in fixes_of(&report, "service.yaml") {
            let (after, count) = apply(text.as_bytes(), [fix]);
            let (start, end) = (fix.location.start.byte as usize, fix.location.end.byte as usize);
            prop_assert_eq!(count, 1);
            prop_assert_eq!(&after[..start], &text.as_bytes()[..start]);
            prop_assert_eq!(&after[start + fix.replacement.len()..], &text.as_bytes()[end..]);
        }
        let once = fix_beside(&files, &Nothing, &options());
        let again = fix_beside(&once.files, &Nothing, &options());
        prop_assert_eq!(again.changes, 0);
        prop_assert_eq!(&again.files, &once.files);
        prop_assert_eq!(&again.report, &once.report);
        // Nothing else is found than before, and no verdict gets worse.
        prop_assert_eq!(once.report.summary.containers, report.summary.containers);
        prop_assert!(once.report.summary.verdict <= report.summary.verdict);
        prop_assert!(once.report.summary.errors <= report.summary.errors);
    }
}
