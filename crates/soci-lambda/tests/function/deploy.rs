//! `deploy/`: its templates are good, its settings are those of the function, and its policies allow every call of the
//! function and nothing more.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use soci_lambda::settings::{Settings, VARIABLES};
use soci_tests::registry::{Behaviour, Effect, Exchange, Fault};

use crate::deadline::{MARGIN, Queue};
use crate::{batch, direct, with_image};

/// A statement of a policy.
#[derive(Debug)]
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
}

/// What Lambda does in the function's name, to read its queue and to write its lines.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html> (2026-11-29)
const OF_LAMBDA: [&str; 5] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/app";

/// The rights that a request to a registry of ECR needs.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>,
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html> (2026-11-29)
fn rights(exchange: &Exchange) -> &'static [&'static str] {
    let (method, path) = (exchange.method.as_str(), exchange.path.as_str());
    match method {
        _ if path == "/v2/" => &[],
        // Refused here, and taken for none.
        "GET" if path.contains("/referrers/") => &[],
        "GET" | "HEAD" if path.contains("/manifests/") => &["ecr:BatchGetImage"],
        "HEAD" if path.contains("/blobs/") => &["ecr:BatchCheckLayerAvailability"],
        "GET" if path.contains("/blobs/") => &["ecr:GetDownloadUrlForLayer"],
        "POST" => &["ecr:InitiateLayerUpload"],
        "PATCH" => &["ecr:UploadLayerPart"],
        // What closes an upload may bring its last part, or all of it.
        "PUT" if path.contains("/blobs/") && exchange.received > 0 => {
            &["ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]
        }
        "PUT" if path.contains("/blobs/") => &["ecr:CompleteLayerUpload"],
        "PUT" if path.contains("/manifests/") => &["ecr:PutImage"],
        _ => panic!("{method} {path}: no right is known for it"),
    }
}

/// Every right that calls of the function need: one that is done at once, and one that runs out of time.
fn needed() -> BTreeSet<(String, String)> {
    let queue = Queue::start();
    let registry = with_image(Behaviour::default());
    registry.inject(Fault::new("GET", "/referrers/", Effect::Refuse(403, None)));
    let function = queue.function();
    function.call(&direct(&registry, "app:1")).expect("a good image");
    let mut exchanges = registry.take_log();
    let slow = with_image(Behaviour {
        link: Some((200_000, Duration::from_millis(2))),
        ..Behaviour::default()
    });
    slow.inject(Fault::new("GET", "/referrers/", Effect::Refuse(403, None)));
    let answer = function.call_within(&direct(&slow, "app:1"), MARGIN + Duration::from_secs(4));
    assert_eq!(answer, Ok(json!({"outcome": "continued"})));
    exchanges.extend(slow.take_log());
    let body = queue.take().expect("what is left");
    function.call(&batch(&[body])).expect("the rest");
    exchanges.extend(slow.take_log());
    let pair = |action: &str, resource: &str| (action.to_owned(), resource.to_owned());
    let mut needed: BTreeSet<_> = exchanges
        .iter()
        .flat_map(rights)
        .map(|action| pair(action, REPOSITORY))
        .collect();
    // Those registries ask for no login and a queue is asked by the SDK: seen by moto in the other tests.
    needed.insert(pair("ecr:GetAuthorizationToken", "*"));
    needed.insert(pair("sqs:SendMessage", "Queue"));
    needed
}

fn check(statements: &[Statement]) {
    let needed = needed();
    for (action, resource) in &needed {
        let allowed = statements.iter().any(|statement| {
            statement.actions.contains(action)
                && statement
                    .resources
                    .iter()
                    .any(|pattern| matches(pattern, resource))
        });
        assert!(allowed, "{action} on {resource} is not allowed by {statements:?}");
    }
    let allowed: BTreeSet<&str> = statements
        .iter()
        .flat_map(|statement| &statement.actions)
        .map(String::as_str)
        .collect();
    let all = needed.iter().map(|(action, _)| action.as_str()).chain(OF_LAMBDA);
    assert_eq!(allowed, all.collect(), "nothing more");
    for statement in statements {
        let is_login = statement.actions == ["ecr:GetAuthorizationToken"];
        assert_eq!(statement.resources == ["*"], is_login, "{statement:?}");
    }
}

/// A pattern as in policies, with one `*` at most.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((begin, end)) => {
            text.len() >= begin.len() + end.len() && text.starts_with(begin) && text.ends_with(end)
        }
    }
}

fn list(value: &Value) -> Vec<String> {
    let texts = match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    texts
        .iter()
        .map(|text| {
            text.as_str()
                .unwrap_or_else(|| panic!("{text} is no text"))
                .to_owned()
        })
        .collect()
}

fn statements(policy: &Value) -> Vec<Statement> {
    let statements = policy["Statement"].as_array().expect("a list");
    let read = |statement: &Value| {
        assert_eq!(statement["Effect"], "Allow");
        Statement {
            actions: list(&statement["Action"]),
            resources: list(&statement["Resource"]),
        }
    };
    statements.iter().map(read).collect()
}

/// What CloudFormation would make of the template with its defaults, as far as a policy goes.
const CLOUDFORMATION: &str = r#"
import json, sys, yaml
values = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
def tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        if suffix == "Sub":
            for name, value in values.items():
                text = text.replace("${" + name + "}", value)
            return text
        return text.removesuffix(".Arn") if suffix == "GetAtt" else text
    return loader.construct_sequence(node, deep=True)
yaml.SafeLoader.add_multi_constructor("!", tag)
text = open(sys.argv[1]).read()
for name, parameter in yaml.safe_load(text)["Parameters"].items():
    if "Default" in parameter:
        values[name] = str(parameter["Default"])
resources = yaml.safe_load(text)["Resources"]
role = resources["Role"]["Properties"]
assert len(role["Policies"]) == 1 and "ManagedPolicyArns" not in role
variables = resources["Function"]["Properties"]["Environment"]["Variables"]
print(json.dumps({
    "policy": role["Policies"][0]["PolicyDocument"],
    "variables": {name: values.get(value, value) for name, value in variables.items()},
}))
"#;

fn python(program: &str) -> Command {
    Command::new(
        soci_tests::servers::python_environment()
            .join("bin")
            .join(program),
    )
}

fn template() -> std::path::PathBuf {
    soci_tests::repository().join("deploy/cloudformation.yaml")
}

fn cloudformation() -> Value {
    let output = python("python")
        .args(["-c", CLOUDFORMATION])
        .arg(template())
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A resource of the Terraform module, as it is written: from its head to the brace that closes it.
fn terraform(kind: &str) -> String {
    let text = std::fs::read_to_string(soci_tests::repository().join("deploy/terraform/main.tf"));
    let text = text.expect("the file is part of the repository");
    let head = format!("resource \"{kind}\" \"soci\" {{\n");
    let (_, rest) = text.split_once(&head).unwrap_or_else(|| panic!("no {head}"));
    let (body, _) = rest.split_once("\n}\n").expect("it is closed");
    body.to_owned()
}

#[test]
fn the_template_of_cloudformation_is_good() {
    let output = python("cfn-lint")
        .arg(template())
        .output()
        .expect("cfn-lint starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn both_set_what_the_function_reads() {
    let values = cloudformation()["variables"]
        .as_object()
        .expect("variables")
        .clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/soci";
    let pairs = values.iter().map(|(name, value)| match name.as_str() {
        "SOCI_QUEUE_URL" => (name.clone(), queue.to_owned()),
        _ => (name.clone(), text(value)),
    });
    let settings = Settings::read(pairs).expect("the template's defaults are good");
    let usual = Settings::default();
    assert_eq!(
        (settings.span_size, settings.min_layer_size, settings.tag_model),
        (usual.span_size, usual.min_layer_size, usual.tag_model)
    );
    let rare = ["SOCI_CA_FILE", "SOCI_DEADLINE_MARGIN", "SOCI_METRICS_NAMESPACE"];
    let expected: BTreeSet<&str> = VARIABLES
        .into_iter()
        .filter(|name| !rare.contains(name))
        .collect();
    let set: BTreeSet<&str> = values.keys().map(String::as_str).collect();
    assert_eq!(set, expected);
    let function = terraform("aws_lambda_function");
    let words = function.split_whitespace();
    let names: BTreeSet<&str> = words.filter(|word| word.starts_with("SOCI_")).collect();
    assert_eq!(names, expected);
}

#[test]
fn the_role_of_cloudformation_may_do_what_the_function_does() {
    check(&statements(&cloudformation()["policy"]));
}

#[test]
fn the_role_of_terraform_is_the_same() {
    let policy = terraform("aws_iam_role_policy");
    let statements: Vec<Statement> = policy.split(" Sid ").skip(1).map(of_terraform).collect();
    check(&statements);
}

/// A statement as it is written there; the other resources have the names of the other template.
fn of_terraform(text: &str) -> Statement {
    let value = |key: &str| {
        let mut lines = text.lines().map(str::trim);
        let line = lines.find(|line| line.split_whitespace().next() == Some(key));
        let line = line.unwrap_or_else(|| panic!("no {key} in {text}"));
        line.split_once('=').expect("a value").1.trim().to_owned()
    };
    assert_eq!(value("Effect"), "\"Allow\"");
    let resource = match value("Resource").as_str() {
        "\"*\"" => "*",
        "aws_sqs_queue.images.arn" => "Queue",
        "\"${aws_cloudwatch_log_group.soci.arn}:*\"" => "LogGroup",
        "[for name in var.repository_names : \"${local.registry}:repository/${name}\"]" => {
            "arn:aws:ecr:eu-west-1:123456789012:repository/*"
        }
        other => panic!("{other} is not known here"),
    };
    let is_action = |word: &&str| {
        let is_of_one = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
        word.contains(':') && word.chars().all(is_of_one)
    };
    Statement {
        actions: text.split('"').filter(is_action).map(str::to_owned).collect(),
        resources: vec![resource.to_owned()],
    }
}
