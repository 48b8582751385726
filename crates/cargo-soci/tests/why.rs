//! `why` without any access: documents from files and stdin, images of this machine, and registries that cannot be asked.

mod support;

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use std::collections::BTreeMap;

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, TestRegistry};
use support::{Place, Run};

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:{kind}/{name}")
}

/// A task as `describe-tasks` prints it.
fn task(id: &str, service: &str, more: &Value, containers: &[(&str, &str)]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, image)| {
            let digest = soci_tests::registry::digest_of(image.as_bytes());
            json!({"name": name, "image": image, "imageDigest": digest, "lastStatus": "RUNNING"})
        })
        .collect();
    let mut task = json!({
        "taskArn": arn("task", &format!("shop/{id}")),
        "clusterArn": arn("cluster", "shop"),
        "taskDefinitionArn": arn("task-definition", &format!("{service}:7")),
        "group": format!("service:{service}"),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "lastStatus": "RUNNING",
        "enableExecuteCommand": true,
        "createdAt": "2026-11-28T08:40:09.101Z",
        "pullStartedAt": "2026-11-28T08:40:20.412Z",
        "pullStoppedAt": "2026-11-28T08:41:01.731Z",
        "startedAt": "2026-11-28T08:41:07.123Z",
        "version": 4,
        "containers": containers,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        task[key.as_str()] = value.clone();
    }
    task
}

fn web(more: &Value) -> Value {
    task("0f5d", "web", more, &[("web", &format!("{HOST}/web:1.4"))])
}

fn why(place: &Place, document: &Value, words: &[&str]) -> Run {
    place.write("tasks.json", &document.to_string());
    let fixed = ["why", "tasks.json", "--check-images", "off"];
    place.run(&[&fixed, words].concat())
}

fn with_stdin(place: &Place, words: &[&str], text: &str) -> Run {
    let mut child = place
        .command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may end before it reads anything.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    Run::of(child.wait_with_output().expect("the program runs"))
}

fn shown(run: &Run) -> String {
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        run.code, run.stdout, run.stderr
    )
}

#[test]
fn an_answer_for_every_place_that_is_not_fargates_lazy_one() {
    let place = Place::new();
    for (name, more) in [
        ("ec2", json!({"launchType": "EC2", "platformVersion": null})),
        (
            "managed_instances",
            json!({"launchType": "MANAGED_INSTANCES", "platformVersion": null}),
        ),
        (
            "windows",
            json!({"platformFamily": "Windows_Server_2022_Core", "platformVersion": "1.0.0"}),
        ),
        ("platform_version", json!({"platformVersion": "1.3.0"})),
        (
            "spot",
            json!({"launchType": null, "capacityProviderName": "FARGATE_SPOT"}),
        ),
        ("no_launch_type", json!({"launchType": null})),
        ("exec_is_off", json!({"enableExecuteCommand": false})),
        ("stopped", json!({"lastStatus": "STOPPED"})),
    ] {
        let run = why(&place, &json!({"tasks": [web(&more)]}), &[]);
        insta::assert_snapshot!(format!("why_{name}"), shown(&run));
    }
}

#[test]
fn an_image_elsewhere_is_copied_with_the_real_names() {
    let place = Place::new();
    for (name, image) in [
        ("docker_hub", "redis:7"),
        ("ghcr", "ghcr.io/acme/web:1.4"),
        ("odd_image", "$(id):x y"),
    ] {
        let document = json!({"tasks": [task("0f5d", "web", &json!({}), &[("web", image)])]});
        insta::assert_snapshot!(format!("why_{name}"), shown(&why(&place, &document, &[])));
    }
}

#[test]
fn what_the_task_itself_says_is_the_truth() {
    let place = Place::new();
    for word in ["soci", "overlayfs"] {
        let metadata = json!({
            "TaskARN": arn("task", "shop/0f5d"),
            "Cluster": arn("cluster", "shop"),
            "Family": "web",
            "Revision": "7",
            "LaunchType": "FARGATE",
            "Containers": [{"Name": "web", "Image": format!("{HOST}/web:1.4"), "Snapshotter": word}],
        });
        let alone = why(&place, &metadata, &[]);
        insta::assert_snapshot!(format!("why_metadata_{word}"), shown(&alone));
        let together = why(&place, &json!([metadata, {"tasks": [web(&json!({}))]}]), &[]);
        let expected = if word == "soci" {
            "web: lazy"
        } else {
            "web: not-lazy"
        };
        assert!(together.stdout.contains(expected), "{}", together.stdout);
        assert!(
            together.stdout.contains("platform version 1.4.0"),
            "{}",
            together.stdout
        );
    }
}

#[test]
fn services_and_definitions_say_what_would_run() {
    let place = Place::new();
    let service = json!({"services": [{
        "serviceArn": arn("service", "shop/web"), "serviceName": "web", "clusterArn": arn("cluster", "shop"),
        "launchType": "FARGATE", "platformVersion": "LATEST", "platformFamily": "Linux",
        "taskDefinition": arn("task-definition", "web:7"), "runningCount": 3,
    }]});
    let definition = json!({"taskDefinition": {
        "taskDefinitionArn": arn("task-definition", "web:7"), "family": "web", "revision": 7,
        "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "web", "image": format!("{HOST}/web:1.4"), "essential": true}],
    }});
    insta::assert_snapshot!("why_service", shown(&why(&place, &service, &[])));
    insta::assert_snapshot!("why_definition", shown(&why(&place, &definition, &[])));
    insta::assert_snapshot!(
        "why_service_and_definition",
        shown(&why(&place, &json!([service, definition]), &[]))
    );
}

/// Several services, with equal tasks and one that is accepted.
fn cluster() -> Value {
    let redis = &[("cache", "redis:7")][..];
    json!({"tasks": [
        web(&json!({})),
        task("1a2b", "web", &json!({"pullStoppedAt": "2026-11-28T08:40:58.000Z"}), &[("web", &format!("{HOST}/web:1.4"))]),
        task("2b3c", "cache", &json!({}), redis),
        task("3c4d", "batch", &json!({"launchType": "EC2"}), &[("batch", &format!("{HOST}/batch:2"))]),
        task("4d5e", "logs", &json!({}), &[("log", "public.ecr.aws/aws-observability/aws-for-fluent-bit:3")]),
    ]})
}

#[test]
fn a_cluster_in_every_form() {
    let place = Place::new();
    place.write(
        "soci.toml",
        "[lint]\naccept = [{ container = \"cache\", reason = \"starts once a year\" }]\n",
    );
    for form in ["human", "json", "markdown", "html"] {
        let run = why(&place, &cluster(), &["--format", form]);
        insta::assert_snapshot!(format!("why_cluster_{form}"), shown(&run));
    }
    for (fail_on, code) in [("error", 1), ("not-lazy", 1), ("unknown", 1), ("never", 0)] {
        assert_eq!(
            why(&place, &cluster(), &["-q", "--fail-on", fail_on]).code,
            code,
            "{fail_on}"
        );
    }
    // Two tasks that run the same are one group, and each start is counted.
    let json: Value = serde_json::from_str(&why(&place, &cluster(), &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["groups"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["summary"]["tasks"], 5);
}

#[test]
fn many_groups_are_a_table() {
    let place = Place::new();
    let tasks: Vec<Value> = (0..9)
        .map(|number| {
            task(
                &format!("{number}"),
                &format!("web{number}"),
                &json!({}),
                &[("web", "redis:7")],
            )
        })
        .collect();
    let document = json!({"tasks": tasks});
    insta::assert_snapshot!("why_table", shown(&why(&place, &document, &[])));
    assert!(why(&place, &document, &["-v"]).stdout.contains("runs on"));
}

#[test]
fn words_of_others_steer_nothing() {
    let place = Place::new();
    let odd = "a\u{1b}[2J<script>alert(1)</script>'|`x`\n::error::x";
    let mut task = web(&json!({"group": format!("service:{odd}"), "platformVersion": odd}));
    task["containers"][0]["name"] = json!(odd);
    task["containers"][0]["image"] = json!(odd);
    let document = json!({"tasks": [task], "failures": [{"arn": odd, "reason": odd}]});
    for form in ["human", "json", "markdown", "html"] {
        let run = why(&place, &document, &["--format", form]);
        assert!(!run.stdout.contains('\u{1b}'), "{form}: {}", run.stdout);
        assert!(
            !run.stdout.lines().any(|line| line.trim_start().starts_with("::")),
            "{form}: {}",
            run.stdout
        );
        if form != "human" && form != "json" {
            assert!(!run.stdout.contains("<script>alert"), "{form}: {}", run.stdout);
        }
    }
}

#[test]
fn stdin_is_a_document_too() {
    let place = Place::new();
    let run = with_stdin(
        &place,
        &["why", "-", "--check-images", "off"],
        &web(&json!({})).to_string(),
    );
    assert!(
        run.stdout.contains("shop/web: 1 task"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    let both = with_stdin(&place, &["why", "-", "--password-stdin", "--username", "x"], "");
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("both read stdin"), "{}", both.stderr);
}

#[test]
fn what_cannot_be_used_is_said() {
    let place = Place::new();
    place.write(
        "list.json",
        r#"{"taskArns": ["arn:aws:ecs:eu-west-1:123456789012:task/shop/0f5d"]}"#,
    );
    place.write("text.json", "TASKS\tarn:aws:ecs");
    place.write(
        "wrong.json",
        r#"{"tasks": [{"taskArn": "a", "containers": [{"name": 7}]}]}"#,
    );
    let said: Vec<String> = [
        &["why"][..],
        &["why", "no.json"],
        &["why", "list.json"],
        &["why", "text.json"],
        &["why", "wrong.json"],
        &["why", "./no-image"],
        &["why", "list.json", "--fail-on", "sometimes"],
    ]
    .iter()
    .map(|words| {
        let run = place.run(words);
        format!(
            "{}\nexit code {}\n{}{}",
            words.join(" "),
            run.code,
            run.stdout,
            run.stderr
        )
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_registry_that_cannot_be_asked_is_said_once() {
    let mut place = Place::new();
    // Nobody listens there.
    place.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let document = json!({"tasks": [
        web(&json!({})),
        task("1a2b", "api", &json!({}), &[("api", &format!("{HOST}/api:1"))]),
    ]});
    place.write("tasks.json", &document.to_string());
    let run = place.run(&["why", "tasks.json"]);
    insta::assert_snapshot!(shown(&run));
    assert_eq!(run.stdout.matches("was not asked").count(), 1, "{}", run.stdout);
}

#[test]
fn images_of_this_machine_are_judged_as_if_in_ecr() {
    let place = Place::new();
    MadeImage::new(&[(1, 900_000), (2, 3000), (3, 2_000_000)]).write_layout(&place.join("plain"), "1");
    let convert = [
        "convert",
        "./plain",
        "soci.tar",
        "--min-layer-size=50KiB",
        "--span-size=256KiB",
    ];
    assert_eq!(place.run(&convert).code, 0);
    for (name, image) in [("plain", "./plain"), ("converted", "soci.tar")] {
        insta::assert_snapshot!(format!("why_image_{name}"), shown(&place.run(&["why", image])));
    }
}

/// The page shows what the snapshots hold, the registry's among them.
#[test]
fn what_the_page_shows_was_printed() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut printed = String::new();
    for folder in ["snapshots", "registry/snapshots"] {
        for entry in std::fs::read_dir(tests.join(folder))
            .expect("snapshots")
            .flatten()
        {
            if entry.file_name().to_string_lossy().contains("why__") {
                printed += &std::fs::read_to_string(entry.path()).expect("a snapshot");
            }
        }
    }
    let page = std::fs::read_to_string(soci_tests::repository().join("docs/why.md")).expect("the page");
    let mut shown = 0;
    for part in page.split("<!-- printed -->\n```text\n").skip(1) {
        let (block, _) = part.split_once("```").expect("the block ends");
        assert!(printed.contains(block), "no test prints this:\n{block}");
        shown += 1;
    }
    assert_eq!(shown, page.matches("<!-- printed -->").count());
    assert!(shown >= 5, "{shown}");
}

/// Tasks of so many services, each with one of the images, by turns; all of them are in the registry.
fn services(registry: &TestRegistry, services: usize, images: usize) -> Value {
    let made: Vec<(String, String)> = (0..images)
        .map(|at| {
            let repository = format!("team/app{at}");
            let image = MadeImage::new(&[(at as u64, 20_000)]);
            let digest = registry.with(&repository, |content| image.store(content, "1.4"));
            (registry.name(&format!("{repository}:1.4")), digest)
        })
        .collect();
    let tasks: Vec<Value> = (0..services)
        .map(|at| {
            let (name, digest) = &made[at % images];
            let service = format!("service{at}");
            let mut task = task(&format!("{at:04x}"), &service, &json!({}), &[("web", name)]);
            task["containers"][0]["imageDigest"] = json!(digest);
            task
        })
        .collect();
    json!({ "tasks": tasks })
}

/// How often each thing was asked for.
fn asked(registry: &TestRegistry) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for exchange in registry.take_log() {
        *counted
            .entry(format!("{} {}", exchange.method, exchange.path))
            .or_default() += 1;
    }
    counted
}

#[test]
fn many_services_ask_for_each_image_once() {
    let place = Place::new();
    let words = [
        "why",
        "tasks.json",
        "--format",
        "json",
        "--fail-on",
        "never",
        "--check-images",
        "on",
    ];
    let registry = TestRegistry::start(Behaviour::default());
    let ask = |number: usize, images: usize| {
        place.write("tasks.json", &services(&registry, number, images).to_string());
        registry.take_log();
        let report = place.run(&words).ended(0).json();
        assert_eq!(report["groups"].as_array().map(Vec::len), Some(number));
        assert_eq!(report["registries"], json!([]), "all were asked");
        let counted = asked(&registry);
        let of = |kind: &str| -> usize {
            let calls = counted.iter().filter(|(call, _)| call.contains(kind));
            calls.map(|(_, times)| times).sum()
        };
        (of("/manifests/"), of("/blobs/"), of("/referrers/"))
    };
    // What one service asks, forty images are asked as often for each, whether 40 services have them or 250.
    let (manifests, blobs, referrers) = ask(1, 1);
    assert!(manifests > 0 && blobs > 0, "{manifests} {blobs} {referrers}");
    for number in [40, 250] {
        assert_eq!(
            ask(number, 40),
            (40 * manifests, 40 * blobs, 40 * referrers),
            "{number}"
        );
    }
}
