//! An image as data: digests, references, ECR hosts, platforms, descriptors, the documents that make
//! up an image, SOCI index manifests, and what conversion writes. Bytes in, values out.
#![forbid(unsafe_code)]

pub mod descriptor;
pub mod digest;
pub mod ecr;
pub mod error;
pub mod json;
pub mod media_type;
pub mod platform;
pub mod reference;

pub use descriptor::Descriptor;
pub use digest::Digest;
pub use ecr::EcrHost;
pub use error::{Error, Result};
pub use json::Json;
pub use media_type::LayerCompression;
pub use platform::Platform;
pub use reference::Reference;
