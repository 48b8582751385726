//! Tars that are the same wherever they are made: sorted names, no owner, one time.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar being written.
pub(super) struct Tar<W: Write> {
    builder: tar::Builder<W>,
    time: u64,
}

impl<W: Write> Tar<W> {
    /// An empty one.
    pub(super) fn new(to: W, time: u64) -> Self {
        Self {
            builder: tar::Builder::new(to),
            time,
        }
    }

    /// A folder.
    pub(super) fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        self.entry(tar::EntryType::Directory, name, mode, &[])
    }

    /// A file.
    pub(super) fn file(&mut self, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.entry(tar::EntryType::Regular, name, mode, bytes)
    }

    /// The end.
    pub(super) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }

    fn entry(&mut self, kind: tar::EntryType, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(self.time);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(bytes.len() as u64);
        self.builder.append_data(&mut header, Path::new(name), bytes)
    }
}

/// gzip without a name and a time.
pub(super) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
