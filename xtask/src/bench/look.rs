//! Commands that only look at an image of a registry: what they fetch, and how long it takes.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use super::Bench;
use super::link::Link;
use super::measure::{Contestant, compare};
use super::registry::{Registry, upload};
use crate::run::{Outcome, must};

/// What the table calls a command, and its words before the image.
const LOOKS: &[(&str, &[&str])] = &[
    ("inspect", &["inspect"]),
    ("why", &["why", "--fail-on", "never"]),
    ("verify --sample 1", &["verify", "--sample", "1"]),
    ("verify --sample 20", &["verify", "--sample", "20"]),
    ("verify", &["verify"]),
];

/// Converts the image of `registry` and looks at the result.
pub(super) fn run(bench: &Bench) -> Outcome {
    let registry = Registry::start(bench)?;
    let plain = upload(bench, &registry)?;
    let converted = format!("{plain}-soci");
    must(
        Command::new(&bench.binary)
            .args(["convert", "--quiet", &plain, &converted])
            .stdout(Stdio::null()),
    )?;
    fetched(bench, &registry, &converted)?;
    let contestants = LOOKS
        .iter()
        .map(|(name, words)| Contestant::new(name, command(bench, words, &converted)))
        .collect::<Vec<_>>();
    let title = "The same commands on loopback (`look`)";
    compare(bench, title, &contestants, bench.rounds)
}

/// The bytes that each command gets from the registry, heads of answers included.
fn fetched(bench: &Bench, registry: &Registry, image: &str) -> Outcome {
    let (link, passed) = Link::DIRECT.start_counting(registry.address())?;
    let (_, name) = image.split_once('/').expect("a name of the registry");
    let image = format!("{link}/{name}");
    let mut rows = Vec::new();
    for (name, words) in LOOKS {
        let words = command(bench, words, &image);
        let before = passed.load(Ordering::Relaxed);
        must(Command::new(&words[0]).args(&words[1..]).stdout(Stdio::null()))?;
        rows.push(((*name).to_owned(), passed.load(Ordering::Relaxed) - before));
    }
    let whole = rows.last().map_or(1, |(_, bytes)| (*bytes).max(1));
    bench
        .format
        .title("Bytes fetched of a SOCI-enabled image of three layers, 1.2 GB uncompressed (`look`)");
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, bytes)| {
            let share = bytes as f64 / whole as f64;
            vec![name, bytes.to_string(), format!("{share:.4}")]
        })
        .collect();
    bench.format.table(&["", "bytes", "of verify"], &rows);
    Ok(())
}

fn command(bench: &Bench, words: &[&str], image: &str) -> Vec<String> {
    let binary = bench.binary.display().to_string();
    let words = words
        .iter()
        .chain([&"--quiet", &image])
        .map(|word| (*word).to_owned());
    [binary].into_iter().chain(words).collect()
}
