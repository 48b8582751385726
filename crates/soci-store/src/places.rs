//! From a [`Location`] to the place it names.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::archive::{ArchiveDestination, ArchiveSource};
use crate::layout::{LayoutDestination, LayoutSource};
use crate::store::{AnyDestination, AnySource};
use crate::{Error, Location, Result};

impl AnySource {
    /// Opens a folder, an archive or standard input for reading.
    ///
    /// A path without a prefix that names a file is read as an archive, whatever it ends in.
    pub fn open(location: &Location, cancel: &AtomicBool) -> Result<Self> {
        match location {
            Location::Layout { path, .. } if path.is_dir() || !path.exists() => {
                LayoutSource::open(path).map(Self::Layout)
            }
            Location::Layout { path, .. }
            | Location::Archive { path, .. }
            | Location::DockerArchive { path, .. } => ArchiveSource::open(path, cancel).map(Self::Archive),
            Location::Stream => {
                ArchiveSource::receive("standard input", io::stdin().lock(), cancel).map(Self::Archive)
            }
            Location::Registry(_) => Err(needs_client(location)),
        }
    }
}

impl AnyDestination {
    /// Prepares a folder, an archive or standard output for writing. Nothing is visible there before `publish`.
    pub fn create(location: &Location, cancel: &Arc<AtomicBool>) -> Result<Self> {
        let cancel = Arc::clone(cancel);
        match location {
            // An archive with another ending than .tar, converted in place; a pipe or a device.
            Location::Layout { path, tag: None } if fs::metadata(path).is_ok_and(|kind| !kind.is_dir()) => {
                ArchiveDestination::create(path, cancel).map(Self::Archive)
            }
            Location::Layout { path, .. } => LayoutDestination::create(path, cancel).map(Self::Layout),
            Location::Archive { path, .. } => ArchiveDestination::create(path, cancel).map(Self::Archive),
            Location::Stream => {
                let output = io::BufWriter::with_capacity(1 << 18, io::stdout());
                Ok(Self::Archive(ArchiveDestination::stream(
                    "standard output",
                    Box::new(output),
                    cancel,
                )))
            }
            Location::DockerArchive { .. } => Err(Error::Place {
                place: location.to_string(),
                problem: "archives in docker's own form cannot hold a SOCI index: write oci-archive: instead"
                    .into(),
            }),
            Location::Registry(_) => Err(needs_client(location)),
        }
    }
}

fn needs_client(location: &Location) -> Error {
    Error::Place {
        place: location.to_string(),
        problem: "it is in a registry and cannot be opened as a file".into(),
    }
}
