//! The linter: many files in one call, one file, a large document, an edit in the page, a step in a workflow.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Bench;
use super::measure::{Contestant, ascending, compare, seconds};
use crate::npm;
use crate::run::{Outcome, output};

const FILES: usize = 10_000;
const FOLDERS: usize = 2_000;

/// All of it.
pub(super) fn run(bench: &Bench) -> Outcome {
    many_files(bench)?;
    terraform_folders(bench)?;
    one_file(bench)?;
    large_documents(bench)?;
    in_javascript(bench)
}

/// 10,000 task definitions in one call.
fn many_files(bench: &Bench) -> Outcome {
    let folder = bench.folder.join("task-definitions");
    let mut bytes = 0;
    for number in 0..FILES {
        // Half JSON, a quarter YAML, a quarter CloudFormation.
        let (name, text) = match number % 4 {
            0 | 1 => ("task-definition.json", json(number, 3)),
            2 => ("task-definition.yaml", yaml(number)),
            _ => ("service.template.json", template(number)),
        };
        bytes += text.len();
        write(
            &folder.join(format!("{:02}/{number}", number % 100)).join(name),
            &text,
        )?;
    }
    bench.format.title("The linter (`lint`)");
    let what = format!("{FILES} files, {:.1} MB", bytes as f64 / 1e6);
    one_call(bench, &folder, &what, FILES, "files")
}

/// Folders of Terraform, each a module with variables in another file, values, a module that it calls and a template.
fn terraform_folders(bench: &Bench) -> Outcome {
    let root = bench.folder.join("terraform");
    let mut bytes = 0;
    for number in 0..FOLDERS {
        let folder = root.join(format!("{:02}/{number}", number % 100));
        for (name, text) in configuration(number) {
            bytes += text.len();
            write(&folder.join(name), &text)?;
        }
    }
    let what = format!("{FOLDERS} Terraform folders, {:.1} MB", bytes as f64 / 1e6);
    one_call(bench, &root, &what, FOLDERS, "folders")
}

/// One call over a folder, as often as there are rounds.
fn one_call(bench: &Bench, folder: &Path, what: &str, count: usize, unit: &str) -> Outcome {
    let mut seconds = Vec::new();
    for _ in 0..bench.rounds {
        seconds.push(lint(bench, folder, &["--format", "json"])?);
    }
    let seconds = ascending(seconds);
    let median = seconds[seconds.len() / 2];
    bench.format.note(&format!(
        "{what}, one call: {median:.3} s [{:.3}–{:.3}], {:.0} {unit}/s",
        seconds[0],
        seconds[seconds.len() - 1],
        count as f64 / median
    ));
    Ok(())
}

/// One file, process start to end, beside a process that does nothing but print its version.
fn one_file(bench: &Bench) -> Outcome {
    let file = bench.folder.join("one-task-definition.json");
    write(&file, &json(0, 3))?;
    let binary = bench.binary.display().to_string();
    let file = file.display().to_string();
    let contestants = [
        Contestant::new("lint one file", [&binary, "lint", "--fail-on", "never", &file]),
        Contestant::new("--version", [&binary, "--version"]),
    ];
    let title = "One task definition, whole process (`lint`)";
    compare(bench, title, &contestants, bench.rounds * 3)
}

/// Documents from 5 to 50 MB: the time per MB must stay the same.
fn large_documents(bench: &Bench) -> Outcome {
    let mut rows = Vec::new();
    for megabytes in [5, 10, 25, 50] {
        let file = bench.folder.join(format!("task-definition-{megabytes}mb.json"));
        write(&file, &json_of_size(megabytes * 1_000_000))?;
        let size = fs::metadata(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?
            .len();
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            best = best.min(lint(bench, &file, &["--format", "json"])?);
        }
        let size = size as f64 / 1e6;
        rows.push(vec![
            format!("{size:.1} MB"),
            format!("{best:.3}"),
            format!("{:.1}", best * 1e3 / size),
        ]);
    }
    let format = bench.format;
    format.title("One large task definition, best of 3 (`lint`)");
    format.table(&["", "wall s", "ms per MB"], &rows);
    Ok(())
}

/// An edit in the page and a step in a workflow, in Node.
fn in_javascript(bench: &Bench) -> Outcome {
    npm::install()?;
    let told = output(
        Command::new(npm::node24()?)
            .arg("tests/bench.mjs")
            .current_dir(npm::folder()),
    )?;
    bench.format.title("In JavaScript (`lint`)");
    for line in told.lines().filter(|line| !line.is_empty()) {
        bench.format.note(line);
    }
    Ok(())
}

/// Seconds of one `lint` whose report goes nowhere.
fn lint(bench: &Bench, path: &Path, flags: &[&str]) -> Result<f64, String> {
    seconds(
        Command::new(&bench.binary)
            .args(["lint", "--fail-on", "never"])
            .args(flags)
            .arg(path),
    )
}

fn json(number: usize, containers: usize) -> String {
    let mut text = format!(
        "{{\n  \"family\": \"service-{number}\",\n  \"requiresCompatibilities\": [\"FARGATE\"],\n  \
         \"networkMode\": \"awsvpc\",\n  \"cpu\": \"1024\",\n  \"memory\": \"2048\",\n  \
         \"containerDefinitions\": ["
    );
    for container in 0..containers {
        let comma = if container == 0 { "" } else { "," };
        let image = match (number + container) % 3 {
            0 => format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/service/{number}:1.{container}"),
            1 => format!("public.ecr.aws/docker/library/sidecar-{container}:latest"),
            _ => format!("quay.io/team/part-{container}"),
        };
        let _ = write!(
            text,
            "{comma}\n    {{\n      \"name\": \"part-{container}\",\n      \"image\": \"{image}\",\n      \
             \"essential\": true,\n      \"environment\": [\n        {{ \"name\": \"STAGE\", \"value\": \"production\" }},\n        \
             {{ \"name\": \"NUMBER\", \"value\": \"{number}\" }}\n      ],\n      \"portMappings\": [{{ \"containerPort\": 8080 }}],\n      \
             \"healthCheck\": {{ \"command\": [\"CMD-SHELL\", \"curl -f localhost:8080\"], \"interval\": 10 }}\n    }}"
        );
    }
    text.push_str("\n  ]\n}\n");
    text
}

fn json_of_size(bytes: usize) -> String {
    let one = json(0, 2).len() - json(0, 1).len();
    json(0, bytes / one)
}

fn yaml(number: usize) -> String {
    format!(
        "family: service-{number}\nrequiresCompatibilities: [FARGATE]\nnetworkMode: awsvpc\ncpu: '512'\nmemory: '1024'\n\
         containerDefinitions:\n  - name: web\n    image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:{number}\n    \
         essential: true\n    environment:\n      - name: STAGE\n        value: production\n  - name: proxy\n    image: nginx:1.27\n    \
         dependsOn:\n      - containerName: web\n        condition: START\n"
    )
}

fn template(number: usize) -> String {
    let image = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/web:${Tag}";
    format!(
        "{{\n  \"Parameters\": {{ \"Tag\": {{ \"Type\": \"String\", \"Default\": \"{number}\" }} }},\n  \"Resources\": {{\n    \
         \"Task\": {{\n      \"Type\": \"AWS::ECS::TaskDefinition\",\n      \"Properties\": {{\n        \
         \"RequiresCompatibilities\": [\"FARGATE\"],\n        \"NetworkMode\": \"awsvpc\",\n        \"Cpu\": \"256\",\n        \
         \"Memory\": \"512\",\n        \"ContainerDefinitions\": [{{ \"Name\": \"web\", \"Image\": {{ \"Fn::Sub\": \"{image}\" }} }}]\n      \
         }}\n    }},\n    \"Service\": {{\n      \"Type\": \"AWS::ECS::Service\",\n      \"Properties\": {{ \"TaskDefinition\": \
         {{ \"Ref\": \"Task\" }}, \"LaunchType\": \"FARGATE\" }}\n    }}\n  }}\n}}\n"
    )
}

fn write(path: &Path, text: &str) -> Outcome {
    let folder = path.parent().expect("a path below the bench folder has a parent");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The files of a module.
fn configuration(number: usize) -> [(&'static str, String); 6] {
    let service = format!(
        r#"variable "name" {{}}
variable "image" {{}}

resource "aws_ecs_task_definition" "this" {{
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{{ name = var.name, image = var.image, environment = [{{ name = "N", value = "{number}" }}] }}])
}}

output "arn" {{
  value = aws_ecs_task_definition.this.arn
}}
"#
    );
    let main = format!(
        r#"locals {{
  registry = "${{var.account}}.dkr.ecr.${{var.region}}.amazonaws.com"
  services = {{ web = "1.{number}", worker = "2.{number}" }}
}}

module "service" {{
  source   = "./service"
  for_each = local.services
  name     = each.key
  image    = "${{local.registry}}/${{each.key}}:${{each.value}}"
}}

resource "aws_ecs_service" "web" {{
  name            = "web"
  launch_type     = "FARGATE"
  task_definition = module.service["web"].arn
}}

resource "aws_ecs_task_definition" "pay" {{
  family                   = "pay-{number}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  container_definitions = templatefile("${{path.module}}/pay.json.tpl", {{
    image = "${{aws_ecr_repository.pay.repository_url}}:${{var.tag}}"
    proxy = var.proxy
  }})
}}
"#
    );
    let variables = r#"variable "account" {
  type    = string
  default = "123456789012"
}

variable "region" { type = string }
variable "tag" { default = "latest" }
variable "proxy" { default = "nginx:1.27" }

resource "aws_ecr_repository" "pay" { name = "pay" }
"#;
    let template = r#"[
  { "name": "pay", "image": "${image}", "essential": true },
  { "name": "proxy", "image": "${proxy}", "portMappings": [{ "containerPort": 80 }] }
]
"#;
    let others = r#"terraform {
  required_version = ">= 1.5"
}

provider "aws" {
  region = var.region
}
"#;
    [
        ("main.tf", main),
        ("variables.tf", variables.to_owned()),
        ("versions.tf", others.to_owned()),
        ("terraform.tfvars", format!("region = {:?}\n", "eu-west-1")),
        ("pay.json.tpl", template.to_owned()),
        ("service/main.tf", service),
    ]
}
