//! Counting.

use super::{FileReport, Finding, Summary, TaskReport};
use crate::terms::{Severity, Verdict};

impl Summary {
    /// Counts files and findings.
    pub(crate) fn of(files: &[FileReport], findings: &[Finding], suppressed: u32) -> Self {
        let mut summary = Self {
            files: size(files.len()),
            suppressed,
            ..Self::default()
        };
        let tasks: Vec<&TaskReport> = files.iter().flat_map(|file| &file.tasks).collect();
        summary.tasks = size(tasks.len());
        let mut worst_accepted = Verdict::Lazy;
        for container in tasks.iter().flat_map(|task| &task.containers) {
            summary.containers += 1;
            if container.accepted.is_some() {
                summary.accepted += 1;
                worst_accepted = worst_accepted.max(container.verdict);
                continue;
            }
            match container.verdict {
                Verdict::Lazy => summary.lazy += 1,
                Verdict::NotLazy => summary.not_lazy += 1,
                Verdict::Unknown => summary.unknown += 1,
            }
        }
        summary.verdict = match (summary.not_lazy, summary.unknown, summary.lazy) {
            (1.., _, _) => Verdict::NotLazy,
            (_, 0, 1..) => Verdict::Lazy,
            (_, 0, 0) if summary.accepted > 0 => worst_accepted,
            _ => Verdict::Unknown,
        };
        for finding in findings {
            match finding.severity {
                Severity::Error => summary.errors += 1,
                Severity::Warning => summary.warnings += 1,
                Severity::Info => summary.infos += 1,
                Severity::Off => {}
            }
        }
        summary
    }
}

fn size(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
