//! `cargo xtask bench [CASE…] [--rounds N] [--markdown] [--binary FILE]`: our tools against others,
//! interleaved, as ratios.
//!
//! Machines differ and are shared, so a figure stands beside its rivals from the same run, and docs quote
//! ratios. Inputs are made once under `target/bench` from what is on the machine. What is measured and what
//! the columns mean: `docs/benchmarks.md`.

mod facts;
mod first;
mod image;
mod inputs;
mod lambda;
mod layers;
mod link;
mod lint;
mod look;
mod measure;
mod recompress;
mod registry;
mod start;
mod table;
mod trace;
mod why;

use std::path::PathBuf;

use table::Format;

use crate::run::{Outcome, cargo, must, stage, target};
use crate::setup;

/// A case: the name on the command line, and what it runs.
type Case = (&'static str, fn(&Bench) -> Outcome);

const CASES: &[Case] = &[
    ("first", first::results),
    ("layer", layers::large),
    ("one-core", layers::one_core),
    ("small-files", layers::small_files),
    ("two-layers", layers::two_layers),
    ("image", image::convert),
    ("many-layers", image::many_layers),
    ("recompress", recompress::run),
    ("registry", registry::convert),
    ("registry-link", registry::link),
    ("look", look::run),
    ("start", start::run),
    ("lint", lint::run),
    ("why", why::run),
    ("trace", trace::starts),
    ("lambda", lambda::run),
];

/// What every case needs.
pub(crate) struct Bench {
    /// Our binary, release build.
    binary: PathBuf,
    /// Where inputs are kept between runs.
    folder: PathBuf,
    /// Rounds of each command.
    rounds: usize,
    /// How results are written.
    format: Format,
}

/// Runs the named cases, or all of them. Results go to stdout, everything else to stderr.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut rounds = 7;
    let mut format = Format::Text;
    let mut binary = None;
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rounds" => {
                let number = words.next().ok_or("--rounds needs a number")?;
                rounds = number
                    .parse()
                    .map_err(|_| format!("--rounds {number:?} is not a number"))?;
            }
            "--markdown" => format = Format::Markdown,
            "--binary" => binary = Some(PathBuf::from(words.next().ok_or("--binary needs a file")?)),
            name if CASES.iter().any(|(known, _)| *known == name) => names.push(name),
            _ => {
                let known: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
                return Err(format!("unknown case {word:?}; cases: {}", known.join(", ")));
            }
        }
    }
    stage("set-up", || setup::all(false))?;
    let binary = match binary {
        Some(binary) => binary,
        None => {
            stage("release build", || {
                must(cargo().args(["build", "--release", "--locked", "--package", "cargo-soci"]))
            })?;
            target().join("release/cargo-soci")
        }
    };
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let bench = Bench {
        binary,
        folder,
        rounds: rounds.max(1),
        format,
    };
    format.title("Machine");
    let rows: Vec<Vec<String>> = (facts::facts(&bench).into_iter())
        .map(|(name, value)| vec![name, value])
        .collect();
    format.table(&["", ""], &rows);
    for (name, case) in CASES {
        if names.is_empty() || names.contains(name) {
            stage(name, || case(&bench))?;
        }
    }
    Ok(())
}
