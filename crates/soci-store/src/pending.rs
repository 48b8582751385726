//! A file that gets its name only when it is complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::blob::io_error;
use crate::workspace::Workspace;

/// A file in a workspace; dropped before it is committed, it never was.
#[derive(Debug)]
pub(crate) struct PendingFile(tempfile::NamedTempFile);

impl PendingFile {
    /// Begins an empty file.
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("part-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask takes from this what the user does not want.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let folder = workspace.path();
        builder
            .tempfile_in(folder)
            .map(Self)
            .map_err(|source| io_error("write into", folder, source))
    }

    /// Appends bytes; `target` is for the message.
    pub(crate) fn write(&mut self, bytes: &[u8], target: &Path) -> Result<()> {
        self.0
            .as_file_mut()
            .write_all(bytes)
            .map_err(|source| io_error("write", target, source))
    }

    /// Flushes to the disk and renames to `target`; a file of that name is replaced and leaves its mode and owner.
    pub(crate) fn commit(self, target: &Path) -> Result<()> {
        let file = self.0.as_file();
        keep_attributes(file, target);
        file.sync_all()
            .map_err(|source| io_error("write", target, source))?;
        self.0
            .persist(target)
            .map_err(|error| io_error("rename a file to", target, error.error))?;
        Ok(())
    }
}

/// A file that is written beside its target, and takes its name or its place at the end.
#[derive(Debug)]
pub struct NewFile {
    pending: PendingFile,
    target: PathBuf,
    /// Dropped last: the file lies in it.
    _workspace: Workspace,
}

impl NewFile {
    /// Begins a file; the folder of `target` must be there.
    ///
    /// # Errors
    /// If that folder cannot be written into.
    pub fn create(target: PathBuf) -> Result<Self> {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let workspace = Workspace::new_in(folder)?;
        Ok(Self {
            pending: PendingFile::new(&workspace)?,
            target,
            _workspace: workspace,
        })
    }

    /// What it will be called.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If the disk takes no more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.write(bytes, &self.target)
    }

    /// Flushes to the disk and gives the file its name; one of that name is replaced and leaves its mode and owner.
    ///
    /// # Errors
    /// If the disk takes no more, or the name cannot be had.
    pub fn commit(self) -> Result<()> {
        self.pending.commit(&self.target)
    }
}

/// Gives the new file or folder what the one of that name has, as far as the system lets us.
pub(crate) fn keep_attributes(new: &File, old: &Path) {
    let Ok(old) = fs::symlink_metadata(old) else {
        return;
    };
    if old.is_symlink() {
        return;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // Only root may give files away; a group that we are in may do as well. Before the mode, which it may clear.
        if std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
            let _ = std::os::unix::fs::fchown(new, None, Some(old.gid()));
        }
    }
    let _ = new.set_permissions(old.permissions());
}
