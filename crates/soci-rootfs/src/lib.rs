#![doc = include_str!("../README.md")]
//!
//! # How
//! Containers see the layers of an image as one file system. There are two ways to make it: containerd *unpacks*
//! the layers into folders, or the lazy client *mounts* them and shows what their tables of contents say.
//! [`compare`] finds where the two differ, so that a layer is only loaded lazily where it then looks as it does
//! unpacked; [`Rootfs`] is the unpacked file system, to look paths up in.
//!
//! | module | story |
//! |---|---|
//! | `source` | what is read of a table of contents and of a zTOC |
//! | `tree`, `names`, `path` | one layer: nodes, names, paths |
//! | `unpack`, `fault`, `resolve`, `xattr` | the tree that containerd makes of a layer |
//! | `mounted` | the tree that the client shows of it |
//! | `stack` | layers on top of each other, as overlayfs merges them |
//! | `compare`, `verdict` | both sides beside each other, and what is said of them |
//! | `settle` | which layers of an image stay without a zTOC |
//! | `rootfs`, `lookup` | paths through links and layers |
//! | `restate` | a layer on top that repeats, and the proof that it changes nothing |
//! | `usage` | what files take, and what of it nobody sees |
//!
//! Nothing here reads a file: tables of contents in, values out. Time and memory are linear in the number of
//! entries, whatever is in them.
#![forbid(unsafe_code)]

mod compare;
mod fault;
mod lookup;
mod mounted;
mod names;
mod path;
mod resolve;
mod restate;
mod rootfs;
mod settle;
mod source;
mod stack;
mod tree;
mod unpack;
mod usage;
mod verdict;
mod xattr;

pub use compare::{Layer, compare};
pub use fault::UnpackFault;
pub use lookup::LookupFault;
pub use mounted::UnknownTarget;
pub use restate::{Changed, LeftBelow, Restated, lost_directories};
pub use rootfs::{Found, Rootfs};
pub use settle::{Settled, settle};
pub use source::Mount;
pub use tree::{FileType, Unreadable};
pub use usage::{Hidden, LayerUsage, Node, Usage};
pub use verdict::{Client, Comparison, Difference, Differences, Refused, Verdict, Weight, What};
