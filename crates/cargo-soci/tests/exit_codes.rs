//! The exit codes that docs/cli.md lists, for every command: what it ends with when the work is done, when it was
//! called wrongly, when the work cannot be done, and when it finds something. (130 is in `interrupts.rs`.)
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use cargo_soci::cli;
use cargo_soci::exit::Exit;
use cargo_soci::invocation::Caller;
use soci_tests::images::MadeImage;
use support::Place;

/// A command line and how it ends. Lines run in this order, in one folder.
const LINES: &[(Exit, &str)] = &[
    (Exit::Usage, ""),
    (Exit::Usage, "no-such-command"),
    (Exit::Done, "help"),
    (Exit::Done, "--version"),
    // Images: made by each other.
    (Exit::Done, "convert ./image soci.tar --min-layer-size=0"),
    (Exit::NothingToIndex, "convert ./image small.tar"),
    (Exit::Done, "convert ./image small.tar --if-nothing-to-index=pass"),
    (Exit::Failed, "convert ./nowhere out.tar"),
    (Exit::Failed, "convert ./file out.tar"),
    (Exit::Usage, "convert"),
    (Exit::Usage, "convert image out.tar"),
    (Exit::Usage, "convert ./image out.tar --span-size=much"),
    (Exit::Done, "inspect soci.tar"),
    (Exit::Done, "inspect ./image"),
    (Exit::Failed, "inspect ./nowhere"),
    (Exit::Usage, "inspect"),
    (Exit::Done, "verify soci.tar"),
    (Exit::Findings, "verify ./image"),
    (Exit::Findings, "verify ./broken"),
    (Exit::Failed, "verify ./nowhere"),
    (Exit::Usage, "verify --fail-on=sometimes soci.tar"),
    (Exit::Done, "cat soci.tar /layer1/file1"),
    (Exit::Failed, "cat soci.tar /no/such/file"),
    (Exit::Usage, "cat soci.tar"),
    (Exit::Done, "create ./image index.tar --min-layer-size=0"),
    (Exit::NothingToIndex, "create ./image other.tar"),
    (Exit::Failed, "create ./nowhere other.tar"),
    (Exit::Usage, "create"),
    (Exit::Done, "remove soci.tar removed.tar"),
    (Exit::Failed, "remove ./nowhere removed.tar"),
    (Exit::Usage, "remove"),
    // Single layers.
    (Exit::Done, "ztoc build layer.tar.gz --output layer.ztoc"),
    (Exit::Failed, "ztoc build nowhere --output other.ztoc"),
    (Exit::Usage, "ztoc build layer.tar.gz"),
    (Exit::Done, "ztoc info layer.ztoc"),
    (Exit::Failed, "ztoc info file"),
    (Exit::Usage, "ztoc info"),
    (Exit::Done, "ztoc ls layer.ztoc"),
    (Exit::Failed, "ztoc ls file"),
    (Exit::Usage, "ztoc ls"),
    (Exit::Done, "ztoc verify layer.tar.gz layer.ztoc"),
    (Exit::Findings, "ztoc verify other.tar.gz layer.ztoc"),
    (Exit::Failed, "ztoc verify nowhere layer.ztoc"),
    (Exit::Usage, "ztoc verify layer.tar.gz"),
    (Exit::Done, "ztoc extract layer.tar.gz layer.ztoc layer1/file1"),
    (Exit::Failed, "ztoc extract layer.tar.gz layer.ztoc no/such/file"),
    (Exit::Usage, "ztoc extract layer.tar.gz"),
    // Task definitions.
    (Exit::Done, "lint good.json"),
    (Exit::Findings, "lint not-lazy.json --fail-on not-lazy"),
    (Exit::Done, "lint not-lazy.json --fail-on never"),
    (Exit::Findings, "lint file"),
    // The table of docs/lint.md, word by word: the containers of good.json are unknown, and nothing else is found in it.
    (Exit::Done, "lint good.json --fail-on error"),
    (Exit::Done, "lint good.json --fail-on warning"),
    (Exit::Done, "lint good.json --fail-on not-lazy"),
    (Exit::Findings, "lint good.json --fail-on unknown"),
    (Exit::Done, "lint good.json --fail-on never"),
    (
        Exit::Done,
        "lint good.json --severity SOCI301=warning --fail-on error",
    ),
    (
        Exit::Findings,
        "lint good.json --severity SOCI301=warning --fail-on warning",
    ),
    (
        Exit::Done,
        "lint good.json --severity SOCI301=warning --fail-on not-lazy",
    ),
    (
        Exit::Findings,
        "lint good.json --severity SOCI301=error --fail-on error",
    ),
    (
        Exit::Findings,
        "lint good.json --severity SOCI301=error --fail-on warning",
    ),
    (
        Exit::Findings,
        "lint good.json --severity SOCI301=error --fail-on not-lazy",
    ),
    (
        Exit::Done,
        "lint good.json --severity SOCI301=error --fail-on never",
    ),
    // No container at all, and nothing said about it.
    (
        Exit::Done,
        "lint file --ignore not-a-task-definition,syntax-error,not-plain-json",
    ),
    (
        Exit::Findings,
        "lint file --ignore not-a-task-definition,syntax-error,not-plain-json --fail-on not-lazy",
    ),
    (
        Exit::Findings,
        "lint file --ignore not-a-task-definition,syntax-error,not-plain-json --fail-on unknown",
    ),
    (Exit::Done, "lint file --fail-on never"),
    (Exit::Usage, "lint good.json --fail-on never --kind nothing"),
    (Exit::Usage, "lint good.json --config lint.no-such-key=1"),
    (Exit::Usage, "lint good.json --fail-on sometimes"),
    (Exit::Usage, "lint nowhere.json"),
    (Exit::Done, "why good.json --check-images=off"),
    (
        Exit::Findings,
        "why good.json --check-images=off --fail-on=unknown",
    ),
    (Exit::Findings, "why not-lazy.json --check-images=off"),
    (
        Exit::Findings,
        "why not-lazy.json --check-images=off --fail-on=not-lazy",
    ),
    (Exit::Done, "why not-lazy.json --check-images=off --fail-on=never"),
    (Exit::Done, "why good.json --check-images=off --fail-on=not-lazy"),
    (Exit::Findings, "why ./image"),
    (Exit::Done, "why soci.tar"),
    (Exit::Failed, "why nowhere.json"),
    (Exit::Usage, "why"),
    (Exit::Done, "rules"),
    (Exit::Usage, "rules --format=xml"),
    (Exit::Done, "estimate app.trace soci.tar"),
    (Exit::Failed, "estimate file soci.tar"),
    (Exit::Usage, "estimate app.trace soci.tar --link fast"),
    (Exit::Done, "explain SOCI201"),
    (Exit::Usage, "explain SOCI999"),
    // Surroundings.
    (Exit::Done, "completions bash"),
    (Exit::Usage, "completions tcsh"),
    (Exit::Done, "docker install"),
    (Exit::Done, "docker uninstall"),
    (Exit::Usage, "docker install --no-such-flag"),
    (Exit::Usage, "docker uninstall --no-such-flag"),
    (Exit::Usage, "docker build"),
    (Exit::Failed, "docker build --push --tag r.example/app:1 ."),
    (Exit::Done, "init sub"),
    (Exit::Usage, "backfill r.example/app:1"),
    (Exit::Usage, "mount ./image"),
    (Exit::Usage, "trace"),
    (Exit::Usage, "trace ./image --for soon"),
    (Exit::Usage, "init nowhere"),
    (Exit::Usage, "build --image r.example/app:1 --platform"),
    (Exit::Done, "build --dry-run --image r.example/app:1"),
    (Exit::Failed, "build --builder false --image r.example/app:1"),
];

fn place() -> Place {
    let mut place = Place::new();
    let image = MadeImage::new(&[(1, 200_000)]);
    image.write_layout(&place.join("image"), "app");
    image.write_layout(&place.join("broken"), "app");
    let layer = image.layers.first().expect("one layer");
    fs::write(place.join("layer.tar.gz"), layer).expect("written");
    let other = MadeImage::new(&[(2, 100_000)]);
    fs::write(place.join("other.tar.gz"), &other.layers[0]).expect("written");
    place.write("file", "neither image nor JSON");
    place.write("app.trace", "/layer1/file1\n");
    place.write("sub/Dockerfile", "FROM scratch\n");
    // No docker here.
    let manifests = place.join("broken/blobs/sha256");
    let largest = fs::read_dir(manifests)
        .expect("blobs")
        .flatten()
        .max_by_key(|entry| entry.metadata().map_or(0, |facts| facts.len()));
    fs::write(largest.expect("a layer").path(), "no layer").expect("written");
    let example = soci_tests::repository().join("examples/demo/task-definition.json");
    fs::copy(example, place.join("not-lazy.json")).expect("the example");
    let example = place.read("not-lazy.json");
    let good = example.replace(
        "nginx:1.29",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/proxy:1.29-soci",
    );
    assert_ne!(example, good, "the example names nginx");
    place.write("good.json", &good);
    place.write("bin/none", "");
    place.set(
        "PATH",
        &format!("{}:/usr/bin-without-docker", place.join("bin").display()),
    );
    place
}

#[test]
fn every_command_has_its_lines() {
    let mut commands = BTreeSet::new();
    leaves(&cli::command(Caller::Direct), "", &mut commands);
    assert!(commands.len() >= 20, "{commands:?}");
    let page = soci_tests::repository().join("docs/cli.md");
    let page = fs::read_to_string(page).expect("the page");
    for command in commands {
        assert!(
            page.contains(&format!("Usage: cargo-soci {command}"))
                || page.contains(&format!(
                    "Usage: docker soci {}",
                    command.trim_start_matches("docker ")
                )),
            "docs/cli.md lacks {command}"
        );
        // `rules`, `completions` have nothing that could fail.
        for wanted in [Exit::Done, Exit::Usage] {
            let has = LINES.iter().any(|(exit, line)| {
                *exit == wanted && (*line == command || line.starts_with(&format!("{command} ")))
            });
            // Building through docker succeeds where docker is: `buildx_vectors.rs`; mounting where root and FUSE are:
            // `mount.rs`, `trace.rs`; the images of a repository are in a registry: `registry/backfill.rs`.
            let elsewhere = ["backfill", "docker build", "mount", "trace"];
            assert!(
                has || (wanted == Exit::Done && elsewhere.contains(&&*command)),
                "{command} has no line for {wanted:?}"
            );
        }
    }
    for (exit, meaning) in Exit::ALL {
        assert!(
            page.contains(&format!("| {} | {meaning} |", exit.code())),
            "docs/cli.md lacks {exit:?}"
        );
        assert!(
            exit == Exit::Interrupted || LINES.iter().any(|(seen, _)| *seen == exit),
            "no line ends with {exit:?}"
        );
    }
}

/// The commands that do something, by their words.
fn leaves(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let name = format!("{before}{}", part.get_name());
        if part.has_subcommands() {
            leaves(part, &format!("{name} "), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn every_command_ends_as_the_docs_say() {
    let place = place();
    let mut wrong = String::new();
    for (exit, line) in LINES {
        let words: Vec<&str> = line.split_whitespace().collect();
        let run = place.run(&words);
        if run.code != i32::from(exit.code()) {
            wrong.push_str(&format!(
                "{line}: {} instead of {}\n{}{}\n",
                run.code,
                exit.code(),
                run.stdout,
                run.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
