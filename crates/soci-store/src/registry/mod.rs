//! A client for container registries: the OCI distribution protocol, written once over [`Transport`].
//!
//! ```text
//! place       Source and Destination of the workflow
//! repository  manifests · blobs · uploads · referrers      one repository of one registry
//! client      one request: scheme, login, redirects, retries, limits
//! auth        challenges → tokens      credentials, ecr, sigv4
//! transport   one HTTP exchange: natively ureq, in WASM the host's fetch
//! ```

mod auth;
mod blobs;
mod challenge;
mod client;
pub mod credentials;
pub mod ecr;
mod environment;
mod error;
#[cfg(feature = "native")]
mod native;
#[cfg(feature = "native")]
mod place;
mod referrers;
mod refusal;
mod repository;
mod retry;
mod secret;
pub mod sigv4;
pub mod transport;
mod uploads;
mod url;
#[cfg(feature = "native")]
mod windowed;

pub use self::blobs::BlobReader;
pub use self::client::{Client, ClientOptions, Limits, Trace, Traffic};
pub use self::environment::Environment;
pub use self::error::RegistryError;
#[cfg(feature = "native")]
pub use self::native::{NativeBody, NativeOptions, RootsError, UreqTransport};
#[cfg(feature = "native")]
pub use self::place::{NativeClient, RegistryBlob, RegistryDestination, RegistrySink, RegistrySource};
pub use self::referrers::tag_of as referrers_tag;
pub use self::repository::{Manifest, ManifestHead, ManifestName, Repository};
pub use self::retry::RetryPolicy;
pub use self::secret::Secret;
pub use self::uploads::BlobWriter;
pub use self::url::{Url, UrlError};
#[cfg(feature = "native")]
pub use self::windowed::WindowedReader;
