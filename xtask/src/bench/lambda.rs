//! The function of AWS Lambda on an image that no disk of Lambda holds: memory, bytes to the disk, seconds for each GB,
//! and how long it takes to start.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use soci_tests::generated::GeneratedImage;
use soci_tests::lambda::Bootstrap;
use soci_tests::registry::{Behaviour, TestRegistry};

use super::Bench;
use super::measure::ascending;
use crate::dist;
use crate::run::Outcome;

/// Sizes of the layers as they are stored, in MB: 14 GB together.
const LAYERS: &[u64] = &[3500, 2500, 2500, 2000, 1500, 1000, 500, 300, 150, 50];

/// What the templates in `deploy/` give the function.
const MEMORY: &str = "2048";

/// Seconds that Lambda gives a call, without the margin at which the function stops.
const CALL: f64 = 900.0 - 20.0;

/// The goal for resident memory.
const PEAK_MIB: f64 = 256.0;

const MIB: f64 = 1024.0 * 1024.0;

/// Starts the function several times, then has it convert the image once.
pub(super) fn run(bench: &Bench) -> Outcome {
    let (program, zip) = dist::lambda_function(&bench.folder)?;
    let start = start(&program, bench.rounds.max(5))?;
    eprintln!("every byte of the image is hashed twice before it is there");
    let sizes: Vec<u64> = LAYERS.iter().map(|megabytes| megabytes * 1_000_000).collect();
    let image = GeneratedImage::new(&sizes);
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image.store(content, "1"));

    let function = Bootstrap::start(
        &[program.as_os_str()],
        &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY)],
    );
    let begun = Instant::now();
    let answer = function.call_patiently(&json!({"image": registry.name("app:1")}));
    let wall = begun.elapsed().as_secs_f64();
    let process = Path::new("/proc").join(function.id().to_string());
    let peak = number(&process.join("status"), "VmHWM:")? / 1024.0;
    let to_disk = number(&process.join("io"), "write_bytes:")?;
    let cpu = cpu_seconds(&process)?;
    let lines = function.end();
    if answer != Ok(json!({"outcome": "converted"})) || !registry.broken_tags().is_empty() {
        return Err(format!("the function answers {answer:?} and writes {lines:?}"));
    }

    let (stored, unpacked) = (image.size() as f64 / 1e9, image.unpacked_size() as f64 / 1e9);
    let largest = |gigabytes: f64| format!("{:.0}", CALL / wall * gigabytes);
    let per = |seconds: f64, gigabytes: f64| format!("{:.2}", seconds / gigabytes);
    let rows = [("stored, as the registry has it", stored), ("unpacked", unpacked)].map(|(name, size)| {
        vec![
            name.to_owned(),
            format!("{size:.1}"),
            format!("{wall:.1}"),
            per(wall, size),
            per(cpu, size),
            largest(size),
        ]
    });
    let format = bench.format;
    format.title(&format!(
        "The function of AWS Lambda, an image of {} layers, its registry on the same cores (`lambda`)",
        LAYERS.len()
    ));
    let head = [
        "",
        "GB",
        "wall s",
        "wall s for 1 GB",
        "CPU s for 1 GB",
        "GB in one call",
    ];
    format.table(&head, &rows);
    let verdict = |holds: bool| if holds { "reached" } else { "MISSED" };
    format.note(&format!(
        "peak resident memory {peak:.1} MiB, goal at most {PEAK_MIB}: {}",
        verdict(peak <= PEAK_MIB)
    ));
    format.note(&format!(
        "{to_disk} bytes to the disk, goal 0: {}",
        verdict(to_disk == 0.0)
    ));
    format.note(&format!(
        "from the start of the process until it asks for its first call: median {:.1} ms [{:.1}–{:.1}] of {}",
        start[start.len() / 2] * 1000.0,
        start[0] * 1000.0,
        start[start.len() - 1] * 1000.0,
        start.len()
    ));
    format.note(&format!(
        "the program has {:.1} MiB, its zip {:.1} MiB",
        size(&program)? / MIB,
        size(&zip)? / MIB
    ));
    Ok(())
}

/// Seconds from the start of the process until it asks for a call, the shortest first.
fn start(program: &Path, rounds: usize) -> Result<Vec<f64>, String> {
    let mut seconds = Vec::new();
    for round in 0..=rounds {
        let begun = Instant::now();
        let function = Bootstrap::start(&[program.as_os_str()], &[]);
        if !function.is_ready_within(Duration::from_secs(30)) {
            return Err("the function asks for no call".to_owned());
        }
        // The first round brings the program into memory.
        if round > 0 {
            seconds.push(begun.elapsed().as_secs_f64());
        }
        drop(function);
    }
    Ok(ascending(seconds))
}

/// The number behind a name in a file of `/proc`.
fn number(path: &Path, name: &str) -> Result<f64, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| format!("{} has no {name}", path.display()))
}

/// User and system time of a running process.
fn cpu_seconds(process: &Path) -> Result<f64, String> {
    let path = process.join("stat");
    let text =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    // The name of the program, in parentheses, may hold spaces; utime and stime are the 12th and 13th behind it.
    let ticks = text.rsplit_once(") ").map(|(_, rest)| {
        let fields = rest.split(' ').skip(11).take(2);
        fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>()
    });
    // Linux counts 100 ticks in a second on every architecture of Lambda.
    ticks
        .map(|ticks| ticks / 100.0)
        .ok_or_else(|| format!("{} is not as expected", path.display()))
}

fn size(path: &Path) -> Result<f64, String> {
    let facts = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(facts.len() as f64)
}
