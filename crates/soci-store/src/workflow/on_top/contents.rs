//! The bytes of the files that are repeated, gathered in a temporary file: layer by layer, in the order in which they lie
//! there, each span once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use soci_image::{Descriptor, Digest};
use soci_rootfs::{FileType, Restated};
use soci_ztoc::inflate::{Consumer, InflateError};
use soci_ztoc::ztoc::{SpanReader, Toc, Ztoc};

use super::documents::Below;
use crate::blob::FileBlob;
use crate::file::{spool_error, spool_folder};
use crate::store::{AnySource, Source};
use crate::workflow::indexed::Indexed;
use crate::workflow::options::{Observer, Options};
use crate::workflow::plan::PlannedLayer;
use crate::workflow::uncompress::{Fault, uncompress};
use crate::{Error, Result, block_on};

/// The layers of an image, and how they can be read.
pub(super) struct Layers<'a> {
    pub(super) source: &'a AnySource,
    pub(super) layers: &'a [PlannedLayer],
    /// zTOCs that were at hand.
    pub(super) ztocs: &'a BTreeMap<Digest, Ztoc>,
    /// Layers that were read, with their zTOCs.
    pub(super) indexed: &'a Indexed,
    pub(super) options: &'a Options,
    pub(super) observer: Observer<'a>,
}

/// The contents of files, one behind the other.
pub(super) struct Gathered {
    pub(super) blob: FileBlob,
    /// Where the contents of an entry begin, by its place in the list; none for a directory.
    pub(super) offsets: Vec<Option<u64>>,
}

/// A stretch of a layer's tar, and where it goes.
struct Stretch {
    tar: Range<u64>,
    to: u64,
}

impl Layers<'_> {
    /// Reads the contents of all files.
    pub(super) fn gather(
        &self,
        restated: &Restated,
        tocs: &[Option<&Toc>],
        below: &Below,
    ) -> Result<Gathered> {
        let folder = spool_folder();
        let spool = tempfile::tempfile_in(&folder).map_err(spool_error)?;
        let mut offsets = vec![None; restated.entries.len()];
        let mut stretches: BTreeMap<usize, Vec<Stretch>> = BTreeMap::new();
        let mut size = 0;
        for (found, offset) in restated.entries.iter().zip(&mut offsets) {
            if found.file_type != FileType::Regular {
                continue;
            }
            let row = (tocs[found.layer].zip(found.entry)).and_then(|(toc, entry)| toc.get(entry));
            let row = row.ok_or_else(|| below.refused("a file of it has no entry".into()))?;
            *offset = Some(size);
            stretches.entry(found.layer).or_default().push(Stretch {
                tar: row.offset..row.offset.saturating_add(found.size),
                to: size,
            });
            size += found.size;
        }
        for (layer, mut stretches) in stretches {
            stretches.sort_unstable_by_key(|stretch| stretch.tar.start);
            let layer = &self.layers[layer].descriptor;
            let wanted: u64 = stretches.iter().map(|s| s.tar.end - s.tar.start).sum();
            let mut keep = Keep {
                spool: &spool,
                stretches: &stretches,
                position: 0,
                kept: 0,
            };
            self.read(layer, &mut keep, below)?;
            if keep.kept != wanted {
                return Err(below.refused(format!(
                    "its layer {} has {} bytes of the files to repeat, its table of contents says {wanted}",
                    layer.digest, keep.kept
                )));
            }
        }
        let blob = FileBlob::new(Arc::new(spool), folder.as_path().into(), 0, size);
        Ok(Gathered { blob, offsets })
    }

    /// Through its zTOC where there is one, else from its first byte to its last.
    fn read(&self, layer: &Descriptor, keep: &mut Keep<'_>, below: &Below) -> Result<()> {
        if let Some(ztoc) = self.ztocs.get(&layer.digest) {
            return self.spans(layer, ztoc, keep, below);
        }
        let read = self
            .indexed
            .lend_ztoc(&layer.digest, |ztoc| self.spans(layer, ztoc, keep, below));
        read.unwrap_or_else(|| self.whole(layer, keep, below))
    }

    fn whole(&self, layer: &Descriptor, keep: &mut Keep<'_>, below: &Below) -> Result<()> {
        let cancel = &self.options.cancel;
        let outcome = uncompress(self.source, layer, cancel, self.observer, &mut |bytes| {
            keep.put(bytes).map_err(spool_error)
        })?;
        match outcome {
            Ok(_) => Ok(()),
            Err(Fault::Bytes(mismatch)) => Err(mismatch.of("layer", layer)),
            Err(Fault::Content(problem)) => Err(below.refused(format!(
                "its layer {} cannot be unpacked: {problem}",
                layer.digest
            ))),
        }
    }

    /// Each span that holds a wanted byte, in their order.
    fn spans(&self, layer: &Descriptor, ztoc: &Ztoc, keep: &mut Keep<'_>, below: &Below) -> Result<()> {
        let stretches = keep.stretches;
        let mut next = 0;
        for stretch in stretches {
            let last = ztoc.span_of(stretch.tar.end - 1);
            let first = ztoc.span_of(stretch.tar.start).max(next);
            for id in first..=last {
                if self.options.cancel.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                self.span(layer, ztoc, id, keep, below)?;
            }
            next = next.max(last + 1);
        }
        Ok(())
    }

    fn span(
        &self,
        layer: &Descriptor,
        ztoc: &Ztoc,
        id: u64,
        keep: &mut Keep<'_>,
        below: &Below,
    ) -> Result<()> {
        let wrong = |why: &dyn std::fmt::Display| {
            below.refused(format!(
                "span {id} of its layer {} {why}: `cargo soci verify` says what is damaged; --reuse none makes its zTOC anew",
                layer.digest
            ))
        };
        let number = usize::try_from(id).ok();
        let span = number
            .and_then(|id| ztoc.span(id))
            .ok_or_else(|| wrong(&"is not in its zTOC"))?;
        let number = span.id;
        let until = span.uncompressed_end.unwrap_or(ztoc.uncompressed_size());
        keep.position = span.uncompressed_start;
        let mut reader = SpanReader::new(ztoc, span, until);
        let mut buffer = Vec::new();
        let mut inflated = Ok(());
        while !reader.is_complete() {
            let wanted = reader.wanted();
            let length = (wanted.end - wanted.start).min(PIECE);
            buffer.resize(usize::try_from(length).expect("at most a piece"), 0);
            block_on(self.source.read_at(layer, wanted.start, &mut buffer))?;
            let pushed = reader.push(&buffer, keep);
            inflated = inflated.and(pushed);
        }
        if ztoc.span_digests().get(number) != Some(&reader.digest()) {
            return Err(wrong(&"has other bytes than its zTOC says"));
        }
        inflated.map_err(|stop| match stop {
            Stop::Inflate(error) => wrong(&error),
            Stop::Spool(error) => spool_error(error),
        })
    }
}

/// Takes the output of a layer from a position on and keeps the wanted stretches of it.
struct Keep<'a> {
    spool: &'a File,
    /// Ascending; none overlaps another, because each is a file of its own.
    stretches: &'a [Stretch],
    position: u64,
    /// Bytes that were kept.
    kept: u64,
}

enum Stop {
    Inflate(InflateError),
    Spool(io::Error),
}

impl From<InflateError> for Stop {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}

impl Keep<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let here = self.position..self.position + bytes.len() as u64;
        self.position = here.end;
        let first = self.stretches.partition_point(|s| s.tar.end <= here.start);
        for stretch in &self.stretches[first..] {
            if stretch.tar.start >= here.end {
                break;
            }
            let part = stretch.tar.start.max(here.start)..stretch.tar.end.min(here.end);
            let inside = |offset: u64| usize::try_from(offset - here.start).expect("inside of these bytes");
            let mut spool = self.spool;
            spool.seek(SeekFrom::Start(stretch.to + (part.start - stretch.tar.start)))?;
            spool.write_all(&bytes[inside(part.start)..inside(part.end)])?;
            self.kept += part.end - part.start;
        }
        Ok(())
    }
}

impl Consumer for Keep<'_> {
    type Error = Stop;

    fn output(&mut self, bytes: &[u8]) -> std::result::Result<(), Stop> {
        self.put(bytes).map_err(Stop::Spool)
    }
}

/// Bytes that are read at once: more than a span of the usual size.
const PIECE: u64 = 8 << 20;
