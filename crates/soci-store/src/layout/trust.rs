//! Which blobs that lie in a layout already are what their names say.
//!
//! A name and a size are no proof: a disk that was full, a crash or somebody else may have left other bytes. So a
//! blob that a run finds and rests on is hashed once. In a layout that is converted in place the layers are read and
//! hashed in any case, so there what was found is looked at last, and only what nobody else has read by then.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use soci_image::{Descriptor, Digest};

use crate::blob::{check, io_error, kind_of};
use crate::{Error, Result};

/// What is known of the blobs that were found.
#[derive(Debug, Default)]
pub(super) struct Trust(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Their bytes have the digest.
    proven: HashSet<Digest>,
    /// Their size is right, and somebody rests on them.
    open: BTreeMap<Digest, Descriptor>,
}

impl Trust {
    /// The bytes were compared with the digest.
    pub(super) fn prove(&self, digest: &Digest) {
        let mut state = self.lock();
        state.open.remove(digest);
        state.proven.insert(digest.clone());
    }

    pub(super) fn is_proven(&self, digest: &Digest) -> bool {
        self.lock().proven.contains(digest)
    }

    /// To be looked at before the end.
    pub(super) fn rest_on(&self, descriptor: &Descriptor) {
        let mut state = self.lock();
        if !state.proven.contains(&descriptor.digest) {
            state.open.insert(descriptor.digest.clone(), descriptor.clone());
        }
    }

    /// What nobody has looked at yet.
    pub(super) fn take_open(&self) -> Vec<Descriptor> {
        std::mem::take(&mut self.lock().open).into_values().collect()
    }

    /// A thread that panicked left sets that are whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file of the right size is there. One of another size was cut off by somebody and is written again.
pub(super) fn has_size(path: &Path, descriptor: &Descriptor) -> bool {
    std::fs::metadata(path).is_ok_and(|kind| kind.is_file() && kind.len() == descriptor.size)
}

/// Hashes a file and compares.
pub(super) fn compare(path: &Path, descriptor: &Descriptor, cancel: &AtomicBool) -> Result<()> {
    let failed = |source| io_error("read", path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = descriptor.digest.algorithm().hasher();
    let mut buffer = vec![0; BUFFER];
    loop {
        check(cancel)?;
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    match hasher.finish() {
        found if found == descriptor.digest => Ok(()),
        found => Err(Error::DigestMismatch {
            what: kind_of(descriptor),
            expected: descriptor.digest.clone(),
            found,
        }),
    }
}

const BUFFER: usize = 1 << 20;
