//! What was opened, read and fetched, and what went wrong: by time from a common begin.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::layer::Fault;

/// A span that was fetched.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fetch {
    /// Seconds after the begin when it was asked for.
    pub at: f64,
    /// Seconds until it could be read.
    pub seconds: f64,
    /// The layer, from 0 for the lowest.
    pub layer: usize,
    /// The span's number.
    pub span: usize,
    /// Bytes that were fetched.
    pub compressed: u64,
    /// Bytes that they became.
    pub uncompressed: u64,
}

/// A file that was opened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OpenedFile {
    /// Its path in the image, without links.
    pub path: Vec<u8>,
    /// Its bytes.
    pub size: u64,
    /// The layer that has it.
    pub layer: usize,
    /// Seconds after the begin of its first opening.
    pub at: f64,
    /// What was read of it, disjoint and ascending; what the page cache had already was not asked for again.
    pub ranges: Vec<Range<u64>>,
    /// Seconds that readers waited for it.
    pub seconds: f64,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// Opened files in the order of their first opening.
    pub files: Vec<OpenedFile>,
    /// Fetched spans in the order of the fetches.
    pub fetches: Vec<Fetch>,
    /// What could not be read, each once.
    pub faults: Vec<Fault>,
}

/// Takes notes from any thread.
#[derive(Debug)]
pub(crate) struct Record {
    begin: Instant,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// By inode.
    files: BTreeMap<u64, OpenedFile>,
    order: Vec<u64>,
    fetches: Vec<Fetch>,
    faults: Vec<Fault>,
    closed: bool,
}

impl Record {
    pub(crate) fn new(begin: Instant) -> Self {
        Self {
            begin,
            notes: Mutex::default(),
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn opened(&self, inode: u64, describe: impl FnOnce() -> (Vec<u8>, u64, usize)) {
        let at = self.begin.elapsed().as_secs_f64();
        let mut notes = self.notes();
        if notes.closed || notes.files.contains_key(&inode) {
            return;
        }
        let (path, size, layer) = describe();
        notes.order.push(inode);
        notes.files.insert(
            inode,
            OpenedFile {
                path,
                size,
                layer,
                at,
                ranges: Vec::new(),
                seconds: 0.0,
            },
        );
    }

    pub(crate) fn read(&self, inode: u64, range: Range<u64>, begun: Instant) {
        let mut notes = self.notes();
        if notes.closed {
            return;
        }
        if let Some(file) = notes.files.get_mut(&inode) {
            file.seconds += begun.elapsed().as_secs_f64();
            add(&mut file.ranges, range);
        }
    }

    pub(crate) fn fetched(&self, begun: Instant, fetch: Fetch) {
        let at = begun.saturating_duration_since(self.begin).as_secs_f64();
        let mut notes = self.notes();
        if !notes.closed {
            notes.fetches.push(Fetch { at, ..fetch });
        }
    }

    /// A fault is told even after the end of the notes.
    pub(crate) fn failed(&self, fault: Fault) {
        let mut notes = self.notes();
        if fault != Fault::Stopped && notes.faults.len() < FAULTS && !notes.faults.contains(&fault) {
            notes.faults.push(fault);
        }
    }

    /// Ends the notes: what comes now is after ready.
    pub(crate) fn close(&self) {
        self.notes().closed = true;
    }

    pub(crate) fn recorded(&self) -> Recorded {
        let notes = self.notes();
        let files = notes.order.iter().filter_map(|inode| notes.files.get(inode));
        Recorded {
            files: files.cloned().collect(),
            fetches: notes.fetches.clone(),
            faults: notes.faults.clone(),
        }
    }
}

/// As many different faults are kept; nobody reads more.
const FAULTS: usize = 100;

/// Adds a range to disjoint ascending ones.
fn add(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    if range.is_empty() {
        return;
    }
    let from = ranges.partition_point(|known| known.end < range.start);
    let to = from + ranges[from..].partition_point(|known| known.start <= range.end);
    let joined = ranges[from..to]
        .iter()
        .fold(range, |all, one| all.start.min(one.start)..all.end.max(one.end));
    ranges.splice(from..to, [joined]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_disjoint_and_ascending() {
        let mut ranges = Vec::new();
        for range in [10..20, 30..40, 0..5, 20..25, 50..50, 24..31, 100..200] {
            add(&mut ranges, range);
        }
        assert_eq!(ranges, [0..5, 10..40, 100..200]);
        add(&mut ranges, 4..150);
        assert_eq!(ranges, vec![Range { start: 0, end: 200 }]);
    }

    #[test]
    fn notes_end_when_they_are_closed_but_faults_are_told() {
        let record = Record::new(Instant::now());
        let file = |path: &str| (path.as_bytes().to_vec(), 10, 0);
        record.opened(2, || file("/b"));
        record.opened(1, || file("/a"));
        record.opened(2, || file("/other name"));
        record.read(2, 0..4, Instant::now());
        record.close();
        record.opened(3, || file("/c"));
        record.read(2, 4..8, Instant::now());
        let fault = Fault::Digest {
            layer: "x".into(),
            span: 1,
        };
        record.failed(fault.clone());
        record.failed(fault);
        record.failed(Fault::Stopped);
        let recorded = record.recorded();
        let paths: Vec<_> = recorded.files.iter().map(|file| &file.path[..]).collect();
        assert_eq!(paths, [b"/b", b"/a"]);
        assert_eq!(recorded.files[0].ranges, vec![Range { start: 0, end: 4 }]);
        assert_eq!(recorded.faults.len(), 1);
    }
}
