//! What all commands share: names, exit codes, configuration in its places, `init`.

mod support;

use std::fs;
use std::path::Path;

use support::{Place, Run};

#[test]
fn one_binary_answers_under_its_names() {
    let place = Place::new();
    for words in [&["soci", "--version"][..], &["--version"]] {
        let run = place.run(words).ended(0);
        assert!(run.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", run.stdout);
    }
    assert!(
        place
            .run(&["soci", "--help"])
            .ended(0)
            .stdout
            .contains("Usage: cargo soci")
    );
    assert!(
        place
            .run(&["--help"])
            .ended(0)
            .stdout
            .contains("Usage: cargo-soci")
    );
    let run = place.run(&["docker-cli-plugin-metadata"]).ended(0).json();
    assert_eq!(run["SchemaVersion"], "0.1.0");
    place.run(&[]).ended(2);
    place.run(&["no-such-command"]).ended(2);
}

#[test]
fn every_shell_gets_its_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = place.run(&["completions", shell]).ended(0);
        let asks_us = ["bash", "zsh", "fish"].contains(&shell);
        let word = if asks_us {
            "cargo-soci __complete"
        } else {
            "convert"
        };
        assert!(run.stdout.contains(word), "{shell}");
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn init_writes_a_block_that_build_reads() {
    let place = Place::new();
    place.write(
        "Cargo.toml",
        "[package]\nname = \"web\"\nversion = \"2.0.0\"\nedition = \"2024\" # as it is\n",
    );
    place.write("src/main.rs", "fn main() {}\n");
    place.write("Containerfile", "FROM scratch\n");
    place.write(
        "deploy/task.json",
        r#"{"family":"a","containerDefinitions":[{"name":"web","image":"111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"}]}"#,
    );
    place.write("deploy/other.json", "{}");
    let shown = place.run(&["init", "--dry-run"]).ended(0);
    assert!(
        shown.stdout.contains("[package.metadata.soci]"),
        "{}",
        shown.stdout
    );
    assert!(!place.read("Cargo.toml").contains("soci"));
    place.run(&["init"]).ended(0);
    insta::assert_snapshot!(place.read("Cargo.toml"));
    let run = place.run(&["init"]).ended(2);
    assert!(
        run.stderr.contains("already has [package.metadata.soci]"),
        "{}",
        run.stderr
    );
    let home = std::env::var("HOME").unwrap_or_default();
    let rustup = std::env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{home}/.rustup"));
    let run = place
        .command(&["build", "--dry-run", "--offline"])
        .env("RUSTUP_HOME", rustup)
        .output()
        .expect("runs");
    let run = Run::of(run).ended(0);
    assert!(
        run.stdout
            .contains("to 111122223333.dkr.ecr.us-east-1.amazonaws.com/web:2.0.0"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("deploy/task.json"));
}

#[test]
fn packages_of_a_workspace_are_chosen_as_in_cargo() {
    let place = Place::new();
    place.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\nresolver = \"3\"\n\n[workspace.metadata.soci]\nspan-size = \"1MiB\"\n",
    );
    for (name, block) in [
        (
            "a",
            "[package.metadata.soci]\nimage = \"r.example/a:{version}\"\n",
        ),
        ("b", "[package.metadata.soci]\nimage = \"r.example/b:1\"\n"),
        ("c", ""),
    ] {
        place.write(
            &format!("{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{block}"),
        );
        place.write(&format!("{name}/src/lib.rs"), "");
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let rustup = std::env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{home}/.rustup"));
    let plan = |words: &[&str]| -> Run {
        let words = [&["build", "--dry-run", "--offline"], words].concat();
        Run::of(
            place
                .command(&words)
                .env("RUSTUP_HOME", &rustup)
                .output()
                .expect("runs"),
        )
    };
    let all = plan(&[]).ended(0).stdout;
    assert!(
        all.contains("r.example/a:0.1.0") && all.contains("r.example/b:1"),
        "{all}"
    );
    assert_eq!(plan(&["--workspace"]).ended(0).stdout, all);
    let one = plan(&["-p", "b"]).ended(0).stdout;
    assert!(
        !one.contains("r.example/a") && one.contains("r.example/b"),
        "{one}"
    );
    let one = plan(&["--manifest-path", "a/Cargo.toml"]).ended(0).stdout;
    assert!(
        one.contains("r.example/a") && !one.contains("r.example/b"),
        "{one}"
    );
    let run = plan(&["-p", "c"]).ended(2);
    assert!(
        run.stderr.contains("c: no `image` is configured"),
        "{}",
        run.stderr
    );
    let run = plan(&["-p", "bb"]).ended(2);
    assert!(run.stderr.contains("has no package \"bb\""), "{}", run.stderr);
    let run = plan(&["--output", "x.tar"]).ended(2);
    assert!(run.stderr.contains("--package"), "{}", run.stderr);
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_place_by_every_command_that_reads_it() {
    let place = Place::new();
    let image = soci_tests::buildx_vectors()
        .join("oci-single/image.tar")
        .display()
        .to_string();
    place.write("soci.toml", "# settings\nspan-size = \"4 parsecs\"\n");
    for words in [
        &["convert", &image, "out.tar"][..],
        &["lint", "."],
        &["build", "--dry-run"],
    ] {
        let run = place.run(words).ended(2);
        assert!(
            run.stderr.contains("soci.toml:2:13: `span-size` must be a size"),
            "{words:?}: {}",
            run.stderr
        );
    }
    place.write("soci.toml", "[registry]\nca-file = \"no-such-file\"\n");
    let run = place.run(&["inspect", "localhost:1/app:1"]).ended(2);
    assert!(
        run.stderr
            .contains("soci.toml:2:1: `registry.ca-file` cannot be set in a file")
            && run
                .stderr
                .contains("pass --ca-file, or set CARGO_SOCI_REGISTRY_CA_FILE"),
        "{}",
        run.stderr
    );
    place.write("soci.toml", "[registry]\nconnections-per-layer = 99\n");
    let run = place.run(&["inspect", "localhost:1/app:1"]).ended(2);
    assert!(
        run.stderr
            .contains("soci.toml:2:25: at most 16 connections, not 99"),
        "{}",
        run.stderr
    );
}

#[test]
fn settings_reach_the_conversion_from_each_place() {
    let place = Place::new();
    let image = soci_tests::buildx_vectors()
        .join("oci-single/image.tar")
        .display()
        .to_string();
    // Every layer of this image is below the default minimum.
    place.run(&["convert", &image, "out.tar"]).ended(4);
    place
        .run(&["convert", &image, "out.tar", "--min-layer-size=0"])
        .ended(0);
    place
        .run(&["convert", &image, "out.tar", "--config", "min-layer-size=0"])
        .ended(0);
    let run = place
        .command(&["convert", &image, "out.tar"])
        .env("CARGO_SOCI_MIN_LAYER_SIZE", "0")
        .output();
    Run::of(run.expect("runs")).ended(0);
    place.write("soci.toml", "min-layer-size = 0\n");
    place.run(&["convert", &image, "out.tar"]).ended(0);
    // The variable is stronger than the file, the flag stronger than the variable.
    let stronger = |words: &[&str]| {
        let words = [&["convert", &image, "out.tar"], words].concat();
        let run = place
            .command(&words)
            .env("CARGO_SOCI_MIN_LAYER_SIZE", "1GiB")
            .output();
        Run::of(run.expect("runs")).code
    };
    assert_eq!(stronger(&[]), 4);
    assert_eq!(stronger(&["--min-layer-size=0"]), 0);
    fs::remove_file(place.join("soci.toml")).expect("there");
    let run = place
        .command(&["convert", &image, "out.tar"])
        .env("CARGO_SOCI_MINLAYER", "0")
        .output();
    let run = Run::of(run.expect("runs")).ended(2);
    assert!(run.stderr.contains("CARGO_SOCI_MINLAYER"), "{}", run.stderr);
    assert!(Path::new(&image).exists());
}
