//! Writing an OCI image layout: a new folder that appears complete, or more images for one that is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use soci_image::Descriptor;

use super::{INDEX_FILE, IndexJson, LAYOUT_CONTENT, LAYOUT_FILE, LayoutSource, blob_name};
use crate::file::{self, PendingFile, TEMPORARY_PREFIX, create_folder, io_error};
use crate::store::{AnySource, Destination, Published, Sink, Source};
use crate::{Error, Result};

/// A folder that images are written to.
#[derive(Debug)]
pub struct LayoutDestination {
    target: PathBuf,
    state: State,
    /// Blobs that an abort has to remove again.
    created: Arc<Mutex<Vec<PathBuf>>>,
    cancel: Arc<AtomicBool>,
}

#[derive(Debug)]
enum State {
    /// A folder beside the target, renamed at the end.
    Fresh(tempfile::TempDir),
    /// A layout that gets more blobs and, last, a new `index.json`.
    Existing(Box<IndexJson>),
}

impl LayoutDestination {
    /// Prepares writing to a folder: one that does not exist, is empty, or is a layout. Any other is refused.
    pub fn create(target: &Path, cancel: Arc<AtomicBool>) -> Result<Self> {
        let place = target.display().to_string();
        // Follow links: the folder behind them is written, not the link replaced.
        let target = &fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        let state = match fs::read_dir(target) {
            Ok(mut entries) => {
                if entries.next().is_none() {
                    State::Fresh(temporary_folder(target)?)
                } else if target.join(INDEX_FILE).is_file() && target.join(LAYOUT_FILE).is_file() {
                    LayoutSource::open(target)?;
                    let path = target.join(INDEX_FILE);
                    let bytes = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
                    State::Existing(Box::new(IndexJson::parse(&place, bytes)?))
                } else {
                    let problem =
                        "it is a folder with other things in it, and no OCI image layout: nothing was \
                                   touched; name a new folder"
                            .into();
                    return Err(Error::Place { place, problem });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::Fresh(temporary_folder(target)?),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let problem = "it is a file, not a folder: nothing was touched; for an archive write \
                               oci-archive: before it"
                    .into();
                return Err(Error::Place { place, problem });
            }
            Err(source) => return Err(io_error("read", target, source)),
        };
        Ok(Self {
            target: target.to_path_buf(),
            state,
            created: Arc::default(),
            cancel,
        })
    }

    fn folder(&self) -> &Path {
        match &self.state {
            State::Fresh(folder) => folder.path(),
            State::Existing(_) => &self.target,
        }
    }

    fn blob_path(&self, descriptor: &Descriptor) -> Result<PathBuf> {
        let path = self.folder().join(blob_name(&descriptor.digest));
        let folder = path.parent().expect("blobs lie in blobs/ALGORITHM");
        create_folder(folder)?;
        // A link planted in an existing layout must not lead our writing out of it.
        if matches!(self.state, State::Existing(_)) {
            let real = fs::canonicalize(folder).map_err(|source| io_error("read", folder, source))?;
            let root =
                fs::canonicalize(&self.target).map_err(|source| io_error("read", &self.target, source))?;
            if !real.starts_with(root) {
                let problem = "it is a symbolic link out of the layout, which is refused".into();
                return Err(Error::Place {
                    place: folder.display().to_string(),
                    problem,
                });
            }
        }
        Ok(path)
    }

    /// Writes the list of images, the last file of a layout. An existing layout has the new images from here on.
    fn write_index(&self, images: &[Published]) -> Result<()> {
        file::check(&self.cancel)?;
        let index = match &self.state {
            State::Fresh(_) => IndexJson::new(),
            State::Existing(index) => IndexJson::clone(index),
        };
        let bytes = index.with(images);
        let write = |name: &str, bytes: &[u8]| {
            let mut pending = PendingFile::new(self.folder().join(name))?;
            pending.write(bytes)?;
            pending.commit()
        };
        if !self.folder().join(LAYOUT_FILE).exists() {
            write(LAYOUT_FILE, LAYOUT_CONTENT)?;
        }
        for algorithm in ["sha256", "sha512"] {
            file::sync_folder(&self.folder().join("blobs").join(algorithm));
        }
        write(INDEX_FILE, &bytes)?;
        file::sync_folder(self.folder());
        Ok(())
    }

    /// Gives a new layout its name.
    fn appear(self) -> Result<()> {
        let State::Fresh(folder) = self.state else {
            return Ok(());
        };
        // An empty folder of that name makes room; one that has been filled meanwhile does not.
        match fs::remove_dir(&self.target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("replace", &self.target, error));
            }
            _ => {}
        }
        fs::rename(folder.path(), &self.target).map_err(|source| io_error("create", &self.target, source))?;
        // Renamed: nothing is left for the guard to remove.
        let _ = folder.keep();
        file::sync_folder(parent(&self.target));
        Ok(())
    }

    fn remember(&self, path: PathBuf) {
        lock(&self.created).push(path);
    }

    fn put(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        let path = self.blob_path(descriptor)?;
        if is_stored(&path, descriptor) {
            return Ok(());
        }
        let mut pending = PendingFile::new(path.clone())?;
        pending.write(bytes)?;
        pending.commit()?;
        self.remember(path);
        Ok(())
    }

    /// Makes a second name for the file of another layout; false where the two do not share a file system.
    fn link(&self, descriptor: &Descriptor, source: &LayoutSource, path: &Path) -> Result<bool> {
        let Some(original) = source.blob_path(&descriptor.digest)? else {
            return Ok(false);
        };
        match fs::hard_link(&original, path) {
            Ok(()) => {
                self.remember(path.to_path_buf());
                Ok(true)
            }
            Err(error) => Ok(error.kind() == io::ErrorKind::AlreadyExists && is_stored(path, descriptor)),
        }
    }
}

impl Destination for LayoutDestination {
    type Sink = LayoutSink;

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(is_stored(
            &self.folder().join(blob_name(&descriptor.digest)),
            descriptor,
        ))
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        let path = self.blob_path(descriptor)?;
        if is_stored(&path, descriptor) {
            return Ok(());
        }
        if let AnySource::Layout(layout) = source {
            if !verified {
                let mut blob = layout.open(descriptor).await?;
                file::copy(&mut blob, descriptor, false, &self.cancel, |_| Ok(()))?;
            }
            if self.link(descriptor, layout, &path)? {
                return Ok(());
            }
        }
        let mut blob = source.open(descriptor).await?;
        let mut pending = PendingFile::new(path.clone())?;
        file::copy(&mut blob, descriptor, verified, &self.cancel, |bytes| {
            pending.write(bytes)
        })?;
        pending.commit()?;
        self.remember(path);
        Ok(())
    }

    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<LayoutSink>> {
        let path = self.blob_path(descriptor)?;
        if is_stored(&path, descriptor) {
            return Ok(None);
        }
        let pending = PendingFile::new(path.clone())?;
        Ok(Some(LayoutSink {
            pending,
            path,
            created: Arc::clone(&self.created),
        }))
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        match self.write_index(images) {
            Ok(()) => self.appear(),
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    async fn abort(self) {
        match self.state {
            // Dropping the guard removes the folder.
            State::Fresh(_) => {}
            State::Existing(_) => {
                for path in lock(&self.created).drain(..) {
                    // What cannot be removed is an unreferenced blob, which does no harm.
                    let _ = fs::remove_file(path);
                }
            }
        }
    }

    fn is_sequential(&self) -> bool {
        false
    }
}

/// A blob on its way into a layout.
pub struct LayoutSink {
    pending: PendingFile,
    path: PathBuf,
    created: Arc<Mutex<Vec<PathBuf>>>,
}

impl Sink for LayoutSink {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.write(bytes)
    }

    async fn commit(self) -> Result<()> {
        self.pending.commit()?;
        lock(&self.created).push(self.path);
        Ok(())
    }
}

/// Whether a blob is there already. A file of another size was cut off by somebody and is written again.
fn is_stored(path: &Path, descriptor: &Descriptor) -> bool {
    fs::metadata(path).is_ok_and(|kind| kind.is_file() && kind.len() == descriptor.size)
}

fn temporary_folder(target: &Path) -> Result<tempfile::TempDir> {
    let beside = parent(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder
        .tempdir_in(beside)
        .map_err(|source| io_error("write into", beside, source))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A thread that panicked left a list of paths, which is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
