//! A measured start as people read it.

use std::cmp::Reverse;

use indicatif::HumanBytes;

use super::linux::Report;
use crate::escape;
use crate::machine::report::FileReport;
use crate::machine::text;
use crate::plural::count;

/// Files that are named in each list.
const SHOWN: usize = 8;

/// The whole report.
pub(super) fn report(report: &Report) -> String {
    let over = match &report.link {
        Some(link) => format!(" over {link}"),
        None => String::new(),
    };
    let how = match report.way {
        "whole" => "pulled whole",
        _ => "lazy",
    };
    let mut lines = vec![
        format!(
            "ready    {:.2} s, {how}{over}: {:.2} s until the container could be created, {:.2} s from there",
            report.seconds, report.pull_seconds, report.container_seconds
        ),
        text::fetched(&report.layers, &report.fetched),
    ];
    if report.way != "whole" {
        let read: u64 = report.files.iter().map(|file| file.read_bytes).sum();
        let size: u64 = report.files.iter().map(|file| file.size).sum();
        lines.push(format!(
            "files    {} opened, {} read of {}",
            count(report.files.len(), "file"),
            HumanBytes(read),
            HumanBytes(size)
        ));
        lines.extend(most(report, "read most", |file| Reverse(file.read_bytes)));
        lines.extend(most(report, "waited for longest", |file| {
            Reverse((file.seconds * 1e3) as u64)
        }));
    }
    if let Some(trace) = &report.trace {
        lines.push(format!("\nThe trace is in {}.", escape::terminal(trace)));
    }
    lines.join("\n")
}

/// The first files by a measure; those without anything to tell are left out.
fn most<K: Ord>(report: &Report, title: &str, key: impl Fn(&FileReport) -> K) -> Vec<String> {
    let mut files: Vec<&FileReport> = report.files.iter().filter(|file| file.read_bytes > 0).collect();
    files.sort_by_key(|file| (key(file), file.path.clone()));
    files.truncate(SHOWN);
    if files.is_empty() {
        return Vec::new();
    }
    let line = |file: &&FileReport| {
        format!(
            "  {:>12} {:>8.3} s  {}",
            HumanBytes(file.read_bytes).to_string(),
            file.seconds,
            escape::terminal(&file.path)
        )
    };
    std::iter::once(format!("\n{title}"))
        .chain(files.iter().map(line))
        .collect()
}
