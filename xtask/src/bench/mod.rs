//! `cargo xtask bench [CASE…]`: our tools against others, interleaved, as ratios.
//!
//! Machines differ and are shared, so a figure stands beside its rivals from the same run, and docs quote
//! ratios. Inputs are made once under `target/bench` from what is on the machine.

mod image;
mod inputs;
mod layers;
mod lint;
mod measure;
mod recompress;
mod registry;

use std::path::PathBuf;

use crate::run::{Outcome, cargo, must, stage, target};
use crate::setup;

/// A case: the name on the command line, and what it runs.
type Case = (&'static str, fn(&Bench) -> Outcome);

const CASES: &[Case] = &[
    ("layer", layers::large),
    ("one-core", layers::one_core),
    ("small-files", layers::small_files),
    ("two-layers", layers::two_layers),
    ("image", image::convert),
    ("recompress", recompress::run),
    ("registry", registry::convert),
    ("registry-link", registry::link),
    ("lint", lint::run),
];

/// What every case needs.
pub(crate) struct Bench {
    /// Our binary, release build.
    pub(crate) binary: PathBuf,
    /// Where inputs are kept between runs.
    pub(crate) folder: PathBuf,
    /// Rounds of each command.
    pub(crate) rounds: usize,
}

/// Runs the named cases, or all of them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut rounds = 7;
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--rounds" {
            let number = words.next().ok_or("--rounds needs a number")?;
            rounds = number
                .parse()
                .map_err(|_| format!("--rounds {number:?} is no number"))?;
        } else if CASES.iter().any(|(name, _)| name == word) {
            names.push(word.as_str());
        } else {
            let known: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
            return Err(format!("unknown case {word:?}; cases: {}", known.join(", ")));
        }
    }
    stage("set-up", || setup::all(false))?;
    stage("release build", || {
        must(cargo().args(["build", "--release", "--locked", "--package", "cargo-soci"]))
    })?;
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let bench = Bench {
        binary: target().join("release/cargo-soci"),
        folder,
        rounds: rounds.max(1),
    };
    for (name, case) in CASES {
        if names.is_empty() || names.contains(name) {
            stage(name, || case(&bench))?;
        }
    }
    Ok(())
}
