//! Whole processes, several rounds, interleaved: wall time, CPU time, peak memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command under a name; its stdout goes nowhere.
pub(super) struct Contestant {
    /// The name in the table.
    pub(super) name: String,
    /// Program and arguments.
    pub(super) words: Vec<String>,
}

impl Contestant {
    /// A contestant from anything that gives words.
    pub(super) fn new<W: Into<String>>(name: &str, words: impl IntoIterator<Item = W>) -> Self {
        Self {
            name: name.to_owned(),
            words: words.into_iter().map(Into::into).collect(),
        }
    }
}

/// The figures of one run: seconds and KiB.
#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    cpu: f64,
    peak_kib: f64,
}

/// Runs the contestants in turn, `rounds` times after one uncounted round, and prints a table whose ratios
/// refer to the first contestant.
///
/// # Errors
/// When a command cannot be run or fails.
pub(super) fn compare(
    title: &str,
    contestants: &[Contestant],
    rounds: usize,
    folder: &Path,
) -> Result<(), String> {
    let report = folder.join("time.txt");
    let mut samples = vec![Vec::new(); contestants.len()];
    for round in 0..=rounds {
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            let sample = once(contestant, &report)?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    println!(
        "\n{title} ({rounds} rounds, interleaved; median [min–max]; ratios to {})",
        contestants[0].name
    );
    println!(
        "{:<34} {:>26} {:>7} {:>20} {:>7} {:>10}",
        "", "wall s", "ratio", "CPU s", "ratio", "peak MiB"
    );
    let base = (median(&samples[0], |s| s.wall), median(&samples[0], |s| s.cpu));
    for (contestant, samples) in contestants.iter().zip(&samples) {
        let wall = median(samples, |s| s.wall);
        let cpu = median(samples, |s| s.cpu);
        println!(
            "{:<34} {:>26} {:>7.3} {:>20} {:>7.3} {:>10.1}",
            contestant.name,
            spread(samples, |s| s.wall),
            wall / base.0,
            spread(samples, |s| s.cpu),
            cpu / base.1,
            median(samples, |s| s.peak_kib) / 1024.0,
        );
    }
    Ok(())
}

/// One run under GNU time, which knows the child's CPU time and peak memory.
fn once(contestant: &Contestant, report: &Path) -> Result<Sample, String> {
    let mut command = Command::new("/usr/bin/time");
    command
        .args(["--format", "%U %S %M", "--output"])
        .arg(report)
        .args(&contestant.words);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let done = command
        .output()
        .map_err(|error| format!("cannot run /usr/bin/time: {error}"))?;
    let wall = started.elapsed().as_secs_f64();
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        return Err(format!(
            "{} failed: {:?}\n{told}",
            contestant.name, contestant.words
        ));
    }
    let text =
        fs::read_to_string(report).map_err(|error| format!("cannot read {}: {error}", report.display()))?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [user, system, peak_kib] = numbers[..] else {
        return Err(format!("GNU time wrote {text:?} for {}", contestant.name));
    };
    Ok(Sample {
        wall,
        cpu: user + system,
        peak_kib,
    })
}

fn sorted(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let values = sorted(samples, of);
    values[values.len() / 2]
}

fn spread(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> String {
    let values = sorted(samples, of);
    format!(
        "{:.3} [{:.3}–{:.3}]",
        values[values.len() / 2],
        values[0],
        values[values.len() - 1]
    )
}
