//! Reads one file of a layer through its spans only, and writes it to stdout.
//!
//!     cargo run -p soci-ztoc --example read_file -- layer.tar.gz layer.ztoc etc/motd

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its examples do.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};

use soci_ztoc::ztoc::{BoxError, ReadAt, Ztoc, extract};

/// A layer in a file. One in a registry sends a request with `Range` instead.
struct Layer(File);

impl ReadAt for Layer {
    fn size(&mut self) -> Result<u64, BoxError> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), BoxError> {
        self.0.seek(SeekFrom::Start(offset))?;
        Ok(self.0.read_exact(buffer)?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [layer, ztoc, path] = &words[..] else {
        return Err("usage: read_file LAYER ZTOC PATH".into());
    };
    let ztoc = Ztoc::from_bytes(&fs::read(ztoc)?)?;
    let index = ztoc.toc().paths().resolve(path.as_bytes())?;
    let entry = ztoc.toc().get(index).ok_or("not there")?;
    // Spans are checked one after the other: nothing may be used before all of them were right.
    let mut contents = Vec::new();
    extract(
        &ztoc,
        &entry,
        &mut Layer(File::open(layer)?),
        &mut |bytes: &[u8]| {
            contents.extend_from_slice(bytes);
            Ok(())
        },
    )?;
    io::stdout().write_all(&contents)?;
    Ok(())
}
