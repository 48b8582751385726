//! Files that a command writes: complete under their name, or not there at all.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use soci_store::{Error, NewFile};

use crate::causes;
use crate::error::CommandError;

/// A file being written, or stdout for `-`. Dropped without `commit`, it never was.
pub struct OutputFile {
    path: PathBuf,
    writer: Writer,
}

enum Writer {
    Stdout(io::BufWriter<io::Stdout>),
    /// Devices and pipes (`/dev/null`, `/dev/stdout`) cannot be replaced by renaming.
    Direct(File),
    Pending(NewFile),
    /// On its way to stdout.
    Spooled(File),
}

impl OutputFile {
    /// Begins a file; the folder must exist.
    pub fn create(path: &Path) -> Result<Self, CommandError> {
        let wrong = |error| cannot_write(path, &error);
        let writer = if path == Path::new("-") {
            Writer::Stdout(io::BufWriter::with_capacity(1 << 18, io::stdout()))
        } else if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            Writer::Direct(File::options().write(true).open(path).map_err(wrong)?)
        } else {
            // Behind a link the file is replaced, not the link.
            let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
            Writer::Pending(NewFile::create(target).map_err(|error| failed(path, &error))?)
        };
        Ok(Self {
            path: path.to_path_buf(),
            writer,
        })
    }

    /// The same for contents that are known to be right only at their end: stdout gets them all at once, by way
    /// of an unnamed temporary file.
    pub fn create_checked(path: &Path) -> Result<Self, CommandError> {
        if path != Path::new("-") {
            return Self::create(path);
        }
        let file = tempfile::tempfile()
            .map_err(|error| causes::of_file("write into", &std::env::temp_dir(), &error))?;
        Ok(Self {
            path: path.to_path_buf(),
            writer: Writer::Spooled(file),
        })
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        match &mut self.writer {
            Writer::Stdout(stdout) => stdout.write_all(bytes),
            Writer::Direct(file) => file.write_all(bytes),
            Writer::Spooled(file) => {
                return file
                    .write_all(bytes)
                    .map_err(|error| causes::of_file("write into", &std::env::temp_dir(), &error));
            }
            Writer::Pending(file) => return file.write(bytes).map_err(|error| failed(&self.path, &error)),
        }
        .map_err(|error| cannot_write(&self.path, &error))
    }

    /// Makes the file visible under its name.
    pub fn commit(self) -> Result<(), CommandError> {
        let Self { path, writer } = self;
        let wrong = |error| cannot_write(&path, &error);
        match writer {
            Writer::Stdout(mut stdout) => stdout.flush().map_err(wrong),
            Writer::Direct(_) => Ok(()),
            Writer::Spooled(mut file) => {
                file.seek(SeekFrom::Start(0)).map_err(wrong)?;
                let mut stdout = io::stdout().lock();
                io::copy(&mut file, &mut stdout)
                    .and_then(|_| stdout.flush())
                    .map_err(wrong)
            }
            Writer::Pending(file) => file.commit().map_err(|error| failed(&path, &error)),
        }
    }
}

/// The path as the user gave it, or the folder that takes nothing.
fn failed(path: &Path, error: &Error) -> CommandError {
    match error {
        Error::Io {
            action: "write into",
            path,
            source,
        } => causes::of_file("write into", path, source),
        Error::Io { source, .. } => cannot_write(path, source),
        other => CommandError::failed(other.to_string()),
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> CommandError {
    if path == Path::new("-") {
        causes::of_file("write to", path, error)
    } else {
        causes::of_file("write", path, error)
    }
}
