//! The login to Amazon ECR: against moto, with botocore's signature, and with the real credential helper.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};
use soci_tests::servers::{Authority, ConnectProxy, MOTO_USER, Server, python_environment};

use crate::{expected, failed, good, image, soci};

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A registry that answers under ECR's name, behind a tunnel.
struct Ecr {
    authority: Authority,
    proxy: ConnectProxy,
    _server: Server,
}

impl Ecr {
    fn start() -> Self {
        let authority = Authority::new();
        let certificate = authority.issue(&format!("DNS:{HOST}"));
        let server = Server::docker_registry(Some(MOTO_USER), Some(&certificate));
        Self {
            proxy: ConnectProxy::start(server.address()),
            authority,
            _server: server,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = soci(words);
        command
            .args(["--ca-file", &self.authority.file().display().to_string()])
            .env("HTTPS_PROXY", self.proxy.url());
        command
    }
}

#[test]
fn the_login_of_the_environment_reaches_a_registry() {
    let expected = expected();
    let ecr = Ecr::start();
    let moto = Server::moto();
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image().store(content, "1"));
    let destination = format!("{HOST}/app:1");
    let words = [
        "convert",
        &registry.name("app:1"),
        &destination,
        "--min-layer-size",
        "50KiB",
        "--span-size",
        "256KiB",
        "-q",
    ];
    let credentials = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "token"),
    ];
    let output = ecr
        .command(&words)
        .envs(credentials)
        .env("AWS_ENDPOINT_URL_ECR", format!("http://{}", moto.host()))
        .output()
        .unwrap();
    assert_eq!(good(&output), expected);

    let nobody = failed(&ecr.command(&["inspect", &destination]).output().unwrap());
    assert!(
        nobody.contains("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
        "{nobody}"
    );
    assert!(
        nobody.contains("aws ecr get-login-password --region eu-west-1"),
        "{nobody}"
    );
}

#[test]
fn the_real_helper_without_credentials_is_named_with_what_to_do() {
    let ecr = Ecr::start();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(r#"{{"credHelpers": {{"{HOST}": "ecr-login"}}}}"#);
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let name = format!("{HOST}/app:1");
    let output = ecr
        .command(&["inspect", &name])
        .env("DOCKER_CONFIG", folder.path())
        .env("HOME", folder.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let errors = failed(&output);
    assert!(errors.contains("docker-credential-ecr-login"), "{errors}");
    assert!(
        errors.contains("knows no credentials"),
        "is amazon-ecr-credential-helper installed? {errors}"
    );
    assert!(
        errors.contains("also when it finds no AWS credentials"),
        "{errors}"
    );
}

#[test]
fn a_token_that_ended_is_fetched_again_on_ecrs_403() {
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image().store(content, "1"));
    let ended = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
    registry.inject(Fault::new("GET", "/manifests/", Effect::RefuseWith(403, ended.into())).times(1));
    good(&soci(&["inspect", &registry.name("app:1")]).output().unwrap());
    registry.inject(Fault::new(
        "GET",
        "/manifests/",
        Effect::RefuseWith(403, ended.into()),
    ));
    let errors = failed(&soci(&["inspect", &registry.name("app:1")]).output().unwrap());
    assert!(errors.contains("token has expired"), "{errors}");
}

#[test]
fn the_signature_is_botocores() {
    let environment = soci_registry::Environment::new([
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_SESSION_TOKEN", "a/session+token=="),
    ]);
    let credentials = soci_registry::ecr::credentials_of(&environment).expect("both halves are there");
    let python = python_environment().join("bin/python");
    let script = soci_tests::repository().join("tests/python/sign.py");
    for (host, region, seconds) in [
        (HOST, "eu-west-1", 1_795_478_400),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "us-gov-west-1",
            1_709_164_799,
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
            951_782_400,
        ),
    ] {
        let ecr_host = soci_image::EcrHost::parse(host).expect("an ECR host");
        let now = std::time::Duration::from_secs(seconds);
        let call = soci_registry::ecr::token_call(&ecr_host, &environment, &credentials, now).unwrap();
        let field = |name: &str| {
            call.headers
                .iter()
                .find(|(have, _)| *have == name)
                .map(|(_, value)| value.clone())
        };
        let asked = json!({
            "url": call.url.to_wire(),
            "headers": {
                "Content-Type": field("content-type"),
                "X-Amz-Target": field("x-amz-target"),
                "Host": call.url.authority(),
            },
            "body": String::from_utf8(call.body.to_vec()).unwrap(),
            "date": field("x-amz-date"),
            "region": region,
            "key": "AKIDEXAMPLE",
            "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "token": "a/session+token==",
        });
        let mut child = Command::new(&python)
            .arg(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment has a python");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(asked.to_string().as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(Some(good(&output)), field("authorization"), "{host}");
    }
}
