//! One layer unpacked into an unnamed temporary file, for who wants files of a layer that has no zTOC.

use std::io::Write as _;

use soci_image::Descriptor;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Ztoc, ZtocBuilder};

use super::options::{Observer, Options};
use super::uncompress::{Fault, uncompress};
use crate::blob::FileBlob;
use crate::file::{Spool, spool_error};
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
    let mut spool = Spool::new()?;
    let build = BuildOptions::new(Compression::Uncompressed, Options::BUILD_TOOL);
    let mut builder = ZtocBuilder::new(build).map_err(wrong)?;
    let unpacked = uncompress(source, layer, &options.cancel, observer, &mut |bytes| {
        spool.write_all(bytes).map_err(spool_error)?;
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
    let tar = spool.into_blob();
    Ok((ztoc, UnpackedLayer { tar }))
}
