//! The verdict for other consumers of the same images: what they share with Fargate, and what is ECS's alone.

use soci_lint::{
    Consumer, Error, Format, ImageFactsEntry, Input, Options, RenderOptions, Report, lint, render,
};

/// One image in ECR, one on Docker Hub; on EC2, with a health check.
const TASK: &str = r#"{
  "family": "shop",
  "requiresCompatibilities": ["EC2"],
  "containerDefinitions": [
    {
      "name": "web",
      "image": "210987654321.dkr.ecr.eu-central-1.amazonaws.com/web:1.4",
      "healthCheck": { "command": ["CMD", "true"] }
    },
    { "name": "proxy", "image": "nginx:1.27" }
  ]
}
"#;

const LAZY: &str = include_str!("fixtures/facts/lazy.json");
const NO_INDEX: &str = include_str!("fixtures/facts/no-index.json");
const INDEX_V1: &str = include_str!("fixtures/facts/index-v1.json");

fn run(text: &str, consumer: Consumer, facts: &[(&str, &str)]) -> Report {
    let entry = |(image, facts): &(&str, &str)| ImageFactsEntry {
        image: (*image).to_owned(),
        facts: serde_json::from_str(facts).expect("facts"),
    };
    let options = Options {
        consumer,
        image_facts: facts.iter().map(entry).collect(),
        ..Options::default()
    };
    let input = Input {
        path: "task-definition.json".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    lint(&[input], &options)
}

/// `web: lazy, why` for each container.
fn said(report: &Report) -> Vec<String> {
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    tasks
        .flat_map(|task| &task.containers)
        .map(|container| {
            let verdict = container.verdict.as_str();
            format!("{}: {verdict}, {}", container.name, container.headline)
        })
        .collect()
}

#[test]
fn each_consumer_has_its_own_verdict() {
    let facts = [("*/web:*", LAZY), ("nginx:*", NO_INDEX)];
    let of = |consumer| said(&run(TASK, consumer, &facts)).join("\n");
    insta::assert_snapshot!(of(Consumer::Fargate), @r"
    web: not-lazy, the task requires EC2, not Fargate
    proxy: not-lazy, the task requires EC2, not Fargate
    ");
    insta::assert_snapshot!(of(Consumer::SageMaker), @r"
    web: lazy, loaded lazily: SOCI index v2 with 1 of 2 layers, 99.6 % of 602.0 MiB
    proxy: not-lazy, the image is on Docker Hub (no registry is named), not in a private ECR repository
    ");
    insta::assert_snapshot!(of(Consumer::Containerd), @r"
    web: lazy, loaded lazily where the SOCI snapshotter pulls: SOCI index v2 with 1 of 2 layers, 99.6 % of 602.0 MiB
    proxy: not-lazy, the image has no SOCI index
    ");
}

#[test]
fn without_facts_the_image_is_open_wherever_the_consumer_takes_images_from() {
    let of = |consumer| said(&run(TASK, consumer, &[])).join("\n");
    insta::assert_snapshot!(of(Consumer::SageMaker), @r"
    web: unknown, eligible, if the image has a SOCI v2 index (on Linux by default)
    proxy: not-lazy, the image is on Docker Hub (no registry is named), not in a private ECR repository
    ");
    insta::assert_snapshot!(of(Consumer::Containerd), @r"
    web: unknown, eligible, if the image has a SOCI v2 index (on Linux by default)
    proxy: unknown, eligible, if the image has a SOCI v2 index (on Linux by default)
    ");
}

#[test]
fn windows_and_an_index_of_version_1_are_told_for_each() {
    let windows = TASK.replacen(
        "\"requiresCompatibilities\": [\"EC2\"]",
        "\"runtimePlatform\": { \"operatingSystemFamily\": \"WINDOWS_SERVER_2022_CORE\" }",
        1,
    );
    for consumer in [Consumer::SageMaker, Consumer::Containerd] {
        let report = run(&windows, consumer, &[("*/web:*", LAZY)]);
        assert!(
            said(&report)[0].contains("does that for Linux"),
            "{:?}",
            said(&report)
        );
        let old = run(TASK, consumer, &[("*/web:*", INDEX_V1)]);
        assert!(said(&old)[0].starts_with("web: unknown, the image has a SOCI index v1 only, "));
        assert!(!said(&old)[0].contains("Fargate"), "{:?}", said(&old));
    }
}

/// What is said about ECS is not said about others.
#[test]
fn rules_about_ecs_are_for_ecs() {
    let all = Options {
        select: vec!["all".to_owned()],
        ..Options::default()
    };
    let codes = |consumer| {
        let input = Input {
            path: "task-definition.json".to_owned(),
            bytes: TASK.replace("[\"EC2\"]", "[\"FARGATE\"]").into_bytes(),
        };
        let options = Options {
            consumer,
            ..all.clone()
        };
        let report = lint(&[input], &options);
        let codes: Vec<String> = report.findings.into_iter().map(|found| found.code).collect();
        codes.join(" ")
    };
    insta::assert_snapshot!(codes(Consumer::Fargate), @"SOCI201 SOCI301 SOCI402 SOCI407 SOCI403 SOCI408");
    insta::assert_snapshot!(codes(Consumer::SageMaker), @"SOCI201 SOCI301 SOCI402 SOCI407");
    insta::assert_snapshot!(codes(Consumer::Containerd), @"SOCI301 SOCI402 SOCI407 SOCI301 SOCI402");
}

#[test]
fn a_report_for_another_consumer_says_so() {
    let report = run(TASK, Consumer::Containerd, &[]);
    let shown = |format| render(&report, format, &RenderOptions::default());
    for format in [Format::Human, Format::Short, Format::Markdown] {
        let text = shown(format);
        assert!(text.contains("2 containers for containerd: "), "{text}");
    }
    assert!(shown(Format::Json).contains("\"for\": \"containerd\""));
    let fargate = run(TASK, Consumer::Fargate, &[]);
    assert!(!render(&fargate, Format::Json, &RenderOptions::default()).contains("\"for\""));
    let back: Report = serde_json::from_str(&shown(Format::Json)).expect("a report");
    assert_eq!(back, report);
}

#[test]
fn who_uses_no_index_is_refused_and_told_why() {
    for (word, why) in [
        ("eks", "pull images in parallel and use no SOCI index"),
        ("Bottlerocket", "pull images in parallel and use no SOCI index"),
        ("lambda", "Lambda takes no image index"),
        ("ec2", "on Fargate only"),
        ("batch", "nothing is documented"),
        (
            "podman",
            "there is no verdict for `podman`: use fargate, sagemaker or containerd",
        ),
    ] {
        let error = word.parse::<Consumer>().unwrap_err();
        assert!(matches!(error, Error::Consumer { .. }));
        assert!(error.to_string().contains(why), "{error}");
        let options = Options::from_json(&format!("{{\"for\": \"{word}\"}}")).unwrap_err();
        assert!(options.to_string().contains(why), "{options}");
    }
    for consumer in Consumer::ALL {
        assert_eq!(consumer.as_str().parse(), Ok(consumer));
    }
}
