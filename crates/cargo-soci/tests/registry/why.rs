//! `why` of tasks whose images are in a registry under ECR's name: Debian's docker-registry, behind a tunnel.

use std::process::Command;

use serde_json::{Value, json};
use soci_tests::images::MadeImage;
use soci_tests::servers::{Authority, ConnectProxy, Server};

use crate::{good, soci, text};

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A registry that answers under ECR's name and asks for no login.
struct Ecr {
    authority: Authority,
    proxy: ConnectProxy,
    _server: Server,
    folder: tempfile::TempDir,
}

impl Ecr {
    fn start() -> Self {
        let authority = Authority::new();
        let certificate = authority.issue(&format!("DNS:{HOST}"));
        let server = Server::docker_registry(None, Some(&certificate));
        Self {
            proxy: ConnectProxy::start(server.address()),
            authority,
            _server: server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = soci(words);
        command
            .current_dir(self.folder.path())
            .args(["--ca-file", &self.authority.file().display().to_string()])
            .args(["--progress", "none"])
            .env("HTTPS_PROXY", self.proxy.url());
        command
    }

    fn soci(&self, words: &[&str]) -> String {
        good(&self.command(words).output().unwrap())
    }

    /// Puts an image there and gives its digest.
    fn push(&self, image: &MadeImage, name: &str) -> String {
        let layout = self.folder.path().join(name.replace([':', '/'], "-"));
        image.write_layout(&layout, "1");
        // Nothing to remove: a copy as it is.
        let source = format!("oci:{}:1", layout.display());
        self.soci(&["remove", &source, &format!("{HOST}/{name}"), "-q"])
    }

    fn convert(&self, from: &str, to: &str) -> String {
        let (from, to) = (format!("{HOST}/{from}"), format!("{HOST}/{to}"));
        let small = ["--min-layer-size=50KiB", "--span-size=256KiB", "-q"];
        self.soci(&[&["convert", &from, &to][..], &small].concat())
    }

    fn why(&self, tasks: &[Value], words: &[&str]) -> String {
        let document = json!({ "tasks": tasks }).to_string();
        std::fs::write(self.folder.path().join("tasks.json"), document).unwrap();
        let output = self
            .command(&[&["why", "tasks.json"], words].concat())
            .output()
            .unwrap();
        format!(
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr)
        )
    }
}

fn task(service: &str, containers: &[(&str, &str, Option<&str>)]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, image, digest)| {
            let mut container = json!({"name": name, "image": format!("{HOST}/{image}")});
            if let Some(digest) = digest {
                container["imageDigest"] = json!(digest);
            }
            container
        })
        .collect();
    json!({
        "taskArn": format!("arn:aws:ecs:eu-west-1:123456789012:task/shop/{service}0"),
        "taskDefinitionArn": format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/{service}:7"),
        "group": format!("service:{service}"),
        "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "lastStatus": "RUNNING", "enableExecuteCommand": true,
        "pullStartedAt": "2026-11-28T08:40:20.412Z", "pullStoppedAt": "2026-11-28T08:40:22.312Z",
        "containers": containers,
    })
}

fn image() -> MadeImage {
    MadeImage::new(&[(1, 900_000), (2, 3000), (3, 11_000_000)])
}

#[test]
fn each_state_of_an_image_has_its_answer() {
    let ecr = Ecr::start();
    let plain = ecr.push(&image(), "web:1");
    let another = ecr.push(&MadeImage::new(&[(7, 12_000_000)]), "web:2");
    let converted = ecr.convert("web:1", "web:1-soci");
    let said: Vec<String> = [
        // Not converted, and nothing newer.
        task("plain", &[("web", "web:1", Some(&plain))]),
        // The tag names the converted image, and it runs.
        task("lazy", &[("web", "web:1-soci", Some(&converted))]),
        // Deployed before the conversion: the tag was moved since.
        task("before", &[("web", "web:1-soci", Some(&plain))]),
        // The tag names another build by now, which is not lazy either.
        task("rebuilt", &[("web", "web:2", Some(&plain))]),
        // The digest is pinned.
        task("pinned", &[("web", &format!("web@{plain}"), None)]),
        // Nobody says which digest runs.
        task("open", &[("web", "web:1-soci", None)]),
        // What runs is gone, and so is its tag.
        task(
            "gone",
            &[("web", "web:0", Some(&format!("sha256:{}", "0".repeat(64))))],
        ),
        // Two containers, one of them lazy.
        task(
            "mixed",
            &[
                ("one", "web:1-soci", Some(&converted)),
                ("two", "web:2", Some(&another)),
            ],
        ),
    ]
    .iter()
    .map(|task| ecr.why(std::slice::from_ref(task), &[]))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_index_of_the_first_version_is_not_taken_for_lazy() {
    let ecr = Ecr::start();
    let plain = ecr.push(&image(), "web:1");
    ecr.soci(&["create", &format!("{HOST}/web:1"), "-q"]);
    insta::assert_snapshot!(ecr.why(&[task("web", &[("web", "web:1", Some(&plain))])], &[]));
}

/// What one task says of version 1 is known of its account and region, and of no other.
#[test]
fn tasks_say_where_version_one_counts() {
    let ecr = Ecr::start();
    let plain = ecr.push(&image(), "web:1");
    ecr.soci(&["create", &format!("{HOST}/web:1"), "-q"]);
    let elsewhere = |mut task: Value, to: &str| {
        for key in ["taskArn", "taskDefinitionArn"] {
            let arn = task[key].as_str().unwrap_or_default().replace("eu-west-1", to);
            task[key] = json!(arn);
        }
        task
    };
    let tasks: Vec<Value> = ["one", "two"]
        .iter()
        .map(|service| task(service, &[("web", "web:1", Some(&plain))]))
        .chain([elsewhere(
            task("three", &[("web", "web:1", Some(&plain))]),
            "us-east-1",
        )])
        .collect();
    let mut said = Vec::new();
    for word in ["soci", "overlayfs"] {
        let metadata = json!({
            "TaskARN": tasks[0]["taskArn"], "Family": "one", "Revision": "7", "LaunchType": "FARGATE",
            "Containers": [{"Name": "web", "Image": format!("{HOST}/web:1"), "Snapshotter": word}],
        });
        std::fs::write(ecr.folder.path().join("metadata.json"), metadata.to_string()).unwrap();
        let report = ecr.why(&tasks, &["metadata.json", "--format", "json"]);
        let json = report
            .split_once("--- stdout\n")
            .unwrap()
            .1
            .split_once("--- stderr")
            .unwrap()
            .0;
        let report: Value = serde_json::from_str(json).unwrap();
        for group in report["groups"].as_array().unwrap() {
            let container = &group["containers"][0];
            let chain = container["chain"].as_array().unwrap();
            let step = chain.iter().find(|step| step["what"] == "index v1").unwrap();
            said.push(format!(
                "{word}: {}: {}: {}\n  {}",
                group["name"].as_str().unwrap(),
                container["verdict"].as_str().unwrap(),
                container["headline"].as_str().unwrap(),
                step["found"].as_str().unwrap()
            ));
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn another_architecture_than_that_of_the_image() {
    let ecr = Ecr::start();
    let plain = ecr.push(&image(), "web:1");
    ecr.convert("web:1", "web:1-soci");
    let mut task = task("web", &[("web", "web:1-soci", Some(&plain))]);
    task["attributes"][0]["value"] = json!("arm64");
    insta::assert_snapshot!(ecr.why(&[task], &[]));
}

#[test]
fn an_image_is_asked_about_once() {
    let ecr = Ecr::start();
    let plain = ecr.push(&image(), "web:1");
    let tasks: Vec<Value> = (0..30)
        .map(|number| task(&format!("web{number}"), &[("web", "web:1", Some(&plain))]))
        .collect();
    let shown = ecr.why(&tasks, &["-q"]);
    assert!(shown.starts_with("exit code 1"), "{shown}");
    let output = ecr.command(&["why", "tasks.json", "-vv"]).output().unwrap();
    let trace = text(&output.stderr);
    let manifests = trace
        .lines()
        .filter(|line| line.contains("/manifests/1 "))
        .count();
    assert_eq!(manifests, 1, "{trace}");
}

#[test]
fn a_reference_alone_is_asked_and_judged() {
    let ecr = Ecr::start();
    ecr.push(&image(), "web:1");
    ecr.convert("web:1", "web:1-soci");
    let said: Vec<String> = ["web:1", "web:1-soci"]
        .iter()
        .map(|name| {
            let output = ecr.command(&["why", &format!("{HOST}/{name}")]).output().unwrap();
            format!(
                "exit code {}\n{}",
                output.status.code().unwrap_or(-1),
                text(&output.stdout)
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// One call to moto, as it is.
fn call(moto: &Server, action: &str, body: &Value) {
    use std::io::{Read, Write};
    let body = body.to_string();
    let mut stream = std::net::TcpStream::connect(moto.address()).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: ecs.eu-west-1.amazonaws.com\r\nConnection: close\r\n\
         X-Amz-Target: AmazonEC2ContainerServiceV20141113.{action}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         Content-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=AKIDEXAMPLE/20261129/eu-west-1/ecs/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{action}: {answer}");
}

#[test]
fn a_cluster_is_asked_of_aws() {
    let ecr = Ecr::start();
    ecr.push(&image(), "web:1");
    ecr.convert("web:1", "web:1-soci");
    let moto = Server::moto();
    call(&moto, "CreateCluster", &json!({"clusterName": "shop"}));
    for (service, image) in [("plain", "web:1"), ("lazy", "web:1-soci")] {
        call(
            &moto,
            "RegisterTaskDefinition",
            &json!({"family": service, "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "containerDefinitions": [{"name": "web", "image": format!("{HOST}/{image}")}]}),
        );
        call(
            &moto,
            "CreateService",
            &json!({"cluster": "shop", "serviceName": service, "taskDefinition": service, "desiredCount": 0, "launchType": "FARGATE"}),
        );
    }
    let ask = |words: &[&str], keys: bool| {
        let mut command = ecr.command(&[&["why"][..], words].concat());
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_ECS", format!("http://{}", moto.host()));
        if keys {
            command
                .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", "hunter2");
        }
        let output = command.output().unwrap();
        let shown = format!(
            "{}\nexit code {}\n--- stdout\n{}--- stderr\n{}",
            words.join(" "),
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr)
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        shown
    };
    let region = ["--region", "eu-west-1"];
    let said = [
        ask(&[&["--cluster", "shop"][..], &region].concat(), true),
        ask(
            &[&["--cluster", "shop", "--service", "lazy", "-v"][..], &region].concat(),
            true,
        ),
        ask(&[&["--cluster", "nowhere"][..], &region].concat(), true),
        ask(&["--cluster", "shop"], true),
        ask(&[&["--cluster", "shop"][..], &region].concat(), false),
        ask(&[], true),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

/// `lint --check-images`: the same images, named by a task definition.
#[test]
fn the_linter_looks_images_up_where_it_is_told_to() {
    let ecr = Ecr::start();
    ecr.push(&image(), "web:1");
    ecr.convert("web:1", "web:1-soci");
    let names = ["web:1", "web:1-soci", "web:0"];
    let containers: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"name": format!("c{at}"), "image": format!("{HOST}/{name}")}))
        .chain([json!({"name": "elsewhere", "image": "localhost:1/app:1"})])
        .collect();
    let task = json!({"family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "containerDefinitions": containers});
    std::fs::write(ecr.folder.path().join("task.json"), task.to_string()).unwrap();
    let lint = |words: &[&str]| {
        let output = ecr
            .command(&[&["lint", "task.json"][..], words].concat())
            .output()
            .unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let said: Vec<String> = ["off", "auto", "on"]
        .iter()
        .map(|which| {
            let (stdout, stderr) = lint(&["--check-images", which, "--format", "short"]);
            format!("{which}\n--- stdout\n{stdout}--- stderr\n{stderr}")
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    // What was looked up is in the JSON, which the report's own reader takes.
    let (json, _) = lint(&["--check-images", "auto", "--format", "json"]);
    let report: soci_lint::Report = serde_json::from_str(&json).unwrap();
    let looked_up: Vec<&str> = report.images.iter().map(|entry| entry.image.as_str()).collect();
    assert_eq!(looked_up, [format!("{HOST}/web:1"), format!("{HOST}/web:1-soci")]);
    // No zTOC and no layer was fetched.
    let (_, trace) = lint(&["--check-images", "auto", "-vv"]);
    let configs = 2;
    let fetched = trace
        .lines()
        .filter(|line| line.contains("GET") && line.contains("/blobs/"))
        .count();
    assert!(fetched <= configs, "{trace}");
}
