//! What a document says does not depend on how it is written: the same task definition as CloudFormation in
//! JSON and in YAML's short forms, as a Terraform plan, as Terraform configuration and as a heredoc gets the
//! same verdicts for the same reasons.

use proptest::prelude::*;
use serde_json::{Value, json};
use soci_lint::{Input, Options, lint};

/// Container by container: verdict and the codes behind it.
fn verdicts(path: &str, text: &str) -> Vec<(String, String, Vec<String>)> {
    let input = Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let report = lint(&[input], &Options::default());
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    let mut found: Vec<_> = tasks
        .flat_map(|task| &task.containers)
        .map(|container| {
            let codes = container
                .reasons
                .iter()
                .map(|reason| reason.code.clone())
                .collect();
            (
                container.name.clone(),
                container.verdict.as_str().to_owned(),
                codes,
            )
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{path}\n{text}");
    found
}

#[derive(Debug, Clone)]
struct Task {
    compatibilities: Vec<&'static str>,
    network_mode: Option<&'static str>,
    os: Option<&'static str>,
    containers: Vec<(String, String)>,
    version: Option<&'static str>,
}

/// The definition with the API's keys in another spelling.
fn spelled(task: &Task, spell: fn(&str) -> String) -> Value {
    let mut out = serde_json::Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(spell(key), value));
    put("family", json!("shop"));
    put("cpu", json!("256"));
    put("memory", json!("512"));
    if !task.compatibilities.is_empty() {
        put("requiresCompatibilities", json!(task.compatibilities));
    }
    if let Some(mode) = task.network_mode {
        put("networkMode", json!(mode));
    }
    if let Some(os) = task.os {
        put("runtimePlatform", json!({ spell("operatingSystemFamily"): os }));
    }
    let containers = task.containers.iter();
    let containers = containers.map(|(name, image)| json!({ spell("name"): name, spell("image"): image }));
    put("containerDefinitions", Value::Array(containers.collect()));
    Value::Object(out)
}

fn camel(key: &str) -> String {
    key.to_owned()
}

fn pascal(key: &str) -> String {
    format!("{}{}", key[..1].to_uppercase(), &key[1..])
}

fn snake(key: &str) -> String {
    let mut out = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn template_json(task: &Task) -> String {
    let mut resources =
        json!({ "T": { "Type": "AWS::ECS::TaskDefinition", "Properties": spelled(task, pascal) } });
    if let Some(version) = task.version {
        resources["S"] = json!({ "Type": "AWS::ECS::Service", "Properties": {
            "TaskDefinition": { "Ref": "T" }, "LaunchType": "FARGATE", "PlatformVersion": version } });
    }
    json!({ "Resources": resources }).to_string()
}

/// The same in block style, with each image cut in two and joined by a short form.
fn template_yaml(task: &Task) -> String {
    let properties = spelled(task, pascal);
    let mut text = "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n".to_owned();
    for (key, value) in properties.as_object().expect("an object") {
        if key != "ContainerDefinitions" {
            text.push_str(&format!("      {key}: {value}\n"));
        }
    }
    text.push_str("      ContainerDefinitions:\n");
    for (name, image) in &task.containers {
        let (left, right) = image.split_at(image.len() / 2);
        text.push_str(&format!("        - Name: {}\n", json!(name)));
        text.push_str(&format!(
            "          Image: !Join ['', [{}, !Sub {}]]\n",
            json!(left),
            json!(right)
        ));
    }
    if let Some(version) = task.version {
        text.push_str(&format!("  S:\n    Type: AWS::ECS::Service\n    Properties:\n      TaskDefinition: !GetAtt T.Arn\n      LaunchType: FARGATE\n      PlatformVersion: {version}\n"));
    }
    text
}

fn plan(task: &Task) -> String {
    let mut values = spelled(task, snake);
    values["container_definitions"] = json!(spelled(task, camel)["containerDefinitions"].to_string());
    if let Some(os) = task.os {
        values["runtime_platform"] = json!([{ "operating_system_family": os }]);
    }
    let mut resources = vec![
        json!({ "address": "aws_ecs_task_definition.t", "type": "aws_ecs_task_definition", "values": values }),
    ];
    if let Some(version) = task.version {
        resources.push(
            json!({ "address": "aws_ecs_service.s", "type": "aws_ecs_service", "values": {
            "task_definition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:3",
            "launch_type": "FARGATE", "platform_version": version } }),
        );
    }
    json!({ "planned_values": { "root_module": { "resources": resources } } }).to_string()
}

/// As configuration; the containers in `jsonencode`, or in a heredoc.
fn configuration(task: &Task, heredoc: bool) -> String {
    let mut text =
        "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"shop\"\n  cpu = 256\n  memory = 512\n"
            .to_owned();
    if !task.compatibilities.is_empty() {
        text.push_str(&format!(
            "  requires_compatibilities = {}\n",
            json!(task.compatibilities)
        ));
    }
    if let Some(mode) = task.network_mode {
        text.push_str(&format!("  network_mode = {}\n", json!(mode)));
    }
    if let Some(os) = task.os {
        text.push_str(&format!(
            "  runtime_platform {{\n    operating_system_family = {}\n  }}\n",
            json!(os)
        ));
    }
    let definitions = spelled(task, camel)["containerDefinitions"].to_string();
    text.push_str(&match heredoc {
        true => format!("  container_definitions = <<EOT\n{definitions}\nEOT\n}}\n"),
        false => format!("  container_definitions = jsonencode({definitions})\n}}\n"),
    });
    if let Some(version) = task.version {
        text.push_str(&format!("resource \"aws_ecs_service\" \"s\" {{\n  task_definition = aws_ecs_task_definition.t.arn\n  launch_type = \"FARGATE\"\n  platform_version = {}\n}}\n", json!(version)));
    }
    text
}

proptest! {
    #[test]
    fn the_form_does_not_matter(
        compatibilities in prop_oneof![
            Just(vec![]), Just(vec!["FARGATE"]), Just(vec!["EC2"]), Just(vec!["EC2", "FARGATE"]), Just(vec!["EXTERNAL"]),
        ],
        network_mode in prop_oneof![Just(None), Just(Some("awsvpc")), Just(Some("bridge"))],
        os in prop_oneof![Just(None), Just(Some("LINUX")), Just(Some("WINDOWS_SERVER_2022_CORE"))],
        version in prop_oneof![Just(None), Just(Some("1.4.0")), Just(Some("LATEST")), Just(Some("1.3.0"))],
        images in prop::collection::vec(prop_oneof![
            Just("nginx:1.27"), Just("public.ecr.aws/x/y:1"), Just("ghcr.io/a/b:1"), Just("quay.io/a/b@sha256:0"),
            Just("123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1"), Just("IMAGE_URI"), Just("a b"),
        ], 1..4),
    ) {
        let containers = images.iter().enumerate().map(|(at, image)| (format!("c{at}"), (*image).to_owned()));
        let task = Task { compatibilities, network_mode, os, containers: containers.collect(), version };
        let wanted = verdicts("template.json", &template_json(&task));
        prop_assert_eq!(&verdicts("template.yaml", &template_yaml(&task)), &wanted);
        prop_assert_eq!(&verdicts("plan.json", &plan(&task)), &wanted);
        prop_assert_eq!(&verdicts("main.tf", &configuration(&task, false)), &wanted);
        prop_assert_eq!(&verdicts("main.tf", &configuration(&task, true)), &wanted);
    }
}

/// A token of a file.
fn slice<'t>(files: &'t [Input], file: &str, location: &soci_lint::Location) -> &'t str {
    let input = files
        .iter()
        .find(|input| input.path == file)
        .expect("a file of the run");
    let text = std::str::from_utf8(&input.bytes).expect("text");
    &text[location.start.byte as usize..location.end.byte as usize]
}

proptest! {
    #[test]
    fn places_slice_tokens_across_files(
        name in "[a-z][a-z0-9_]{0,8}",
        image in prop_oneof![Just("nginx"), Just("ghcr.io/größe/x:1"), Just("public.ecr.aws/é/b")],
        filler in "[a-zé😀 ]{0,12}",
    ) {
        let input = |path: &str, text: String| Input { path: path.to_owned(), bytes: text.into_bytes() };
        let files = [
            input("main.tf", format!(
                "# {filler}\nmodule \"m\" {{\n  source = \"./inner\"\n  {name}  = local.image # {filler}\n}}\nlocals {{ image = var.given }}\n"
            )),
            input("variables.tf", format!("/* {filler} */ variable \"given\" {{ default = {} }}\n", json!(image))),
            input("inner/main.tf", format!(
                "variable \"{name}\" {{}}\nresource \"aws_ecs_task_definition\" \"t\" {{\n  requires_compatibilities = [\"FARGATE\"] # {filler}\n  container_definitions = jsonencode([{{ name = \"c\", image = var.{name} }}])\n}}\n"
            )),
        ];
        let report = lint(&files, &Options::default());
        let finding = report.findings.iter().find(|finding| finding.code == "SOCI201").expect("another registry");
        let at = finding.location.expect("a place");
        prop_assert_eq!(slice(&files, &finding.file, &at), format!("var.{name}"));
        let way: Vec<&str> = finding
            .related
            .iter()
            .map(|related| slice(&files, &related.file, &related.location))
            .collect();
        let default = json!(image).to_string();
        for wanted in ["local.image", "var.given", default.as_str()] {
            prop_assert!(way.contains(&wanted), "{wanted} of {way:?}");
        }
    }
}
