//! What a document calls sensitive stands in no report: neither as an image nor in a line that is shown.

use soci_lint::{Format, Input, Options, RenderOptions, lint, render};

const SECRET: &str = "hush-hush/registry";

fn written(files: &[(&str, String)]) -> String {
    let inputs: Vec<Input> = files
        .iter()
        .map(|(path, text)| Input {
            path: (*path).to_owned(),
            bytes: text.as_bytes().to_vec(),
        })
        .collect();
    let report = lint(&inputs, &Options::default());
    assert!(report.summary.containers > 0);
    let rendering = RenderOptions {
        sources: &inputs,
        ..RenderOptions::default()
    };
    let formats = [
        Format::Human,
        Format::Short,
        Format::Github,
        Format::Markdown,
        Format::Sarif,
        Format::Json,
    ];
    formats
        .map(|format| render(&report, format, &rendering))
        .join("\n")
}

fn is_hushed(files: &[(&str, String)]) {
    let all = written(files);
    assert!(all.contains("sensitive"), "{all}");
    assert!(!all.contains(SECRET), "{all}");
}

#[test]
fn variables_outputs_and_calls_of_sensitive() {
    is_hushed(&[
        (
            "main.tf",
            format!(
                r#"variable "a" {{
  sensitive = true
  default   = "{SECRET}:1"
}}
resource "aws_ecs_task_definition" "t" {{
  container_definitions = jsonencode([{{ name = "a", image = var.a }}, {{ name = "b", image = "nginx:${{sensitive("{SECRET}")}}" }},
    {{ name = "c", image = nonsensitive(var.a) }}, {{ name = "d", image = "${{var.a}}-x" }}, {{ name = "e", image = module.m.image }}])
}}
module "m" {{
  source = "./m"
  inner  = "{SECRET}:2"
}}
"#
            ),
        ),
        (
            "m/main.tf",
            r#"variable "inner" { sensitive = true }
output "image" { value = var.inner }
"#
            .to_owned(),
        ),
    ]);
    is_hushed(&[
        (
            "main.tf",
            r#"variable "a" { sensitive = true }
resource "aws_ecs_task_definition" "t" { container_definitions = jsonencode([{ name = "a", image = var.a }]) }
"#
            .to_owned(),
        ),
        ("terraform.tfvars", format!("a = \"{SECRET}:1\"\n")),
    ]);
}

#[test]
fn plans_and_states() {
    let definitions = format!(r#""[{{\"name\":\"a\",\"image\":\"{SECRET}:1\"}}]""#);
    is_hushed(&[(
        "plan.json",
        format!(
            r#"{{"planned_values":{{"root_module":{{"resources":[{{"address":"aws_ecs_task_definition.a","type":"aws_ecs_task_definition","values":{{"family":"a","container_definitions":{definitions}}},"sensitive_values":{{"container_definitions":true}}}}]}}}},"resource_changes":[{{"address":"aws_ecs_task_definition.a","change":{{"before":{{"container_definitions":{definitions}}},"before_sensitive":{{"container_definitions":true}},"after":{{"container_definitions":{definitions}}},"after_sensitive":{{"container_definitions":true}},"after_unknown":{{"network_mode":true}}}}}}]}}"#
        ),
    )]);
    for path in [
        r#"[{"type":"get_attr","value":"container_definitions"}]"#,
        r#"{"type":"get_attr","value":"container_definitions"}"#,
    ] {
        is_hushed(&[(
            "terraform.tfstate",
            format!(
                r#"{{"version":4,"terraform_version":"1.9.0","resources":[{{"mode":"managed","type":"aws_ecs_task_definition","name":"a","instances":[{{"attributes":{{"family":"a","container_definitions":{definitions}}},"sensitive_attributes":[{path}]}}]}}]}}"#
            ),
        )]);
    }
}
