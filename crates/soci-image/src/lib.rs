//! An image as data: digests, references, ECR hosts, platforms, descriptors, the documents that make
//! up an image, SOCI index manifests, and what conversion writes. Bytes in, values out.
//!
//! ```
//! use soci_image::{EcrHost, Platform, Reference};
//!
//! let image: Reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.4".parse()?;
//! assert_eq!(image.repository(), "app");
//! let host = EcrHost::parse(image.registry()).expect("a private ECR registry");
//! assert_eq!(host.region, "eu-west-1");
//!
//! let wanted: Platform = "linux/x86_64".parse()?;
//! assert!(wanted.matches(&Platform::new("linux", "amd64")));
//! # Ok::<(), soci_image::Error>(())
//! ```
//!
//! The path of a conversion: [`Documents`] are collected, [`Image::read`] makes a tree of them,
//! [`Image::select`] chooses platforms, somebody makes zTOCs, [`convert::convert`] gives the documents
//! to write, [`inventory::inventory`] the order of all blobs. [`ImageFacts`] says what an image is.
#![forbid(unsafe_code)]

pub mod annotation;
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
