//! Writing an OCI archive, front to back: to a file that appears complete, or to a stream.
//!
//! ```text
//! oci-layout
//! blobs/sha256/HEX …      in the order of the calls: layer, its zTOC, the next layer …, then documents
//! index.json              last, because only the end of a conversion knows it
//! ```

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use soci_image::{Descriptor, Digest};

use super::ArchiveSource;
use super::tar_writer::{END, file_header, padding};
use crate::blob::{self, io_error};
use crate::file;
use crate::layout::{INDEX_FILE, IndexJson, LAYOUT_CONTENT, LAYOUT_FILE, blob_name};
use crate::lock;
use crate::pending::NewFile;
use crate::store::{AnySource, Destination, Published, Sink, Source};
use crate::{Error, Result};

/// An archive that images are written to.
pub struct ArchiveDestination {
    writer: Arc<Mutex<Writer>>,
    cancel: Arc<AtomicBool>,
}

struct Writer {
    output: Output,
    written: HashSet<Digest>,
    /// A blob was begun and not finished: what follows would be nonsense.
    broken: bool,
}

enum Output {
    /// Appears under its name at the end; behind it the archive that is read, if it is the one to be replaced.
    File(NewFile, Option<Arc<File>>),
    /// Standard output, a pipe or a device: readers see bytes at once.
    Stream(Box<dyn Write + Send>, PathBuf),
}

/// Gives the archive its name, in the place of what has it now. One converted in place must still be the one that was
/// read, also when two runs come to this at the same time.
fn appear(new: NewFile, original: Option<&File>, cancel: &AtomicBool) -> Result<()> {
    let Some(original) = original else {
        return new.commit();
    };
    lock::wait(original, new.target(), cancel)?;
    let outcome = if lock::is_at(original, new.target()) {
        new.commit()
    } else {
        let problem =
            "it was replaced by somebody else since it was read: it was left as it is; run this again";
        Err(Error::Place {
            place: new.target().display().to_string(),
            problem: problem.into(),
        })
    };
    // The caller may read it for a while yet.
    let _ = original.unlock();
    outcome
}

impl ArchiveDestination {
    /// Prepares writing the archive at a path: a new file, or one that replaces an OCI archive. Any other file is
    /// refused. Pipes and devices are written directly.
    pub fn create(path: &Path, cancel: Arc<AtomicBool>) -> Result<Self> {
        let place = path.display().to_string();
        // Follow links: the file behind them is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let output = match fs::metadata(&target) {
            Ok(kind) if kind.is_dir() => {
                let problem =
                    "it is a folder, not an archive: nothing was touched; for a layout write oci: before it";
                return Err(Error::Place {
                    place,
                    problem: problem.into(),
                });
            }
            Ok(kind) if kind.is_file() => {
                if kind.len() > 0 && ArchiveSource::open(&target, &cancel).is_err() {
                    let problem = "it is a file but no OCI archive: nothing was touched; name a new file";
                    return Err(Error::Place {
                        place,
                        problem: problem.into(),
                    });
                }
                Output::File(NewFile::create(target)?, None)
            }
            Ok(_) => {
                let file = fs::OpenOptions::new()
                    .write(true)
                    .open(&target)
                    .map_err(|source| io_error("write", &target, source))?;
                Output::Stream(Box::new(file), target)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Output::File(NewFile::create(target)?, None)
            }
            Err(source) => return Err(io_error("write", path, source)),
        };
        Ok(Self::new(output, cancel))
    }

    /// Writes to a stream such as standard output; a reader must not trust it before it has seen `index.json`.
    pub fn stream(name: &str, output: Box<dyn Write + Send>, cancel: Arc<AtomicBool>) -> Self {
        Self::new(Output::Stream(output, PathBuf::from(name)), cancel)
    }

    fn new(output: Output, cancel: Arc<AtomicBool>) -> Self {
        let writer = Writer {
            output,
            written: HashSet::new(),
            broken: false,
        };
        Self {
            writer: Arc::new(Mutex::new(writer)),
            cancel,
        }
    }

    /// Tells that the images are read from `source`, which may be the archive that will be replaced.
    pub(crate) fn read_from(&mut self, source: &ArchiveSource) -> Result<()> {
        if let Output::File(new, original) = &mut locked(&self.writer)?.output
            && fs::canonicalize(source.path()).is_ok_and(|path| path == new.target())
        {
            *original = source.opened().cloned();
        }
        Ok(())
    }

    fn put(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        blob::check_digest("blob", descriptor, bytes)?;
        let mut writer = locked(&self.writer)?;
        if writer.written.contains(&descriptor.digest) {
            return Ok(());
        }
        writer.begin(descriptor)?;
        writer.write(bytes)?;
        writer.end(descriptor)
    }
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.output {
            Output::File(new, _) => new.write(bytes),
            Output::Stream(stream, name) => stream
                .write_all(bytes)
                .map_err(|source| io_error("write", name, source)),
        }
    }

    fn begin(&mut self, descriptor: &Descriptor) -> Result<()> {
        if self.written.is_empty() {
            self.file(LAYOUT_FILE, LAYOUT_CONTENT)?;
        }
        self.broken = true;
        self.write(&file_header(&blob_name(&descriptor.digest), descriptor.size))
    }

    fn end(&mut self, descriptor: &Descriptor) -> Result<()> {
        self.write(padding(descriptor.size))?;
        self.written.insert(descriptor.digest.clone());
        self.broken = false;
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.write(&file_header(name, bytes.len() as u64))?;
        self.write(bytes)?;
        self.write(padding(bytes.len() as u64))
    }
}

impl Destination for ArchiveDestination {
    type Sink = ArchiveSink;

    async fn contains(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(locked(&self.writer)?.written.contains(&descriptor.digest))
    }

    async fn put_blob(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn put_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        self.put(descriptor, bytes)
    }

    async fn copy_blob(&self, descriptor: &Descriptor, source: &AnySource, _verified: bool) -> Result<()> {
        let mut blob = source.open(descriptor).await?;
        let mut writer = locked(&self.writer)?;
        if writer.written.contains(&descriptor.digest) {
            return Ok(());
        }
        writer.begin(descriptor)?;
        // Read a second time, whoever has hashed it before: what is written is hashed.
        file::copy(&mut blob, descriptor, false, &self.cancel, |bytes| {
            writer.write(bytes)
        })?;
        writer.end(descriptor)
    }

    async fn begin_blob(&self, descriptor: &Descriptor) -> Result<Option<ArchiveSink>> {
        let mut writer = locked(&self.writer)?;
        if writer.written.contains(&descriptor.digest) {
            return Ok(None);
        }
        writer.begin(descriptor)?;
        Ok(Some(ArchiveSink {
            writer: Arc::clone(&self.writer),
            descriptor: descriptor.clone(),
            left: descriptor.size,
        }))
    }

    async fn publish(self, images: &[Published]) -> Result<()> {
        blob::check(&self.cancel)?;
        let Ok(writer) = Arc::try_unwrap(self.writer).map(Mutex::into_inner) else {
            return Err(unfinished());
        };
        let Ok(mut writer) = writer else {
            return Err(unfinished());
        };
        if writer.broken {
            return Err(unfinished());
        }
        if writer.written.is_empty() {
            writer.file(LAYOUT_FILE, LAYOUT_CONTENT)?;
        }
        writer.file(INDEX_FILE, &IndexJson::new().with(images))?;
        writer.write(&END)?;
        match writer.output {
            Output::File(new, original) => appear(new, original.as_deref(), &self.cancel),
            Output::Stream(mut stream, name) => {
                stream.flush().map_err(|source| io_error("write", &name, source))
            }
        }
    }

    async fn abort(self) {
        // A file that was not committed goes with its guard; a stream ends without index.json and end mark.
    }

    fn is_sequential(&self) -> bool {
        true
    }
}

/// A blob on its way into an archive. No other blob can be written meanwhile.
pub struct ArchiveSink {
    writer: Arc<Mutex<Writer>>,
    descriptor: Descriptor,
    left: u64,
}

impl Sink for ArchiveSink {
    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Err(self.wrong_size(bytes.len() as u64 - self.left));
        };
        self.left = left;
        locked(&self.writer)?.write(bytes)
    }

    async fn commit(self) -> Result<()> {
        if self.left > 0 {
            return Err(self.wrong_size(0));
        }
        locked(&self.writer)?.end(&self.descriptor)
    }
}

impl ArchiveSink {
    fn wrong_size(&self, beyond: u64) -> Error {
        Error::SizeMismatch {
            what: "layer",
            digest: self.descriptor.digest.clone(),
            expected: self.descriptor.size,
            found: self.descriptor.size - self.left + if beyond > 0 { self.left + beyond } else { 0 },
        }
    }
}

fn locked(writer: &Mutex<Writer>) -> Result<MutexGuard<'_, Writer>> {
    writer.lock().map_err(|_| unfinished())
}

fn unfinished() -> Error {
    Error::Place {
        place: "the archive".into(),
        problem: "writing a blob was given up before its end, so the archive was too".into(),
    }
}
