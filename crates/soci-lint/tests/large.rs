//! Large and hostile documents end in time: what is quadratic anywhere in reading, judging or writing
//! takes hours on these.

use std::fmt::Write;

use soci_lint::{Format, Input, Options, RenderOptions, Report, lint, render};

const MEBIBYTE: usize = 1 << 20;

fn run(text: String) -> Report {
    let input = Input {
        path: "large".to_owned(),
        bytes: text.into_bytes(),
    };
    let sources = std::slice::from_ref(&input);
    let report = lint(sources, &Options::default());
    let options = RenderOptions {
        sources,
        ..RenderOptions::default()
    };
    for format in [
        Format::Human,
        Format::Short,
        Format::Json,
        Format::Github,
        Format::Markdown,
    ] {
        assert!(!render(&report, format, &options).is_empty());
    }
    report
}

#[test]
fn a_line_of_thousands_of_containers() {
    let mut text =
        "{\"family\":\"x\",\"requiresCompatibilities\":[\"FARGATE\"],\"containerDefinitions\":[".to_owned();
    for at in 0..10_000 {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"name\":\"c{at}\",\"image\":\"nginx:{at}\",\"x\":\"{:é>60}\"}}",
            ""
        );
    }
    text.push_str("]}");
    let report = run(text);
    assert_eq!(report.summary.not_lazy, 10_000);
    assert_eq!(report.summary.errors, 10_000);
}

#[test]
fn a_template_of_thousands_of_tasks_and_services() {
    let mut text = "Parameters:\n  Image: { Type: String, Default: nginx }\nResources:\n".to_owned();
    for at in 0..3_000 {
        let _ = write!(
            text,
            "  T{at}:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      RequiresCompatibilities: [EC2, FARGATE]\n      ContainerDefinitions:\n        - {{ Name: é, Image: !Ref Image }}\n  S{at}:\n    Type: AWS::ECS::Service\n    Properties: {{ TaskDefinition: !Ref T{at}, LaunchType: FARGATE }}\n"
        );
    }
    let report = run(text);
    assert_eq!(report.summary.tasks, 3_000);
    assert_eq!(report.summary.not_lazy, 3_000);
}

#[test]
fn opening_brackets_and_marks_without_end() {
    for (piece, prefix) in [
        ("{", ""),
        ("{{ ", ""),
        ("{% ", "a: "),
        ("[", ""),
        ("<", "a: "),
        ("${", "[\""),
        ("$", "[1, "),
        ("- ", ""),
        ("? ", ""),
        ("!a ", "b: "),
        ("&a ", "b: "),
        ("\"", "a: "),
        ("# soci-lint: allow SOCI1 ", "a: b "),
        ("# soci-lint: allow SOCI1\n", ""),
        ("// soci-lint: allow SOCI1\n", "{"),
        ("// soci-lint: ", "[\""),
        ("/*", "{"),
        ("a: {{ b }}\n", ""),
        ("{# ", "{"),
    ] {
        run(format!("{prefix}{}", piece.repeat(MEBIBYTE / piece.len())));
    }
}

#[test]
fn keys_that_repeat() {
    let text = format!(
        "{{\"family\": \"x\", {}\"z\": 1}}",
        "\"a\": 1,".repeat(MEBIBYTE / 7)
    );
    let report = run(text);
    assert!(report.summary.errors + report.summary.warnings > 0);
}

/// Each line doubles the text that the one before it stands for.
#[test]
fn expressions_that_double() {
    let mut text =
        "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      X0: &x0 nginx\n"
            .to_owned();
    for at in 1..40 {
        let _ = writeln!(text, "      X{at}: &x{at} !Join [\"\", [*x{0}, *x{0}]]", at - 1);
    }
    text.push_str("      ContainerDefinitions:\n        - Name: x\n          Image: *x39\n");
    let report = run(text);
    assert_eq!(report.summary.unknown + report.summary.not_lazy, 1);
}

#[test]
fn conditions_that_double() {
    let mut text = "Conditions:\n  C0: !Equals [a, !Ref B]\n".to_owned();
    for at in 1..60 {
        let _ = writeln!(text, "  C{at}: !Or [!Condition C{0}, !Condition C{0}]", at - 1);
    }
    text.push_str(
        "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Name: x\n          Image: !If [C59, nginx, ghcr.io/a/b]\n",
    );
    assert_eq!(run(text).summary.containers, 1);
}
