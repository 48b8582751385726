#![doc = include_str!("../README.md")]
//!
//! # Modules
//! ```text
//! settings  what the function is told by its environment
//! event     what it is called with, read without I/O
//! image     one image, from its name to its new tag
//! record    the log line of an image, with its metrics
//! function  from a call to its answer
//! ```
#![forbid(unsafe_code)]

pub mod event;
#[cfg(feature = "function")]
pub mod function;
#[cfg(feature = "function")]
pub mod image;
pub mod record;
pub mod settings;
