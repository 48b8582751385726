//! One layer unpacked into an unnamed temporary file, for who wants files of a layer that has no zTOC.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use soci_image::Descriptor;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Ztoc, ZtocBuilder};

use super::options::{Observer, Options};
use super::uncompress::{Fault, uncompress};
use crate::blob::{FileBlob, io_error};
use crate::file::spool_folder;
use crate::store::AnySource;
use crate::{Error, Result};

/// A layer without its compression.
#[derive(Debug)]
pub struct UnpackedLayer {
    tar: FileBlob,
}

impl UnpackedLayer {
    /// Fills `buffer` from a place in the uncompressed layer.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.tar.read_exact_at(offset, buffer)
    }
}

/// Reads a layer whole, compares it with its descriptor and unpacks it, whatever its compression. The zTOC is that of
/// the unpacked bytes.
pub fn unpack(
    source: &AnySource,
    layer: &Descriptor,
    options: &Options,
    observer: Observer<'_>,
) -> Result<(Ztoc, UnpackedLayer)> {
    let wrong = |source| Error::Layer {
        digest: layer.digest.clone(),
        source,
    };
    let folder = spool_folder();
    let spool_error = |source| io_error("write into", &folder, source);
    let mut spool: File = tempfile::tempfile_in(&folder).map_err(spool_error)?;
    let build = BuildOptions::new(Compression::Uncompressed, Options::BUILD_TOOL);
    let mut builder = ZtocBuilder::new(build).map_err(wrong)?;
    let mut size = 0;
    let unpacked = uncompress(source, layer, &options.cancel, observer, &mut |bytes| {
        spool.write_all(bytes).map_err(spool_error)?;
        size += bytes.len() as u64;
        builder.push(bytes).map_err(wrong)
    })?;
    match unpacked {
        Ok(_) => {}
        Err(Fault::Bytes(mismatch)) => return Err(mismatch.of("layer", layer)),
        Err(Fault::Content(problem)) => {
            return Err(Error::Place {
                place: format!("layer {}", layer.digest),
                problem: format!("it cannot be unpacked: {problem}"),
            });
        }
    }
    let ztoc = match builder.finish().map_err(wrong)? {
        BuildOutcome::Indexed(built) => built.into_encoded().into_ztoc(),
        BuildOutcome::Skipped(skipped) => {
            return Err(Error::Place {
                place: format!("layer {}", layer.digest),
                problem: skipped.reason.to_string(),
            });
        }
    };
    let tar = FileBlob::new(Arc::new(spool), folder.as_path().into(), 0, size);
    Ok((ztoc, UnpackedLayer { tar }))
}
