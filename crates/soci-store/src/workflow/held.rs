//! zTOCs that wait until the layers around theirs are known: a few in memory, more of them in a temporary file. An
//! image whose layers all imply directories may have hundreds of megabytes of them.

#[cfg(feature = "native")]
use std::fs::File;
#[cfg(feature = "native")]
use std::io::{Seek, Write};
#[cfg(feature = "native")]
use std::sync::Arc;

use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::EncodedZtoc;

use super::publish::put_ztoc;
#[cfg(feature = "native")]
use crate::blob::{FileBlob, io_error};
#[cfg(feature = "native")]
use crate::file::spool_folder;
use crate::store::AnyDestination;
#[cfg(feature = "native")]
use crate::store::Destination;
use crate::{Result, block_on};

/// zTOCs that wait, in the order of their layers.
pub(super) struct Held {
    waiting: Vec<Waiting>,
    #[cfg(feature = "native")]
    room: u64,
    #[cfg(feature = "native")]
    spool: Option<(Arc<File>, u64)>,
}

struct Waiting {
    layer: Digest,
    descriptor: Descriptor,
    place: Place,
}

enum Place {
    Memory(Box<EncodedZtoc>),
    #[cfg(feature = "native")]
    File(FileBlob),
}

impl Held {
    /// Nothing waits; so many bytes may in memory. Where there are no files, all of it does.
    #[cfg_attr(
        not(feature = "native"),
        allow(unused_variables, reason = "there are no files")
    )]
    pub(super) fn with_room(room: u64) -> Self {
        Self {
            waiting: Vec::new(),
            #[cfg(feature = "native")]
            room,
            #[cfg(feature = "native")]
            spool: None,
        }
    }

    /// Lets one more wait.
    pub(super) fn push(
        &mut self,
        layer: Digest,
        descriptor: Descriptor,
        ztoc: Box<EncodedZtoc>,
    ) -> Result<()> {
        #[cfg(not(feature = "native"))]
        let place = Place::Memory(ztoc);
        #[cfg(feature = "native")]
        let place = match self.room.checked_sub(ztoc.size()) {
            Some(left) => {
                self.room = left;
                Place::Memory(ztoc)
            }
            None => Place::File(self.spool(&ztoc)?),
        };
        self.waiting.push(Waiting {
            layer,
            descriptor,
            place,
        });
        Ok(())
    }

    #[cfg(feature = "native")]
    fn spool(&mut self, ztoc: &EncodedZtoc) -> Result<FileBlob> {
        let folder = spool_folder();
        let failed = |source| io_error("write into", &folder, source);
        let (file, start) = match self.spool.take() {
            Some(spool) => spool,
            None => (Arc::new(tempfile::tempfile_in(&folder).map_err(failed)?), 0),
        };
        let mut writer = &*file;
        writer.seek(std::io::SeekFrom::Start(start)).map_err(failed)?;
        ztoc.write_to(|piece| writer.write_all(piece)).map_err(failed)?;
        self.spool = Some((Arc::clone(&file), start + ztoc.size()));
        Ok(FileBlob::new(file, folder.as_path().into(), start, ztoc.size()))
    }

    /// Brings those to the destination whose layers keep them.
    pub(super) fn put(self, destination: &AnyDestination, keeps: impl Fn(&Digest) -> bool) -> Result<()> {
        for waiting in self.waiting.into_iter().filter(|waiting| keeps(&waiting.layer)) {
            let descriptor = &waiting.descriptor;
            match waiting.place {
                Place::Memory(ztoc) => block_on(put_ztoc(destination, descriptor, &ztoc))?,
                #[cfg(feature = "native")]
                Place::File(blob) => {
                    let mut bytes = vec![0; usize::try_from(blob.remaining()).unwrap_or(usize::MAX)];
                    blob.read_exact_at(0, &mut bytes)?;
                    block_on(destination.put_blob(descriptor, &bytes))?;
                }
            }
        }
        Ok(())
    }
}

/// What may wait in memory: the zTOCs of about 2 GB of layers.
pub(super) const IN_MEMORY: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use soci_image::media_type::ZTOC;
    use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, ZtocBuilder};

    use super::*;
    use crate::Location;
    use crate::store::Published;

    fn ztoc(name: &str) -> Box<EncodedZtoc> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        archive.append_data(&mut header, name, &[][..]).expect("memory");
        let mut builder = ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "")).expect("good");
        builder
            .push(&archive.into_inner().expect("memory"))
            .expect("a tar");
        match builder.finish().expect("a tar") {
            BuildOutcome::Indexed(built) => Box::new(built.into_encoded()),
            BuildOutcome::Skipped(skipped) => panic!("{}", skipped.reason),
        }
    }

    #[test]
    fn ztocs_come_back_from_memory_and_file_and_those_left_out_do_not() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let target = folder.path().join("layout");
        let location: Location = target.to_str().expect("UTF-8").parse().expect("a location");
        let never = Arc::new(AtomicBool::new(false));
        let destination = AnyDestination::create(&location, &never).expect("a new folder");
        let ztocs: Vec<_> = ["a", "b", "c", "d"].map(ztoc).into();
        let mut held = Held::with_room(ztocs[0].size());
        let mut all = Vec::new();
        for ztoc in ztocs {
            let bytes = ztoc.to_bytes();
            let layer = Digest::sha256(&bytes);
            let descriptor = Descriptor::of(ZTOC, &bytes);
            held.push(layer, descriptor, ztoc).expect("room on the disk");
            all.push(bytes);
        }
        let left_out = Digest::sha256(&all[2]);
        held.put(&destination, |layer| *layer != left_out).expect("put");
        let none: [Published; 0] = [];
        block_on(destination.publish(&none)).expect("a layout");
        for (index, bytes) in all.iter().enumerate() {
            let path = target.join("blobs/sha256").join(Digest::sha256(bytes).hex());
            let found = std::fs::read(path).ok();
            assert_eq!(found.as_ref(), (index != 2).then_some(bytes), "{index}");
        }
    }
}
