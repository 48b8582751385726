//! The pages under `docs/workflows`: every command that they show is run, in the order of the page.
//!
//! What is not ours is a stand-in: docker replays recorded builds, `cargo install` and `aws` do nothing. YAML is
//! read by a parser; its actions and services are not run.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use soci_tests::registry::TestRegistry;
use support::{Place, Run, metadata, registry_with, tags};

/// A fenced block of a page: its language and its text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let path = soci_tests::repository().join("docs/workflows").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page} has an open block");
    blocks
}

/// The commands of a page: shell blocks, and what YAML gives a shell.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for (language, text) in blocks(page) {
        match language.as_str() {
            "sh" => commands.extend(text.lines().map(str::to_owned)),
            "yaml" => {
                check_yaml(page, &text);
                for line in text.lines() {
                    let line = line.trim();
                    let line = line.strip_prefix("- ").unwrap_or(line);
                    let line = line.strip_prefix("run: ").unwrap_or(line);
                    let program = line.split(' ').next().unwrap_or_default();
                    if ["docker", "cargo", "cargo-soci", "aws", "printf"].contains(&program) {
                        commands.push(line.to_owned());
                    }
                }
            }
            "toml" => {
                text.parse::<toml::Table>()
                    .unwrap_or_else(|error| panic!("{page}: {error}"));
            }
            other => panic!("{page} has a block of {other:?}"),
        }
    }
    assert!(!commands.is_empty(), "{page} has no command");
    commands
}

fn check_yaml(page: &str, text: &str) {
    for event in saphyr_parser::Parser::new_from_str(text) {
        event.unwrap_or_else(|error| panic!("{page}: {error}"));
    }
}

/// A place with the stand-ins, this program under its three names, and the variables that the pages use.
fn place(case: &str, registry: &TestRegistry, image: &str) -> Place {
    let mut place = Place::with_stand_in(case, registry);
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-soci"));
    for name in ["bin/docker-soci", "bin/cargo-soci"] {
        place.write(name, "");
        fs::remove_file(place.join(name)).expect("just written");
        std::os::unix::fs::symlink(program, place.join(name)).expect("a link");
    }
    place.prepend_path(&place.join("bin"));
    let vectors = soci_tests::buildx_vectors();
    place.set(
        "STAND_IN_IMAGE",
        &vectors.join("oci-single/image.tar").display().to_string(),
    );
    place.set("CARGO", env!("CARGO"));
    place.set("IMAGE", image);
    place.set("CARGO_SOCI_MIN_LAYER_SIZE", "0");
    place
}

/// Runs every command of the page; the first that fails ends it.
fn run(page: &str, place: &Place) {
    let script = commands(page).join("\n");
    let output = place
        .program(Path::new("/bin/sh"), &["-e", "-x", "-c", &script])
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    Run::of(output).ended(0);
}

/// Runs a page that pushes one image, and looks at the tag.
fn pushes(page: &str) -> (TestRegistry, Place) {
    let registry = registry_with("push-single-default");
    let place = place("push-single-default", &registry, &registry.name("team/app:1.0"));
    run(page, &place);
    assert_eq!(tags(&registry, "team/app"), ["1.0"], "{page}");
    let named = support::tag(&registry, "team/app", "1.0");
    let built = "sha256:627429da5c966b21c353c9edfdd29c8b5980c09ee30445c292b51bcd7151ded9";
    assert_ne!(
        named.as_deref(),
        Some(built),
        "{page}: the tag names the SOCI-enabled image"
    );
    (registry, place)
}

#[test]
fn shell() {
    let (_registry, place) = pushes("shell.md");
    for archive in ["image-soci.tar", "image-gzip-soci.tar"] {
        place.run(&["verify", archive]).ended(0);
    }
}

#[test]
fn gitlab() {
    pushes("gitlab.md");
}

#[test]
fn codebuild() {
    pushes("codebuild.md");
}

#[test]
fn github_actions() {
    let registry = registry_with("push-single-default");
    let name = registry.name("team/app:1.0");
    let mut place = place("push-single-default", &registry, &name);
    // What build-push-action gives as its output `metadata`.
    place.set("METADATA", &metadata("push-single-default", &registry));
    run("github-actions.md", &place);
    assert_eq!(tags(&registry, "team/app"), ["1.0"]);
}

#[test]
fn compose_and_bake() {
    let registry = registry_with("bake-groups-matrix");
    let place = place("bake-groups-matrix", &registry, "");
    run("compose-bake.md", &place);
    assert_eq!(tags(&registry, "bake/web"), ["1.0", "latest"]);
}

#[test]
fn cargo() {
    let registry = registry_with("push-single-default");
    let mut place = place("push-single-default", &registry, "");
    place.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
    );
    place.write("src/main.rs", "fn main() {}\n");
    place.write("Dockerfile", "FROM scratch\n");
    // In place of the page's own registry.
    place.set("CARGO_SOCI_IMAGE", &registry.name("team/app:{version}"));
    let rustup = std::env::var("RUSTUP_HOME")
        .unwrap_or_else(|_| format!("{}/.rustup", std::env::var("HOME").expect("a home")));
    place.set("RUSTUP_HOME", &rustup);
    run("cargo.md", &place);
    assert_eq!(tags(&registry, "team/app"), ["1.0.0"]);
    assert!(place.read("Cargo.toml").contains("[package.metadata.soci]"));
}

#[test]
fn other_builders_are_settings_that_are_read() {
    for (language, text) in blocks("builders.md") {
        assert_eq!(language, "toml");
        let place = Place::new();
        place.write(
            "soci.toml",
            &format!("image = \"registry.example/app:1\"\n{text}"),
        );
        let run = place.run(&["build", "--dry-run"]).ended(0);
        assert!(run.stdout.contains("build    "), "{}", run.stdout);
    }
}

#[test]
fn every_page_is_run() {
    let folder = soci_tests::repository().join("docs/workflows");
    let mut pages: Vec<String> = fs::read_dir(folder)
        .expect("the pages")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    assert_eq!(
        pages,
        [
            "README.md",
            "builders.md",
            "cargo.md",
            "codebuild.md",
            "compose-bake.md",
            "github-actions.md",
            "gitlab.md",
            "shell.md"
        ],
        "a new page needs its test here"
    );
}
