//! Images of Amazon ECR where the registry itself cannot be asked: its own API tells about them, as far as it may.

use std::process::{Command, Output};

use serde_json::{Value, json};
use soci_tests::ecr_api::{EcrApi, SIGNATURE};
use soci_tests::images::MadeImage;
use soci_tests::servers::{Authority, ConnectProxy, Server, TEST_USER};

use crate::{good, soci, text};

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The API with `web:1`, a plain image, and `web:1-soci`, the same converted.
struct Ecr {
    api: EcrApi,
    folder: tempfile::TempDir,
    /// Digests of the two.
    plain: String,
    converted: String,
    /// zTOCs and SOCI indexes are found by this.
    proxy: ConnectProxy,
}

impl Ecr {
    /// Nothing listens where the registry should.
    fn without_a_registry() -> Self {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = closed.local_addr().expect("it is bound");
        drop(closed);
        Self::behind(ConnectProxy::start(address))
    }

    fn behind(proxy: ConnectProxy) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (plain, converted) = (folder.path().join("plain"), folder.path().join("converted"));
        MadeImage::new(&[(1, 900_000), (2, 3000), (3, 11_000_000)]).write_layout(&plain, "1");
        let places = [
            format!("oci:{}:1", plain.display()),
            format!("oci:{}:1", converted.display()),
        ];
        let small = ["--min-layer-size=50KiB", "--span-size=256KiB", "-q"];
        good(
            &soci(&[&["convert", &places[0], &places[1]][..], &small].concat())
                .output()
                .unwrap(),
        );
        let api = EcrApi::start();
        api.create("web");
        Self {
            plain: api.push_layout(&plain, "web", "1"),
            converted: api.push_layout(&converted, "web", "1-soci"),
            api,
            folder,
            proxy,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = soci(words);
        command
            .current_dir(self.folder.path())
            .args(["--progress", "none"])
            .env("HTTPS_PROXY", self.proxy.url())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_ECR", self.api.url())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2");
        command
    }

    fn write_tasks(&self) {
        let task = |service: &str, tag: &str, digest: &str| {
            json!({
                "taskArn": format!("arn:aws:ecs:eu-west-1:123456789012:task/shop/{service}0"),
                "taskDefinitionArn": format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/{service}:7"),
                "group": format!("service:{service}"),
                "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
                "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}], "lastStatus": "RUNNING",
                "containers": [{"name": "web", "image": format!("{HOST}/web:{tag}"), "imageDigest": digest}],
            })
        };
        let tasks =
            json!({"tasks": [task("plain", "1", &self.plain), task("lazy", "1-soci", &self.converted)]});
        std::fs::write(self.folder.path().join("tasks.json"), tasks.to_string()).expect("it is writable");
    }

    fn why(&self, words: &[&str]) -> String {
        self.write_tasks();
        let output = self
            .command(&[&["why", "tasks.json"], words].concat())
            .output()
            .unwrap();
        shown(&output)
    }

    /// Verdict and headline of each container, and the sentences about the registry.
    fn verdicts(&self) -> String {
        self.write_tasks();
        let output = self
            .command(&["why", "tasks.json", "--format", "json"])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let mut lines = Vec::new();
        for group in report["groups"].as_array().expect("groups") {
            let container = &group["containers"][0];
            let word = |value: &Value| value.as_str().expect("a text").to_owned();
            lines.push(format!(
                "{}: {}: {}",
                word(&group["name"]),
                word(&container["verdict"]),
                word(&container["headline"])
            ));
        }
        lines.sort();
        for registry in report["registries"].as_array().expect("registries") {
            lines.push(format!(
                "told by {}: {}",
                registry["told_by"], registry["problem"]
            ));
        }
        lines.join("\n") + "\n"
    }
}

fn shown(output: &Output) -> String {
    let shown = format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr)
    );
    for secret in ["hunter2", SIGNATURE, "Signature=", "auth-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    shown
}

#[test]
fn a_registry_out_of_reach_is_asked_by_ecrs_own_api() {
    let ecr = Ecr::without_a_registry();
    insta::assert_snapshot!(ecr.why(&[]));
    let alone = ecr
        .command(&["why", &format!("{HOST}/web:1-soci")])
        .output()
        .unwrap();
    insta::assert_snapshot!(shown(&alone));
    let missing = ecr.command(&["why", &format!("{HOST}/web:2")]).output().unwrap();
    assert!(
        shown(&missing).contains("web:2 is not in its registry"),
        "{}",
        shown(&missing)
    );
}

#[test]
fn a_right_that_is_missing_is_an_unknown_that_names_it() {
    let ecr = Ecr::without_a_registry();
    let mut said = String::new();
    for denied in [
        &[][..],
        &["BatchGetImage"],
        // Without the index there is nothing to be lazy; with it the zTOCs have to be there.
        &["GetDownloadUrlForLayer"],
        // An index of version 1 would be found by this alone.
        &["ListImageReferrers"],
    ] {
        ecr.api.deny(denied);
        said += &format!("denied {denied:?}\n{}", ecr.verdicts());
    }
    ecr.api.deny(&[]);
    ecr.api.refuse_blobs(true);
    said += &format!("blobs out of reach\n{}", ecr.verdicts());
    insta::assert_snapshot!(said);
}

#[test]
fn a_ztoc_that_is_not_there_is_seen() {
    let ecr = Ecr::without_a_registry();
    let layout = ecr.folder.path().join("converted/blobs/sha256");
    // zTOCs are the blobs that the plain image does not have and that are no documents.
    for entry in std::fs::read_dir(&layout).expect("it is there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("it is there");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let in_plain = ecr.folder.path().join("plain/blobs/sha256").join(&name).exists();
        if !in_plain && serde_json::from_slice::<Value>(&bytes).is_err() {
            ecr.api.lose("web", &format!("sha256:{name}"));
        }
    }
    let verdicts = ecr.verdicts();
    assert!(verdicts.contains("shop/lazy: not-lazy: "), "{verdicts}");
}

#[test]
fn a_registry_that_refuses_is_asked_by_ecrs_own_api() {
    let authority = Authority::new();
    let certificate = authority.issue(&format!("DNS:{HOST}"));
    let server = Server::docker_registry(Some(TEST_USER), Some(&certificate));
    let ecr = Ecr::behind(ConnectProxy::start(server.address()));
    ecr.api.deny(&["GetAuthorizationToken"]);
    let mut command = ecr.command(&["why", &format!("{HOST}/web:1-soci"), "-vv"]);
    let output = command
        .args(["--ca-file", &authority.file().display().to_string()])
        .output()
        .unwrap();
    let shown = shown(&output);
    assert!(shown.starts_with("exit code 0"), "{shown}");
    assert!(shown.contains("ECR's own API was asked"), "{shown}");
    for call in ["GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer"] {
        assert!(
            shown.contains(&format!("POST {} {call}", ecr.api.address())),
            "{shown}"
        );
    }
}

#[test]
fn without_credentials_nobody_else_is_asked() {
    let ecr = Ecr::without_a_registry();
    ecr.write_tasks();
    let output = ecr
        .command(&["why", "tasks.json", "--format", "json"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .output()
        .unwrap();
    let shown = shown(&output);
    assert!(shown.contains("could not be asked about the image"), "{shown}");
    assert!(!shown.contains("API"), "{shown}");
    assert_eq!(ecr.api.calls(), [""; 0]);
}

#[test]
fn credentials_that_ended_are_said_beside_the_registrys_trouble() {
    let ecr = Ecr::without_a_registry();
    ecr.api.expire();
    let verdicts = ecr.verdicts();
    assert!(verdicts.contains("shop/lazy: unknown: "), "{verdicts}");
    assert!(
        verdicts.contains("and ECR's own API: AWS refuses the credentials: ExpiredTokenException"),
        "{verdicts}"
    );
}

#[test]
fn the_linter_asks_it_too() {
    let ecr = Ecr::without_a_registry();
    let containers: Vec<Value> = ["web:1", "web:1-soci", "web:0"]
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"name": format!("c{at}"), "image": format!("{HOST}/{name}")}))
        .collect();
    let task = json!({"family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "containerDefinitions": containers});
    std::fs::write(ecr.folder.path().join("task.json"), task.to_string()).unwrap();
    let words = ["lint", "task.json", "--check-images", "auto", "--format", "short"];
    let mut said = String::new();
    for denied in [&[][..], &["BatchGetImage"], &["GetDownloadUrlForLayer"]] {
        ecr.api.deny(denied);
        ecr.api.calls();
        said += &format!(
            "denied {denied:?}\n{}",
            shown(&ecr.command(&words).output().unwrap())
        );
        let calls = ecr.api.calls();
        let tags = calls.iter().filter(|call| *call == "BatchGetImage").count();
        assert!(tags <= 7, "each document once: {calls:?}");
    }
    insta::assert_snapshot!(said);
}
