//! A client for container registries: the OCI distribution protocol, written once over [`Transport`].
//!
//! ```text
//! source, destination    the places of the workflow
//! repository  manifests · blobs · uploads · referrers      one repository of one registry
//! client      one request: scheme, login, redirects, retries, limits
//! auth        challenges → tokens      credentials, ecr, sigv4
//! transport   one HTTP exchange: natively ureq, in WASM the host's fetch
//! ```

#[cfg(feature = "native")]
mod adaptive;
mod auth;
mod blobs;
mod challenge;
mod client;
pub mod credentials;
#[cfg(feature = "native")]
mod destination;
pub mod ecr;
mod environment;
mod error;
#[cfg(feature = "native")]
mod kept;
#[cfg(feature = "native")]
mod native;
mod options;
mod referrers;
mod refusal;
mod repository;
mod retry;
mod secret;
pub mod sigv4;
#[cfg(feature = "native")]
mod source;
mod token;
pub mod transport;
mod uploads;
mod url;
#[cfg(feature = "native")]
mod windowed;

#[cfg(feature = "native")]
pub use self::adaptive::AdaptiveReader;
pub use self::blobs::BlobReader;
pub use self::client::Client;
#[cfg(feature = "native")]
pub use self::destination::{RegistryDestination, RegistrySink};
pub use self::environment::Environment;
pub use self::error::RegistryError;
#[cfg(feature = "native")]
pub use self::native::{NativeBody, NativeOptions, RootsError, UreqTransport};
pub use self::options::{ClientOptions, Limits, Trace, Traffic};
pub use self::referrers::tag_of as referrers_tag;
pub use self::repository::{Manifest, ManifestHead, ManifestName, Repository};
pub use self::retry::RetryPolicy;
pub use self::secret::Secret;
#[cfg(feature = "native")]
pub use self::source::{NativeClient, RegistryBlob, RegistrySource};
pub use self::uploads::BlobWriter;
pub use self::url::{Url, UrlError};
#[cfg(feature = "native")]
pub use self::windowed::WindowedReader;
