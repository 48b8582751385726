//! Writing an OCI image layout: a new folder that appears complete, or more images for one that is there.
//!
//! ```text
//! workspace/blobs/…                 new blobs, seen by nobody else
//! publish, new folder:              oci-layout, index.json; the workspace gets the folder's name
//! publish, layout that is there:    under its lock: new blobs move in, index.json is read again, gets the new
//!                                   images and is replaced
//! ```
//!
//! So a run that fails takes away nothing but its workspace, and of two runs neither loses the other's images.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use soci_image::Descriptor;
use soci_image::media_type::{PREFETCH, ZTOC};

use super::trust::{self, Trust};
use super::{INDEX_FILE, IndexJson, LAYOUT_CONTENT, LAYOUT_FILE, LayoutSource, blob_name, read_index};
use crate::blob::{self, io_error};
use crate::file::{self, create_folder};
use crate::lock::FolderLock;
use crate::pending::{PendingFile, keep_attributes};
use crate::store::{AnySource, Destination, Published, Sink, Source};
use crate::workspace::Workspace;
use crate::{Error, Result};

/// A folder that images are written to.
#[derive(Debug)]
pub struct LayoutDestination {
    target: PathBuf,
    workspace: Workspace,
    /// The list of the layout that is there; `None` for a new folder.
    found: Option<Box<IndexJson>>,
    /// Whether the images are read from this very layout.
    in_place: bool,
    trust: Trust,
    cancel: Arc<AtomicBool>,
}

impl LayoutDestination {
    /// Prepares writing to a folder: one that does not exist, is empty, or is a layout. Any other is refused.
    pub fn create(target: &Path, cancel: Arc<AtomicBool>) -> Result<Self> {
        let place = target.display().to_string();
        // Follow links: the folder behind them is written, not the link replaced.
        let target = &fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        let found = match fs::read_dir(target) {
            Ok(_) if is_empty(target) => None,
            Ok(_) if is_layout(target) => {
                LayoutSource::open(target)?;
                Some(Box::new(read_index(target, &place)?))
            }
            Ok(_) => {
                let problem = "it is a folder with other things in it, and no OCI image layout: nothing was \
                               touched; name a new folder"
                    .into();
                return Err(Error::Place { place, problem });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let problem = "it is a file, not a folder: nothing was touched; for an archive write \
                               oci-archive: before it"
                    .into();
                return Err(Error::Place { place, problem });
            }
            Err(source) => return Err(io_error("read", target, source)),
        };
        let workspace = match found {
            Some(_) => Workspace::new_in(target)?,
            None => Workspace::new_in(parent(target))?,
        };
        Ok(Self {
            target: target.to_path_buf(),
            workspace,
            found,
            in_place: false,
            trust: Trust::default(),
            cancel,
        })
    }

    /// Tells that the images are read from `source`, which may be this very layout.
    pub(crate) fn read_from(&mut self, source: &LayoutSource) {
        self.in_place = self.found.is_some()
            && fs::canonicalize(source.folder()).is_ok_and(|folder| folder == self.target);
    }

    /// Tells that the bytes of a blob of the source were hashed.
    pub(crate) fn was_hashed(&self, descriptor: &Descriptor) {
        if self.in_place {
            self.trust.prove(&descriptor.digest);
        }
    }

    /// Where a new blob goes.
    fn staged(&self, descriptor: &Descriptor) -> Result<PathBuf> {
        let path = self.workspace.path().join(blob_name(&descriptor.digest));
        create_folder(path.parent().expect("blobs lie in blobs/ALGORITHM"))?;
        Ok(path)
    }

    /// Whether the blob was written by this run, or lies in the layout and is what its name says.
    fn is_there(&self, descriptor: &Descriptor) -> Result<bool> {
        let name = blob_name(&descriptor.digest);
        if trust::has_size(&self.workspace.path().join(&name), descriptor) {
            return Ok(true);
        }
        if self.found.is_none() {
            return Ok(false);
        }
        let path = self.target.join(name);
        if !trust::has_size(&path, descriptor) {
            return Ok(false);
        }
        if self.trust.is_proven(&descriptor.digest) {
            return Ok(true);
        }
        if self.in_place && !is_made_here(descriptor) {
            self.trust.rest_on(descriptor);
            return Ok(true);
        }
        self.compare(descriptor)
    }

    /// Whether the bytes of a blob that lies in the layout are right. If not, it is written again, and the new one
    /// takes its place.
    fn compare(&self, descriptor: &Descriptor) -> Result<bool> {
        let name = blob_name(&descriptor.digest);
        if self.workspace.path().join(&name).exists() || self.trust.is_proven(&descriptor.digest) {
            return Ok(true);
        }
        match trust::compare(&self.target.join(name), descriptor, &self.cancel) {
            Ok(()) => self.trust.prove(&descriptor.digest),
            Err(Error::DigestMismatch { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn put(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        blob::check_digest("blob", descriptor, bytes)?;
        if self.is_there(descriptor)? && self.compare(descriptor)? {
            return Ok(());
        }
        let path = self.staged(descriptor)?;
        let mut pending = PendingFile::new(&self.workspace)?;
        pending.write(bytes, &path)?;
        pending.commit(&path)?;
        self.trust.prove(&descriptor.digest);
        Ok(())
    }

    /// Makes a second name for the file of another layout; false where the two do not share a file system.
    fn link(&self, descriptor: &Descriptor, source: &LayoutSource) -> Result<bool> {
        let Some(original) = source.blob_path(&descriptor.digest)? else {
            return Ok(false);
        };
        match fs::hard_link(&original, self.staged(descriptor)?) {
            Ok(()) => Ok(true),
            Err(error) => Ok(error.kind() == io::ErrorKind::AlreadyExists),
        }
    }

    /// Writes a file of the workspace.
    fn write(&self, bytes: &[u8], target: &Path) -> Result<()> {
        let mut pending = PendingFile::new(&self.workspace)?;
        pending.write(bytes, target)?;
        pending.commit(target)
    }

    /// A new folder: the workspace becomes it, unless another run was first.
    fn appear(&self, images: &[Published]) -> Result<()> {
        let folder = self.workspace.path();
        self.write(LAYOUT_CONTENT, &folder.join(LAYOUT_FILE))?;
        self.write(&self.list(IndexJson::new(), images)?, &folder.join(INDEX_FILE))?;
        for algorithm in ALGORITHMS {
            file::sync_folder(&folder.join("blobs").join(algorithm));
        }
        file::sync_folder(folder);
        // An empty folder of that name makes room, and leaves its mode; one that has been filled does not.
        if let Ok(new) = File::open(folder) {
            keep_attributes(&new, &self.target);
        }
        let made_room = match fs::remove_dir(&self.target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        match made_room.and_then(|()| fs::rename(folder, &self.target)) {
            Ok(()) => {
                file::sync_folder(parent(&self.target));
                Ok(())
            }
            Err(_) if is_layout(&self.target) => self.merge(images),
            Err(source) => Err(io_error("create", &self.target, source)),
        }
    }

    /// A layout that is there: what it lists by now stays.
    fn merge(&self, images: &[Published]) -> Result<()> {
        let place = self.target.display().to_string();
        let _lock = FolderLock::take(&self.target, &self.cancel)?;
        // Complains about what happened to it in the meantime.
        LayoutSource::open(&self.target)?;
        let now = read_index(&self.target, &place)?;
        if let (true, Some(before)) = (self.in_place, &self.found)
            && let Some(name) = images.iter().find_map(|image| now.moved(before, image))
        {
            let problem = format!(
                "{name} was changed by somebody else since it was read: it was left as it is; run this again"
            );
            return Err(Error::Place { place, problem });
        }
        let list = self.list(now, images)?;
        blob::check(&self.cancel)?;
        for algorithm in ALGORITHMS {
            self.move_in(algorithm)?;
        }
        self.write(&list, &self.target.join(INDEX_FILE))?;
        file::sync_folder(&self.target);
        Ok(())
    }

    /// Gives the new blobs their names in the layout. One that is there is replaced: ours was hashed.
    fn move_in(&self, algorithm: &str) -> Result<()> {
        let from = self.workspace.path().join("blobs").join(algorithm);
        let Ok(entries) = fs::read_dir(&from) else {
            return Ok(());
        };
        let to = self.target.join("blobs").join(algorithm);
        create_folder(&to)?;
        // A link planted in the layout must not lead our writing out of it.
        let resolve = |path: &Path| fs::canonicalize(path).map_err(|source| io_error("read", path, source));
        let real = resolve(&to)?;
        if !real.starts_with(resolve(&self.target)?) {
            let problem = "it is a symbolic link out of the layout, which is refused".into();
            let place = to.display().to_string();
            return Err(Error::Place { place, problem });
        }
        for entry in entries {
            let entry = entry.map_err(|source| io_error("read", &from, source))?;
            let target = real.join(entry.file_name());
            fs::rename(entry.path(), &target).map_err(|source| io_error("create", &target, source))?;
        }
        file::sync_folder(&real);
        Ok(())
    }

    fn list(&self, index: IndexJson, images: &[Published]) -> Result<Vec<u8>> {
        let bytes = index.with(images);
        super::check_size(&self.target.display().to_string(), INDEX_FILE, bytes.len() as u64)?;
        Ok(bytes)
    }
}

impl Destination for LayoutDestination {
    type Sink = LayoutSink;

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        self.is_there(descriptor)
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, verified: bool) -> Result<()> {
        if self.is_there(descriptor)? {
            return Ok(());
        }
        if let AnySource::Layout(layout) = source {
            if !verified {
                let mut blob = layout.open(descriptor).await?;
                file::copy(&mut blob, descriptor, false, &self.cancel, |_| Ok(()))?;
            }
            if self.link(descriptor, layout)? {
                return Ok(());
            }
        }
        let path = self.staged(descriptor)?;
        let mut blob = source.open(descriptor).await?;
        let mut pending = PendingFile::new(&self.workspace)?;
        // Read a second time, whoever has hashed it before: what is written is hashed.
        file::copy(&mut blob, descriptor, false, &self.cancel, |bytes| {
            pending.write(bytes, &path)
        })?;
        pending.commit(&path)
    }

    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<LayoutSink>> {
        if self.is_there(descriptor)? {
            return Ok(None);
        }
        Ok(Some(LayoutSink {
            pending: PendingFile::new(&self.workspace)?,
            path: self.staged(descriptor)?,
        }))
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        blob::check(&self.cancel)?;
        for descriptor in self.trust.take_open() {
            let path = self.target.join(blob_name(&descriptor.digest));
            trust::compare(&path, &descriptor, &self.cancel)?;
        }
        match self.found {
            None => self.appear(images),
            Some(_) => self.merge(images),
        }
    }

    async fn abort(self) {
        // The workspace goes; the layout was not touched.
    }

    fn is_sequential(&self) -> bool {
        false
    }
}

/// A blob on its way into a layout.
pub struct LayoutSink {
    pending: PendingFile,
    path: PathBuf,
}

impl Sink for LayoutSink {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.write(bytes, &self.path)
    }

    async fn commit(self) -> Result<()> {
        self.pending.commit(&self.path)
    }
}

const ALGORITHMS: [&str; 2] = ["sha256", "sha512"];

/// What a conversion makes anew, so that a damaged one is healed; of all else there is only what lies there.
fn is_made_here(descriptor: &Descriptor) -> bool {
    [ZTOC, PREFETCH].contains(&&descriptor.media_type[..])
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn is_layout(folder: &Path) -> bool {
    folder.join(INDEX_FILE).is_file() && folder.join(LAYOUT_FILE).is_file()
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
