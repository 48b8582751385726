//! Changes that mend findings: data in the report, applied here to texts. Nothing is written anywhere.
//!
//! A change is offered where every deployment that worked before works the same after. It replaces one stretch of one
//! file that was asked for, so that everything around it stays as it is, byte for byte.

use crate::engine::lint_beside;
use crate::report::{Fix, Report};
use crate::source::Location;
use crate::{Beside, Input, Options};

/// Files with all changes made, and what is left to say about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// The files in their order, changed or not.
    pub files: Vec<Input>,
    /// How many stretches were replaced.
    pub changes: usize,
    /// The report on the files as they are then.
    pub report: Report,
}

/// One change may make another possible: a comment that silenced what is gone. More rounds than this are none of ours.
const MOST_ROUNDS: usize = 8;

/// Lints files, makes the changes that the findings offer, and goes on until there are none.
pub fn fix_beside(files: &[Input], beside: &dyn Beside, options: &Options) -> Fixed {
    let mut files = files.to_vec();
    let mut changes = 0;
    let mut report = lint_beside(&files, beside, options);
    for _ in 0..MOST_ROUNDS {
        let mut made = 0;
        for file in &mut files {
            let (bytes, count) = apply(&file.bytes, fixes_of(&report, &file.path));
            file.bytes = bytes;
            made += count;
        }
        if made == 0 {
            break;
        }
        changes += made;
        report = lint_beside(&files, beside, options);
    }
    Fixed {
        files,
        changes,
        report,
    }
}

/// The changes that a report offers for a file.
pub fn fixes_of<'r>(report: &'r Report, path: &'r str) -> impl Iterator<Item = &'r Fix> {
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    fixes.filter(move |fix| fix.file == path)
}

/// Makes changes in a text, and says how many. The same change counts once; of two that overlap the first is made.
pub fn apply<'f>(bytes: &[u8], fixes: impl IntoIterator<Item = &'f Fix>) -> (Vec<u8>, usize) {
    let mut sorted: Vec<(usize, usize, &str)> = fixes
        .into_iter()
        .map(|fix| {
            let Location { start, end } = fix.location;
            (start.byte as usize, end.byte as usize, fix.replacement.as_str())
        })
        .collect();
    sorted.sort_unstable();
    let mut out = Vec::with_capacity(bytes.len());
    let (mut from, mut changes) = (0, 0);
    for (start, end, replacement) in sorted {
        let Some(between) = bytes
            .get(from..start)
            .filter(|_| start < end && end <= bytes.len())
        else {
            continue;
        };
        out.extend_from_slice(between);
        out.extend_from_slice(replacement.as_bytes());
        (from, changes) = (end, changes + 1);
    }
    out.extend_from_slice(&bytes[from..]);
    (out, changes)
}
