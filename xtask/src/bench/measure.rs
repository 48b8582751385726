//! Whole processes, several rounds, interleaved: wall time, CPU time, peak memory, bytes to the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Bench;

const MIB: f64 = 1024.0 * 1024.0;

/// A command under a name; its stdout goes nowhere.
pub(super) struct Contestant {
    /// The name in the table.
    name: String,
    /// Program and arguments.
    words: Vec<String>,
    /// The ratio of its wall time that is to be reached.
    goal: Option<f64>,
    /// The zTOCs that it has in flight at once: they bound its memory.
    ztocs: Vec<PathBuf>,
    /// A folder that is not there when it starts.
    absent: Option<PathBuf>,
}

impl Contestant {
    /// A contestant from anything that gives words.
    pub(super) fn new<W: Into<String>>(name: &str, words: impl IntoIterator<Item = W>) -> Self {
        Self {
            name: name.to_owned(),
            words: words.into_iter().map(Into::into).collect(),
            goal: None,
            ztocs: Vec::new(),
            absent: None,
        }
    }

    /// What a run before left in this folder is removed first, at no time of the command's.
    pub(super) fn without(mut self, folder: &Path) -> Self {
        self.absent = Some(folder.to_owned());
        self
    }

    /// Its wall time must be at most so many times that of the first contestant.
    pub(super) fn goal(mut self, ratio: f64) -> Self {
        self.goal = Some(ratio);
        self
    }

    /// Each of its processes has this zTOC in flight, written to the named file.
    pub(super) fn ztoc(mut self, path: &Path) -> Self {
        self.ztocs.push(path.to_owned());
        self
    }

    /// 16 MiB and one and a half times its zTOC, in MiB.
    fn memory_bound(&self) -> Option<f64> {
        if self.ztocs.is_empty() {
            return None;
        }
        let size = |path: &PathBuf| fs::metadata(path).map_or(0, |facts| facts.len());
        let bytes: u64 = self.ztocs.iter().map(size).sum();
        Some(16.0 + 1.5 * bytes as f64 / MIB)
    }
}

/// The figures of one run.
#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    cpu: f64,
    /// Of the largest process.
    peak_mib: f64,
    /// What all its processes gave the file systems to write.
    disk_mib: f64,
}

/// Runs the contestants in turn, `rounds` times after one uncounted round, and prints a table whose ratios
/// refer to the first contestant, with the goals and bounds behind it.
///
/// # Errors
/// When a command cannot be run or fails.
pub(super) fn compare(
    bench: &Bench,
    title: &str,
    contestants: &[Contestant],
    rounds: usize,
) -> Result<(), String> {
    let report = bench.folder.join("time.txt");
    let mut samples = vec![Vec::new(); contestants.len()];
    for round in 0..=rounds {
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            let sample = once(contestant, &report)?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let base = (median(&samples[0], |s| s.wall), median(&samples[0], |s| s.cpu));
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (contestant, samples) in contestants.iter().zip(&samples) {
        let wall = median(samples, |s| s.wall) / base.0;
        let cpu = median(samples, |s| s.cpu) / base.1;
        let peak = median(samples, |s| s.peak_mib);
        rows.push(vec![
            contestant.name.clone(),
            spread(samples, |s| s.wall),
            format!("{wall:.3}"),
            spread(samples, |s| s.cpu),
            // Below what the clock of CPU time tells apart, there is no ratio.
            if cpu.is_finite() {
                format!("{cpu:.3}")
            } else {
                "–".to_owned()
            },
            format!("{peak:.1}"),
            format!("{:.1}", median(samples, |s| s.disk_mib)),
        ]);
        let verdict = |holds: bool| if holds { "reached" } else { "MISSED" };
        if let Some(goal) = contestant.goal {
            notes.push(format!(
                "{}: wall ratio {wall:.3}, goal at most {goal}: {}",
                contestant.name,
                verdict(wall <= goal)
            ));
        }
        if let Some(bound) = contestant.memory_bound() {
            notes.push(format!(
                "{}: peak {peak:.1} MiB, goal at most {bound:.1} (16 MiB + 1.5 × zTOC): {}",
                contestant.name,
                verdict(peak <= bound)
            ));
        }
    }
    let format = bench.format;
    format.title(title);
    format.table(
        &[
            "",
            "wall s [min–max]",
            "ratio",
            "CPU s [min–max]",
            "ratio",
            "peak MiB",
            "disk MiB",
        ],
        &rows,
    );
    for note in notes {
        format.note(&note);
    }
    Ok(())
}

/// One run under GNU time, which knows CPU time, peak memory and writes of the child and of its children.
fn once(contestant: &Contestant, report: &Path) -> Result<Sample, String> {
    if let Some(folder) = &contestant.absent
        && folder.exists()
    {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    let mut command = Command::new("/usr/bin/time");
    command
        .args(["--format", "%U %S %M %O", "--output"])
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
    let [user, system, peak_kib, blocks] = numbers[..] else {
        return Err(format!("GNU time wrote {text:?} for {}", contestant.name));
    };
    Ok(Sample {
        wall,
        cpu: user + system,
        peak_mib: peak_kib / 1024.0,
        // Linux counts in sectors of 512 bytes, on every file system with a disk behind it.
        disk_mib: blocks * 512.0 / MIB,
    })
}

fn sorted(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    ascending(samples.iter().map(of).collect())
}

/// The same values, the smallest first: the median stands in the middle.
pub(super) fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Seconds of a command from start to a good end; what it prints is shown if it fails.
pub(super) fn seconds(command: &mut Command) -> Result<f64, String> {
    let started = Instant::now();
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{command:?} ended with {}\n{told}", done.status));
    }
    Ok(started.elapsed().as_secs_f64())
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
