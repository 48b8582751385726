//! The table of contents of a layer, row by row as the tar is walked, within limits.

use super::limits::Limits;
use super::skip::Unindexable;
use super::toc::{EntryType, Toc, TocEntry, Xattrs};
use crate::tar::{Entry, Visitor};

/// The table of contents while the tar is walked.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) toc: Toc,
    limits: Limits,
    /// What a zTOC cannot describe; the first one.
    pub(super) failure: Option<Unindexable>,
}

impl Visitor for Contents {
    fn entry(&mut self, entry: &Entry<'_>) {
        if self.failure.is_none()
            && let Err(reason) = self.add(entry)
        {
            self.failure = Some(reason);
        }
    }
}

impl Contents {
    pub(super) fn new(limits: Limits) -> Self {
        Contents {
            toc: Toc::new(),
            limits,
            failure: None,
        }
    }

    fn add(&mut self, entry: &Entry<'_>) -> Result<(), Unindexable> {
        let entry_type =
            EntryType::from_type_flag(entry.type_flag).ok_or_else(|| Unindexable::UnsupportedEntry {
                type_flag: entry.type_flag,
                name: entry.name.into(),
                offset: entry.data_offset,
            })?;
        let (entries, pax_records, text_bytes) = (
            self.limits.entries(),
            self.limits.pax_records(),
            self.limits.text_bytes(),
        );
        if self.toc.len() == entries {
            return Err(Unindexable::TooManyEntries { limit: entries });
        }
        let modified = entry.modified.rfc_3339();
        let row = TocEntry {
            name: entry.name,
            entry_type,
            offset: entry.data_offset,
            size: entry.size,
            link_name: entry.link_name,
            mode: entry.mode,
            // The reference keeps the low 32 bits.
            uid: entry.uid as u32,
            gid: entry.gid as u32,
            user_name: entry.user_name,
            group_name: entry.group_name,
            modified: modified.as_bytes(),
            device_major: entry.device_major,
            device_minor: entry.device_minor,
            xattrs: Xattrs::NONE,
        };
        let records = entry.pax_records();
        if self.toc.pair_count() + records.iter().len() > pax_records {
            return Err(Unindexable::TooMuchText {
                limit: pax_records,
                unit: "records",
            });
        }
        let records_text: usize = records.iter().map(|(key, value)| key.len() + value.len()).sum();
        if self.toc.text_bytes() + row.text_bytes() + records_text > text_bytes {
            return Err(Unindexable::TooMuchText {
                limit: text_bytes,
                unit: "bytes",
            });
        }
        self.toc.push(&row, records.iter());
        if [entry.uid, entry.gid]
            .iter()
            .any(|id| u32::try_from(*id).is_err())
        {
            self.toc.cut_owner();
        }
        Ok(())
    }
}
