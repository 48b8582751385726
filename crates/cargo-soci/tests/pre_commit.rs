//! The hooks of `.pre-commit-hooks.yaml` in the hands of pre-commit itself, which is installed from PyPI.
#![cfg(all(unix, feature = "real-tools"))]

mod support;

use std::path::Path;
use std::process::Command;

use soci_tests::servers::python_environment;
use support::{Place, Run};

/// A repository that uses the hooks of this one: pre-commit takes them from a clone, so they are committed to one first.
fn repository(hook: &str) -> Place {
    let place = Place::new();
    let hooks =
        std::fs::read_to_string(soci_tests::repository().join(".pre-commit-hooks.yaml")).expect("our hooks");
    place.write("hooks/.pre-commit-hooks.yaml", &hooks);
    git(&place.join("hooks"), &["init", "-q"]);
    commit(&place.join("hooks"));
    let revision = git(&place.join("hooks"), &["rev-parse", "HEAD"]);
    let hooks = place.join("hooks");
    let config = format!(
        "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: {hook}\n        args: [--fail-on, not-lazy]\n",
        hooks.display(),
        revision.trim()
    );
    place.write("shop/.pre-commit-config.yaml", &config);
    git(&place.join("shop"), &["init", "-q"]);
    place
}

fn git(folder: &Path, words: &[&str]) -> String {
    let done = Command::new("git")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(
        done.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("text")
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(
        folder,
        &[&who[..], &["commit", "-q", "--no-verify", "-m", "a"]].concat(),
    );
}

/// What pre-commit says about the files that are staged.
fn staged(place: &Place) -> Run {
    let shop = place.join("shop");
    git(&shop, &["add", "-A"]);
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-soci"));
    let folder = program.parent().expect("a folder");
    let path = std::env::join_paths(
        [folder.to_path_buf()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").expect("a path"))),
    );
    let output = Command::new(python_environment().join("bin/pre-commit"))
        .args(["run", "--color", "never", "--verbose"])
        .current_dir(&shop)
        .env("PATH", path.expect("a path"))
        .env("PRE_COMMIT_HOME", place.join("home"))
        .output()
        .expect("pre-commit runs");
    Run::of(output)
}

fn says(run: &Run, hook: &str, word: &str) {
    let line = run.stdout.lines().find(|line| line.starts_with(hook));
    assert!(
        line.is_some_and(|line| line.ends_with(word)),
        "no {word}: {run:?}"
    );
}

fn task(image: &str) -> String {
    format!(
        "{{\"family\": \"a\", \"requiresCompatibilities\": [\"FARGATE\"], \"containerDefinitions\": [{{\"name\": \"web\", \"image\": \"{image}\"}}]}}\n"
    )
}

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web";

#[test]
fn task_definitions_are_skipped_passed_and_refused() {
    let place = repository("soci-lint");
    place.write("shop/README.md", "a shop\n");
    place.write("shop/main.tf", "\n");
    says(
        &staged(&place).ended(0),
        "SOCI lint",
        "(no files to check)Skipped",
    );
    place.write("shop/deploy/task-definition.json", &task(&format!("{ECR}:1")));
    let passed = staged(&place).ended(0);
    says(&passed, "SOCI lint", "Passed");
    assert!(
        passed
            .stdout
            .contains("1 container: 0 lazy, 0 not-lazy, 1 unknown"),
        "{passed:?}"
    );
    place.write("shop/deploy/taskdef-prod.json", &task("nginx:1"));
    let refused = staged(&place).ended(1);
    says(&refused, "SOCI lint", "Failed");
    assert!(
        refused.stdout.contains("failed (fail-on not-lazy)"),
        "{refused:?}"
    );
    // Only what changes is looked at.
    commit(&place.join("shop"));
    place.write("shop/deploy/task-definition.json", &task(&format!("{ECR}:2")));
    says(&staged(&place).ended(0), "SOCI lint", "Passed");
}

#[test]
fn terraform_is_checked_by_folder_whatever_file_of_it_changes() {
    let place = repository("soci-lint-terraform");
    let hook = "SOCI lint (Terraform)";
    let module = |image: &str| {
        format!(
            "resource \"aws_ecs_task_definition\" \"web\" {{\n  family = \"a\"\n  requires_compatibilities = [\"FARGATE\"]\n  container_definitions = jsonencode([{{ name = \"web\", image = \"{image}\" }}])\n}}\n"
        )
    };
    place.write("shop/infra/main.tf", &module(&format!("{ECR}:${{var.tag}}")));
    place.write(
        "shop/infra/variables.tf",
        "variable \"tag\" { default = \"1\" }\n",
    );
    place.write("shop/network/main.tf", "resource \"aws_vpc\" \"v\" {}\n");
    says(&staged(&place).ended(0), hook, "Passed");
    commit(&place.join("shop"));
    place.write("shop/README.md", "a shop\n");
    says(&staged(&place).ended(0), hook, "(no files to check)Skipped");
    // A file without containers of its own decides about those of its neighbours.
    place.write("shop/infra/main.tf", &module("${var.image}"));
    place.write(
        "shop/infra/variables.tf",
        "variable \"image\" { default = \"nginx:1\" }\n",
    );
    git(&place.join("shop"), &["add", "infra/main.tf"]);
    commit(&place.join("shop"));
    place.write(
        "shop/infra/variables.tf",
        "variable \"image\" { default = \"nginx:2\" }\n",
    );
    let refused = staged(&place).ended(1);
    says(&refused, hook, "Failed");
    assert!(refused.stdout.contains("Docker Hub"), "{refused:?}");
}
