//! A layer of a container image: inflate, tar, zTOC.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod inflate;
pub mod tar;
pub mod ztoc;
