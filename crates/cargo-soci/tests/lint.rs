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
    for (fail_on, code) in [
        ("error", 1),
        ("warning", 1),
        ("not-lazy", 1),
        ("unknown", 1),
        ("never", 0),
    ] {
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
    for (fail_on, code) in [
        ("error", 0),
        ("warning", 0),
        ("not-lazy", 1),
        ("unknown", 1),
        ("never", 0),
    ] {
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
        &["lint", "--for", "eks", "deploy"],
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
        &["lint", "--accept", "web -- small", "deploy"],
        &["lint", "--var-file", "none.tfvars", "deploy"],
        &["rules", "--format", "sarif"],
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
fn another_consumer_is_a_flag_and_a_setting() {
    let mut place = place();
    let shown = |place: &Place, flags: &[&str]| {
        let call = [
            &["lint", "--format", "short", "deploy/task-definition.json"],
            flags,
        ]
        .concat();
        place.run(&call).stdout
    };
    assert!(shown(&place, &[]).contains("not-lazy shop/cache: the image is on Docker Hub"));
    let flag = shown(&place, &["--for", "containerd"]);
    assert!(flag.contains("unknown shop/cache: eligible"), "{flag}");
    place.write("soci.toml", "[lint]\nfor = \"containerd\"\n");
    assert_eq!(shown(&place, &[]), flag);
    place.set("CARGO_SOCI_LINT_FOR", "sagemaker");
    assert!(shown(&place, &[]).contains("2 containers for sagemaker"));
    assert_eq!(shown(&place, &["--for", "containerd"]), flag);
    place.set("CARGO_SOCI_LINT_FOR", "bottlerocket");
    let run = place.run(&["lint", "deploy"]).ended(2);
    assert!(run.stderr.contains("use no SOCI index"), "{}", run.stderr);
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

/// The last line of a report.
fn last_line(run: &Run) -> &str {
    run.stdout.trim_end().lines().next_back().unwrap_or("")
}

#[test]
fn what_made_the_exit_code_1_is_said_last_in_every_form() {
    let place = place();
    for (form, begin) in [
        ("human", "failed (fail-on not-lazy): "),
        ("short", "failed (fail-on not-lazy): "),
        ("github", "::error title=soci-lint::failed (fail-on not-lazy): "),
        ("markdown", "**failed \\(fail\\-on not\\-lazy\\): "),
    ] {
        let words = [
            "lint",
            "--format",
            form,
            "--fail-on",
            "not-lazy",
            "deploy/task-definition.json",
        ];
        let run = place.run(&words).ended(1);
        assert!(last_line(&run).starts_with(begin), "{form}: {}", run.stdout);
        assert!(
            last_line(&run).contains("1 container not loaded lazily"),
            "{}",
            run.stdout
        );
    }
    let passed = place
        .run(&["lint", "--fail-on", "never", "deploy/task-definition.json"])
        .ended(0);
    assert!(!passed.stdout.contains("failed ("), "{}", passed.stdout);
}

#[test]
fn a_run_that_judged_nothing_is_not_green() {
    let place = Place::new();
    place.write("package.json", "{\"name\": \"web\"}");
    place.write("empty.json", "");
    place.write("broken.json", "{\"family\": ");
    place.write("compose.yaml", "services:\n  web:\n    image: nginx\n");
    place.write(
        "copilot.yml",
        "name: front\ntype: Request-Driven Web Service\nimage: {location: public.ecr.aws/acme/front:1}\n",
    );
    place.write("latin.json", "placeholder");
    std::fs::write(place.join("latin.json"), b"{\"family\": \"caf\xe9\"}").expect("written");
    place.write(
        "network.yaml",
        "Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties: {CidrBlock: 10.0.0.0/16}\n",
    );
    for file in [
        "package.json",
        "empty.json",
        "broken.json",
        "compose.yaml",
        "copilot.yml",
        "latin.json",
        "network.yaml",
    ] {
        // Whatever is selected, a file that was named has to be one that is read.
        place.run(&["lint", file]).ended(1);
        place.run(&["lint", "--select", "SOCI2", file]).ended(1);
        place.run(&["lint", "--ignore", "SOCI9", file]).ended(1);
        for fail_on in ["not-lazy", "unknown"] {
            let run = place
                .run(&[
                    "lint",
                    "--ignore",
                    "not-a-task-definition,syntax-error,unreadable-file,kind-not-read-yet",
                    "--fail-on",
                    fail_on,
                    file,
                ])
                .ended(1);
            let said = last_line(&run);
            assert!(said.contains("no container was judged"), "{file}: {}", run.stdout);
        }
        place.run(&["lint", "--fail-on", "never", file]).ended(0);
    }
    // A pattern may match other files; a search passes them over, unless the name says what it is.
    place.run(&["lint", "p*.json"]).ended(0);
    place.run(&["lint", "--fail-on", "warning", "p*.json"]).ended(1);
    place.run(&["lint", "--fail-on", "not-lazy", "p*.json"]).ended(1);
    let found = Place::new();
    found.write("mail/hello.template", "Dear {{ name }},\n");
    found.write("mail/template.yaml", "title: a letter\n");
    let run = found.run(&["lint", "--format", "json", "mail"]).ended(0);
    assert_eq!(run.json()["summary"]["files"], 0, "{}", run.stdout);
    found.write("mail/task-definition.json", "{\"family\": ");
    found.run(&["lint", "mail"]).ended(1);
}

#[test]
fn a_kind_against_the_content_is_an_error() {
    let place = place();
    for (kind, file) in [
        ("cloudformation", "deploy/task-definition.json"),
        ("task-definition", "deploy/web.template.yaml"),
        ("service", "deploy/package.json"),
    ] {
        let run = place
            .run(&["lint", "--format", "short", "--kind", kind, file])
            .ended(1);
        assert!(run.stdout.contains("error[SOCI919]"), "{}", run.stdout);
    }
    place
        .run(&[
            "lint",
            "--fail-on",
            "never",
            "--kind",
            "describe-output",
            "deploy/task-definition.json",
        ])
        .ended(0);
}

#[test]
fn what_matches_nothing_is_a_warning() {
    let place = place();
    let archive = soci_tests::image_vectors().join("inputs/after-two-all.tar");
    let layout = format!("elsewhere/web:9={}", archive.display());
    for (flag, word, said) in [
        ("--param", "Imgae=x", "no file asks for the parameter `Imgae`"),
        ("--var", "image=x", "no module has the variable `image`"),
        (
            "--layout",
            layout.as_str(),
            "no container has the image `elsewhere/web:9`",
        ),
    ] {
        let words = [
            "lint",
            "--severity",
            "SOCI201=info",
            flag,
            word,
            "deploy/task-definition.json",
        ];
        let run = place.run(&words).ended(0);
        assert!(
            run.stdout.contains("warning[SOCI9") && run.stdout.contains(said),
            "{}",
            run.stdout
        );
        place
            .run(&[&words[..], &["--fail-on", "warning"]].concat())
            .ended(1);
    }
}

#[test]
fn accepted_containers_stop_failing_and_stay_visible() {
    let place = place();
    let words = [
        "lint",
        "--format",
        "short",
        "--fail-on",
        "not-lazy",
        "deploy/task-definition.json",
    ];
    place.run(&words).ended(1);
    place.write(
        "soci.toml",
        "[[lint.accept]]\ncontainer = \"cache\"\nimage = \"redis:*\"\nreason = \"it starts before the others\"\n",
    );
    let run = place.run(&words).ended(0);
    assert!(
        run.stdout.contains(
            "not-lazy, accepted shop/cache: it starts before the others (the image is on Docker Hub"
        ),
        "{}",
        run.stdout
    );
    // Strict about what is unknown, the other container fails.
    place
        .run(&["lint", "--fail-on", "unknown", "deploy/task-definition.json"])
        .ended(1);
    for (entry, said) in [
        (
            "container = \"cache\"",
            "accept: container `cache` has no `reason`",
        ),
        (
            "reason = \"why\"",
            "accept: an entry names neither `container` nor `image`",
        ),
        (
            "contianer = \"cache\"",
            "soci.toml:2:1: `lint.accept` must be a list of tables",
        ),
    ] {
        place.write("soci.toml", &format!("[[lint.accept]]\n{entry}\n"));
        let run = place.run(&words).ended(2);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn the_shipped_list_of_helpers_can_be_switched_off() {
    let place = Place::new();
    place.write(
        "task-definition.json",
        &TASK.replace("redis:7", "public.ecr.aws/xray/aws-xray-daemon:3.3"),
    );
    let words = ["lint", "--fail-on", "not-lazy", "task-definition.json"];
    place.run(&words).ended(0);
    place
        .run(&[&words[..], &["--sidecars", "judge"]].concat())
        .ended(1);
    place.write("soci.toml", "[lint]\nsidecars = \"judge\"\n");
    place.run(&words).ended(1);
}

#[test]
fn parameters_join_those_of_the_configuration() {
    let place = place();
    place.write("soci.toml", "[lint.params]\nImage = \"quay.io/team/web:1\"\n");
    let run = place
        .run(&[
            "lint",
            "--format",
            "json",
            "--fail-on",
            "never",
            "--param",
            "AWS::Region=eu-west-1",
            "deploy/web.template.yaml",
        ])
        .ended(0);
    let container = &run.json()["files"][0]["tasks"][0]["containers"][0];
    assert_eq!(container["image"], "quay.io/team/web:1");
}

#[test]
fn a_variable_of_something_else_is_a_warning() {
    let mut place = place();
    place.set("CARGO_SOCI_VERSION", "1.2.3");
    let run = place
        .run(&["lint", "--fail-on", "never", "deploy/task-definition.json"])
        .ended(0);
    assert!(
        run.stderr
            .contains("warning: environment variable CARGO_SOCI_VERSION"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_unknown_verdict_says_what_would_answer_it_in_every_form() {
    let place = place();
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4";
    for form in ["human", "short", "json", "github", "markdown", "sarif"] {
        let run = place.run(&["lint", "--format", form, "deploy/task-definition.json"]);
        let text = run.stdout.replace('\\', "");
        // In a terminal the line is broken between words.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains(&format!("--layout {image}=docker://{image}")),
            "{form}: {text}"
        );
    }
}

/// One struct: what the linter can be told, a flag can tell, and a file but for what is about the images of a run.
#[test]
fn every_option_has_a_flag_and_a_key() {
    let place = Place::new();
    let help = place.run(&["lint", "--help"]).ended(0).stdout;
    let keys = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/configuration.md"
    ))
    .expect("the reference");
    let schema = soci_lint::options_schema();
    let options = schema["properties"].as_object().expect("options");
    assert!(options.len() > 10, "{options:?}");
    for name in options.keys() {
        let flag = match name.as_str() {
            "params" => "param",
            "vars" => "var",
            "var-files" => "var-file",
            name => name,
        };
        assert!(help.contains(&format!("--{flag} ")), "no flag for {name}");
        let in_files = keys.contains(&format!("| `lint.{name}` |"));
        assert_eq!(in_files, name != "image-facts", "lint.{name}");
    }
}

#[test]
fn a_kind_an_acceptance_and_files_of_variables_can_be_configured() {
    let place = Place::new();
    place.write("infra/main.tf", MODULE);
    place.write(
        "values/prod.tfvars",
        "repository = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web\"\n",
    );
    place.write("soci.toml", "[lint]\nvar-files = [\"values/prod.tfvars\"]\n");
    let shown = |flags: &[&str]| {
        place
            .run(&[&["lint", "--format", "short", "infra"], flags].concat())
            .stdout
    };
    assert!(
        shown(&[]).contains("unknown aws_ecs_task_definition.web/web: eligible"),
        "{}",
        shown(&[])
    );
    place.write("soci.toml", "");
    assert!(shown(&[]).contains("not-lazy aws_ecs_task_definition.web/web"));
    assert!(
        shown(&["--accept", "container=w* -- it is small"])
            .contains("not-lazy, accepted aws_ecs_task_definition.web/web: it is small")
    );
    // A file that the user names is read wherever it lies.
    let elsewhere = Place::new();
    elsewhere.write(
        "prod.tfvars",
        "repository = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web\"\n",
    );
    let path = elsewhere.join("prod.tfvars");
    assert!(
        shown(&["--var-file", path.to_str().expect("UTF-8")])
            .contains("unknown aws_ecs_task_definition.web/web: eligible")
    );
    place.write("task.json", TASK);
    let idle = place.run(&["lint", "--var-file", path.to_str().expect("UTF-8"), "task.json"]);
    assert!(
        idle.stdout.contains("no module is read that the variables of"),
        "{}",
        idle.stdout
    );
    place.write("soci.toml", "[lint]\nkind = \"service\"\n");
    let run = place.run(&["lint", "--format", "short", "task.json"]);
    assert!(run.stdout.contains("SOCI919"), "{}", run.stdout);
}

const MODULE: &str = r#"variable "repository" { default = "nginx" }
resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "web", image = "${var.repository}:1.4" }])
}
"#;

#[test]
fn fixes_are_written_and_the_report_is_about_what_is_left() {
    let place = Place::new();
    let old = MODULE.to_owned() + SERVICE;
    place.write("infra/main.tf", &old);
    place.write("infra/values.tf", "variable \"x\" {}\n");
    let diff = place.run(&["lint", "--fix", "--diff", "infra"]).ended(1);
    assert_eq!(place.read("infra/main.tf"), old, "--diff changes nothing");
    insta::assert_snapshot!(shown(&diff));
    let fixed = place
        .run(&["lint", "--fix", "--format", "short", "infra"])
        .ended(1);
    assert!(fixed.stderr.contains("mended infra/main.tf"), "{}", fixed.stderr);
    assert!(
        !fixed.stdout.contains("SOCI106") && fixed.stdout.contains("SOCI201"),
        "{}",
        fixed.stdout
    );
    let new = old
        .replace("1.3.0", "1.4.0")
        .replace("  # soci-lint: allow latest-tag -- no longer\n", "");
    assert_eq!(place.read("infra/main.tf"), new);
    // The diff is one that git takes.
    place.write("infra/main.tf", &old);
    place.write("fix.diff", &diff.stdout);
    let applied = std::process::Command::new("git")
        .args(["apply", "fix.diff"])
        .current_dir(place.path())
        .status()
        .expect("git runs");
    assert!(applied.success());
    assert_eq!(place.read("infra/main.tf"), new);
    // The second time there is nothing to do.
    let again = place.run(&["lint", "--fix", "--diff", "infra"]).ended(1);
    assert_eq!((again.stdout.as_str(), place.read("infra/main.tf")), ("", new));
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

const SERVICE: &str = r#"resource "aws_ecs_service" "web" {
  # soci-lint: allow latest-tag -- no longer
  task_definition  = aws_ecs_task_definition.web.arn
  launch_type      = "FARGATE"
  platform_version = "1.3.0" # since 2020
}
"#;

#[test]
fn a_fix_keeps_links_and_permissions_and_refuses_stdin() {
    let place = Place::new();
    place.write("real/main.tf", &(MODULE.to_owned() + SERVICE));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::os::unix::fs::symlink("real/main.tf", place.join("main.tf")).expect("linked");
        let mode = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(place.join("real/main.tf"), mode).expect("set");
        place.run(&["lint", "--fix", "main.tf"]).ended(1);
        assert!(place.join("main.tf").is_symlink());
        assert!(place.read("real/main.tf").contains("\"1.4.0\""));
        let mode = std::fs::metadata(place.join("real/main.tf"))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    let template = "Resources: {S: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref T, PlatformVersion: 1.3.0}}, T: {Type: AWS::ECS::TaskDefinition, Properties: {RequiresCompatibilities: [FARGATE], ContainerDefinitions: [{Name: a, Image: nginx}]}}}\n";
    place.write("t.yaml", template);
    let piped = |flags: &[&str]| {
        let stdin = std::fs::File::open(place.join("t.yaml")).expect("there");
        let mut command = place.command(&[&["lint", "-"], flags].concat());
        Run::of(command.stdin(stdin).output().expect("it runs"))
    };
    let refused = piped(&["--fix"]).ended(2);
    assert!(
        refused.stderr.contains("cannot change stdin"),
        "{}",
        refused.stderr
    );
    assert!(
        piped(&["--fix", "--diff"])
            .ended(1)
            .stdout
            .contains("PlatformVersion: 1.4.0")
    );
    place.run(&["lint", "--diff", "t.yaml"]).ended(2);
}
