//! What a reader of figures must know: the machine, the tools and the day.

use std::fs;
use std::process::Command;

use super::Bench;
use crate::run::{output, root};

/// Tools beside ours, and how each tells its version.
const TOOLS: &[(&str, &str)] = &[
    ("igzip", "--version"),
    ("libdeflate-gunzip", "-V"),
    ("pigz", "--version"),
    ("gzip", "--version"),
    ("skopeo", "--version"),
    ("docker-registry", "--version"),
    ("rustc", "--version"),
];

/// Name and value of each fact, in the order in which they are shown.
pub(super) fn facts(bench: &Bench) -> Vec<(String, String)> {
    let cpus = allowed_cpus();
    let mut facts = vec![
        (
            "date (UTC)".to_owned(),
            line(Command::new("date").args(["-u", "+%F %H:%M"])),
        ),
        ("CPU".to_owned(), value_of("/proc/cpuinfo", "model name", ':')),
        ("cores".to_owned(), cpus.len().to_string()),
        ("memory".to_owned(), value_of("/proc/meminfo", "MemTotal", ':')),
        ("kernel".to_owned(), line(Command::new("uname").args(["-srm"]))),
        (
            "system".to_owned(),
            value_of("/etc/os-release", "PRETTY_NAME", '=').replace('"', ""),
        ),
        ("load before the run".to_owned(), load()),
        ("rounds".to_owned(), bench.rounds.to_string()),
        ("cargo-soci".to_owned(), ours(bench)),
    ];
    for (tool, flag) in TOOLS {
        let told = line(Command::new(tool).arg(flag));
        let version = told
            .strip_prefix(tool)
            .unwrap_or(&told)
            .trim_start_matches(" version");
        facts.push(((*tool).to_owned(), version.trim().to_owned()));
    }
    facts
}

/// The processors that this process may run on, as `taskset` numbers them.
pub(super) fn allowed_cpus() -> Vec<usize> {
    let list = value_of("/proc/self/status", "Cpus_allowed_list", ':');
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse::<usize>()) {
            cpus.extend(first..=last);
        }
    }
    cpus
}

/// Version and commit.
fn ours(bench: &Bench) -> String {
    let version = line(Command::new(&bench.binary).arg("--version"));
    let version = version
        .strip_prefix("cargo-soci")
        .unwrap_or(&version)
        .trim()
        .to_owned();
    let commit = output(
        Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .current_dir(root()),
    );
    match commit {
        Ok(commit) => format!("{version}, commit {}", commit.trim()),
        Err(_) => version,
    }
}

/// Runnable processes over the last 1, 5 and 15 minutes: a machine at rest has less than 1.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// What stands behind the first line with this name.
fn value_of(path: &str, name: &str, separator: char) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(separator));
    let mut values = lines
        .filter(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned());
    values.next().unwrap_or_else(|| "unknown".to_owned())
}

/// The first line that a command prints.
fn line(command: &mut Command) -> String {
    output(command)
        .ok()
        .and_then(|text| text.lines().find(|line| !line.is_empty()).map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}
