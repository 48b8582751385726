//! What is read of a table of contents: the only place that knows how `soci-ztoc` keeps it.

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::{EntryType, Refusal, Toc, TocEntry, Xattrs, Zinfo, Ztoc};

/// One entry, as this crate uses it.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) index: u32,
    pub(crate) name: &'a [u8],
    pub(crate) kind: EntryType,
    pub(crate) link_name: &'a [u8],
    pub(crate) offset: u64,
    /// As the header tells it; links and the like can tell one.
    pub(crate) size: i64,
    /// All bits of the header's field.
    pub(crate) mode: i64,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// `None` outside the years 0 to 9999.
    pub(crate) modified: Option<Timestamp>,
    pub(crate) device: (i64, i64),
    /// The header tells an owner that the zTOC's 32 bits do not hold.
    pub(crate) owner_is_cut: bool,
    records: Xattrs<'a>,
}

/// The entries of a table of contents, in tar order.
pub(crate) fn entries(toc: &Toc) -> impl Iterator<Item = Entry<'_>> {
    toc.iter().zip(0..).map(|(entry, index)| read(toc, entry, index))
}

/// The entry with this index.
pub(crate) fn entry(toc: &Toc, index: u32) -> Option<Entry<'_>> {
    Some(read(toc, toc.get(index as usize)?, index))
}

fn read<'a>(toc: &Toc, entry: TocEntry<'a>, index: u32) -> Entry<'a> {
    let differs = |key: &[u8], kept: u32| {
        let told = entry.xattrs.get(key);
        !told.is_empty() && decimal(told) != Some(i64::from(kept))
    };
    Entry {
        index,
        name: entry.name,
        kind: entry.entry_type,
        link_name: entry.link_name,
        offset: entry.offset,
        size: entry.size,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        modified: Timestamp::from_rfc_3339(entry.modified),
        device: (entry.device_major, entry.device_minor),
        owner_is_cut: toc.owner_was_cut(index as usize)
            || differs(b"uid", entry.uid)
            || differs(b"gid", entry.gid),
        records: entry.xattrs,
    }
}

fn decimal(text: &[u8]) -> Option<i64> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

impl<'a> Entry<'a> {
    /// The extended attributes among the PAX records, by name.
    pub(crate) fn xattrs(&self) -> Vec<(&'a [u8], &'a [u8])> {
        self.records
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(XATTR)?, value)))
            .collect()
    }

    /// Permission bits with set-uid, set-gid and sticky.
    pub(crate) fn permissions(&self) -> u16 {
        (self.mode & 0o7777) as u16
    }

    /// Bytes of data that follow the header.
    pub(crate) fn data_size(&self) -> u64 {
        match self.kind {
            EntryType::Regular => self.size.max(0) as u64,
            _ => 0,
        }
    }

    /// Whether the bits above the permissions name another type: Go's tar reader believes them for what
    /// its type byte calls a file (archive/tar, `headerFileInfo.Mode`, go1.25, 2026-11-28).
    pub(crate) fn mode_names_another_type(&self) -> bool {
        const TYPES: [u32; 6] = [0o40000, 0o10000, 0o120000, 0o60000, 0o20000, 0o140000];
        TYPES.contains(&(self.mode as u32 & !0o7777))
    }
}

/// The prefix under which PAX records keep extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// What a client needs to know of a zTOC besides its table of contents; small, so that the checkpoints
/// can be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    refusal: Option<Refusal>,
    /// Size and span size of a plain tar.
    plain: Option<(u64, u64)>,
    xattrs: bool,
}

impl Mount {
    /// A layer that is mounted with this zTOC.
    pub fn of(ztoc: &Ztoc) -> Self {
        Self {
            refusal: ztoc.refusal(),
            plain: match ztoc.zinfo() {
                Zinfo::Uncompressed(zinfo) => Some((zinfo.size(), zinfo.span_size())),
                _ => None,
            },
            xattrs: true,
        }
    }

    /// The same with the annotation `com.amazon.soci.disable-xattrs`: the client shows no extended
    /// attributes and no opaque directories.
    pub fn without_xattrs(self) -> Self {
        Self {
            xattrs: false,
            ..self
        }
    }

    /// Why the client does not take the zTOC, whatever is in its layer.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    pub(crate) fn shows_xattrs(&self) -> bool {
        self.xattrs
    }

    /// Whether a file that ends there ends a plain tar exactly where a span ends: the client then looks
    /// for a span behind the last one.
    pub(crate) fn ends_behind_the_last_span(&self, end: u64) -> bool {
        self.plain
            .is_some_and(|(size, span)| end == size && span != 0 && size.is_multiple_of(span))
    }
}
