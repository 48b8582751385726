//! The layer inflated from its start: its entries against the table of contents, and the digests of
//! the output of every span.

use alloc::boxed::Box;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::Verification;
use super::fault::{Fault, Faults};
use super::spans::output_range;
use crate::Error;
use crate::inflate::Consumer;
use crate::tar::{Entry, Timestamp, Visitor, Walker};
use crate::ztoc::toc::{EntryType, TocEntry};
use crate::ztoc::value::Ztoc;
use crate::ztoc::zinfo::Zinfo;

/// The layer inflated from its start.
#[derive(Debug)]
pub(super) struct Plain<'z> {
    pub(super) walker: Walker,
    pub(super) comparison: Comparison<'z>,
    pub(super) output: OutputDigests<'z>,
    /// Of a gzip layer.
    pub(super) whole: Sha256,
}

impl<'z> Plain<'z> {
    pub(super) fn new(ztoc: &'z Ztoc) -> Self {
        Plain {
            walker: Walker::new(),
            comparison: Comparison {
                ztoc,
                seen: 0,
                same: Vec::new(),
                faults: Vec::new(),
                count: 0,
                missing: None,
                cut_owners: Vec::new(),
            },
            output: OutputDigests::new(ztoc),
            whole: Sha256::new(),
        }
    }
}

impl Consumer for Plain<'_> {
    type Error = Error;

    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // The output of a plain tar's spans is their bytes, which have digests already.
        if matches!(self.output.ztoc.zinfo(), Zinfo::Gzip(_)) {
            self.output.update(bytes);
            self.whole.update(bytes);
        }
        self.walker.push(bytes, &mut self.comparison)
    }
}

/// Compares the walk's entries with the table of contents.
#[derive(Debug)]
pub(super) struct Comparison<'z> {
    ztoc: &'z Ztoc,
    seen: usize,
    /// Whether each entry of the table is the walk's.
    same: Vec<bool>,
    faults: Vec<Fault>,
    count: usize,
    missing: Option<Box<[u8]>>,
    pub(super) cut_owners: Vec<usize>,
}

impl Visitor for Comparison<'_> {
    fn entry(&mut self, found: &Entry<'_>) {
        let index = self.seen;
        self.seen += 1;
        let Some(told) = self.ztoc.toc().get(index) else {
            self.missing.get_or_insert_with(|| found.name.into());
            return;
        };
        if [found.uid, found.gid]
            .iter()
            .any(|id| u32::try_from(*id).is_err())
        {
            self.cut_owners.push(index);
        }
        let difference = difference(&told, found);
        self.same.push(difference.is_none());
        if let Some(field) = difference {
            self.count += 1;
            if self.faults.len() < Verification::FAULTS {
                self.faults.push(Fault::Entry {
                    index,
                    name: found.name.into(),
                    field,
                });
            }
        }
    }
}

impl Comparison<'_> {
    pub(super) fn finish(self, faults: &mut Faults) -> Vec<bool> {
        let told = self.ztoc.toc().len();
        let unkept = self.count - self.faults.len();
        self.faults.into_iter().for_each(|fault| faults.add(fault));
        faults.count += unkept;
        if let Some(name) = self.missing {
            faults.add(Fault::MissingEntries {
                count: self.seen - told,
                name,
            });
        }
        if let Some(extra) = self.ztoc.toc().get(self.seen) {
            faults.add(Fault::ExtraEntries {
                count: told - self.seen,
                name: extra.name.into(),
            });
        }
        self.same
    }
}

/// The first field that differs.
fn difference(told: &TocEntry<'_>, found: &Entry<'_>) -> Option<&'static str> {
    let modified = found.modified.rfc_3339();
    // Another time zone than UTC is unusual, but the same time.
    let same_time = || {
        let (told, found) = (told.modified, modified.as_bytes());
        told == found
            || Timestamp::from_rfc_3339(told).is_some_and(|time| time.rfc_3339().as_bytes() == found)
    };
    [
        ("name", told.name == found.name),
        (
            "type",
            EntryType::from_type_flag(found.type_flag) == Some(told.entry_type),
        ),
        ("offset", told.offset == found.data_offset),
        ("size", told.size == found.size),
        ("link target", told.link_name == found.link_name),
        ("mode", told.mode == found.mode),
        // A zTOC has 32 bits for them; what they do not hold is told apart.
        ("user id", told.uid == found.uid as u32),
        ("group id", told.gid == found.gid as u32),
        ("user name", told.user_name == found.user_name),
        ("group name", told.group_name == found.group_name),
        ("modification time", same_time()),
        (
            "device number",
            (told.device_major, told.device_minor) == (found.device_major, found.device_minor),
        ),
        ("PAX records", told.xattrs.iter().eq(found.pax_records().iter())),
    ]
    .into_iter()
    .find_map(|(field, same)| (!same).then_some(field))
}

/// Digests of the uncompressed layer, cut where the spans' outputs end.
#[derive(Debug)]
pub(super) struct OutputDigests<'z> {
    ztoc: &'z Ztoc,
    position: u64,
    open: Sha256,
    done: Vec<[u8; 32]>,
}

impl<'z> OutputDigests<'z> {
    pub(super) fn new(ztoc: &'z Ztoc) -> Self {
        OutputDigests {
            ztoc,
            position: 0,
            open: Sha256::new(),
            done: Vec::new(),
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        // Spans tile the layer, but a foreign first checkpoint could begin later.
        while let Some(span) = self.ztoc.span(self.done.len()) {
            let (start, end) = output_range(self.ztoc, &span);
            let skipped = start.saturating_sub(self.position).min(bytes.len() as u64);
            let (_, rest) = bytes.split_at(skipped as usize);
            let taken = end.saturating_sub(self.position + skipped).min(rest.len() as u64);
            let (part, rest) = rest.split_at(taken as usize);
            self.open.update(part);
            self.position += skipped + taken;
            bytes = rest;
            if self.position < end {
                return;
            }
            self.done.push(self.open.finalize_reset().into());
        }
        self.position += bytes.len() as u64;
    }

    /// One digest per span; spans that the layer does not reach have that of what there is.
    pub(super) fn finish(mut self) -> Vec<[u8; 32]> {
        self.done.push(self.open.finalize().into());
        self.done
    }
}
