//! `cargo xtask fuzz [--seconds N] [--executions N] [TARGET…]`: each fuzz target for a while, under
//! a memory limit.
//!
//! Needs a nightly toolchain; the test command replays the seeds on the pinned one.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::run::{Outcome, must, root};
use crate::setup;

/// A target that needs more than this has a limit missing somewhere.
const MEMORY_MIB: u32 = 1024;

/// Runs the named targets, or all, and prints how many executions each had.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut bound = Bound {
        seconds: 60,
        executions: None,
    };
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().ok_or(format!("{word} needs a number"))?;
            let parsed: Result<u32, _> = number.parse();
            parsed.map_err(|_| format!("{word} {number:?} is not a number"))
        };
        match word.as_str() {
            "--seconds" => bound.seconds = number()?,
            "--executions" => bound.executions = Some(number()?),
            _ => names.push(word.clone()),
        }
    }
    let known = targets()?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "unknown target {unknown:?}; targets: {}",
            known.join(", ")
        ));
    }
    if !setup::on_path("cargo-fuzz") {
        must(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    let mut report = Vec::new();
    for name in known
        .iter()
        .filter(|name| names.is_empty() || names.contains(name))
    {
        let ran = one(name, bound)?;
        eprintln!("{name}: {} executions in {} s", ran.executions, ran.seconds);
        report.push((name.clone(), ran));
    }
    println!(
        "\nexecutions, at most {} s and {MEMORY_MIB} MiB each:",
        bound.seconds
    );
    for (name, ran) in report {
        println!("{name:<24} {:>12} {:>6} s", ran.executions, ran.seconds);
    }
    Ok(())
}

/// When a target has run enough: whichever comes first.
#[derive(Clone, Copy)]
struct Bound {
    seconds: u32,
    executions: Option<u32>,
}

/// What a target did.
struct Ran {
    executions: u64,
    seconds: u64,
}

/// The names of the targets, sorted.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("tests/fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .strip_suffix(".rs")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

/// Fuzzes one target; gives what it did, or the end of what libFuzzer said of a crash.
///
/// No address sanitizer: the crates that are fuzzed forbid `unsafe`, so it has nothing to find there
/// and would only slow the search. Debug assertions and overflow checks are on.
fn one(name: &str, bound: Bound) -> Result<Ran, String> {
    eprintln!("fuzzing {name} for at most {} s", bound.seconds);
    let corpus = root().join("tests/fuzz/corpus").join(name);
    let seeds = root().join("tests/fuzz/seeds").join(name);
    fs::create_dir_all(&corpus).map_err(|error| format!("cannot make {}: {error}", corpus.display()))?;
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "fuzz", "run", "--sanitizer", "none"])
        .args(["--fuzz-dir", "tests/fuzz", name])
        .arg(&corpus);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    command.args(["--", "-print_final_stats=1"]);
    command
        .arg(format!("-max_total_time={}", bound.seconds))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    if let Some(executions) = bound.executions {
        command.arg(format!("-runs={executions}"));
    }
    // Where this crate's own toolchain was chosen by cargo, `+nightly` must win.
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .current_dir(root())
        .stdin(Stdio::null());
    let started = Instant::now();
    let done = command
        .output()
        .map_err(|error| format!("cannot run cargo fuzz: {error}"))?;
    let told = String::from_utf8_lossy(&done.stderr);
    let executions = told
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok());
    match executions {
        Some(executions) if done.status.success() => Ok(Ran {
            executions,
            seconds: started.elapsed().as_secs(),
        }),
        _ => {
            let tail: Vec<&str> = told.lines().rev().take(60).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            Err(format!("{name}: {}\n{}", done.status, tail.join("\n")))
        }
    }
}
