//! The one error type of this crate.

use std::io;
use std::path::PathBuf;

use soci_rootfs::UnpackFault;

/// Why an image could not be mounted, or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place of the image.
    #[error(transparent)]
    Store(#[from] soci_store::Error),
    /// The zTOC of a layer cannot be read, or is another one.
    #[error("the zTOC {ztoc} of layer {layer} is damaged")]
    Ztoc {
        /// The zTOC's digest.
        ztoc: String,
        /// The layer's digest.
        layer: String,
    },
    /// containerd cannot unpack a layer, so no container starts from the image.
    #[error("layer {layer} cannot be unpacked, so no container starts from this image: {fault}")]
    Unpack {
        /// The layer's digest.
        layer: String,
        /// Why.
        fault: Box<UnpackFault>,
    },
    /// The kernel refused.
    #[error("cannot {action} {}: {source}", path.display())]
    System {
        /// "mount", "unmount" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// Something that this needs is not there.
    #[error("{what}")]
    Lacking {
        /// What is missing, and what for.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// The container, or what it should be made of.
    #[error("{what}")]
    Container {
        /// What is wrong.
        what: String,
        /// What to do about it; empty where nothing is known.
        help: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl From<crate::Stopped> for Error {
    fn from(_: crate::Stopped) -> Self {
        Self::Interrupted
    }
}

/// An error of the system with its place.
pub(crate) fn system(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::System { action, path, source }
}
