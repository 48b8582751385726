#![doc = include_str!("../README.md")]
//!
//! # Modules
//! * [`ztoc::ZtocBuilder`] makes a zTOC while a layer passes by, in one pass.
//! * [`ztoc::Ztoc`] is a zTOC as a value: read, written, looked up.
//! * [`ztoc::extract`] reads one file through its spans, [`ztoc::verify`] checks all of it.
//! * [`inflate`] and [`tar`] are the parts underneath.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
pub mod inflate;
pub mod tar;
pub mod ztoc;

pub use error::Error;
