#![doc = include_str!("../README.md")]
//!
//! # How
//! | module | story |
//! |---|---|
//! | `wire` | the way to the registry, as it is or as a link that is asked for |
//! | `pull` | what a client fetches before it mounts: zTOCs, and whole the layers without one |
//! | `layer` | a layer whose spans are fetched when they are read |
//! | `tree` | the merged file system as inodes |
//! | `record` | what was opened, read and fetched, and what went wrong |
//! | `filesystem`, `mount` | the file system through FUSE, mounted and taken away again |
//! | `whole` | the image unpacked on the disk instead |
//! | `world` | namespaces that nothing outlives, a writable layer |
//! | `bundle`, `user`, `inside` | what runs, as the image's config says |
//! | `container`, `ready` | an OCI runtime runs it, until it is ready |
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod bundle;
mod container;
mod error;
mod filesystem;
mod inside;
mod layer;
mod mount;
mod pull;
mod ready;
mod record;
mod tree;
mod user;
mod whole;
mod wire;
mod world;

pub use bundle::{Network, Program, Wishes};
pub use container::{Output, Run, Started, find_runtime, to_stderr};
pub use error::Error;
pub use inside::read_inside;
pub use layer::Fault;
pub use mount::{Mount, detach};
pub use pull::{Pulled, PulledLayer, pull};
pub use ready::{HttpAddress, Ready, is_listening};
pub use record::{Fetch, OpenedFile, Recorded};
pub use user::{User, user};
pub use whole::unpack;
pub use wire::{Stopped, Wire};
pub use world::{World, again, enter};

/// What this crate's functions give.
pub type Result<T, E = Error> = std::result::Result<T, E>;
