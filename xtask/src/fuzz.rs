//! `cargo xtask fuzz [--seconds N] [TARGET…]`: each fuzz target for a while, under a memory limit.
//!
//! Needs a nightly toolchain; the test command replays the seeds on the pinned one.

use std::fs;
use std::process::{Command, Stdio};

use crate::run::{Outcome, must, root};
use crate::setup;

/// A target that needs more than this has a limit missing somewhere.
const MEMORY_MIB: u32 = 1024;

/// Runs the named targets, or all, and prints how many executions each had.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut seconds = 60u32;
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().ok_or("--seconds needs a number")?;
            seconds = number
                .parse()
                .map_err(|_| format!("--seconds {number:?} is not a number"))?;
        } else {
            names.push(word.clone());
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
        report.push((name.clone(), one(name, seconds)?));
    }
    println!("\nexecutions in {seconds} s each, at most {MEMORY_MIB} MiB:");
    for (name, executions) in report {
        println!("{name:<24} {executions:>12}");
    }
    Ok(())
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

/// Fuzzes one target; gives the number of executions, or the end of what libFuzzer said of a crash.
fn one(name: &str, seconds: u32) -> Result<u64, String> {
    eprintln!("fuzzing {name} for {seconds} s");
    let corpus = root().join("tests/fuzz/corpus").join(name);
    let seeds = root().join("tests/fuzz/seeds").join(name);
    fs::create_dir_all(&corpus).map_err(|error| format!("cannot make {}: {error}", corpus.display()))?;
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "fuzz", "run", "--fuzz-dir", "tests/fuzz", name])
        .arg(&corpus);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    command.args(["--", "-print_final_stats=1"]);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    // Where this crate's own toolchain was chosen by cargo, `+nightly` must win.
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .current_dir(root())
        .stdin(Stdio::null());
    let done = command
        .output()
        .map_err(|error| format!("cannot run cargo fuzz: {error}"))?;
    let told = String::from_utf8_lossy(&done.stderr);
    let executions = told
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok());
    match executions {
        Some(executions) if done.status.success() => Ok(executions),
        _ => {
            let tail: Vec<&str> = told.lines().rev().take(60).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            Err(format!("{name}: {}\n{}", done.status, tail.join("\n")))
        }
    }
}
