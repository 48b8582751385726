#![doc = include_str!("../README.md")]
//!
//! # Modules
//! ```text
//! settings  what the function is told by its environment
//! event     what it is called with, read without I/O
//! image     one image, from its name to its new tag
//! deadline  the end of a call's time
//! rest      what a call that runs out of time hands over
//! record    the log line of an image, with its metrics
//! function  from a call to its answer
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "function")]
pub mod deadline;
pub mod event;
#[cfg(feature = "function")]
pub mod function;
#[cfg(feature = "function")]
pub mod image;
pub mod record;
#[cfg(feature = "function")]
pub mod rest;
pub mod settings;
