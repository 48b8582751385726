//! How much memory tables of contents may take that a run keeps at the same time.
//!
//! Whether a layer looks the same lazily as unpacked depends on the layers around it, so tables are kept until all
//! layers of an image are known. A few megabytes of hostile layers or zTOCs can ask for gigabytes of names. What has
//! no room is not kept: then it is not known how the layer looks, and that is said.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use soci_ztoc::ztoc::Toc;

/// The room for tables; all clones share it.
#[derive(Debug, Clone)]
pub struct Tables(Arc<AtomicU64>);

/// A table that has its room until it is dropped.
#[derive(Debug)]
pub(crate) struct Table {
    toc: Toc,
    bytes: u64,
    room: Tables,
}

impl Tables {
    /// What a run has by default: some five million files.
    pub const ROOM: u64 = 1 << 30;

    /// Room for so many bytes.
    pub fn with_room(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// Keeps a table if there is room for it.
    pub(crate) fn keep(&self, toc: Toc) -> Option<Arc<Table>> {
        let bytes = toc.memory() as u64;
        let less = |left: u64| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .ok()?;
        let room = self.clone();
        Some(Arc::new(Table { toc, bytes, room }))
    }

    /// What is said of a layer whose table has no room.
    pub(crate) const NO_ROOM: &str =
        "its table of contents, with those of other layers, is too large to be kept";
}

impl Table {
    /// The table itself.
    pub(crate) fn toc(&self) -> &Toc {
        &self.toc
    }
}

impl Default for Tables {
    /// [`Tables::ROOM`].
    fn default() -> Self {
        Self::with_room(Self::ROOM)
    }
}

impl Deref for Table {
    type Target = Toc;

    fn deref(&self) -> &Toc {
        &self.toc
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, ZtocBuilder};

    use super::*;

    fn toc() -> Toc {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        archive.append_data(&mut header, "file", &[][..]).expect("memory");
        let mut builder = ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "")).expect("good");
        builder
            .push(&archive.into_inner().expect("memory"))
            .expect("a tar");
        match builder.finish().expect("a tar") {
            BuildOutcome::Indexed(built) => built.into_encoded().into_ztoc().into_toc(),
            BuildOutcome::Skipped(skipped) => panic!("{}", skipped.reason),
        }
    }

    #[test]
    fn tables_are_kept_while_there_is_room_and_give_it_back() {
        let one = toc().memory() as u64;
        assert!(one > 100, "{one} bytes");
        let tables = Tables::with_room(2 * one + one / 2);
        let first = tables.keep(toc()).expect("room");
        let second = tables.clone().keep(toc()).expect("room");
        assert!(tables.keep(toc()).is_none());
        let shared = Arc::clone(&first);
        drop(first);
        assert!(tables.keep(toc()).is_none(), "somebody has it still");
        drop(shared);
        let third = tables.keep(toc()).expect("room again");
        assert_eq!(third.len(), second.len());
    }
}
