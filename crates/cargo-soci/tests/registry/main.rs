//! The commands against registries: the one in this process with its faults, and real ones.
#![cfg(target_os = "linux")]

mod backfill;
#[cfg(feature = "real-tools")]
mod ecr;
#[cfg(feature = "real-tools")]
mod ecr_api;
mod faults;
mod killed;
mod places;
mod reports;
mod reuse;
#[cfg(feature = "real-tools")]
mod servers;
mod strangers;
mod tags;
#[cfg(feature = "real-tools")]
mod why;
mod wire;

use std::process::{Command, Output};

use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, TestRegistry};

/// A report without its line breaks, which depend on how wide a terminal is.
pub(crate) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Our program with flags that suit small images, in an environment without anybody's credentials.
pub(crate) fn soci(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-soci"));
    command
        .args(words)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .current_dir(std::env::temp_dir());
    command
}

/// Runs it, without progress on stderr.
pub(crate) fn run(words: &[&str]) -> Output {
    soci(&[words, &["--progress", "none"]].concat())
        .output()
        .expect("our program starts")
}

/// A conversion of small layers.
pub(crate) fn conversion(words: &[&str]) -> Command {
    let fixed = [
        "--min-layer-size",
        "50KiB",
        "--span-size",
        "256KiB",
        "--progress",
        "none",
    ];
    soci(&[&["convert"], words, &fixed].concat())
}

/// Runs a conversion of small layers.
pub(crate) fn convert(words: &[&str]) -> Output {
    conversion(words).output().expect("our program starts")
}

/// Converts, which must give the expected image, without fault.
pub(crate) fn converts_to(expected: &str, source: &str, destination: &str) {
    assert_eq!(
        good(&convert(&[source, destination, "-q"])),
        expected,
        "{source} {destination}"
    );
    let verdict = good(&run(&["verify", destination]));
    assert!(verdict.contains("good; 4 layers"), "{verdict}");
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts success and gives stdout.
pub(crate) fn good(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

/// Asserts exit code 3 and gives stderr.
pub(crate) fn failed(output: &Output) -> String {
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stderr)
}

/// Three layers to index and one that is too small.
pub(crate) fn image() -> MadeImage {
    MadeImage::new(&[(1, 900_000), (2, 3000), (3, 2_000_000), (4, 400_000)])
}

/// A registry with that image as `app:1`.
pub(crate) fn with_image(behaviour: Behaviour) -> TestRegistry {
    let registry = TestRegistry::start(behaviour);
    registry.with("app", |content| image().store(content, "1"));
    registry
}

/// The digest of a tag.
pub(crate) fn tag(registry: &TestRegistry, repository: &str, tag: &str) -> Option<String> {
    registry.with(repository, |content| content.tags.get(tag).cloned())
}

/// What the image becomes, wherever it is.
pub(crate) fn expected() -> String {
    let registry = with_image(Behaviour::default());
    good(&convert(&[
        &registry.name("app:1"),
        &registry.name("app:expected"),
        "-q",
    ]))
}
