//! An image as data.
#![forbid(unsafe_code)]
