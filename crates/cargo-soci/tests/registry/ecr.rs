//! The login to Amazon ECR: by AWS' SDK against moto, from wherever credentials come, and with the real credential helper.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};
use soci_tests::servers::{EcrRegistry, Server};

use crate::{expected, failed, good, image, soci};

const HOST: &str = EcrRegistry::HOST;

struct Ecr(EcrRegistry);

impl Ecr {
    fn start() -> Self {
        Self(EcrRegistry::start())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = soci(words);
        command
            .args(["--ca-file", &self.0.authority.file().display().to_string()])
            .env("HTTPS_PROXY", self.0.proxy.url());
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

    let mut nobody = ecr.command(&["inspect", &destination]);
    let nobody = failed(&nobody.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap());
    assert!(nobody.contains("AWS credentials: no AWS credentials"), "{nobody}");
    assert!(
        nobody.contains("aws ecr get-login-password --region eu-west-1"),
        "{nobody}"
    );
}

/// Answers one container's request for its credentials, if it shows its token.
fn container_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        let is_known = String::from_utf8_lossy(&head)
            .to_lowercase()
            .contains("authorization: the-containers-token");
        let body = r#"{"AccessKeyId": "ASIACONTAINER", "SecretAccessKey": "hunter2", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}"#;
        let status = if is_known { "200 OK" } else { "401 Unauthorized" };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}/credentials")
}

#[test]
fn credentials_come_from_wherever_aws_tools_find_them() {
    let ecr = Ecr::start();
    let moto = Server::moto();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let keys = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = hunter2\n";
    let profile = write("credentials", &format!("[shop]\n{keys}"));
    let answer = write(
        "answer.json",
        r#"{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "hunter2"}"#,
    );
    let process = write(
        "process",
        &format!("[default]\ncredential_process = cat {answer}\n"),
    );
    let role = write(
        "role",
        &format!(
            "[default]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\n[profile base]\n{keys}"
        ),
    );
    let identity = write("identity", "a-web-identity-token");
    let container = container_endpoint();
    let ways: [(&str, &[(&str, &str)]); 6] = [
        (
            "environment",
            &[
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ],
        ),
        (
            "profile",
            &[("AWS_SHARED_CREDENTIALS_FILE", &profile), ("AWS_PROFILE", "shop")],
        ),
        ("credential process", &[("AWS_CONFIG_FILE", &process)]),
        ("assumed role", &[("AWS_CONFIG_FILE", &role)]),
        (
            "web identity",
            &[
                ("AWS_WEB_IDENTITY_TOKEN_FILE", &identity),
                ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader"),
            ],
        ),
        (
            "container",
            &[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-containers-token"),
            ],
        ),
    ];
    let name = format!("{HOST}/app:1");
    for (way, variables) in ways {
        let output = ecr
            .command(&["inspect", &name, "-vv"])
            .envs(variables.iter().copied())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{}", moto.host()))
            .output()
            .unwrap();
        // The login was taken: all that is missing is the image.
        let errors = failed(&output);
        assert!(errors.contains("app:1 is not at"), "{way}: {errors}");
        assert!(errors.contains("GetAuthorizationToken"), "{way}: {errors}");
        for secret in ["hunter2", "a-web-identity-token", "the-containers-token"] {
            assert!(!errors.contains(secret), "{way}: {errors}");
        }
    }
}

/// Says no, whoever asks.
fn refusing_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/credentials")
}

#[test]
fn credentials_that_cannot_be_had_say_why() {
    let moto = Server::moto();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let fails = write(
        "fails",
        "[default]\ncredential_process = sh -c 'echo hunter2; echo hunter2 >&2; exit 1'\n",
    );
    let garbage = write("garbage", "[default]\ncredential_process = echo hunter2\n");
    let half = write("half", "[default]\naws_access_key_id = AKIDEXAMPLE\n");
    let sso = write(
        "sso",
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session s]\n\
         sso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n",
    );
    let refusing = refusing_endpoint();
    let nowhere = folder.path().join("nowhere").display().to_string();
    let ways: [(&str, &[(&str, &str)]); 8] = [
        ("none", &[]),
        (
            "no such profile",
            &[("AWS_CONFIG_FILE", &half), ("AWS_PROFILE", "nobody")],
        ),
        ("half of a key", &[("AWS_CONFIG_FILE", &half)]),
        ("a process that fails", &[("AWS_CONFIG_FILE", &fails)]),
        (
            "a process that says something else",
            &[("AWS_CONFIG_FILE", &garbage)],
        ),
        (
            "no web identity",
            &[
                ("AWS_WEB_IDENTITY_TOKEN_FILE", &nowhere),
                ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader"),
            ],
        ),
        (
            "a container that refuses",
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &refusing)],
        ),
        ("no login by sso", &[("AWS_CONFIG_FILE", &sso)]),
    ];
    let mut said = String::new();
    for (way, variables) in ways {
        let output = soci(&["why", "--cluster", "shop", "--progress", "none"])
            .envs(variables.iter().copied())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{}", moto.host()))
            .output()
            .unwrap();
        let errors = failed(&output);
        assert!(!errors.contains("hunter2"), "{way}: {errors}");
        let places = [
            (folder.path().display().to_string(), "FOLDER"),
            (refusing.clone(), "ENDPOINT"),
        ];
        let shown = places
            .iter()
            .fold(errors, |text, (place, name)| text.replace(place.as_str(), name));
        said += &format!("{way}\n{shown}");
    }
    insta::assert_snapshot!(said);
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
