//! An OCI image layout in a folder.
//!
//! ```text
//! oci-layout              {"imageLayoutVersion":"1.0.0"}
//! index.json              the images and their names
//! blobs/sha256/HEX        manifests, configs, layers, zTOCs
//! ```

#[cfg(feature = "native")]
mod destination;
#[cfg(feature = "native")]
mod folder;
mod index_json;
#[cfg(feature = "native")]
mod trust;

use soci_image::Digest;

#[cfg(feature = "native")]
pub use destination::{LayoutDestination, LayoutSink};
#[cfg(feature = "native")]
pub use folder::LayoutSource;
#[cfg(feature = "native")]
use folder::read_index;
pub(crate) use index_json::{IndexJson, check_marker, check_size};

/// The file that marks a layout.
pub(crate) const LAYOUT_FILE: &str = "oci-layout";
/// What it says.
#[cfg(feature = "native")]
pub(crate) const LAYOUT_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The list of images.
pub(crate) const INDEX_FILE: &str = "index.json";

/// The name of a blob's file below the layout. A [`Digest`] has only letters and digits in its two parts, so
/// nothing in it can climb.
pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}
