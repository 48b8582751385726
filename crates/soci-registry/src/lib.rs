#![doc = include_str!("../README.md")]
//!
//! # Modules
//! ```text
//! repository  manifests · blobs · uploads · referrers · tags      one repository of one registry
//! client      one request: scheme, login, redirects
//! auth        the registry's own challenge → a login or an error      credentials
//! wire        one exchange: repetitions, limits in bytes and time, secrets kept out of quotations
//! transport   the host's HTTP: natively ureq, in WASM fetch
//! ```
//!
//! Everything is `async` without `Send` bounds: in a browser nothing is `Send`. Natively every call does its I/O before
//! it returns, so each future is ready when it is first polled and [`block_on`] needs no runtime.
#![forbid(unsafe_code)]
// See above.
#![allow(async_fn_in_trait)]

#[cfg(feature = "native")]
mod adaptive;
mod auth;
mod blobs;
mod block_on;
mod challenge;
mod client;
pub mod credentials;
mod environment;
mod error;
#[cfg(not(feature = "native"))]
mod foreign;
#[cfg(feature = "native")]
mod native;
mod options;
mod origin;
mod pages;
mod redact;
mod referrers;
mod refusal;
mod repository;
mod retry;
mod secret;
mod tags;
pub mod token;
pub mod transport;
mod uploads;
mod url;
#[cfg(feature = "native")]
mod windowed;
mod wire;

#[cfg(feature = "native")]
pub use self::adaptive::AdaptiveReader;
pub use self::blobs::BlobReader;
pub use self::block_on::block_on;
pub use self::client::Client;
pub use self::environment::Environment;
pub use self::error::RegistryError;
#[cfg(not(feature = "native"))]
pub use self::foreign::{ForeignBody, ForeignTransport};
#[cfg(feature = "native")]
pub use self::native::{NativeBody, NativeClient, NativeOptions, RootsError, UreqTransport};
pub use self::options::{ClientOptions, DOCUMENT_LIMIT, Limits, Trace, Traffic};
pub use self::origin::{Authorization, Origin};
pub use self::redact::Quoted;
pub use self::referrers::tag_of as referrers_tag;
pub use self::repository::{Manifest, ManifestHead, ManifestName, Repository, Tagged};
pub use self::retry::RetryPolicy;
pub use self::secret::Secret;
pub use self::uploads::BlobWriter;
pub use self::url::{Url, UrlError};
#[cfg(feature = "native")]
pub use self::windowed::{LARGE_BLOB, WindowedReader};
