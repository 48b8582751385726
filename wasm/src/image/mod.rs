//! Images: a layer becomes a zTOC, an image in a registry becomes a SOCI-enabled one.
//!
//! The code below is the command line's. It reads and waits in the middle of a call, so the host's functions do their
//! work before they return: the module runs on a thread that may wait (a worker), and the host's event loop on another.

mod convert;
mod fetch;
mod host;
mod layer;
mod login;

pub use convert::{convert, jobs};
pub use layer::{IndexedLayer, LayerIndexer};
