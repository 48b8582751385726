//! A layer of a container image: inflate, tar, zTOC.
//!
//! A zTOC lets a client read single files of a compressed layer. It holds a table of contents (the
//! tar's entries), and checkpoints in the gzip stream from which inflating can start; the stretch
//! from one checkpoint to the next is a *span*, and every span has a digest. The format is described
//! in `docs/`.
//!
//! * [`ztoc::ZtocBuilder`] makes a zTOC while a layer passes by, in one pass.
//! * [`ztoc::Ztoc`] is a zTOC as a value: read, written, looked up.
//! * [`ztoc::extract`] reads one file through its spans, [`ztoc::verify`] checks all of it.
//! * [`inflate`] and [`tar`] are the parts underneath.
//!
//! Bytes in, values out: this crate opens no file, starts no thread and runs without std.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
pub mod inflate;
pub mod tar;
pub mod ztoc;

pub use error::Error;
