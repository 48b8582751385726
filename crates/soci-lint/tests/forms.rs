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

/// A task with an image by a condition, a container by another, and a service; what each default says.
#[derive(Debug, Clone)]
struct Choices {
    first: &'static str,
    second: &'static str,
    chooses_first: Option<bool>,
    has_sidecar: Option<bool>,
    sidecar: &'static str,
    launch: &'static str,
}

/// The default of a parameter, if it has one.
fn default_of(choice: Option<bool>) -> Value {
    match choice {
        Some(choice) => json!({ "Type": "String", "Default": if choice { "yes" } else { "no" } }),
        None => json!({ "Type": "String" }),
    }
}

fn choices_json(choices: &Choices) -> String {
    let none = json!({ "Ref": "AWS::NoValue" });
    let if_ = |condition: &str, yes: Value, no: Value| json!({ "Fn::If": [condition, yes, no] });
    json!({
        "Parameters": { "First": default_of(choices.chooses_first), "Sidecar": default_of(choices.has_sidecar) },
        "Conditions": {
            "IsFirst": { "Fn::Equals": [{ "Ref": "First" }, "yes"] },
            "HasSidecar": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Sidecar" }, "no"] }] },
        },
        "Resources": {
            "T": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
                "NetworkMode": "awsvpc", "Cpu": "256", "Memory": "512",
                "ContainerDefinitions": [
                    { "Name": "app", "Image": if_("IsFirst", json!(choices.first), json!(choices.second)) },
                    if_("HasSidecar", json!({ "Name": "side", "Image": choices.sidecar }), none),
                ],
            } },
            "S": { "Type": "AWS::ECS::Service", "Properties": {
                "TaskDefinition": { "Fn::Sub": "${T}" }, "LaunchType": choices.launch } },
        },
    })
    .to_string()
}

fn choices_yaml(choices: &Choices) -> String {
    let parameter = |choice: Option<bool>| match choice {
        Some(choice) => format!(
            "{{ Type: String, Default: \"{}\" }}",
            if choice { "yes" } else { "no" }
        ),
        None => "{ Type: String }".to_owned(),
    };
    format!(
        "Parameters:\n  First: {}\n  Sidecar: {}\nConditions:\n  IsFirst: !Equals [yes, !Ref First]\n  HasSidecar: !Not [!Equals [!Ref Sidecar, \"no\"]]\nResources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      NetworkMode: awsvpc\n      Cpu: 256\n      Memory: 512\n      ContainerDefinitions:\n        - Name: app\n          Image: !If [IsFirst, \"{}\", \"{}\"]\n        - !If\n          - HasSidecar\n          - Name: side\n            Image: \"{}\"\n          - !Ref AWS::NoValue\n  S:\n    Type: AWS::ECS::Service\n    Properties: {{ TaskDefinition: !Ref T, LaunchType: {} }}\n",
        parameter(choices.chooses_first),
        parameter(choices.has_sidecar),
        choices.first,
        choices.second,
        choices.sidecar,
        choices.launch,
    )
    .replace("[yes, !Ref", "[\"yes\", !Ref")
}

/// As configuration: the whole of it, or with the containers made by a module that is called.
fn choices_tf(choices: &Choices) -> String {
    let variable = |name: &str, choice: Option<bool>| match choice {
        Some(choice) => format!(
            "variable \"{name}\" {{ default = \"{}\" }}\n",
            if choice { "yes" } else { "no" }
        ),
        None => format!("variable \"{name}\" {{}}\n"),
    };
    format!(
        "{}{}resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  network_mode = \"awsvpc\"\n  cpu = 256\n  memory = 512\n  container_definitions = jsonencode(concat(\n    [{{ name = \"app\", image = var.first == \"yes\" ? \"{}\" : \"{}\" }}],\n    var.sidecar != \"no\" ? [{{ name = \"side\", image = \"{}\" }}] : []\n  ))\n}}\nresource \"aws_ecs_service\" \"s\" {{\n  task_definition = aws_ecs_task_definition.t.arn\n  launch_type = \"{}\"\n}}\n",
        variable("first", choices.chooses_first),
        variable("sidecar", choices.has_sidecar),
        choices.first,
        choices.second,
        choices.sidecar,
        choices.launch,
    )
}

fn choices_tf_json(choices: &Choices) -> String {
    let variable = |choice: Option<bool>| match choice {
        Some(choice) => json!({ "default": if choice { "yes" } else { "no" } }),
        None => json!({}),
    };
    let containers = format!(
        "${{jsonencode(flatten([{{ name = \"app\", image = var.first == \"yes\" ? \"{}\" : \"{}\" }}, var.sidecar != \"no\" ? [{{ name = \"side\", image = \"{}\" }}] : []]))}}",
        choices.first, choices.second, choices.sidecar
    );
    json!({
        "variable": { "first": variable(choices.chooses_first), "sidecar": variable(choices.has_sidecar) },
        "resource": {
            "aws_ecs_task_definition": { "t": {
                "family": "t", "network_mode": "awsvpc", "cpu": 256, "memory": 512, "container_definitions": containers } },
            "aws_ecs_service": { "s": {
                "task_definition": "${aws_ecs_task_definition.t.arn}", "launch_type": choices.launch } },
        },
    })
    .to_string()
}

/// Container by container: the verdict.
fn words(path: &str, text: &str) -> Vec<(String, String)> {
    let found = verdicts(path, text);
    found
        .into_iter()
        .map(|(name, verdict, _)| (name, verdict))
        .collect()
}

const IMAGES: [&str; 5] = [
    "nginx:1.27",
    "public.ecr.aws/x/y:1",
    "ghcr.io/a/b:1",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:2",
];

proptest! {
    #[test]
    fn conditions_and_defaults_mean_the_same_in_each_form(
        first in prop::sample::select(&IMAGES[..]),
        second in prop::sample::select(&IMAGES[..]),
        sidecar in prop::sample::select(&IMAGES[..]),
        chooses_first: Option<bool>,
        has_sidecar: Option<bool>,
        launch in prop::sample::select(&["FARGATE", "EC2"][..]),
    ) {
        let choices = Choices { first, second, chooses_first, has_sidecar, sidecar, launch };
        let wanted = words("template.json", &choices_json(&choices));
        prop_assert_eq!(wanted.len(), 2);
        prop_assert_eq!(&words("template.yaml", &choices_yaml(&choices)), &wanted);
        prop_assert_eq!(&words("main.tf", &choices_tf(&choices)), &wanted);
        prop_assert_eq!(&words("main.tf.json", &choices_tf_json(&choices)), &wanted);
    }
}

proptest! {
    /// Places are whole characters of the file that they name, on the lines and columns that they say.
    #[test]
    fn every_place_slices_its_file(
        first in prop::sample::select(&IMAGES[..]),
        sidecar in prop::sample::select(&IMAGES[..]),
        chooses_first: Option<bool>,
        has_sidecar: Option<bool>,
        filler in "[a-zé😀 ]{0,12}",
    ) {
        let choices = Choices {
            first, second: "quay.io/größe/x:1", chooses_first, has_sidecar, sidecar, launch: "FARGATE",
        };
        let files = [
            ("template.yaml", format!("# {filler}\n{}", choices_yaml(&choices))),
            ("template.json", choices_json(&choices)),
            ("a/main.tf", format!("# {filler}\n{}", choices_tf(&choices))),
            ("b/main.tf.json", choices_tf_json(&choices)),
        ]
        .map(|(path, text)| Input { path: path.to_owned(), bytes: text.into_bytes() });
        let report = lint(&files, &Options::default());
        let check = |file: &str, at: &soci_lint::Location| {
            let token = slice(&files, file, at);
            let input = files.iter().find(|input| input.path == file).expect("a file of the run");
            let before = std::str::from_utf8(&input.bytes[..at.start.byte as usize]).expect("text");
            let line = before.rsplit('\n').next().unwrap_or("");
            assert_eq!(at.start.line as usize, before.matches('\n').count() + 1, "{token}");
            assert_eq!(at.start.column as usize, line.len() + 1, "{token}");
            assert_eq!(at.start.column_utf16 as usize, line.encode_utf16().count() + 1, "{token}");
            token.to_owned()
        };
        for finding in &report.findings {
            if let Some(at) = &finding.location {
                let token = check(&finding.file, at);
                if finding.code == "SOCI201" && !finding.file.ends_with(".tf.json") {
                    let images = [first, sidecar, "quay.io/größe/x:1"];
                    prop_assert!(images.iter().any(|image| token.contains(image)), "{token} of {}", finding.file);
                }
            }
            for related in &finding.related {
                check(&related.file, &related.location);
            }
        }
        for container in report.files.iter().flat_map(|file| &file.tasks).flat_map(|task| &task.containers) {
            prop_assert!(!check(&container.file, &container.location).is_empty());
            for reason in &container.reasons {
                check(&reason.file, &reason.location);
            }
        }
    }
}
