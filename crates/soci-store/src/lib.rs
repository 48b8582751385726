#![doc = include_str!("../README.md")]
//!
//! # Modules
//! [`Location`] is the grammar of SRC and DST; [`store`] says what a place can do; layouts, archives and registries
//! are such places; the workflow plans a conversion, indexes layers and publishes.
#![forbid(unsafe_code)]
// The traits have no Send bounds on purpose: in a browser nothing is Send. See `store`.
#![allow(async_fn_in_trait)]

#[cfg(feature = "files")]
pub mod archive;
#[cfg(feature = "files")]
mod blob;
#[cfg(feature = "files")]
mod budget;
mod checked;
mod error;
#[cfg(feature = "native")]
mod file;
#[cfg(feature = "files")]
pub mod layout;
mod location;
#[cfg(feature = "native")]
mod lock;
#[cfg(feature = "files")]
pub mod memory;
#[cfg(feature = "native")]
mod overlay;
#[cfg(feature = "native")]
mod pending;
#[cfg(feature = "native")]
mod places;
pub mod registry;
mod size;
pub mod store;
#[cfg(feature = "native")]
pub mod told;
pub mod workflow;
#[cfg(feature = "native")]
pub mod workspace;
mod zstd;

#[cfg(feature = "files")]
pub use blob::{FileBlob, ReadAt};
pub use error::Error;
pub use location::{Location, LocationError};
#[cfg(feature = "native")]
pub use overlay::Overlay;
#[cfg(feature = "native")]
pub use pending::NewFile;
pub use size::parse_size;
pub use soci_registry::block_on;

/// What this crate's functions give.
pub type Result<T, E = Error> = std::result::Result<T, E>;
