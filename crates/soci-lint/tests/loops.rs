//! Loops and arithmetic of Terraform: what is looped over in a template comes to the same as what is written out, and
//! what is not known stays unknown.

use proptest::prelude::*;
use soci_lint::{Beside, Input, Options, Report, lint_beside};

/// A template beside the configuration.
struct Template(String);

impl Beside for Template {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        (path == "task.tpl").then(|| self.0.clone().into_bytes())
    }

    fn folder(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}

fn report(text: &str, template: &str) -> Report {
    let input = Input {
        path: "main.tf".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    lint_beside(&[input], &Template(template.to_owned()), &Options::default())
}

/// Name, verdict and image of each container.
fn containers(text: &str, template: &str) -> Vec<(String, String, Option<String>)> {
    let report = report(text, template);
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    let mut found: Vec<_> = tasks
        .flat_map(|task| &task.containers)
        .map(|container| {
            (
                container.name.clone(),
                container.verdict.as_str().to_owned(),
                container.image.clone(),
            )
        })
        .collect();
    found.sort();
    found
}

fn task(definitions: &str, rest: &str) -> String {
    format!(
        "resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  requires_compatibilities = [\"FARGATE\"]\n  \
         network_mode = \"awsvpc\"\n  cpu = 256\n  memory = 512\n  container_definitions = {definitions}\n}}\n{rest}\n"
    )
}

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

const BODY: &str = r#"{ "name": "${c.name}", "image": "${c.image}" },"#;

/// The image of one container with this in it.
fn image_of(image: &str, rest: &str) -> String {
    let definitions = format!("jsonencode([{{ name = \"a\", image = {image} }}])");
    let mut found = containers(&task(&definitions, rest), "");
    assert_eq!(found.len(), 1, "{image}");
    found.remove(0).2.unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn loops_come_to_what_is_written_out(
        images in prop::collection::vec(prop::sample::select(vec!["nginx:1", "ECR/web:1", "ghcr.io/a/b:2"]), 1..6),
    ) {
        let images: Vec<String> = images.iter().map(|image| image.replace("ECR", ECR)).collect();
        let items: Vec<String> = images
            .iter()
            .enumerate()
            .map(|(at, image)| format!("{{ name = \"c{at}\", image = \"{image}\" }}"))
            .collect();
        let list = format!("[{}]", items.join(", "));
        let map: Vec<String> = items.iter().enumerate().map(|(at, item)| format!("k{at} = {item}")).collect();
        let local = format!("locals {{\n  list = {list}\n  map = {{ {} }}\n}}", map.join("\n"));
        let wanted = containers(&task(&format!("jsonencode({list})"), ""), "");
        prop_assert_eq!(wanted.len(), images.len());
        for of in ["local.list", "local.map"] {
            let head = if of == "local.map" { "k, c" } else { "c" };
            let heredoc = format!("<<EOT\n[\n%{{ for {head} in {of} ~}}\n{BODY}\n%{{ endfor ~}}\n]\nEOT");
            prop_assert_eq!(&containers(&task(&heredoc, &local), ""), &wanted);
            let template = format!("[\n%{{ for {head} in given ~}}\n{BODY}\n%{{ endfor ~}}\n]\n");
            let call = format!("templatefile(\"${{path.module}}/task.tpl\", {{ given = {of} }})");
            prop_assert_eq!(&containers(&task(&call, &local), &template), &wanted);
            let expression = format!("jsonencode([for {head} in {of} : {{ name = c.name, image = c.image }}])");
            prop_assert_eq!(&containers(&task(&expression, &local), ""), &wanted);
        }
    }

    /// Whatever stands in tags: a report, and never more known than there is.
    #[test]
    fn no_template_is_too_odd(
        head in "[a-z, ]{0,6}( in )?[a-z.\\[\\]{}\"$0-9]{0,12}",
        body in "[a-z{}%~$\",: \n]{0,40}",
        operator in "[-+*/%<>=!&|]{1,2}",
    ) {
        let template = format!("[%{{ for {head} }}{{\"name\":\"a\",\"image\":\"{body}\"}}%{{ endfor }}]");
        let call = "templatefile(\"task.tpl\", { given = [1] })";
        let rest = format!("locals {{ odd = 1 {operator} 2 }}");
        for text in [task(call, &rest), task(&format!("<<EOT\n{template}\nEOT"), &rest)] {
            let found = report(&text, &template);
            prop_assert!(!found.files.is_empty());
        }
    }

    #[test]
    fn whole_numbers_are_calculated(sum in calculation()) {
        let (text, value) = sum;
        let image = image_of(&format!("\"{ECR}/a:${{{text}}}\""), "");
        match value {
            Some(value) => prop_assert_eq!(image, format!("{ECR}/a:{value}")),
            None => prop_assert!(image.contains("${"), "{} is {}", text, image),
        }
    }
}

/// An expression as Terraform writes it and what it comes to; `None` where that is no whole number.
fn calculation() -> impl Strategy<Value = (String, Option<i64>)> {
    let leaf = (0_i64..50).prop_map(|number| (number.to_string(), Some(number), 3_u8));
    leaf.prop_recursive(4, 12, 2, |inner| {
        (
            inner.clone(),
            prop::sample::select(vec!["+", "-", "*", "/", "%"]),
            inner,
        )
            .prop_map(|(left, operator, right)| {
                let strength = if matches!(operator, "+" | "-") { 1 } else { 2 };
                let closed = |text: String, own: u8, weaker: bool| match weaker {
                    true => (format!("({text})"), own),
                    false => (text, own),
                };
                // Of equal strength they go from left to right.
                let (a, _) = closed(left.0, left.2, left.2 < strength);
                let (b, _) = closed(right.0, right.2, right.2 <= strength);
                let value = left.1.zip(right.1).and_then(|(left, right)| match operator {
                    "+" => left.checked_add(right),
                    "-" => left.checked_sub(right),
                    "*" => left.checked_mul(right),
                    "/" => left.checked_div(right).filter(|whole| whole * right == left),
                    _ => left.checked_rem(right),
                });
                (format!("{a} {operator} {b}"), value, strength)
            })
    })
    .prop_map(|(text, value, _)| (text, value))
}

#[test]
fn loops_in_texts_are_written_out() {
    let locals = "locals { parts = [\"a\", \"b\"] }";
    for (text, wanted) in [
        ("%{ for p in local.parts }${p}-%{ endfor }x", "a-b-x"),
        ("%{ for i, p in local.parts }${i}${p}%{ endfor }", "0a1b"),
        ("%{ for p in [] }${p}%{ endfor }x", "x"),
        ("r%{ for p in local.parts ~}  ${p} %{~ endfor }:1", "rab:1"),
        (
            "%{ if length(local.parts) > 1 ~} many %{~ else }one%{ endif }",
            "many",
        ),
        (
            "%{ for p in local.parts }%{ if p == \"b\" }${p}%{ endif }%{ endfor }",
            "b",
        ),
        ("a${ 1 + 1 }", "a2"),
        ("a${ -3 + length(local.parts) * 2 }", "a1"),
    ] {
        let text = text.replace('"', "\\\"").replace("\\\"b\\\"", "\"b\"");
        assert_eq!(image_of(&format!("\"{text}\""), locals), wanted, "{text}");
    }
}

#[test]
fn what_is_not_known_stays_unknown_and_says_why() {
    let variable = "variable \"open\" {}";
    let shown = image_of("\"%{ for p in var.open }${p}%{ endfor }\"", variable);
    assert!(shown.contains("${"), "{shown}");
    let text = task(
        &format!("<<EOT\n[\n%{{ for c in var.open ~}}\n{BODY}\n%{{ endfor ~}}\n]\nEOT"),
        variable,
    );
    let found = report(&text, "");
    let tasks = found.files.iter().flat_map(|file| &file.tasks);
    let all: Vec<_> = tasks.flat_map(|task| &task.containers).collect();
    assert_eq!(all.len(), 1, "one stands for all");
    assert_eq!(all[0].verdict.as_str(), "unknown");
    let says = format!("{} {:?}", all[0].headline, all[0].next);
    assert!(says.contains("open"), "{says}");
    for fraction in ["7 / 2", "1.5 * 2", "1 / 0", "var.open + 1"] {
        let image = image_of(&format!("\"a:${{{fraction}}}\""), variable);
        assert!(image.contains("${"), "{fraction}: {image}");
    }
}

/// What is not looked at is told of: lists that are cut would end as if nothing else were there.
#[test]
fn long_lists_are_not_cut_in_silence() {
    let local = format!(
        "locals {{ many = [for i in range(0, 200) : {{ name = \"c${{i}}\", image = \"{ECR}/a:1\" }}] }}"
    );
    let hidden = "[{ name = \"last\", image = \"nginx\" }]";
    for list in [
        format!("concat(local.many, local.many, {hidden})"),
        format!("flatten([local.many, local.many, {hidden}])"),
        format!("[for c in concat(local.many, local.many, {hidden}) : c]"),
        format!("concat(local.many, local.many, {hidden})[*]"),
        format!("compact(concat(local.many, local.many, {hidden}))"),
    ] {
        let found = containers(&task(&format!("jsonencode({list})"), &local), "");
        let seen = found.iter().any(|(name, ..)| name == "last");
        let open = found.iter().any(|(_, verdict, image)| {
            verdict == "unknown" && image.as_deref() != Some(&format!("{ECR}/a:1"))
        });
        let told = report(&task(&format!("jsonencode({list})"), &local), "");
        let findings = told
            .findings
            .iter()
            .map(|finding| finding.message.clone())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            seen || open || findings.contains("longer"),
            "{list}: {} containers\n{findings}",
            found.len()
        );
    }
}
