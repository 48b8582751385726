//! `lint`, `rules`, `explain` as a user meets them: reports, exit codes, paths, settings.

mod support;

use std::process::Stdio;

use support::{Place, Run};

const TASK: &str = r#"{
  "family": "shop",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "1024",
  "memory": "2048",
  "containerDefinitions": [
    { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4" },
    { "name": "cache", "image": "redis:7" }
  ]
}
"#;

const TEMPLATE: &str = "\
Parameters:
  Image:
    Type: String
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: '256'
      Memory: '512'
      ContainerDefinitions:
        - Name: web
          Image: !Ref Image
";

fn place() -> Place {
    let place = Place::new();
    place.write("deploy/task-definition.json", TASK);
    place.write("deploy/web.template.yaml", TEMPLATE);
    place.write("deploy/package.json", "{}");
    place
}

fn shown(run: &Run) -> String {
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        run.code, run.stdout, run.stderr
    )
}

#[test]
fn the_report_in_every_form() {
    let place = place();
    for form in ["human", "short", "json", "github", "markdown"] {
        let run = place.run(&["lint", "--format", form, "deploy/task-definition.json"]);
        insta::assert_snapshot!(format!("lint_{form}"), shown(&run));
    }
}

#[test]
fn fail_on_decides_the_exit_code() {
    let place = place();
    for (fail_on, code) in [("error", 1), ("warning", 1), ("not-lazy", 1), ("never", 0)] {
        place
            .run(&["lint", "--fail-on", fail_on, "deploy/task-definition.json"])
            .ended(code);
    }
    let without_errors = [
        "lint",
        "--severity",
        "SOCI201=info",
        "deploy/task-definition.json",
        "--fail-on",
    ];
    for (fail_on, code) in [("error", 0), ("warning", 0), ("not-lazy", 1), ("never", 0)] {
        place.run(&[&without_errors[..], &[fail_on]].concat()).ended(code);
    }
}

#[test]
fn a_folder_is_searched_by_name_and_a_parameter_resolves() {
    let place = place();
    place.write("deploy/template.yaml", "title: something else\n");
    let run = place
        .run(&[
            "lint",
            "--format",
            "json",
            "--param",
            "Image=quay.io/team/web:1",
            "deploy",
        ])
        .ended(1);
    let report = run.json();
    let paths: Vec<_> = report["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(paths, ["deploy/task-definition.json", "deploy/web.template.yaml"]);
    assert_eq!(report["summary"]["not_lazy"], 2);
    assert_eq!(
        report["files"][1]["tasks"][0]["containers"][0]["image"],
        "quay.io/team/web:1"
    );
}

#[test]
fn stdin_is_a_document() {
    let place = Place::new();
    let mut child = place
        .command(&["lint", "--format", "short", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), TASK.as_bytes()).expect("it reads");
    let run = Run::of(child.wait_with_output().expect("it ends")).ended(1);
    assert!(run.stdout.starts_with("-:9:"), "{}", run.stdout);
}

#[test]
fn wrong_calls_say_what_to_do() {
    let place = place();
    let calls: &[&[&str]] = &[
        &["lint", "missing.json"],
        &["lint", "deploy/*.toml"],
        &["lint", "docker-config"],
        &["lint", "--kind", "helm", "deploy"],
        &["lint", "--select", "SOCI777", "deploy"],
        &["lint", "--severity", "SOCI201=fatal", "deploy"],
        &["lint", "--severity", "SOCI201", "deploy"],
        &["lint", "--param", "Image", "deploy"],
        &["lint", "--platform-version", "new", "deploy"],
        &["lint", "--launch-type", "LAMBDA", "deploy"],
        &["lint", "--image-facts", "nowhere.json", "deploy"],
        &[
            "lint",
            "--image-facts",
            "web=deploy/task-definition.json",
            "deploy",
        ],
        &["lint", "--layout", "web", "deploy"],
        &["lint", "--fail-on", "often", "deploy"],
        &["lint", "--format", "sarif", "deploy"],
        &["explain", "SOCI20"],
    ];
    let mut text = String::new();
    for call in calls {
        let run = place.run(call);
        assert!(run.code == 2 || run.code == 3, "{call:?} ended with {}", run.code);
        assert_eq!(run.stdout, "", "{call:?}");
        text.push_str(&format!(
            "$ cargo-soci {}\nexit code {}\n{}\n",
            call.join(" "),
            run.code,
            run.stderr
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn settings_come_from_files_the_environment_and_flags() {
    let mut place = place();
    place.write(
        "soci.toml",
        "task-definitions = [\"deploy/task-definition.json\"]\n[lint]\nignore = [\"SOCI201\"]\nfail-on = \"never\"\n",
    );
    let report = place.run(&["lint", "--format", "json"]).ended(0).json();
    assert_eq!(report["summary"]["not_lazy"], 1);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report}");
    place.run(&["lint", "--fail-on", "not-lazy"]).ended(1);
    place.set("CARGO_SOCI_LINT_FAIL_ON", "not-lazy");
    place.run(&["lint"]).ended(1);
    place.run(&["lint", "--fail-on", "never"]).ended(0);
    place.write("soci.toml", "[lint]\nselct = [\"SOCI201\"]\n");
    let run = place.run(&["lint", "deploy"]).ended(2);
    assert!(
        run.stderr.contains("soci.toml:2:1") && run.stderr.contains("lint.select"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_table_of_a_cargo_project_counts_as_well() {
    let place = place();
    place.write(
        "Cargo.toml",
        "[workspace]\n[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[package.metadata.soci.lint]\nfail-on = \"never\"\n",
    );
    place.run(&["lint", "deploy"]).ended(0);
}

#[test]
fn an_image_that_lies_here_is_examined() {
    let place = place();
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4";
    let archive = soci_tests::image_vectors().join("inputs/after-two-all.tar");
    let layout = format!("{image}={}", archive.display());
    let report = place
        .run(&[
            "lint",
            "--format",
            "json",
            "--layout",
            &layout,
            "--fail-on",
            "never",
            "deploy/task-definition.json",
        ])
        .ended(0)
        .json();
    let web = &report["files"][0]["tasks"][0]["containers"][0];
    assert_eq!(web["verdict"], "lazy", "{web}");
}

#[test]
fn rules_are_listed_and_explained() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["rules"]).ended(0).stdout);
    let by_code = place.run(&["explain", "soci201"]).ended(0).stdout;
    let by_name = place
        .run(&["explain", "image-not-in-ecr-private"])
        .ended(0)
        .stdout;
    assert_eq!(by_code, by_name);
    assert!(by_code.starts_with("# SOCI201: image-not-in-ecr-private\n"));
    let all = place.run(&["rules", "--format", "json"]).ended(0).json();
    assert!(all.as_array().is_some_and(|rules| rules.len() > 20));
}
