#![doc = include_str!("../README.md")]
//!
//! # The path of a conversion
//! [`Documents`] are collected, [`Image::read`] makes a tree of them,
//! [`Image::select`] chooses platforms, somebody makes zTOCs, [`convert::convert`] gives the documents
//! to write, [`inventory::inventory`] the order of all blobs. [`ImageFacts`] says what an image is.
#![forbid(unsafe_code)]

pub mod annotation;
pub mod built;
pub mod convert;
pub mod descriptor;
pub mod digest;
pub mod document;
pub mod ecr;
pub mod error;
pub mod facts;
pub mod image;
pub mod index;
pub mod inventory;
pub mod json;
pub mod layout;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod reference;
pub mod skip;
pub mod soci_index;
pub mod top_layer;

pub use descriptor::Descriptor;
pub use digest::Digest;
pub use document::{Document, Documents};
pub use ecr::EcrHost;
pub use error::{Error, Result};
pub use facts::ImageFacts;
pub use image::Image;
pub use index::Index;
pub use json::Json;
pub use layout::Layout;
pub use manifest::Manifest;
pub use media_type::LayerCompression;
pub use platform::Platform;
pub use reference::Reference;
pub use skip::SkipReason;
pub use soci_index::{SociIndex, SociVersion};
pub use top_layer::TopLayer;
