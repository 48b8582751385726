//! Images of registries: a layer becomes a zTOC, an image becomes a SOCI-enabled one, or is looked at.
//!
//! The code below is the command line's. It reads and waits in the middle of a call, so the host's functions do their
//! work before they return: the module runs on a thread that may wait (a worker), and the host's event loop on another.

mod client;
#[cfg(feature = "image")]
mod convert;
mod fetch;
mod host;
#[cfg(feature = "image")]
mod layer;
mod login;
#[cfg(feature = "look")]
mod look;

#[cfg(feature = "image")]
pub use convert::{convert, jobs};
#[cfg(feature = "image")]
pub use layer::{IndexedLayer, LayerIndexer};
#[cfg(feature = "look")]
pub use look::Looker;
